"""Speed: in turns, by the best time of each."""

from __future__ import annotations

import time

import numpy as np
import pytest

from calibration import speed
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


def test_engines_take_turns_and_the_best_time_counts() -> None:
    log: list[str] = []
    ratio = speed._ratio([Slow("a", 0.03, log), Slow("b", 0.01, log)], pictures(1), rounds=8)  # type: ignore[list-item]
    assert log == ["a", "b"] * 9
    assert ratio == pytest.approx(3.0, rel=0.25)


def test_both_sizes_of_call_are_measured() -> None:
    model = residual_detector()
    assert set(speed.speed_up(model, model, "detector", pictures(), rounds=2)) == {1, 4}
    assert set(speed.speed_up(model, model, "detector", pictures(3), rounds=2)) == {1}
