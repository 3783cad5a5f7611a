"""Channels before depthwise convolutions: brought to one range, and no answer changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from calibration.graph import load_onnx
from calibration.level import level
from calibration.observe import run, values_of
from calibration.quantize import Quantizer, calibration_cache
from edge_app.inference.model import SHIPPED

WIDE = 3


def depthwise(is_read_twice: bool = False, groups: int = 16) -> Any:
    """images -> conv, of whose channels one is far wider -> SiLU -> depthwise -> 1x1 -> scores."""
    rng = np.random.default_rng(2)

    def weights(*shape: int) -> np.ndarray:
        return rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape).astype(np.float32)

    first = weights(16, 3, 3, 3)
    first[WIDE] *= 40
    inner = weights(16, 16 // groups, 3, 3)
    inner[:, 0] /= 1 if groups == 1 else np.where(np.arange(16) == WIDE, 40, 1)[:, None, None]
    values = {
        "unit": np.float32(1 / 64),
        "none": np.float32(0),
        "first_w": first,
        "inner_w": inner,
        "last_w": weights(16, 16, 1, 1),
    }
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["planes", "unit"], ["small"]),
        helper.make_node("Conv", ["small", "first_w"], ["first"], name="first", pads=[1] * 4),
        helper.make_node("Sigmoid", ["first"], ["gate"]),
        helper.make_node("Mul", ["first", "gate"], ["act"]),
        helper.make_node(
            "Conv", ["act", "inner_w"], ["inner"], name="inner", group=groups, pads=[1] * 4
        ),
        helper.make_node("Relu", ["inner"], ["inner_act"]),
        helper.make_node("Conv", ["inner_act", "last_w"], ["last"], name="last"),
        helper.make_node("Add", ["last", "act" if is_read_twice else "none"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "depthwise",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 16, 16, 3])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["N", 16, 16, 16])],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def pictures() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (8, 16, 16, 3)).astype(np.uint8)


def out_of(model: Any) -> np.ndarray:
    return np.array(next(run(model, [pictures()]))["out"])


def test_channels_reach_one_range_and_the_answer_stays() -> None:
    model = depthwise()
    levelled, made_of = level(model, pictures())
    assert made_of == {"act_levelled": "act"}
    np.testing.assert_allclose(out_of(levelled), out_of(model), rtol=1e-4, atol=1e-5)
    before, after = (
        np.abs(values_of(one, [name], pictures())[0]).max(axis=(2, 3)).mean(axis=0)
        for one, name in ((model, "act"), (levelled, "act_levelled"))
    )
    assert before.max() > 10 * np.median(before)
    assert after.max() < 1.01 * np.median(after)
    assert after.max() == pytest.approx(before.max(), rel=1e-4)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(depthwise(groups=1), id="a convolution that mixes channels"),
        pytest.param(depthwise(is_read_twice=True), id="somebody else reads it, too"),
    ],
)
def test_what_cannot_be_levelled_is_left_alone(model: Any) -> None:
    assert level(model, pictures()) == (model, {})


def test_int8_is_much_nearer_to_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    model = depthwise()
    exact = out_of(model)
    levelled = np.abs(out_of(Quantizer(model, pictures(), "minmax").write()) - exact).mean()
    monkeypatch.setattr("calibration.quantize.level", lambda model, _: (model, {}))
    plain = np.abs(out_of(Quantizer(model, pictures(), "minmax").write()) - exact).mean()
    assert levelled < 0.5 * plain


def test_the_classic_cache_names_tensors_that_the_float_model_has() -> None:
    model = depthwise()
    quantizer = Quantizer(model, pictures(), "minmax")
    assert "act_levelled" in quantizer.scales
    lines = calibration_cache(quantizer.scales_before, "10.3.0").splitlines()[1:]
    known = {name for node in model.graph.node for name in node.output} | {"images"}
    names = {line.rsplit(": ", 1)[0] for line in lines}
    assert names <= known
    assert "act" in names


def test_a_channel_that_is_always_zero_is_bounded() -> None:
    model = depthwise()
    for tensor in model.graph.initializer:
        if tensor.name == "first_w":
            weights = numpy_helper.to_array(tensor).copy()
            weights[5] = 0
            tensor.CopyFrom(numpy_helper.from_array(weights, "first_w"))
    levelled, _ = level(model, pictures())
    factors = {t.name: numpy_helper.to_array(t) for t in levelled.graph.initializer}["act_factors"]
    assert factors.max() == factors[0, 5, 0, 0] == 1024.0
    np.testing.assert_allclose(out_of(levelled), out_of(model), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("task", ["detector", "classifier"])
def test_the_shipped_models_answer_alike(task: str) -> None:
    model = load_onnx(SHIPPED / f"{task}.onnx")
    sizes = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:]
    seen = np.random.default_rng(1).integers(0, 255, (2, *sizes)).astype(np.uint8)
    levelled, made_of = level(model, seen)
    assert len(made_of) >= 15
    for ours, theirs in zip(
        *(
            {k: np.array(v) for k, v in next(run(m, [seen])).items()}.values()
            for m in (levelled, model)
        ),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-3)
