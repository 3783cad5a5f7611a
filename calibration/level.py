"""Brings the channels before depthwise convolutions to one range, without changing an answer.

INT8 has one scale for all channels of a tensor. Where one of them reaches 100 and most reach 5,
most are rounded to a handful of levels, and what follows is noise. A depthwise convolution keeps
its channels apart: each is multiplied before the rounding by what the convolution's weights, which
have a scale per channel, are divided by.

Xiao et al., "SmoothQuant", ICML 2023, do so before linear layers; Nagel et al., "Data-Free
Quantization", ICCV 2019, behind ReLU without a factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from calibration.graph import Graph, Node, attribute
from calibration.observe import batches_of, run, with_outputs
from edge_app.flow import Float32, UInt8

_MOST = 1024.0
"""A channel that never is anything but zero needs no more. With 64, a channel of the detector's
stem that stays below 0.16, where others reach 200, made most of the noise at its heads."""


def level(model: Any, pictures: UInt8) -> tuple[Any, dict[str, str]]:
    """The same model with a factor per channel before depthwise convolutions.

    Args:
        model: ONNX, float32; it is not changed.
        pictures: uint8 ``[N, H, W, 3]``, representative for what it will see.

    Returns:
        The model, and for every tensor that was put in the one that it was made of.
    """
    graph = Graph(model)
    names = _levelable(graph)
    if not names:
        return model, {}
    factors = _factors(graph, names, pictures)
    levelled = {f"{name}_levelled": name for name in names}
    made: list[Node] = []
    for node in graph.nodes:
        if node.input and node.input[0] in factors:
            _divide_weights(graph, node, factors[node.input[0]])
            node.input[0] = f"{node.input[0]}_levelled"
        made.append(node)
        made += [_factor(graph, name, factors[name]) for name in node.output if name in factors]
    return graph.finish(made), levelled


def _levelable(graph: Graph) -> list[str]:
    """Tensors inside the body that only depthwise convolutions read."""
    body = graph.body()
    return [
        name
        for position in sorted(body)
        for name in graph.nodes[position].output
        if graph.readers[name]
        and name not in graph.outputs
        and all(
            index == 0 and _is_depthwise(graph, graph.nodes[reader])
            for reader, index in graph.readers[name]
        )
    ]


def _is_depthwise(graph: Graph, node: Node) -> bool:
    if node.op_type != "Conv" or node.input[1] not in graph.constants:
        return False
    groups = attribute(node, "group", 1)
    shape = graph.constants[node.input[1]].dims
    return bool(groups > 1 and shape[1] == 1 and shape[0] == groups)


def _factors(graph: Graph, names: list[str], pictures: UInt8) -> Mapping[str, Float32]:
    """By tensor, float32 ``[C]``: what brings each channel to the range of the widest.

    A channel's range is its largest value in a picture, on the average of the pictures, so that one
    strange picture does not decide.
    """
    sums = dict.fromkeys(names, np.float64(0.0))
    for values in run(with_outputs(graph, names), batches_of(pictures)):
        for name in names:
            sums[name] = sums[name] + np.abs(values[name]).max(axis=(2, 3)).sum(axis=0)
    return {
        name: np.minimum(np.max(total) / np.maximum(total, 1e-9), _MOST).astype(np.float32)
        for name, total in sums.items()
    }


def _divide_weights(graph: Graph, node: Node, factors: Float32) -> None:
    name = f"{node.input[1]}_levelled"
    weights = graph.constant(node.input[1]) / factors.reshape(-1, 1, 1, 1)
    graph.constants[name] = numpy_helper.from_array(weights.astype(np.float32), name)
    node.input[1] = name


def _factor(graph: Graph, name: str, factors: Float32) -> Node:
    constant, made = f"{name}_factors", f"{name}_levelled"
    graph.constants[constant] = numpy_helper.from_array(factors.reshape(1, -1, 1, 1), constant)
    return helper.make_node("Mul", [name, constant], [made], name=made)
