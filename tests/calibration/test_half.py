"""FP16: what is cast, what stays, and that an independent runtime reads it alike."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from calibration.graph import Graph, load_onnx
from calibration.half import cast_to_half
from calibration.observe import run
from edge_app.errors import ModelError
from edge_app.inference.model import SHIPPED
from tests.calibration.networks import pictures, residual_detector


def test_the_body_is_half_and_the_rest_is_not() -> None:
    model = cast_to_half(residual_detector())
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert {kinds[f"{n}_w_as_half"] for n in ("stem", "first", "merge", "narrow")} == {
        TensorProto.FLOAT16
    }
    assert kinds["unit"] == kinds["grid"] == TensorProto.FLOAT
    assert [output.type.tensor_type.elem_type for output in model.graph.output] == [1, 1]
    casts = [node.input[0] for node in model.graph.node if node.op_type == "Cast"]
    assert casts == ["images", "small", "narrow"], "where the types meet, and nowhere else"


def test_answers_stay_close_in_onnx_runtime() -> None:
    model = residual_detector()
    expected = next(run(model, [pictures()]))["scores"].copy()
    session = onnxruntime.InferenceSession(
        cast_to_half(model).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found = session.run(["scores"], {"images": pictures()})[0]
    assert 0.0 < np.abs(found - expected).max() < 0.02


def test_an_output_from_within_the_body_stays_float() -> None:
    model = residual_detector()
    inner = helper.make_tensor_value_info("merge", TensorProto.FLOAT, ["N", 16, 16, 16])
    model.graph.output.append(inner)
    expected, found = (
        onnxruntime.InferenceSession(
            made.SerializeToString(), providers=["CPUExecutionProvider"]
        ).run(["merge", "scores"], {"images": pictures()})
        for made in (model, cast_to_half(model))
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == np.float32
        assert 0.0 < np.abs(ours - theirs).max() < 0.02


@pytest.mark.parametrize("task", ["detector", "garments", "classifier"])
def test_shipped_models_can_be_cast(task: str) -> None:
    model = load_onnx(SHIPPED / f"{task}.onnx")
    half = cast_to_half(model)
    delicate = {n.op_type for n in half.graph.node if n.op_type in ("Softmax", "Exp", "TopK")}
    for node in half.graph.node:
        if node.op_type in delicate:
            assert Graph(half).is_float(node.input[0])
    in_float = Graph(model).model  # some are shipped with their weights packed
    assert len(half.SerializeToString()) < 0.65 * len(in_float.SerializeToString())


def test_a_weight_beyond_the_range_of_half_is_refused() -> None:
    model = residual_detector()
    for tensor in model.graph.initializer:
        if tensor.name == "first_w":
            huge = np.full(tuple(tensor.dims), 1e6, np.float32)
            tensor.CopyFrom(numpy_helper.from_array(huge, "first_w"))
    with pytest.raises(ModelError, match=r"'first_w' reaches 1e.06, and float16 ends at 65504"):
        cast_to_half(model)
