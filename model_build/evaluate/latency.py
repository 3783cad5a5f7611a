"""What a model costs on one CPU core, in frames of YOLOX-nano: milliseconds alone mean little."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from edge_app.errors import ModelError
from edge_app.inference.silent_openvino import CORE

ROUNDS = 40


def latency(model: Path, yardstick: Path, rounds: int = ROUNDS) -> dict[str, float]:
    """Run both in turns, one picture at a time, one thread, float32; medians.

    Args:
        model: of the contract.
        yardstick: the published YOLOX-nano, 416x416.
        rounds: how often each is run.

    Returns:
        `median_ms`, and `yolox_nano_416`: how many frames of the yardstick one picture costs.
        Taking turns, both see the same disturbances, so that their ratio is steady where the
        milliseconds are not.
    """
    requests = [_request(path) for path in (model, yardstick)]
    taken_s = np.empty((rounds, 2))
    for infer, picture in requests:
        infer(picture)
    for row in taken_s:
        for column, (infer, picture) in enumerate(requests):
            began = time.perf_counter()
            infer(picture)
            row[column] = time.perf_counter() - began
    ours, theirs = np.median(taken_s, 0)
    return {"median_ms": round(1000 * ours, 2), "yolox_nano_416": round(ours / theirs, 3)}


def _request(path: Path) -> tuple[Any, np.ndarray]:
    """A compiled network's call, and a picture for it."""
    try:
        network = CORE.read_model(str(path))
        entry = network.input()
        shape = [1 if side.is_dynamic else side.get_length() for side in entry.partial_shape]
        network.reshape(shape)
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        compiled = CORE.compile_model(network, "CPU", settings)
    except RuntimeError as error:
        raise ModelError(f"{path}: OpenVINO cannot run it: {error}") from error
    kind = entry.element_type.to_dtype()
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(kind)
    return compiled.create_infer_request().infer, picture
