"""Speed: in turns, by the best time of each, with the instructions that are allowed."""

from __future__ import annotations

import time

import numpy as np
import pytest

from calibration import speed
from edge_app.errors import EngineError
from edge_app.inference.openvino_guard import cpu_flags
from tests.calibration.networks import pictures, residual_detector


class Slow:
    """An engine that takes its time."""

    def __init__(self, name: str, takes_s: float, log: list[str]) -> None:
        self._name, self._takes_s, self._log = name, takes_s, log

    def infer(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        self._log.append(self._name)
        until_s = time.process_time() + self._takes_s
        while time.process_time() < until_s:
            pass
        return {}

    def close(self) -> None:
        self._log.append(f"{self._name} closed")


def test_engines_take_turns_and_the_best_time_counts() -> None:
    log: list[str] = []
    engines = {"a": Slow("a", 0.03, log), "b": Slow("b", 0.01, log)}
    taken_s = speed.race(engines, pictures(1), rounds=8)  # type: ignore[arg-type]
    assert log == [*["a", "b"] * 9, "a closed", "b closed"]
    assert speed.ratios(taken_s, "a", "b") == {1: pytest.approx(3.0, rel=0.25)}


def test_both_sizes_of_call_are_measured() -> None:
    model = residual_detector()
    assert set(speed.speed_up(model, model, "detector", pictures(), rounds=2)) == {1, 4}
    assert set(speed.speed_up(model, model, "detector", pictures(3), rounds=2)) == {1}


def test_instructions_are_taken_away_one_after_the_other() -> None:
    model = residual_detector()
    found = speed.by_instructions(model, model, "detector", pictures())
    has = {"amx_int8": "AMX and VNNI", "avx512_vnni": "VNNI", "avx512bw": "AVX-512 without VNNI"}
    expected = [name for flag, name in has.items() if flag in cpu_flags()] or ["as it is"]
    assert list(found) == expected
    for name, taken_s in found.items():
        is_first = name == expected[0]
        more = {"bfloat16"} if is_first and cpu_flags() & {"avx512_bf16", "amx_bf16"} else set()
        assert set(taken_s) == {"float32", "rewritten", "int8"} | more
        assert all(set(calls) == {1, 4} and min(calls.values()) > 0 for calls in taken_s.values())


def test_a_measurement_that_fails_is_told() -> None:
    model = residual_detector()
    with pytest.raises(EngineError, match="could not be measured"):
        speed.by_instructions(model, model, "classifier", pictures())
