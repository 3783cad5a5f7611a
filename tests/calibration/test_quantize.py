"""The Q/DQ model: its form, its answers in two runtimes, and the classic cache."""

from __future__ import annotations

import struct

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from calibration.observe import run
from calibration.quantize import Quantizer, calibration_cache, quantize_weights
from calibration.ranges import METHODS, Method
from edge_app.errors import ModelError
from edge_app.inference.openvino_guard import has_narrow_sums
from tests.calibration.networks import pictures, residual_detector


@pytest.fixture(scope="module")
def quantizer() -> Quantizer:
    return Quantizer(residual_detector(), pictures(), "minmax")


def test_scales_are_positive_and_zero_points_are_zero(quantizer: Quantizer) -> None:
    model = quantizer.write()
    values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    pairs = [n for n in model.graph.node if n.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert len(pairs) > 10
    for node in pairs:
        assert (values[node.input[1]] > 0).all()
        assert values[node.input[2]].dtype == np.int8
        assert not values[node.input[2]].any()


def test_weights_are_stored_in_a_byte_with_a_scale_per_channel(quantizer: Quantizer) -> None:
    values = {t.name: numpy_helper.to_array(t) for t in quantizer.write().graph.initializer}
    assert values["merge_weights_int8"].dtype == np.int8
    assert values["merge_weights_scale"].shape == (16,)
    assert "merge_w" not in values


def test_joined_tensors_have_the_same_scale(quantizer: Quantizer) -> None:
    values = {t.name: numpy_helper.to_array(t) for t in quantizer.write().graph.initializer}
    assert values["joined_scale"] == values["left_act_scale"] == values["pooled_scale"]


@pytest.mark.parametrize("method", METHODS)
def test_answers_stay_close_to_float(method: Method) -> None:
    model = residual_detector()
    expected = next(run(model, [pictures()]))["scores"].copy()
    found = next(run(Quantizer(model, pictures(), method).write(), [pictures()]))["scores"]
    assert 0.0 < np.abs(found - expected).max() < 0.3


def test_two_runtimes_agree(quantizer: Quantizer) -> None:
    model = quantizer.write()
    # Without its optimisations ONNX Runtime computes what the file says, to the letter.
    exact = onnxruntime.SessionOptions()
    exact.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), exact, providers=["CPUExecutionProvider"]
    )
    theirs = session.run(["scores"], {"images": pictures()})[0]
    # A processor that must do with weights of 7 bits rounds them once more.
    tolerance = 0.15 if has_narrow_sums() else 1e-4
    np.testing.assert_allclose(next(run(model, [pictures()]))["scores"], theirs, atol=tolerance)


def test_a_layer_can_stay_in_float(quantizer: Quantizer) -> None:
    model = quantizer.write(without=("first",))
    node = next(n for n in model.graph.node if n.name == "first")
    assert list(node.input[:2]) == ["pooled", "first_w"]


@given(st.integers(0, 2**31), st.integers(0, 1))
def test_weights_come_back_within_half_a_step(seed: int, axis: int) -> None:
    value = np.random.default_rng(seed).normal(0, 3, (5, 4, 3, 3)).astype(np.float32)
    whole, scales = quantize_weights(value, axis)
    shape = [1] * 4
    shape[axis] = -1
    back = whole * scales.reshape(shape)
    assert (np.abs(back - value) <= scales.reshape(shape) * 0.501).all()


def test_a_channel_of_zeros_keeps_a_scale() -> None:
    whole, scales = quantize_weights(np.zeros((2, 3, 1, 1), np.float32), 0)
    assert (scales > 0).all()
    assert not whole.any()


def test_the_cache_tells_scales_to_the_last_digit(quantizer: Quantizer) -> None:
    head, *lines = calibration_cache(quantizer.scales, "8.5.1").splitlines()
    assert head == "TRT-8501-EntropyCalibration2"
    for line in lines:
        name, digits = line.rsplit(": ", 1)
        assert len(digits) == 8
        told = struct.unpack("!f", bytes.fromhex(digits))[0]
        assert told == pytest.approx(quantizer.scales[name], rel=1e-6)


@pytest.mark.parametrize("version", ["11.4.0", "ten", "10"])
def test_a_cache_for_no_such_tensorrt_is_refused(version: str) -> None:
    with pytest.raises(ModelError, match=r"reads no calibration cache|expected a TensorRT version"):
        calibration_cache({}, version)


def test_a_model_without_layers_is_refused() -> None:
    model = residual_detector()
    del model.graph.node[3:]
    del model.graph.output[:]
    model.graph.output.append(
        helper.make_tensor_value_info("small", TensorProto.FLOAT, ["N", 3, 32, 32])
    )
    with pytest.raises(ModelError, match="no convolution or matrix product worth quantizing"):
        Quantizer(model, pictures(), "minmax")
