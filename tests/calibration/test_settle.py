"""Heads: where something is found, the scores of INT8 are brought back to those of float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from calibration.graph import Graph, load_onnx
from calibration.observe import run
from calibration.quantize import Quantizer
from calibration.settle import Settler
from edge_app.inference.model import SHIPPED
from tests.calibration.networks import pictures, residual_detector

SIDE = 8


def chosen(chooses: bool = True, has_bias: bool = True, asks_size: bool = False) -> Any:
    """images -> conv -> ReLU -> an object's and a kind's logit and a box's side -> best scores."""
    rng = np.random.default_rng(6)
    rows = np.array([0, 1, SIDE * SIDE])
    values = {
        "unit": np.float32(1 / 255),
        "stem_w": rng.normal(0, 0.4, (16, 3, 3, 3)).astype(np.float32),
        "stem_b": np.zeros(16, np.float32),
        "object_w": rng.normal(0, 4.0, (1, 16, 1, 1)).astype(np.float32),
        "object_b": np.full(1, 3.0, np.float32),
        "kind_w": rng.normal(0, 1.0, (2, 16, 1, 1)).astype(np.float32),
        "kind_b": np.array([1.0, 0.5], np.float32),
        "axes": np.array([1]),
        "flat": np.array([0, SIDE * SIDE]),
        "rows": rows,
        "five": np.array([5]),
    }
    object_inputs = ["act", "object_w", *(["object_b"] if has_bias else [])]
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["planes", "unit"], ["small"]),
        helper.make_node(
            "Conv", ["small", "stem_w", "stem_b"], ["stem"], name="stem", strides=[4, 4],
            pads=[0, 0, 0, 0],
        ),
        helper.make_node("Relu", ["stem"], ["act"]),
        helper.make_node("Conv", object_inputs, ["object"], name="object"),
        helper.make_node("Conv", ["act", "kind_w", "kind_b"], ["kind"], name="kind"),
        helper.make_node("Sigmoid", ["object"], ["is_object"]),
        helper.make_node("Sigmoid", ["kind"], ["is_kind"]),
        helper.make_node("ReduceMax", ["is_kind"], ["best_kind"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["is_object", "best_kind"], ["both"]),
        helper.make_node("Reshape", ["both", "flat"], ["all"]),
    ]  # fmt: skip
    last = "all"
    if asks_size:
        nodes += [
            helper.make_node("ReduceMean", ["planes"], ["light"], axes=[1, 2, 3], keepdims=0),
            helper.make_node("Unsqueeze", ["light", "axes"], ["lights"]),
            helper.make_node("Mul", ["all", "lights"], ["lit"]),
        ]
        last = "lit"
    if chooses:
        nodes.append(helper.make_node("TopK", [last, "five"], ["scores", "places"], axis=1))
    else:
        nodes.append(helper.make_node("Identity", [last], ["scores"]))
    graph = helper.make_graph(
        nodes,
        "chosen",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 32, 32, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", "K"])],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def shifted(model: Any, **shifts: Any) -> Any:
    """The model with constants that are larger by so much."""
    graph = Graph(model)
    for name, by in shifts.items():
        graph.constants[name] = numpy_helper.from_array(
            (graph.constant(name) + np.float32(by)).astype(np.float32), name
        )
    return graph.finish(graph.nodes)


def scores_of(model: Any) -> np.ndarray:
    return np.array(next(run(model, [pictures(16)]))["scores"])


def test_a_head_that_sank_is_lifted_again() -> None:
    model = chosen()
    sunk = shifted(model, object_b=-0.7)
    assert scores_of(model).max() > 0.3
    settled = Settler(model, pictures(16)).settle(sunk)
    before, after = (np.abs(scores_of(m) - scores_of(model)).mean() for m in (sunk, settled))
    assert after < 0.4 * before


def test_several_heads_that_moved_are_set_right_together() -> None:
    model = chosen()
    sunk = shifted(model, object_b=-0.5, kind_b=[-0.6, 0.4])
    settled = Settler(model, pictures(64)).settle(sunk)
    before, after = (np.abs(scores_of(m) - scores_of(model)).mean() for m in (sunk, settled))
    assert after < 0.3 * before


def test_the_cells_that_find_something_decide() -> None:
    """A head that lost a tenth of its slope: its peaks are right again, not its mean."""
    model = chosen()
    flat = shifted(model, object_w=-0.1 * Graph(model).constant("object_w"))
    settled = Settler(model, pictures(64)).settle(flat)
    exact, lost, found = (scores_of(m) for m in (model, flat, settled))
    best = exact > 0.3
    assert best.any()
    assert abs((found - exact)[best].mean()) < 0.3 * abs((lost - exact)[best].mean())


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(chosen(chooses=False), id="nothing is chosen"),
        pytest.param(chosen(has_bias=False), id="a head without a bias"),
        pytest.param(chosen(asks_size=True), id="scores that need the picture"),
        pytest.param(residual_detector(), id="a vector, no candidates"),
    ],
)
def test_what_is_not_known_is_left_alone(model: Any) -> None:
    settler = Settler(model, pictures())
    assert settler.settle(model) is model


def test_a_picture_without_anything_moves_nothing() -> None:
    model = shifted(chosen(), object_b=-30.0)
    settled = Settler(model, pictures()).settle(model)
    np.testing.assert_array_equal(scores_of(settled), scores_of(model))


@pytest.mark.parametrize(("task", "heads"), [("detector", 9), ("garments", 2), ("classifier", 0)])
def test_of_the_shipped_models_the_heads_of_candidates_are_found(task: str, heads: int) -> None:
    model = load_onnx(SHIPPED / f"{task}.onnx")
    width, height = {"detector": (512, 320), "garments": (128, 256), "classifier": (160, 192)}[task]
    noise = np.random.default_rng(0).integers(0, 255, (2, height, width, 3)).astype(np.uint8)
    assert len(Settler(model, noise).reads) == heads


def test_a_quantized_model_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    model = chosen()
    # Ranges four times too wide: few levels are left.
    monkeypatch.setattr("calibration.quantize.scale_of", lambda _c, largest, _m: largest / 30)
    quantizer = Quantizer(model, pictures(64), "minmax")
    exact, draft, settled = (scores_of(m) for m in (model, quantizer.draft(), quantizer.write()))
    assert abs((settled - exact).mean()) < 0.5 * abs((draft - exact).mean())
