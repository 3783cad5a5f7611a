"""Takes out of a model what keeps INT8 from being fast; no answer changes.

* A padding of zeros before a convolution becomes the convolution's own. Between the two there would
  be a rounding, so that the padding has to be run by itself, in float.
* The four quarters of a picture put one behind the other (YOLOX's "focus": every second row and
  column), and a convolution over them, are one convolution of twice the size and stride over the
  picture, with the same weights in another order. Copying every second pixel is slower than that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from calibration.graph import Graph, Node, attribute

_ROWS, _COLUMNS = 2, 3
_PLAIN = {"group": [1], "strides": [1, 1], "dilations": [1, 1]}
_TO_THE_END = 2**31 - 1


def simplify(model: Any) -> Any:
    """The same model without what hinders INT8.

    Args:
        model: ONNX, float32; it is not changed.
    """
    graph = Graph(model)
    _run_constants(graph)
    for position in graph.weighted():
        if graph.nodes[position].op_type == "Conv":
            _take_padding(graph, graph.nodes[position])
            _take_quarters(graph, graph.nodes[position])
    return graph.finish(_used(graph))


def _used(graph: Graph) -> list[Node]:
    """Nodes that an output depends on, without those that make a constant."""
    wanted, kept = set(graph.outputs), list[Node]()
    for node in reversed(graph.nodes):
        if wanted & set(node.output) and node.output[0] not in graph.constants:
            wanted |= set(node.input)
            kept.append(node)
    return kept[::-1]


def _run_constants(graph: Graph) -> None:
    """Compute whole numbers that follow from constants, as exporters leave a padding's amounts."""
    for node in graph.nodes:
        names = [name for name in node.input if name]
        if not names or not all(name in graph.constants for name in names):
            continue
        if any(graph.is_float(name) for name in (*names, *node.output)):
            continue
        outputs = [helper.make_empty_tensor_value_info(name) for name in node.output]
        given = [graph.constants[name] for name in names]
        alone = helper.make_graph([node], "constant", [], outputs, given)
        runner = ReferenceEvaluator(
            helper.make_model(alone, opset_imports=graph.model.opset_import)
        )
        for name, value in zip(node.output, runner.run(None, {}), strict=True):
            graph.constants[name] = numpy_helper.from_array(np.asarray(value), name)


def _take_padding(graph: Graph, node: Node) -> None:
    """Give a convolution the padding of zeros before it."""
    pad = _maker(graph, node.input[0])
    if pad is None or pad.op_type != "Pad" or len(pad.input) > 3:
        return
    names = [name for name in pad.input[1:] if name]
    is_constant = attribute(pad, "mode", b"constant") == b"constant"
    if not is_constant or not all(name in graph.constants for name in names):
        return
    amounts = graph.constant(names[0]).reshape(2, -1)
    is_zero = len(names) == 1 or not graph.constant(names[1]).any()
    if not is_zero or amounts[:, :_ROWS].any() or (amounts < 0).any():
        return
    inner = amounts[:, _ROWS:].ravel()
    _set(node, "pads", (inner + _ints(node, "pads", [0] * len(inner))).tolist())
    node.input[0] = pad.input[0]


def _take_quarters(graph: Graph, node: Node) -> None:
    """Make one strided convolution of a convolution over the four quarters of a picture."""
    joined = _maker(graph, node.input[0])
    if joined is None or joined.op_type != "Concat" or len(joined.input) != 4:
        return
    axis = attribute(joined, "axis")
    weights = graph.constant(node.input[1])
    is_plain = all(_ints(node, name, value) == value for name, value in _PLAIN.items())
    quarters = [_quarter(graph, name) for name in joined.input]
    sources = {quarter[0] for quarter in quarters}
    starts = [quarter[1:] for quarter in quarters]
    is_whole = len(sources) == 1 and sorted(starts) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    if axis != 1 or weights.ndim != 4 or not is_plain or not is_whole:
        return
    outwards, inwards, height, width = weights.shape
    wide = np.zeros((outwards, inwards // 4, 2 * height, 2 * width), weights.dtype)
    for (row, column), part in zip(starts, np.split(weights, 4, axis=1), strict=True):
        wide[:, :, row::2, column::2] = part
    name = f"{node.input[1]}_wide"
    graph.constants[name] = numpy_helper.from_array(wide, name)
    node.input[0], node.input[1] = sources.pop(), name
    _set(node, "kernel_shape", [2 * height, 2 * width])
    _set(node, "pads", [2 * amount for amount in _ints(node, "pads", [0] * 4)])
    _set(node, "strides", [2, 2])


def _quarter(graph: Graph, name: str) -> tuple[str, int, int]:
    """The tensor whose every second row and column this is, and the first of each.

    Where it is none, it is itself, from row and column -1.
    """
    whole, starts = name, {_ROWS: -1, _COLUMNS: -1}
    while (node := _maker(graph, whole)) is not None and node.op_type == "Slice":
        if len(node.input) != 5 or not all(n in graph.constants for n in node.input[1:]):
            break
        start, end, axis, step = (graph.constant(n).ravel().tolist() for n in node.input[1:])
        is_half = step == [2] and len(axis) == 1 and end[0] >= _TO_THE_END
        if not is_half or starts.get(axis[0]) != -1:
            break
        starts[axis[0]] = start[0]
        whole = node.input[0]
    return whole, starts[_ROWS], starts[_COLUMNS]


def _maker(graph: Graph, name: str) -> Node | None:
    return graph.nodes[graph.maker[name]] if name in graph.maker else None


def _ints(node: Node, name: str, default: list[int]) -> list[int]:
    return next((list(a.ints) or [a.i] for a in node.attribute if a.name == name), default)


def _set(node: Node, name: str, values: list[int]) -> None:
    for former in [a for a in node.attribute if a.name == name]:
        node.attribute.remove(former)
    node.attribute.append(helper.make_attribute(name, values))
