"""A small convolutional detector with everything that placement has rules for, weights random."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = (32, 32)


class _Builder:
    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._random = np.random.default_rng(4)

    def constant(self, name: str, value: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def conv(self, name: str, source: str, inwards: int, outwards: int, side: int = 3) -> str:
        spread = (2.0 / (inwards * side * side)) ** 0.5
        weights = self._random.normal(0, spread, (outwards, inwards, side, side))
        self.constant(f"{name}_w", weights.astype(np.float32))
        self.constant(f"{name}_b", self._random.normal(0, 0.05, outwards).astype(np.float32))
        pads = [side // 2] * 4
        return self.node("Conv", [source, f"{name}_w", f"{name}_b"], name, pads=pads)


def residual_detector() -> Any:
    """images -> conv -> residual sum -> concat of two branches -> boxes, scores.

    The boxes are those of a fixed grid, the scores come from the network.
    """
    b = _Builder()
    b.node("Cast", ["images"], "pixels", to=TensorProto.FLOAT)
    b.node("Transpose", ["pixels"], "planes", perm=[0, 3, 1, 2])
    b.node("Mul", ["planes", b.constant("unit", np.float32(1 / 255))], "small")
    b.node("Relu", [b.conv("stem", "small", 3, 16)], "stem_act")
    b.node("MaxPool", ["stem_act"], "pooled", kernel_shape=[2, 2], strides=[2, 2])
    b.node("Relu", [b.conv("first", "pooled", 16, 16)], "first_act")
    b.node("Add", [b.conv("second", "first_act", 16, 16), "pooled"], "sum")
    b.node("Relu", ["sum"], "sum_act")
    b.node("Relu", [b.conv("left", "sum_act", 16, 16, 1)], "left_act")
    b.node("Concat", ["left_act", "pooled"], "joined", axis=1)
    b.node("Relu", [b.conv("merge", "joined", 32, 16)], "merge_act")
    b.conv("narrow", "merge_act", 16, 4, 1)
    b.node("GlobalMaxPool", ["narrow"], "peaks")
    middle = np.array([1.3, 0.5, 2.6, 0.5], np.float32).reshape(1, 4, 1, 1)
    b.node("Sub", ["peaks", b.constant("middle", middle)], "centred")
    b.node("Mul", ["centred", b.constant("spread", np.float32(4.0))], "clear")
    b.node("Reshape", ["clear", b.constant("rows", np.array([0, 4, 1]))], "logits")
    b.node("Sigmoid", ["logits"], "scores")
    b.node("Mul", ["logits", b.constant("nil", np.float32(0.0))], "nothing")
    corners = np.array([[[0, 0, 9, 30], [8, 0, 17, 30], [16, 0, 25, 30], [23, 0, 32, 30]]])
    b.node("Add", ["nothing", b.constant("grid", corners.astype(np.float32))], "boxes")
    graph = helper.make_graph(
        b.nodes,
        "residual",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", *SIZE, 3])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", 4, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 4, 1]),
        ],
        b.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    helper.set_model_props(
        model, {"labels": json.dumps(["person"]), "task": "detector", "version": "tiny"}
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def pictures(count: int = 8) -> np.ndarray:
    """Random smooth pictures, uint8 [count, 32, 32, 3]."""
    rough = np.random.default_rng(9).integers(0, 255, (count, 8, 8, 3))
    return np.ascontiguousarray(rough.repeat(4, axis=1).repeat(4, axis=2), np.uint8)
