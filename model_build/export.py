"""Writes networks as ONNX files that keep the model contract.

    images uint8 [N,H,W,3] BGR -> Cast -> network -> best K boxes and scores

The cast to float is the very first node: TensorRT allows nothing else on uint8. Everything
numeric (colour, normalisation, decoding, top-k) is inside, so that the runtime code never
knows a network. `N` is dynamic, `H` and `W` are fixed.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor, nn

from edge_app.errors import ModelError
from edge_app.inference.silent_openvino import CORE

OPSET = 17

LARGE_WEIGHTS = 1024
"""Tensors of fewer numbers are not worth a cast."""


@dataclass(frozen=True)
class Card:
    """What a model file says about itself in its `metadata_props`.

    Attributes:
        task: `detector`, `garments` or `classifier`.
        version: of the model, `major.minor.patch`.
        labels: in the order of the scores.
        license: SPDX identifier of the weights.
        training_data: every source that the weights have seen, in words.
        metrics: figures on held-out data.
    """

    task: str
    version: str
    labels: tuple[str, ...]
    license: str
    training_data: str
    metrics: Mapping[str, float]


class DetectorGraph(nn.Module):
    """A detection network in the shape of the contract.

    The network takes float [N,3,H,W] BGR 0..255 and gives boxes [N,A,4] (xyxy in input
    pixels) and scores [N,A,C] in 0..1; whatever else it gives is passed through.
    """

    def __init__(self, network: nn.Module, candidates: int) -> None:
        super().__init__()
        self.network = network
        self.candidates = candidates

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Boxes [N,K,4] and scores [N,K,C], best first, of uint8 [N,H,W,3] BGR pictures."""
        planes = images.float().permute(0, 3, 1, 2)
        boxes, scores, *others = self.network(planes)
        _, best = scores.amax(2).topk(self.candidates, dim=1)
        column = best.unsqueeze(2)
        boxes = boxes.gather(1, column.expand(-1, -1, 4))
        scores = scores.gather(1, column.expand(-1, -1, scores.shape[2]))
        return boxes, scores, *others


class ClassifierGraph(nn.Module):
    """A classification network in the shape of the contract.

    The network takes float [M,3,h,w] BGR 0..255 and gives probabilities [M,C] and a
    unit-length embedding [M,D].
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Probabilities [M,C] and embedding [M,D] of uint8 [M,h,w,3] BGR crops."""
        probabilities, embedding = self.network(crops.float().permute(0, 3, 1, 2))
        return probabilities, embedding


def export_detector(
    network: nn.Module,
    size_hw: tuple[int, int],
    path: Path,
    card: Card,
    candidates: int = 100,
    other_outputs: Sequence[str] = (),
) -> None:
    """Writes a detector with the outputs `boxes` and `scores` (and `other_outputs`).

    The large weights of every model file are stored in half precision and computed with in
    float32: the file has half the size, and the answers differ by less than a camera's noise.
    """
    graph = DetectorGraph(network, candidates)
    _write(graph, ("images", size_hw), ("boxes", "scores", *other_outputs), path, card)


def export_classifier(network: nn.Module, size_hw: tuple[int, int], path: Path, card: Card) -> None:
    """Writes a classifier with the outputs `probabilities` and `embedding`, its weights in half."""
    _write(ClassifierGraph(network), ("crops", size_hw), ("probabilities", "embedding"), path, card)


def _write(
    graph: nn.Module,
    input_name_and_size_hw: tuple[str, tuple[int, int]],
    outputs: Sequence[str],
    path: Path,
    card: Card,
) -> None:
    input_name, (height, width) = input_name_and_size_hw
    example = torch.zeros((2, height, width, 3), dtype=torch.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.no_grad():
        # The tracing exporter is deprecated, but needs no further package and keeps N dynamic.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.eval(),
            (example,),
            str(path),
            input_names=[input_name],
            output_names=list(outputs),
            dynamic_axes={name: {0: "count"} for name in (input_name, *outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    # What the exporter puts first for weights that are equal.
    nodes = sorted(model.graph.node, key=lambda node: input_name not in node.input)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    if model.graph.node[0].op_type != "Cast":
        raise ModelError(
            f"{path}: the first node is {model.graph.node[0].op_type}, expected Cast: "
            "let the network read the float picture only"
        )
    onnx.helper.set_model_props(model, _properties(card))
    onnx.save(model, str(path))
    store_in_half(path)


def store_in_half(path: Path) -> None:
    """Store a model's large weights as float16 behind a cast to float32, which engines fold."""
    model = onnx.load(str(path))
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        weights = onnx.numpy_helper.to_array(tensor)
        if weights.dtype != np.float32 or weights.size < LARGE_WEIGHTS:
            continue
        stored = f"{tensor.name}_half"
        graph.initializer.remove(tensor)
        graph.initializer.append(onnx.numpy_helper.from_array(weights.astype(np.float16), stored))
        casts.append(
            onnx.helper.make_node("Cast", [stored], [tensor.name], to=onnx.TensorProto.FLOAT)
        )
    first, *rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([first, *casts, *rest])
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _properties(card: Card) -> dict[str, str]:
    values = asdict(card)
    values["labels"] = json.dumps(list(card.labels))
    values["metrics"] = json.dumps(dict(card.metrics), sort_keys=True)
    return values


def largest_difference(
    graph: nn.Module, path: Path, pictures_nhwc: npt.NDArray[np.uint8]
) -> dict[str, float]:
    """Runs a written file and its torch original on the same pictures.

    Args:
        graph: the `DetectorGraph` or `ClassifierGraph`.
        path: the ONNX file, run by OpenVINO in float32.
        pictures_nhwc: uint8 [N,H,W,3] BGR at the model's input size.

    Returns:
        The largest absolute difference of each output. Candidates whose scores differ by
        less than the arithmetic's noise may swap places: scores are compared in each label's
        order, and boxes, where the score is at least 0.05, with the nearest one found.
    """
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = CORE.compile_model(str(path), "CPU", settings)
    names = [output.get_any_name() for output in compiled.outputs]
    found = list(compiled(pictures_nhwc).values())
    with torch.no_grad():
        expected = [t.numpy() for t in graph.eval()(torch.from_numpy(pictures_nhwc))]
    differences = {}
    for name, ours, theirs in zip(names, expected, found, strict=True):
        if name == "boxes":
            gap = np.abs(ours[:, :, None] - theirs[:, None]).max(3).min(2)
            gap = gap[expected[names.index("scores")].max(2) >= 0.05]
        elif name == "scores":
            gap = np.abs(np.sort(ours, axis=1) - np.sort(theirs, axis=1))
        else:
            gap = np.abs(ours - theirs)
        differences[name] = float(gap.max(initial=0.0))
    return differences
