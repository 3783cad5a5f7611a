"""What tensors inside a model hold while it looks at pictures: run by OpenVINO, on one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from calibration.graph import Graph
from calibration.ranges import BINS
from edge_app.errors import EngineError
from edge_app.flow import Float32, UInt8
from edge_app.inference.openvino_guard import guard
from edge_app.inference.silent_openvino import CORE

Progress = Callable[[int, int], None]
"""Called with how many steps are done and how many there are."""

_BATCH = 4
_TINY = 1e-12


def no_progress(_done: int, _all: int) -> None:
    """Says nothing."""


def run(model: Any, batches: Iterable[UInt8]) -> Iterator[dict[str, Float32]]:
    """Run a model on batches; all its outputs by name, valid until the next batch.

    Args:
        model: ONNX, with one input.
        batches: uint8 ``[N, H, W, 3]`` each.

    Raises:
        EngineError: OpenVINO cannot run it.
    """
    return run_inputs(model, ((batch,) for batch in batches))


def run_inputs(
    model: Any, batches: Iterable[Sequence[npt.NDArray[Any]]]
) -> Iterator[dict[str, Float32]]:
    """As :func:`run`, for a model with several inputs: an array for each, in their order."""
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    try:
        network = CORE.read_model(model.SerializeToString())
        guard(network)
        request = CORE.compile_model(network, "CPU", settings).create_infer_request()
        names = [output.name for output in model.graph.output]
        for batch in batches:
            request.infer(list(batch), share_inputs=True)
            yield {name: request.get_tensor(name).data for name in names}
    except RuntimeError as error:
        raise EngineError(f"OpenVINO cannot run the model: {error}") from error


def batches_of(pictures: UInt8) -> list[UInt8]:
    """Pictures ``[N, H, W, 3]`` in portions of a few."""
    return [pictures[i : i + _BATCH] for i in range(0, len(pictures), _BATCH)]


def with_outputs(graph: Graph, names: Sequence[str]) -> Any:
    """The model of a graph with inner tensors as its only outputs."""
    model = onnx.ModelProto()
    model.CopyFrom(graph.model)
    del model.graph.output[:]
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    # OpenVINO computes what is not asked for as well, unless it is gone.
    wanted = set(names)
    kept = []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            kept.append(node)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in reversed(kept)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


@dataclass(frozen=True)
class Seen:
    """What a tensor was seen to hold.

    Attributes:
        counts: int64 ``[2048]``, how often an absolute value fell into each bin.
        largest: absolute value, the upper end of the last bin.
    """

    counts: npt.NDArray[np.int64]
    largest: float


def observe(
    graph: Graph, names: Sequence[str], pictures: UInt8, progress: Progress = no_progress
) -> dict[str, Seen]:
    """Look at tensors over pictures, in two passes: the range, then the histogram.

    Args:
        graph: of the model in float32.
        names: of float tensors inside it.
        pictures: uint8 ``[N, H, W, 3]``, representative for what it will see.
        progress: told about every batch.
    """
    model, batches = with_outputs(graph, names), batches_of(pictures)
    largest = dict.fromkeys(names, 0.0)
    for done, values in enumerate(run(model, batches)):
        for name in names:
            largest[name] = max(largest[name], float(np.abs(values[name]).max(initial=0.0)))
        progress(done + 1, 2 * len(batches))
    counts = {name: np.zeros(BINS, np.int64) for name in names}
    for done, values in enumerate(run(model, batches)):
        for name in names:
            counts[name] += _histogram(values[name], largest[name])
        progress(len(batches) + done + 1, 2 * len(batches))
    return {name: Seen(counts[name], largest[name]) for name in names}


def _histogram(values: Float32, largest: float) -> npt.NDArray[np.int64]:
    if largest <= 0.0:
        return np.zeros(BINS, np.int64)
    bins = np.minimum(np.abs(values) * (BINS / largest), BINS - 1).astype(np.int32)
    return np.bincount(bins.ravel(), minlength=BINS).astype(np.int64)


def head_names(model: Any) -> list[str]:
    """Names of the tensors that the last weighted nodes of a float model make."""
    graph = Graph(model)
    return [graph.nodes[position].output[0] for position in graph.heads()]


def values_of(model: Any, names: Sequence[str], pictures: UInt8) -> list[Float32]:
    """Inner tensors of a model over pictures, each ``[N, ...]``."""
    inner = with_outputs(Graph(model), names)
    parts = [[np.array(values[n]) for n in names] for values in run(inner, batches_of(pictures))]
    return [np.concatenate([part[i] for part in parts]) for i in range(len(names))]


def noise(found: Sequence[Float32], expected: Sequence[Float32]) -> list[float]:
    """The share of each tensor's variance that is noise.

    >>> noise([np.float32([1.0, 2.0, 3.5])], [np.float32([1.0, 2.0, 3.0])])
    [0.125]
    """
    return [
        round(float(np.square(ours - right).mean() / max(float(np.var(right)), _TINY)), 9)
        for ours, right in zip(found, expected, strict=True)
    ]
