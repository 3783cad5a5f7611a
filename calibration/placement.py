"""Where Q/DQ pairs go: the rules by which TensorRT fuses best.

* Both inputs of every convolution and matrix product; weights per output channel. Biases stay
  float.
* Never a convolution's output: its activation is fused into it before anything is rounded.
* A residual sum: the skip input only, the branch that comes straight from a convolution stays
  float and is fused with the sum. Where no branch does, all of them.
* Everything that is put together or pooled, and what it is made of by mere moving (slicing,
  reshaping, nearest resizing), has one scale, so that nothing is rounded a second time.
* Convolutions too narrow for the tensor cores stay float, and so do layers over one vector per
  picture, which gain nothing there and cost most accuracy, and all decoding.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from calibration.graph import Graph, attribute, layer_name

MOVING = ("Concat", "MaxPool", "Reshape", "Transpose", "Slice", "Split", "Squeeze", "Unsqueeze",
          "Flatten", "Identity")  # fmt: skip
"""Operators that move values and change none; nearest ``Resize`` is one, too."""

_NARROW = 16


@dataclass(frozen=True)
class Placement:
    """What is quantized.

    Attributes:
        layers: positions of the weighted nodes that run in INT8.
        edges: node position and input index, before which a tensor passes a Q/DQ pair.
        groups: the tensors of these edges, in groups that share one scale.
    """

    layers: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]
    groups: tuple[tuple[str, ...], ...]


def place(graph: Graph, without: Collection[str] = ()) -> Placement:
    """Choose what is quantized.

    Args:
        graph: of the model.
        without: names of layers that stay in float.
    """
    body = graph.body()
    layers = [
        position
        for position in graph.weighted()
        if layer_name(graph.nodes[position]) not in without and _is_wide(graph, position)
    ]
    edges = {(position, 0) for position in layers}
    edges |= _residual_edges(graph, body, set(layers))
    edges |= _shared_edges(graph, body, edges)
    groups = _groups(graph, edges)
    return Placement(tuple(layers), tuple(sorted(edges)), groups)


def _is_wide(graph: Graph, position: int) -> bool:
    """Whether INT8 kernels pay for a layer."""
    node = graph.nodes[position]
    if node.op_type in ("Gemm", "MatMul"):
        is_vector = graph.rank(node.input[0]) == 2
        return not is_vector and not graph.follows_softmax(node.input[0])
    shape = graph.constants[node.input[1]].dims
    outwards, inwards = int(shape[0]), int(shape[1])
    if outwards >= _NARROW and inwards >= _NARROW:
        return True
    is_square = len(set(shape[2:])) <= 1
    is_even = outwards % 8 == 0 or inwards % 8 == 0
    return is_square and is_even and max(outwards, inwards) >= _NARROW


def _residual_edges(graph: Graph, body: set[int], layers: set[int]) -> set[tuple[int, int]]:
    """The skip inputs of sums; a sum whose result no INT8 layer reads is left alone."""
    edges = set()
    weighted = set(graph.weighted())
    for position in body:
        node = graph.nodes[position]
        if node.op_type != "Add" or any(name in graph.constants for name in node.input):
            continue
        makers = [graph.maker.get(name, -1) for name in node.input]
        if not any(_leads_to(graph, name, layers) for name in node.output):
            continue
        # What comes straight from a convolution, in INT8 or not, is fused with the sum.
        edges |= {(position, index) for index in (0, 1) if makers[index] not in weighted}
    return edges


def _leads_to(graph: Graph, name: str, layers: set[int]) -> bool:
    """Whether a layer reads a tensor, at once or after an activation or mere moving."""
    quiet = (*MOVING, "Relu", "LeakyRelu", "Clip", "Sigmoid", "Mul", "HardSigmoid", "HardSwish",
             "PRelu", "Add")  # fmt: skip
    waiting, seen = [name], {name}
    while waiting:
        for reader, index in graph.readers[waiting.pop()]:
            if reader in layers and index == 0:
                return True
            if graph.nodes[reader].op_type in quiet:
                more = set(graph.nodes[reader].output) - seen
                seen |= more
                waiting += more
    return False


def _is_moving(graph: Graph, position: int) -> bool:
    node = graph.nodes[position]
    if node.op_type == "Resize":
        return bool(attribute(node, "mode", b"nearest") == b"nearest")
    return node.op_type in MOVING


def _shared_edges(
    graph: Graph, body: set[int], edges: set[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Inputs of concatenations and pools whose result comes to a quantized input by mere moving."""
    wanted = {graph.nodes[position].input[index] for position, index in edges}
    found = set()
    for position in reversed(range(len(graph.nodes))):
        node = graph.nodes[position]
        if not wanted & set(node.output) or not _is_moving(graph, position):
            continue
        for index in range(len(node.input) if node.op_type == "Concat" else 1):
            name = node.input[index]
            if not graph.is_float(name) or name in graph.constants:
                continue
            wanted.add(name)
            if node.op_type in ("Concat", "MaxPool") and position in body:
                found.add((position, index))
    return found


def _groups(graph: Graph, edges: set[tuple[int, int]]) -> tuple[tuple[str, ...], ...]:
    """Tensors of the edges, together where one is the other moved."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for position, node in enumerate(graph.nodes):
        if _is_moving(graph, position):
            sources = node.input if node.op_type == "Concat" else node.input[:1]
            for name in (*sources, *node.output):
                if graph.is_float(name) and name not in graph.constants:
                    parent[root(name)] = root(node.output[0])
    names = sorted({graph.nodes[position].input[index] for position, index in edges})
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(root(name), []).append(name)
    return tuple(tuple(group) for group in found.values())
