"""Writes INT8 as an ONNX with Q/DQ pairs, which TensorRT 10 and 11 and OpenVINO read alike."""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import helper, numpy_helper

from calibration.graph import Graph, Node, attribute, layer_name
from calibration.level import level
from calibration.observe import Progress, no_progress, observe
from calibration.placement import Placement, place
from calibration.ranges import LEVELS, SMALLEST_SCALE, Method, scale_of
from calibration.settle import Settler
from calibration.shift import Means, input_means, shift_of
from calibration.simplify import simplify
from edge_app.errors import ModelError
from edge_app.flow import UInt8

_MEANS_OF = 32
_SETTLED_ON = 96


class Quantizer:
    """A float32 model whose ranges are measured once, and then written in INT8 as often as needed.

    Args:
        model: ONNX, float32; it is not changed.
        pictures: uint8 ``[N, H, W, 3]`` at its input size, representative for what it will see.
        method: how ranges are chosen.
        progress: told about every batch.

    Attributes:
        method: how ranges are chosen.
        scales: by tensor name.
        layers: names of the layers that can run in INT8.

    Raises:
        ModelError: there is nothing to quantize.
    """

    def __init__(
        self,
        model: Any,
        pictures: UInt8,
        method: Method = "mse",
        progress: Progress = no_progress,
    ) -> None:
        self._model, self._levelled = level(simplify(model), pictures)
        graph = Graph(self._model)
        placement = place(graph)
        if not placement.layers:
            raise ModelError("the model has no convolution or matrix product worth quantizing")
        self.layers: tuple[str, ...] = tuple(layer_name(graph.nodes[p]) for p in placement.layers)
        placed = {name for group in placement.groups for name in group}
        names = sorted(placed | set(self._levelled.values()))
        self._seen = observe(graph, names, pictures, progress)
        self._few = _spread(pictures, _MEANS_OF)
        self._settler = Settler(self._model, _spread(pictures, _SETTLED_ON))
        self.use(method)

    def use(self, method: Method) -> None:
        """Choose ranges in another way."""
        self.method: Method = method
        self.scales = {
            name: scale_of(one.counts, one.largest, method) for name, one in self._seen.items()
        }
        graph = Graph(self._model)
        self._means = input_means(graph, _shared(place(graph), self.scales), self._few)

    @property
    def scales_before(self) -> dict[str, float]:
        """Scales of the tensors that the float model has, without those that were put in."""
        return {name: s for name, s in self.scales.items() if name not in self._levelled}

    def write(self, without: Collection[str] = ()) -> Any:
        """The Q/DQ model, with some layers left in float, its heads settled.

        Args:
            without: names of these layers.
        """
        return self._settler.settle(self.draft(without))

    def draft(self, without: Collection[str] = ()) -> Any:
        """The Q/DQ model before its heads are settled: enough to see what a layer costs."""
        return write_pairs(Graph(self._model), self.scales, without, self._means)


def _spread(pictures: UInt8, most: int) -> UInt8:
    """So many pictures at most, evenly from all."""
    chosen = np.linspace(0, len(pictures) - 1, min(most, len(pictures))).astype(int)
    return np.asarray(pictures[chosen])


def _shared(placement: Placement, scales: Mapping[str, float]) -> dict[str, float]:
    """The scale of every tensor that is quantized: one for all that share it."""
    return {
        name: max(scales[member] for member in group)
        for group in placement.groups
        for name in group
    }


def write_pairs(
    graph: Graph,
    scales: Mapping[str, float],
    without: Collection[str],
    means: Mapping[str, Means],
) -> Any:
    """Put Q/DQ pairs into a graph by the rules of :mod:`calibration.placement`.

    Args:
        graph: changed by this.
        scales: of every tensor that may be quantized.
        without: names of layers that stay in float.
        means: of what convolutions read, whose biases are corrected by it.
    """
    placement = place(graph, without)
    shared = _shared(placement, scales)
    for position in placement.layers:
        node = graph.nodes[position]
        if node.input[0] in means and len(node.input) > 2:
            _correct_bias(graph, node, means[node.input[0]])
    pairs = {name: _pair(graph, name, scale) for name, scale in shared.items()}
    weights: dict[int, Node] = {p: _weights(graph, p) for p in placement.layers}
    for position, index in placement.edges:
        node = graph.nodes[position]
        node.input[index] = f"{node.input[index]}_dequantized"
    made = [node for name in shared if name not in graph.maker for node in pairs[name]]
    for position, node in enumerate(graph.nodes):
        if position in weights:
            made.append(weights[position])
            node.input[1] = weights[position].output[0]
        made.append(node)
        for name in node.output:
            made += pairs.get(name, [])
    return graph.finish(made)


def _pair(graph: Graph, name: str, scale: float) -> list[Node]:
    """Q and DQ of an activation: one scale, no zero point but zero."""
    scale_name, zero_name = f"{name}_scale", f"{name}_zero"
    graph.constants[scale_name] = numpy_helper.from_array(np.float32(scale), scale_name)
    graph.constants[zero_name] = numpy_helper.from_array(np.int8(0), zero_name)
    whole, back = f"{name}_quantized", f"{name}_dequantized"
    return [
        helper.make_node("QuantizeLinear", [name, scale_name, zero_name], [whole], name=whole),
        helper.make_node("DequantizeLinear", [whole, scale_name, zero_name], [back], name=back),
    ]


def _weights(graph: Graph, position: int) -> Node:
    """DQ of a layer's weights, stored in INT8 with one scale per output channel."""
    node = graph.nodes[position]
    value = graph.constant(node.input[1])
    axis = _channel_axis(node, value)
    whole, scales = quantize_weights(value, axis)
    base = f"{layer_name(node)}_weights"
    for suffix, constant in (
        ("int8", whole),
        ("scale", scales),
        ("zero", np.zeros(len(scales), np.int8)),
    ):
        graph.constants[f"{base}_{suffix}"] = numpy_helper.from_array(constant, f"{base}_{suffix}")
    inputs = [f"{base}_int8", f"{base}_scale", f"{base}_zero"]
    return helper.make_node("DequantizeLinear", inputs, [base], name=base, axis=axis)


def _correct_bias(graph: Graph, node: Node, means: Means) -> None:
    """Take off a convolution's bias what rounding adds to its output on the average."""
    weights = graph.constant(node.input[1])
    axis = _channel_axis(node, weights)
    whole, scales = quantize_weights(weights, axis)
    rounded = whole * scales.reshape([-1 if i == axis else 1 for i in range(weights.ndim)])
    name = f"{layer_name(node)}_bias"
    bias = graph.constant(node.input[2]) - shift_of(node, weights, rounded, means)
    graph.constants[name] = numpy_helper.from_array(bias.astype(np.float32), name)
    node.input[2] = name


def _channel_axis(node: Node, value: npt.NDArray[Any]) -> int:
    if node.op_type == "Conv":
        return 0
    if node.op_type == "ConvTranspose":
        return 1
    if node.op_type == "Gemm" and attribute(node, "transB", 0):
        return 0
    return value.ndim - 1


def quantize_weights(
    value: npt.NDArray[np.float32], axis: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Weights in INT8, symmetric, with a scale per channel.

    Args:
        value: float32, any shape.
        axis: of the channels.

    Returns:
        int8 of the same shape, and float32 ``[channels]``.
    """
    others = tuple(i for i in range(value.ndim) if i != axis)
    largest = np.abs(value).max(axis=others, keepdims=True)
    scales = np.maximum(largest / (LEVELS - 1), SMALLEST_SCALE).astype(np.float32)
    whole = np.clip(np.rint(value / scales), -(LEVELS - 1), LEVELS - 1).astype(np.int8)
    return whole, scales.ravel()


def calibration_cache(scales: Mapping[str, float], tensorrt_version: str) -> str:
    """The classic calibration cache, for implicit quantization in TensorRT 10 and older.

    A head line, then a line per tensor of the float model: its scale as the eight hexadecimal
    digits of a big-endian float32, none of them left out.

    Args:
        scales: by tensor name.
        tensorrt_version: such as ``10.3.0``; the head line carries it as ``100300``.

    Raises:
        ModelError: the version is none, or one without implicit quantization.

    >>> print(calibration_cache({"images": 1.0}, "10.3.0"), end="")
    TRT-100300-EntropyCalibration2
    images: 3f800000
    """
    parts = tensorrt_version.split(".")
    if not 2 <= len(parts) <= 4 or not all(part.isdigit() for part in parts):
        raise ModelError(f"expected a TensorRT version such as 10.3.0, got {tensorrt_version!r}")
    major, minor, patch = [*(int(part) for part in parts), 0][:3]
    if major > 10:
        raise ModelError(f"TensorRT {major} reads no calibration cache; use the Q/DQ model")
    number = major * (10_000 if major >= 10 else 1000) + minor * 100 + patch
    lines = [f"TRT-{number}-EntropyCalibration2"]
    lines += [f"{name}: {struct.pack('!f', scale).hex()}" for name, scale in scales.items()]
    return "\n".join(lines) + "\n"
