"""Real ONNX models of the contract, small enough to know their answers by heart.

* the detector finds one person: the box of what is not padding or black, scored by brightness;
* the garment detector finds a ``long`` garment over the whole crop where it is red, else a ``top``
  over its upper and a ``bottom`` over its lower half; ``wears`` says dress, or shirt and jeans;
* the classifier says dress for red crops, shirt for others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edge_app.vocabulary import CATEGORIES, REGIONS

FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8


class Graph:
    """Nodes and constants put together by hand."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def save(
        self,
        path: Path,
        inputs: list[onnx.ValueInfoProto],
        outputs: list[onnx.ValueInfoProto],
        metadata: Mapping[str, str],
    ) -> Path:
        graph = helper.make_graph(self.nodes, "tiny", inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        for key, value in metadata.items():
            entry = model.metadata_props.add()
            entry.key, entry.value = key, value
        onnx.checker.check_model(model)
        onnx.save(model, path)
        return path


def save_detector(path: Path, boxes: np.ndarray, scores: np.ndarray, **metadata: str) -> Path:
    """A detector of 64 x 128 (H x W) pictures that always gives the same boxes.

    Scores are multiplied by the picture's mean brightness (0..1), so that a black one has nobody.
    """
    graph = Graph()
    graph.add("Cast", ["images"], "pixels", to=FLOAT)
    graph.add("ReduceMean", ["pixels"], "grey", axes=[1, 2, 3], keepdims=1)
    graph.add("Mul", ["grey", graph.constant("scale", np.float32(1 / 255))], "bright4")
    graph.add("Reshape", ["bright4", graph.constant("flat", np.array([-1, 1, 1]))], "bright")
    graph.add("Mul", ["bright", graph.constant("given", scores[None].astype(np.float32))], "scores")
    graph.add("Mul", ["bright", graph.constant("zero", np.zeros((1, 1, 1), np.float32))], "nothing")
    graph.add("Add", ["nothing", graph.constant("at", boxes[None].astype(np.float32))], "boxes")
    count = len(boxes)
    told = {"labels": json.dumps(["person"]), "task": "detector", "version": "tiny"} | metadata
    return graph.save(
        path,
        [helper.make_tensor_value_info("images", UINT8, ["N", 64, 128, 3])],
        [
            helper.make_tensor_value_info("boxes", FLOAT, ["N", count, 4]),
            helper.make_tensor_value_info("scores", FLOAT, ["N", count, 1]),
        ],
        told,
    )


def _redness(graph: Graph, source: str) -> str:
    """1 for pictures that are more red than blue, else 0; float ``[N, 1]``."""
    graph.add("Cast", [source], "pixels", to=FLOAT)
    graph.add("ReduceMean", ["pixels"], "means", axes=[1, 2], keepdims=0)  # [N, 3], BGR
    weights = np.array([[-1.0], [0.0], [1.0]], np.float32)
    graph.add("MatMul", ["means", graph.constant("red_minus_blue", weights)], "difference")
    graph.add("Greater", ["difference", graph.constant("much", np.float32(30.0))], "is_red")
    return graph.add("Cast", ["is_red"], "red", to=FLOAT)


def _either(graph: Graph, red: str, if_red: np.ndarray, if_not: np.ndarray, output: str) -> str:
    """``if_red`` where the picture is red, else ``if_not``; both of one shape."""
    flat = f"{output}_flat"
    base = graph.constant(f"{output}_not", if_not.reshape(1, -1).astype(np.float32))
    step = graph.constant(f"{output}_step", (if_red - if_not).reshape(1, -1).astype(np.float32))
    graph.add("MatMul", [red, step], f"{output}_scaled")
    graph.add("Add", [f"{output}_scaled", base], flat)
    shape = graph.constant(f"{output}_shape", np.array([-1, *if_red.shape]))
    return graph.add("Reshape", [flat, shape], output)


def _worn(**probabilities: float) -> np.ndarray:
    return np.array([probabilities.get(c, 0.01) for c in CATEGORIES], np.float32)


def save_garments(path: Path) -> Path:
    """The garment detector on 64 x 32 (H x W) crops."""
    graph = Graph()
    red = _redness(graph, "images")
    boxes = np.array([[0, 0, 32, 64], [0, 0, 32, 32], [0, 32, 32, 64]], np.float32)
    long_only = np.array([[0, 0, 0.9], [0, 0, 0], [0, 0, 0]], np.float32)
    top_and_bottom = np.array([[0, 0, 0], [0.8, 0, 0], [0, 0.8, 0]], np.float32)
    _either(graph, red, boxes, boxes, "boxes")
    _either(graph, red, long_only, top_and_bottom, "scores")
    _either(graph, red, _worn(dress=0.95), _worn(shirt=0.9, jeans=0.9), "wears")
    return graph.save(
        path,
        [helper.make_tensor_value_info("images", UINT8, ["N", 64, 32, 3])],
        [
            helper.make_tensor_value_info("boxes", FLOAT, ["N", 3, 4]),
            helper.make_tensor_value_info("scores", FLOAT, ["N", 3, 3]),
            helper.make_tensor_value_info("wears", FLOAT, ["N", 15]),
        ],
        {"labels": json.dumps(list(REGIONS)), "task": "garments", "version": "tiny"},
    )


def save_classifier(path: Path) -> Path:
    """The classifier on 32 x 32 crops."""
    graph = Graph()
    red = _redness(graph, "crops")
    _either(graph, red, _worn(dress=0.86), _worn(shirt=0.5, jeans=0.37), "probabilities")
    _either(graph, red, np.array([1.0, 0.0]), np.array([0.0, 1.0]), "embedding")
    return graph.save(
        path,
        [helper.make_tensor_value_info("crops", UINT8, ["N", 32, 32, 3])],
        [
            helper.make_tensor_value_info("probabilities", FLOAT, ["N", 15]),
            helper.make_tensor_value_info("embedding", FLOAT, ["N", 2]),
        ],
        {"labels": json.dumps(list(CATEGORIES)), "task": "classifier", "version": "tiny"},
    )


def save_all(folder: Path) -> Path:
    """A folder of models whose detector finds one person in the middle of the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    save_detector(folder / "detector.onnx", np.array([[48, 8, 80, 60]]), np.array([[2.0]]))
    save_garments(folder / "garments.onnx")
    save_classifier(folder / "classifier.onnx")
    return folder
