"""Shifts a detector's heads so that its scores come out as before where something is found.

Rounding noise flattens peaks. The mean of a head stays what it was (:mod:`calibration.shift` sees
to that), but most of its cells see nothing; the few that see somebody sink, and who was hardly
found is lost. So the biases of the heads are fitted once more, to those cells alone: by least
squares over the log-odds of the candidates, each weighted by its probability.

What a bias does to a score is measured, not known: everything behind the heads is run by itself,
with every channel of every head moved a little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

from calibration.graph import Graph
from calibration.observe import head_names, run_inputs, values_of
from edge_app.flow import Float32, UInt8

_LEAST = 0.05
"""A candidate that the float model gives less sees nothing."""
_STEP = 0.1
_MOVED = 1e-4
_RIDGE = 1.0
"""Holds biases still that hardly any candidate asks for."""
_TINY = 1e-6

Float64 = npt.NDArray[np.float64]


class Settler:
    """What a float detector says about pictures, for INT8 models of it to be settled by.

    A model without a choice of the best candidates (``TopK``) behind its heads is left as it is.

    Args:
        model: ONNX, float32.
        pictures: uint8 ``[N, H, W, 3]``, representative for what it will see.

    Attributes:
        reads: names of the heads that candidates are made of.
        channels: those that are shifted, the head's number among these and the channel's in it.
    """

    def __init__(self, model: Any, pictures: UInt8) -> None:
        self._decoder = _behind(model, head_names(model))
        self.reads = [one.name for one in self._decoder.graph.input] if self._decoder else []
        self._pictures = pictures
        self.channels: list[tuple[int, int]] = []
        if self._decoder is not None:
            self._learn(values_of(model, self.reads, pictures))

    def settle(self, candidate: Any) -> Any:
        """An INT8 model with its heads shifted."""
        if not self.channels:
            return candidate
        [told] = self._told([values_of(candidate, self.reads, self._pictures)])
        missing = self._exact - told
        weighted = self._effects * self._weights
        normal = weighted @ self._effects.T + _RIDGE * np.eye(len(self.channels))
        return self._shifted(candidate, np.linalg.solve(normal, weighted @ missing))

    def _learn(self, values: Sequence[Float32]) -> None:
        """What candidates there are, and what each channel of each head does to them."""
        [scores] = self._scores([values])
        self._is_found = scores >= _LEAST
        self._weights = scores[self._is_found]
        [self._exact] = self._told([values])
        channels = [(h, c) for h, value in enumerate(values) for c in range(value.shape[1])]
        moved = (_moved(values, head, channel) for head, channel in channels)
        effects = []
        for channel, told in zip(channels, self._told(moved), strict=True):
            effect = (told - self._exact) / _STEP
            if np.abs(effect).max(initial=0.0) > _MOVED:
                effects.append(effect)
                self.channels.append(channel)
        self._effects = np.array(effects)

    def _told(self, cases: Iterable[Sequence[Float32]]) -> Iterator[Float64]:
        """Log-odds of the candidates that count, of each case of what the heads say."""
        for scores in self._scores(cases):
            found = np.clip(scores[self._is_found], _TINY, 1.0 - _TINY)
            yield np.asarray(np.log(found / (1.0 - found)))

    def _scores(self, cases: Iterable[Sequence[Float32]]) -> Iterator[Float64]:
        """float64 ``[N, candidates]`` of each case of what the heads say; compiled but once."""
        for found in run_inputs(self._decoder, cases):
            yield np.array(next(iter(found.values())), np.float64)

    def _shifted(self, candidate: Any, shifts: Float64) -> Any:
        graph = Graph(candidate)
        for (head, channel), shift in zip(self.channels, shifts, strict=True):
            node = graph.nodes[graph.maker[self.reads[head]]]
            bias = graph.constant(node.input[2]).copy()
            bias[channel] += shift
            name = f"{self.reads[head]}_settled"
            graph.constants[name] = numpy_helper.from_array(bias, name)
            node.input[2] = name
        return graph.finish(graph.nodes)


def _moved(values: Sequence[Float32], head: int, channel: int) -> list[Float32]:
    """What the heads say, with one channel of one of them a little larger."""
    value = values[head].copy()
    value[:, channel] += _STEP
    return [*values[:head], value, *values[head + 1 :]]


def _behind(model: Any, heads: Sequence[str]) -> Any:
    """The model of what stands between the heads, its inputs, and the scores of all candidates.

    None where there is no such thing: nothing is chosen, or it takes more than heads with biases.
    """
    graph = Graph(model)
    choices = [node.input[0] for node in graph.nodes if node.op_type == "TopK"]
    if not choices:
        return None
    chosen = choices[-1]
    wanted, kept = {chosen}, []
    for node in reversed(graph.nodes):
        if wanted.difference(heads) & set(node.output):
            wanted |= set(node.input)
            kept.append(node)
    made = {name for node in kept for name in node.output}
    inputs = [name for name in heads if name in wanted]
    makers = [graph.nodes[graph.maker[name]] for name in inputs]
    if any(node.op_type != "Conv" or len(node.input) < 3 for node in makers):
        return None
    if wanted - made - set(inputs) - set(graph.constants) - {""}:
        return None
    kind = TensorProto.FLOAT
    behind = helper.make_graph(
        kept[::-1],
        "behind_heads",
        [helper.make_tensor_value_info(name, kind, ["N", "C", "H", "W"]) for name in inputs],
        [helper.make_tensor_value_info(chosen, kind, None)],
        [graph.constants[name] for name in sorted(wanted & set(graph.constants))],
    )
    alone = helper.make_model(behind, opset_imports=model.opset_import)
    alone.ir_version = model.ir_version
    return alone
