"""TensorRT itself, on a machine without a GPU: the shipped models are parsed and built.

TensorRT-RTX builds engines ahead of time for a GPU that is not there. Its Runtime must never be
constructed here: without a GPU it crashes the process.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from calibration.graph import load_onnx
from calibration.half import cast_to_half
from calibration.quantize import Quantizer
from edge_app.inference.model import SHIPPED
from edge_app.inference.trt_engine import shared_logger

trt = pytest.importorskip(
    "tensorrt_rtx", reason="tensorrt-rtx-cu13: pip install tensorrt-rtx-cu13 to build for TensorRT"
)


def build(onnx: bytes) -> Any:
    """Parse and build for compute capability 8.6, batches of 1 to 8; None if it fails."""
    logger = shared_logger(trt)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    parsed = parser.parse(onnx)
    assert parsed, [parser.get_error(i).desc() for i in range(parser.num_errors)]
    config = builder.create_builder_config()
    profile = builder.create_optimization_profile()
    tensor = network.get_input(0)
    picture = tuple(tensor.shape)[1:]
    profile.set_shape(tensor.name, *((n, *picture) for n in (1, 4, 8)))
    assert config.add_optimization_profile(profile) == 0
    config.num_compute_capabilities = 1
    config.set_compute_capability(trt.ComputeCapability.SM86, 0)
    return builder.build_serialized_network(network, config)


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
def test_shipped_models_build(task: str, precision: str) -> None:
    built = build(in_precision(task, precision).SerializeToString())
    assert built is not None
    assert built.nbytes > 1_000_000


def test_what_tensorrt_cannot_read_is_told() -> None:
    with pytest.raises(AssertionError):
        build(b"no model at all")
