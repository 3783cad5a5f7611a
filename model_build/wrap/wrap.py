"""A foreign detector as a model of the contract: uint8 pictures in, best boxes and scores out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from edge_app.errors import ModelError
from edge_app.inference.model import CALLED, Task, load_model
from edge_app.vocabulary import REGIONS
from model_build.wrap.nodes import Nodes
from model_build.wrap.styles import STYLES, Outputs

OLDEST_OPSET = 13
LABELS: dict[str, tuple[str, ...]] = {"detector": ("person",), "garments": REGIONS}


def wrap(
    source: Path,
    target: Path,
    style: str,
    task: Task,
    classes: Sequence[int],
    told: Mapping[str, str],
    candidates: int = 100,
) -> None:
    """Write a foreign detector as a model of the contract, and check that it is one.

    Args:
        source: its ONNX file: one float input ``[N,3,H,W]``, H and W fixed.
        target: the new file.
        style: one of :data:`model_build.wrap.styles.STYLES`.
        task: ``detector`` or ``garments``.
        classes: which of its classes are the task's labels, in their order.
        told: metadata: ``version``, ``license``, ``training_data``.
        candidates: how many best boxes are given.

    Raises:
        ModelError: it is not a network of this style.
    """
    if len(classes) != len(LABELS[task]):
        raise ModelError(f"a {CALLED[task]} has the labels {LABELS[task]}; give a class for each")
    try:
        model = onnx.load(str(source))
        onnx.checker.check_model(model)
    # What protobuf raises on damage depends on its implementation.
    except Exception as error:
        raise ModelError(f"{source}: cannot be read as an ONNX model: {error}") from error
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    if opset < OLDEST_OPSET:
        raise ModelError(f"{source}: opset {opset} is too old; export it with {OLDEST_OPSET} or up")
    name, size_hw = _input(source, model)
    inner = "foreign/images" if name == "images" else name
    before = _picture(inner, STYLES[style].is_rgb, STYLES[style].scale)
    after = Nodes()
    boxes, scores = STYLES[style].decode(after, Outputs(_shapes(model), size_hw), classes)
    _best(after, boxes, scores, len(classes), candidates)
    _assemble(model, before, after, size_hw, len(classes))
    metadata = {"task": task, "labels": json.dumps(LABELS[task]), "metrics": "{}"} | dict(told)
    helper.set_model_props(model, metadata)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(f"{source}: does not fit the style {style}: {error}") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(target))
    load_model(target, task)


def _input(source: Path, model: Any) -> tuple[str, tuple[int, int]]:
    known = {tensor.name for tensor in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in known]
    shape = [d.dim_value for d in inputs[0].type.tensor_type.shape.dim] if inputs else []
    kind = inputs[0].type.tensor_type.elem_type if inputs else 0
    if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3 or kind != TensorProto.FLOAT:
        names = [i.name for i in inputs]
        raise ModelError(f"{source}: expected one float input [N,3,H,W], got {names} {shape}")
    if not shape[2] or not shape[3]:
        raise ModelError(f"{source}: H and W must be fixed; export it for one size")
    if shape[0]:
        raise ModelError(f"{source}: the batch is fixed to {shape[0]}; export it dynamic")
    return inputs[0].name, (shape[2], shape[3])


def _shapes(model: Any) -> dict[str, tuple[int | None, ...]]:
    return {
        output.name: tuple(d.dim_value or None for d in output.type.tensor_type.shape.dim[1:])
        for output in model.graph.output
    }


def _picture(name: str, is_rgb: bool, scale: float) -> Nodes:
    """From uint8 ``images`` [N,H,W,3] BGR to the network's own input."""
    nodes = Nodes()
    # The cast comes first: TensorRT allows nothing else on uint8.
    pixels = nodes.add("Cast", ["images"], "wrap/pixels", to=TensorProto.FLOAT)
    if is_rgb:
        order = nodes.constant([2, 1, 0], np.int64)
        pixels = nodes.add("Gather", [pixels, order], "wrap/rgb", axis=3)
    planes = nodes.add("Transpose", [pixels], "wrap/planes", perm=[0, 3, 1, 2])
    factor = nodes.constant(scale, np.float32)
    nodes.add("Mul", [planes, factor], name)
    return nodes


def _best(nodes: Nodes, boxes: str, scores: str, classes: int, candidates: int) -> None:
    """The best candidates by their best class: ``boxes`` [N,K,4] and ``scores`` [N,K,C]."""
    one, many = (nodes.constant([n], np.int64) for n in (1, candidates))
    best = nodes.add("TopK", [scores, one], axis=2) if classes > 1 else scores
    top = nodes.add("TopK", [nodes.reshape(best, [0, -1]), many], axis=1)
    column = nodes.reshape(f"{top}_indices", [0, -1, 1])
    for source, width, output in ((boxes, 4, "boxes"), (scores, classes, "scores")):
        index = nodes.add("Tile", [column, nodes.constant([1, 1, width], np.int64)])
        nodes.add("GatherElements", [source, index], output, axis=1)


def _assemble(
    model: Any, before: Nodes, after: Nodes, size_hw: tuple[int, int], classes: int
) -> None:
    graph = model.graph
    own = {name for node in graph.node for name in (*node.input, *node.output)}
    clash = own & {"boxes", "scores", "images"}
    _rename(graph, after, clash)
    nodes = [*before.nodes, *graph.node, *after.nodes]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:], graph.value_info[:], graph.output[:]
    graph.node.extend(copies)
    # Constants of both sides count from 0.
    for index, side in enumerate((before, after)):
        for tensor in side.constants:
            new = f"{tensor.name}_{index}"
            part = side.nodes
            for node in graph.node:
                if any(node.name == own_node.name for own_node in part):
                    node.input[:] = [new if i == tensor.name else i for i in node.input]
            tensor.name = new
            graph.initializer.append(tensor)
    del graph.input[:]
    graph.input.append(
        helper.make_tensor_value_info("images", TensorProto.UINT8, ["count", *size_hw, 3])
    )
    for name, width in (("boxes", 4), ("scores", classes)):
        shape = ["count", "candidates", width]
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))


def _rename(graph: Any, after: Nodes, names: set[str]) -> None:
    """Give the foreign graph's tensors other names where they are those of the contract."""
    new = {name: f"foreign/{name}" for name in names}
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
    for node in after.nodes:
        node.input[:] = [new.get(name, name) for name in node.input]
