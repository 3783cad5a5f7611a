"""FP16 as a cast ONNX: the network's body in float16, everything delicate stays float32.

TensorRT networks are strongly typed: what a tensor is, the ONNX says. Float16 keeps 11 bits and
ends at 65504, which weights and activations bear; sums over many values, exponentials, box
coordinates of hundreds of pixels and the order of close scores do not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from calibration.graph import Graph, Node
from edge_app.errors import ModelError

DELICATE = frozenset(
    {
        *("Softmax", "LogSoftmax", "Exp", "Log", "Pow", "Sqrt", "Reciprocal", "Erf", "CumSum"),
        *("LayerNormalization", "InstanceNormalization", "GroupNormalization"),
        *("GlobalAveragePool", "AveragePool", "GridSample", "TopK", "NonMaxSuppression"),
        *("Cast", "Resize", "Range", "ConstantOfShape", "QuantizeLinear", "DequantizeLinear"),
    }
)
"""Stay float32 wherever they are, as do all reductions (``Reduce...``).

``Resize`` only because its scales must be float32 in ONNX; Cast because it says itself what it is.
"""

_LARGEST = 65504.0


def cast_to_half(model: Any) -> Any:
    """Cast a float32 model's body to float16; inputs and outputs keep their types.

    Args:
        model: an ONNX model; it is not changed.

    Returns:
        A new model.

    Raises:
        ModelError: a weight does not fit float16, or there is nothing to cast.
    """
    graph = Graph(model)
    half = {p for p in graph.body() if not _is_delicate(graph, p)}
    if not half:
        raise ModelError("the model has no convolution or matrix product to cast to float16")
    return _Casting(graph, half).run()


def _is_delicate(graph: Graph, position: int) -> bool:
    node = graph.nodes[position]
    if node.op_type in DELICATE or node.op_type.startswith("Reduce"):
        return True
    if graph.is_weighted(position):
        return graph.follows_softmax(node.input[0])
    return not any(graph.is_float(name) for name in node.output)


class _Casting:
    """One walk over the nodes, putting casts where float16 and float32 meet."""

    def __init__(self, graph: Graph, half: set[int]) -> None:
        self._graph = graph
        self._half = half
        self._is_half: set[str] = {
            name for p in half for name in graph.nodes[p].output if graph.is_float(name)
        }
        self._nodes: list[Node] = []
        self._casts: set[str] = set()

    def run(self) -> Any:
        for position, node in enumerate(self._graph.nodes):
            wants_half = position in self._half
            for index, name in enumerate(node.input):
                if name and self._graph.is_float(name):
                    node.input[index] = self._as(name, wants_half)
            for index, name in enumerate(node.output):
                if name in self._is_half and name in self._graph.outputs:
                    node.output[index] = f"{name}_half"
            self._nodes.append(node)
            for name in self._graph.outputs:
                if name in self._is_half and f"{name}_half" in node.output:
                    self._cast(f"{name}_half", name, TensorProto.FLOAT)
        return self._graph.finish(self._nodes)

    def _as(self, name: str, wants_half: bool) -> str:
        """The name under which a tensor can be read in the wanted type."""
        if name in self._graph.constants:
            return self._half_constant(name) if wants_half else name
        source = f"{name}_half" if name in self._graph.outputs and name in self._is_half else name
        if wants_half == (name in self._is_half):
            return source
        target = f"{name}_as_half" if wants_half else f"{name}_as_float"
        if target not in self._casts:
            self._cast(source, target, TensorProto.FLOAT16 if wants_half else TensorProto.FLOAT)
        return target

    def _cast(self, source: str, target: str, kind: int) -> None:
        self._casts.add(target)
        self._nodes.append(
            helper.make_node("Cast", [source], [target], name=f"{target}_cast", to=kind)
        )

    def _half_constant(self, name: str) -> str:
        target = f"{name}_as_half"
        if target not in self._graph.constants:
            value = self._graph.constant(name)
            if np.abs(value).max(initial=0.0) > _LARGEST:
                raise ModelError(
                    f"constant {name!r} reaches {np.abs(value).max():.3g}, and float16 ends at "
                    f"{_LARGEST:.0f}; this model cannot be cast"
                )
            half = numpy_helper.from_array(value.astype(np.float16), target)
            self._graph.constants[target] = half
        return target
