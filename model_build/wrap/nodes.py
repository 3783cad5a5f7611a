"""Nodes and constants to put around a graph, in forms that every opset from 13 on reads alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import helper, numpy_helper


class Nodes:
    """A list of nodes that grows, with names of its own."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, inputs: list[str], output: str | None = None, **more: Any) -> str:
        """Append a node; gives the name of its (first) output."""
        name = output or f"wrap/{operator}_{len(self.nodes)}"
        # TopK gives values and indices, all others one output.
        names = [name, f"{name}_indices"] if operator == "TopK" else [name]
        self.nodes.append(helper.make_node(operator, inputs, names, name=f"wrap/{name}", **more))
        return name

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike) -> str:
        """Append a constant; gives its name."""
        name = f"wrap/constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def slice(self, source: str, start: int, end: int, axis: int) -> str:
        """A part of a tensor along one axis."""
        edges = [self.constant([v], np.int64) for v in (start, end, axis)]
        return self.add("Slice", [source, *edges])

    def reshape(self, source: str, shape: list[int]) -> str:
        """A tensor in another shape; 0 keeps an axis, -1 is what remains."""
        return self.add("Reshape", [source, self.constant(shape, np.int64)])

    def scaled(self, source: str, factor: npt.ArrayLike) -> str:
        """A tensor multiplied by a constant."""
        return self.add("Mul", [source, self.constant(factor, np.float32)])

    def shifted(self, source: str, offset: npt.ArrayLike) -> str:
        """A tensor with a constant added."""
        return self.add("Add", [source, self.constant(offset, np.float32)])
