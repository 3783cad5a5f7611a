"""How much faster a model is than another on one core, which only the two side by side can tell.

`python -m calibration.speed FOLDER TASK` is the measurement in a process of its own: which
instructions OpenVINO may use, it asks the environment but once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx

from calibration.simplify import simplify
from edge_app.errors import EngineError
from edge_app.flow import UInt8
from edge_app.inference.model import Task, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine, Precision
from edge_app.inference.openvino_guard import cpu_flags
from edge_app.ports import Engine

ROUNDS = 60
_CALLS = (1, 4)
_CAPS = (
    ("AMX and VNNI", "amx_int8", "DEFAULT"),
    ("VNNI", "avx512_vnni", "AVX512_CORE_VNNI"),
    ("AVX-512 without VNNI", "avx512bw", "AVX512_CORE"),
)
"""Instructions, the processor's flag that has them, and OpenVINO's word for going no further."""

Seconds = Mapping[str, Mapping[int, float]]
"""Of a call, by the name of what was run and the number of pictures in it."""


def speed_up(
    before: Any, after: Any, task: Task, pictures: UInt8, rounds: int = ROUNDS
) -> dict[int, float]:
    """Time of a model divided by that of another, in OpenVINO on one core.

    Args:
        before: ONNX.
        after: ONNX, of the same task.
        task: of both.
        pictures: uint8 ``[N, H, W, 3]``.
        rounds: how often each is run.

    Returns:
        The ratio by the number of pictures in a call: 1, and 4 where there are so many.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = _saved(Path(folder), {"before": before, "after": after}, pictures)
        engines = {name: _engine(path, task) for name, path in paths.items()}
        taken_s = race(engines, pictures, rounds)
    return ratios(taken_s, "before", "after")


def ratios(taken_s: Seconds, before: str, after: str) -> dict[int, float]:
    """How many times as fast, by the number of pictures in a call.

    >>> ratios({"a": {1: 0.03}, "b": {1: 0.02}}, "a", "b")
    {1: 1.5}
    """
    return {n: round(s / taken_s[after][n], 4) for n, s in taken_s[before].items()}


def race(
    engines: Mapping[str, Engine], pictures: UInt8, rounds: int = ROUNDS
) -> dict[str, dict[int, float]]:
    """Seconds of a call of each engine.

    They take turns, so that what else the machine does meets all alike; processor time counts,
    without the time of waiting for a core, and the best of each, disturbed least. Engines are
    closed.

    Args:
        engines: by name, on one thread each.
        pictures: uint8 ``[N, H, W, 3]``.
        rounds: how often each is run.
    """
    best: dict[str, dict[int, float]] = {name: {} for name in engines}
    for count in (n for n in _CALLS if n <= len(pictures)):
        batch = pictures[:count]
        for engine in engines.values():
            engine.infer(batch)
        taken_s = np.array([[_timed(e, batch) for e in engines.values()] for _ in range(rounds)])
        for name, seconds in zip(engines, taken_s.min(axis=0).tolist(), strict=True):
            best[name][count] = seconds
    for engine in engines.values():
        engine.close()
    return best


def by_instructions(before: Any, after: Any, task: Task, pictures: UInt8) -> dict[str, Seconds]:
    """Measure on one core with all that this processor has, and with less of it.

    Args:
        before: ONNX, float32.
        after: the same in INT8.
        task: of both.
        pictures: uint8 ``[N, H, W, 3]``.

    Returns:
        By the instructions allowed, the best first: seconds of ``float32``, ``rewritten`` (float32
        as INT8 is written, see :mod:`calibration.simplify`), ``int8``, and at first ``bfloat16``,
        where the processor has it.

    Raises:
        EngineError: a measurement failed.
    """
    caps = {name: cap for name, flag, cap in _CAPS if flag in cpu_flags()} or {"as it is": ""}
    caps[next(iter(caps))] = "DEFAULT"  # all that the processor has
    models = {"float32": before, "rewritten": simplify(before), "int8": after}
    with tempfile.TemporaryDirectory() as folder:
        _saved(Path(folder), models, pictures)
        return {name: _apart(folder, task, cap) for name, cap in caps.items()}


def _apart(folder: str, task: Task, cap: str) -> Seconds:
    command = [sys.executable, "-m", "calibration.speed", folder, task]
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": cap}
    done = subprocess.run(  # noqa: S603 - this module, by the Python that runs it
        command, capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise EngineError(f"the speed could not be measured with {cap}: {done.stderr.strip()}")
    told = json.loads(done.stdout)
    return {name: {int(n): s for n, s in calls.items()} for name, calls in told.items()}


def _saved(folder: Path, models: Mapping[str, Any], pictures: UInt8) -> dict[str, Path]:
    paths = {name: folder / f"{name}.onnx" for name in models}
    for name, path in paths.items():
        onnx.save(models[name], str(path))
    np.save(folder / "pictures.npy", pictures[: max(_CALLS)])
    return paths


def _engine(path: Path, task: Task, precision: Precision = "f32") -> OpenVinoEngine:
    return OpenVinoEngine(load_model(path, task), 1, max(_CALLS), precision)


def _timed(engine: Engine, batch: UInt8) -> float:
    began_s = time.process_time()
    engine.infer(batch)
    return time.process_time() - began_s


def main(folder: Path, task: Task) -> None:
    """Measure what lies in a folder, on the last core that this process may use; prints JSON."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    engines = {n: _engine(folder / f"{n}.onnx", task) for n in ("float32", "rewritten", "int8")}
    is_capped = os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT") != "DEFAULT"
    if not is_capped and cpu_flags() & {"avx512_bf16", "amx_bf16"}:
        engines["bfloat16"] = _engine(folder / "float32.onnx", task, "bf16")
    sys.stdout.write(json.dumps(race(engines, np.load(folder / "pictures.npy"))))


if __name__ == "__main__":
    main(Path(sys.argv[1]), cast("Task", sys.argv[2]))
