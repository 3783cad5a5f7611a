"""How much faster a model is than another on one core, which only the two side by side can tell."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from edge_app.flow import UInt8
from edge_app.inference.model import Task, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.ports import Engine

ROUNDS = 100


def speed_up(
    before: Any, after: Any, task: Task, pictures: UInt8, rounds: int = ROUNDS
) -> dict[int, float]:
    """Time of a model divided by that of another, in OpenVINO on one core.

    Both run in turns on one thread, so that what else the machine does meets both alike; processor
    time counts, without the time of waiting for a core, and the best of each, disturbed least.

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
        engines = []
        for index, model in enumerate((before, after)):
            path = Path(folder) / f"{index}.onnx"
            onnx.save(model, str(path))
            engines.append(OpenVinoEngine(load_model(path, task), threads=1, max_batch=4))
    ratios = {n: _ratio(engines, pictures[:n], rounds) for n in (1, 4) if n <= len(pictures)}
    for engine in engines:
        engine.close()
    return ratios


def _ratio(engines: Sequence[Engine], batch: UInt8, rounds: int) -> float:
    for engine in engines:
        engine.infer(batch)
    taken_s = np.array([[_timed(engine, batch) for engine in engines] for _ in range(rounds)])
    before_s, after_s = taken_s.min(axis=0)
    return float(before_s / after_s)


def _timed(engine: Engine, batch: UInt8) -> float:
    began_s = time.process_time()
    engine.infer(batch)
    return time.process_time() - began_s
