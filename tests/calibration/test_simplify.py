"""What hinders INT8 goes, and the answers stay: in ONNX Runtime, before and after."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from calibration.graph import load_onnx
from calibration.simplify import simplify
from edge_app.inference.model import SHIPPED

WEIGHTS = np.random.default_rng(3).normal(0, 1, (8, 12, 3, 3)).astype(np.float32)


def network(nodes: list[Any], weights: np.ndarray, **constants: Any) -> Any:
    """planes [1, C, 12, 10] -> out, with the constants given."""
    kept = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    kept.append(numpy_helper.from_array(weights, "weights"))
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("planes", TensorProto.FLOAT, [1, 3, 12, 10])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, list("nchw"))],
        kept,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


def padded(amounts: list[int], value: float = 0.0, mode: str = "constant") -> Any:
    """A padding whose amounts an exporter left to be cast, and a convolution with its own."""
    nodes = [
        helper.make_node("Cast", ["short"], ["amounts"], to=TensorProto.INT64),
        helper.make_node("Pad", ["planes", "amounts", "value"], ["padded"], mode=mode),
        helper.make_node("Conv", ["padded", "weights"], ["out"], pads=[1, 0, 0, 1]),
    ]
    short = np.array(amounts, np.int32)
    return network(nodes, WEIGHTS[:, :3], short=short, value=np.float32(value))


def focused(starts: list[tuple[int, int]], step: int = 2, **attributes: Any) -> Any:
    """Quarters of the picture, put one behind the other, and a convolution over them."""
    nodes = []
    constants: dict[str, Any] = {"end": [2**62], "rows": [2], "columns": [3], "step": [step]}
    for i, (row, column) in enumerate(starts):
        constants |= {f"row{i}": [row], f"column{i}": [column]}
        first = ["planes", f"row{i}", "end", "rows", "step"]
        second = [f"half{i}", f"column{i}", "end", "columns", "step"]
        nodes.append(helper.make_node("Slice", first, [f"half{i}"]))
        nodes.append(helper.make_node("Slice", second, [f"quarter{i}"]))
    quarters = [f"quarter{i}" for i in range(len(starts))]
    nodes.append(helper.make_node("Concat", quarters, ["joined"], axis=1))
    nodes.append(helper.make_node("Conv", ["joined", "weights"], ["out"], **attributes))
    return network(nodes, WEIGHTS, **constants)


ALL = [(0, 0), (1, 0), (0, 1), (1, 1)]


def answer(model: Any) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    planes = np.random.default_rng(5).normal(0, 1, (1, 3, 12, 10)).astype(np.float32)
    return np.asarray(session.run(["out"], {"planes": planes})[0])


@pytest.mark.parametrize(
    ("model", "left"),
    [
        pytest.param(padded([0, 0, 0, 1, 0, 0, 2, 0]), ["Conv"], id="padding"),
        pytest.param(focused(ALL, pads=[1, 1, 1, 1]), ["Conv"], id="four quarters"),
        pytest.param(focused(ALL[::-1]), ["Conv"], id="four quarters, another order, no padding"),
        pytest.param(padded([0, 0, 0, 1, 0, 0, 2, 0], 0.5), ["Pad", "Conv"], id="not with zeros"),
        pytest.param(padded([0] * 4 + [0, 0, 2, 0], 0, "edge"), ["Pad", "Conv"], id="not zeros"),
        pytest.param(padded([0, 0, -1, 0, 0, 0, 0, 0]), ["Pad", "Conv"], id="a cut"),
        pytest.param(focused([ALL[0], *ALL[:3]]), None, id="a quarter twice"),
        pytest.param(focused(ALL, strides=[2, 2]), None, id="a strided convolution"),
        pytest.param(focused(ALL, dilations=[2, 2]), None, id="a dilated convolution"),
        pytest.param(focused([(0, 0)] * 4, step=3), None, id="every third"),
    ],
)
def test_answers_stay(model: Any, left: list[str] | None) -> None:
    simple = simplify(model)
    kinds = [node.op_type for node in simple.graph.node]
    assert kinds == left if left else Counter(kinds)["Slice"] == 8
    np.testing.assert_allclose(answer(simple), answer(model), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("task", ["detector", "garments", "classifier"])
def test_the_shipped_models_answer_alike(task: str) -> None:
    model = load_onnx(SHIPPED / f"{task}.onnx")
    simple = simplify(model)
    assert not [n for n in simple.graph.node if n.op_type == "Pad"]
    assert not [n for n in simple.graph.node if n.op_type == "Slice" and "stem" in n.name]
    assert simple.metadata_props == model.metadata_props
    onnx.checker.check_model(simple, full_check=True)
    sizes = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:]
    pictures = np.random.default_rng(1).integers(0, 255, (2, *sizes)).astype(np.uint8)
    found = [
        onnxruntime.InferenceSession(
            one.SerializeToString(), providers=["CPUExecutionProvider"]
        ).run(None, {one.graph.input[0].name: pictures})
        for one in (model, simple)
    ]
    for ours, theirs in zip(*map(rows_of, found), strict=True):
        gaps = np.abs(ours[:, None] - theirs[None]) / (2e-3 + 1e-3 * np.abs(theirs[None]))
        worst = gaps.max(axis=2)
        assert worst.min(axis=0).max() <= 1
        assert worst.min(axis=1).max() <= 1


def rows_of(outputs: list[np.ndarray]) -> list[np.ndarray]:
    """What is to be alike, `[K,D]` each: the rows in any order.

    Of a detector, a picture's candidates, box and scores in a row: of equally sure ones any may
    come first. Of other outputs a picture's numbers are one row.
    """
    candidates = [output for output in outputs if output.ndim == 3]
    others = [output for output in outputs if output.ndim != 3]
    pictures = list(np.concatenate(candidates, axis=2)) if candidates else []
    return pictures + [row[None] for output in others for row in output]
