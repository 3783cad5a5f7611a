"""TensorRT itself, on a machine without a GPU: the shipped models are parsed and built.

TensorRT-RTX builds engines ahead of time for a GPU that is not there. Its Runtime must never be
constructed here: without a GPU it crashes the process.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from calibration.graph import load_onnx
from calibration.half import cast_to_half
from calibration.quantize import Quantizer
from edge_app.config.schema import InferenceSettings
from edge_app.errors import EngineError
from edge_app.inference.model import SHIPPED, load_model
from model_build.engine import build_ahead

trt = pytest.importorskip(
    "tensorrt_rtx", reason="tensorrt-rtx-cu13: pip install tensorrt-rtx-cu13 to build for TensorRT"
)


def in_precision(task: str, precision: str) -> Any:
    model = load_onnx(SHIPPED / f"{task}.onnx")
    if precision == "half":
        return cast_to_half(model)
    if precision == "int8":
        sizes = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:]
        pictures = np.random.default_rng(0).integers(0, 255, (1, *sizes)).astype(np.uint8)
        return Quantizer(model, pictures, "minmax").write()
    return model


@pytest.mark.parametrize("precision", ["float", "half", "int8"])
@pytest.mark.parametrize("task", ["detector", "garments", "classifier"])
def test_shipped_models_build(task: Any, precision: str, tmp_path: Path) -> None:
    path = tmp_path / f"{task}.onnx"
    onnx.save(in_precision(task, precision), str(path))
    settings = InferenceSettings(engines=tmp_path)
    built = build_ahead(trt, load_model(path, task), settings, "8.6")
    assert built.stat().st_size > 1_000_000


def test_what_tensorrt_cannot_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "classifier.onnx"
    shutil.copy(SHIPPED / path.name, path)
    model = load_model(path, "classifier")
    path.write_bytes(b"no model at all")
    with pytest.raises(EngineError, match="TensorRT cannot read it"):
        build_ahead(trt, model, InferenceSettings(engines=tmp_path), "8.6")


def test_an_unknown_capability_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    model = load_model(SHIPPED / "classifier.onnx", "classifier")
    with pytest.raises(EngineError, match=r"no compute capability 8\.7; it knows .*8\.6"):
        build_ahead(trt, model, InferenceSettings(engines=tmp_path), "8.7")
