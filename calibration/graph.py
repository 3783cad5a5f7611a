"""An ONNX graph with the questions that rewriting it asks: who makes a tensor, who reads it.

A node is *weighted* when it multiplies by constants: a convolution, a Gemm, a MatMul with a
constant second factor. What lies between weighted nodes is the network's body, what comes before
the first is the picture's preparation, what comes after the last is decoding (box arithmetic,
softmax, top-k).
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, numpy_helper

from edge_app.errors import ModelError

Node = Any  # onnx.NodeProto; onnx has no types that mypy reads
_CONVOLUTIONS = ("Conv", "ConvTranspose")


class Graph:
    """A copy of a model, made ready for rewriting.

    Attributes:
        model: the copy; constants are initializers, and it carries no stale value infos.
        nodes: of the graph, in an order in which they can be run.
        constants: initializers by name.
        maker: position of the node that makes a tensor.
        readers: positions of nodes and of their inputs that read a tensor.
    """

    def __init__(self, model: Any) -> None:
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        _constants_to_initializers(self.model.graph)
        _weights_in_float(self.model.graph)
        self._kinds, self._ranks = _kinds_and_ranks(self.model)
        del self.model.graph.value_info[:]
        self.nodes: list[Node] = list(self.model.graph.node)
        self.constants = {tensor.name: tensor for tensor in self.model.graph.initializer}
        self.maker: dict[str, int] = {}
        self.readers: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for position, node in enumerate(self.nodes):
            self.maker.update(dict.fromkeys(node.output, position))
            for index, name in enumerate(node.input):
                if name:
                    self.readers[name].append((position, index))
        self.outputs = tuple(output.name for output in self.model.graph.output)
        self.inputs = tuple(i.name for i in self.model.graph.input)

    def constant(self, name: str) -> npt.NDArray[Any]:
        """The value of an initializer."""
        return np.asarray(numpy_helper.to_array(self.constants[name]))

    def is_float(self, name: str) -> bool:
        """Whether a tensor is float32."""
        return bool(self._kinds.get(name) == TensorProto.FLOAT)

    def rank(self, name: str) -> int | None:
        """How many axes a tensor has, if that can be told."""
        return self._ranks.get(name)

    def is_weighted(self, position: int) -> bool:
        """Whether a node multiplies by constants."""
        node = self.nodes[position]
        if node.op_type in (*_CONVOLUTIONS, "Gemm", "MatMul"):
            return node.input[1] in self.constants and self.is_float(node.input[0])
        return False

    def weighted(self) -> list[int]:
        """Positions of the weighted nodes."""
        return [position for position in range(len(self.nodes)) if self.is_weighted(position)]

    def body(self) -> set[int]:
        """Positions of the weighted nodes and of all that lies between them."""
        before, after = set[int](), set[int]()
        weighted = set(self.weighted())
        for position, node in enumerate(self.nodes):
            makers = {self.maker[n] for n in node.input if n in self.maker and self.is_float(n)}
            if makers & (weighted | before):
                before.add(position)
        for position in reversed(range(len(self.nodes))):
            readers = {
                reader
                for name in self.nodes[position].output
                if self.is_float(name)
                for reader, _ in self.readers[name]
            }
            if readers & (weighted | after):
                after.add(position)
        return weighted | (before & after)

    def heads(self) -> list[int]:
        """Positions of the weighted nodes that no other weighted node comes after."""
        weighted = self.weighted()
        leads_on = set[int]()
        for position in reversed(range(len(self.nodes))):
            for name in self.nodes[position].output:
                for reader, _ in self.readers[name]:
                    if reader in leads_on or reader in weighted:
                        leads_on.add(position)
        return [position for position in weighted if position not in leads_on]

    def follows_softmax(self, name: str) -> bool:
        """Whether a tensor is a softmax, reshaped or transposed at most.

        What multiplies it is the mean under it, as boxes of GFL and D-FINE are decoded (Li et al.,
        "Generalized Focal Loss", NeurIPS 2020).
        """
        while name in self.maker:
            node = self.nodes[self.maker[name]]
            if node.op_type not in ("Reshape", "Transpose"):
                return bool(node.op_type == "Softmax")
            name = node.input[0]
        return False

    def finish(self, nodes: list[Node]) -> Any:
        """The model with other nodes, without the initializers that nobody reads; checked.

        Raises:
            ModelError: the rewriting broke the graph.
        """
        graph = self.model.graph
        del graph.node[:]
        graph.node.extend(nodes)
        used = {name for node in nodes for name in node.input} | set(self.outputs)
        kept = [tensor for name, tensor in self.constants.items() if name in used]
        del graph.initializer[:]
        graph.initializer.extend(kept)
        try:
            onnx.checker.check_model(self.model, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ModelError(f"the rewritten model is not valid ONNX: {error}") from error
        return self.model


def attribute(node: Node, name: str, default: Any = None) -> Any:
    """The value of a node's attribute, or what it is where the node does not say."""
    found = (onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name)
    return next(found, default)


def layer_name(node: Node) -> str:
    """A name for a node that a person can find in the graph."""
    return str(node.name or node.output[0])


def load_onnx(path: Path) -> Any:
    """Read an ONNX file.

    Raises:
        ModelError: it is missing or unreadable.
    """
    if not path.is_file():
        raise ModelError(f"{path}: there is no such model file; expected an ONNX model")
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    # What protobuf raises on damage depends on its implementation.
    except Exception as error:
        raise ModelError(f"{path}: cannot be read as an ONNX model: {error}") from error
    return model


def _constants_to_initializers(graph: Any) -> None:
    kept = []
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensor = node.attribute[0].t
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
        else:
            kept.append(node)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in kept]
    del graph.node[:]
    graph.node.extend(nodes)


def _weights_in_float(graph: Any) -> None:
    """Unpack weights that are stored in half precision behind a cast to float32."""
    halves = {t.name: t for t in graph.initializer if t.data_type == TensorProto.FLOAT16}
    casts = [n for n in graph.node if n.op_type == "Cast" and n.input[0] in halves]
    for node in casts:
        stored = halves.pop(node.input[0])
        weights = numpy_helper.to_array(stored).astype(np.float32)
        graph.initializer.remove(stored)
        graph.initializer.append(numpy_helper.from_array(weights, node.output[0]))
        graph.node.remove(node)


def _kinds_and_ranks(model: Any) -> tuple[dict[str, int], dict[str, int]]:
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    tensors = {
        info.name: info.type.tensor_type
        for info in (*inferred.value_info, *inferred.input, *inferred.output)
    }
    kinds = {name: tensor.elem_type for name, tensor in tensors.items()}
    ranks = {name: len(t.shape.dim) for name, t in tensors.items() if t.HasField("shape")}
    return kinds | {t.name: t.data_type for t in inferred.initializer}, ranks
