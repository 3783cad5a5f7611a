"""How detectors of different families take pictures, and how their outputs become boxes.

========== ================================================== ======================
style      output                                             picture
========== ================================================== ======================
yolox      ``[N,A,5+C]``: offsets in cells, objectness, C     BGR, 0..255
yolo       ``[N,4+C,A]``: centre and size in pixels, C        RGB, 0..1
nms-free   ``[N,K,6]``: corners in pixels, score, class       RGB, 0..1
detr       logits ``[N,Q,C]``; centre and size as fractions   RGB, 0..1
========== ================================================== ======================

YOLOX as its ``export_onnx.py`` writes it (Ge et al., 2021); YOLO versions 8 and 11; YOLO versions
10 and 26 without non-maximum suppression; RT-DETR and D-FINE (Zhao et al., 2023; Peng et al.,
2024), whose logits need a sigmoid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge_app.errors import ModelError
from model_build.wrap.nodes import Nodes

STRIDES = (8, 16, 32)


@dataclass(frozen=True)
class Outputs:
    """What a foreign network gives.

    Attributes:
        shapes: of its outputs by name, the batch left out; None where an axis is not fixed.
        size_hw: height and width of its input.
    """

    shapes: Mapping[str, tuple[int | None, ...]]
    size_hw: tuple[int, int]

    def only(self, style: str, rank: int) -> tuple[str, tuple[int | None, ...]]:
        """The one output that a style has.

        Raises:
            ModelError: there are others, or it has another rank.
        """
        fit = [(name, shape) for name, shape in self.shapes.items() if len(shape) == rank]
        if len(fit) != 1:
            raise ModelError(
                f"a detector of the style {style} has one output with {rank + 1} axes; "
                f"this one has {dict(self.shapes)} (batch left out)"
            )
        return fit[0]


@dataclass(frozen=True)
class Style:
    """A family of detectors.

    Attributes:
        is_rgb: whether it takes RGB; else BGR.
        scale: by which levels 0..255 are multiplied.
        decode: adds nodes that make corners in pixels ``[N,A,4]`` and scores ``[N,A,C]``; takes
            the nodes, the outputs and the wanted classes, gives the names of both.
    """

    is_rgb: bool
    scale: float
    decode: Callable[[Nodes, Outputs, Sequence[int]], tuple[str, str]]


def _corners(nodes: Nodes, centres: str, sizes: str) -> str:
    halves = nodes.scaled(sizes, 0.5)
    edges = [nodes.add("Sub", [centres, halves]), nodes.add("Add", [centres, halves])]
    return nodes.add("Concat", edges, axis=2)


def _chosen(nodes: Nodes, scores: str, classes: Sequence[int], count: int | None) -> str:
    if count is not None and max(classes) >= count:
        raise ModelError(f"the network has {count} classes; there is no class {max(classes)}")
    return nodes.add("Gather", [scores, nodes.constant(classes, np.int64)], axis=2)


def _yolox(nodes: Nodes, outputs: Outputs, classes: Sequence[int]) -> tuple[str, str]:
    raw, (anchors, width) = outputs.only("yolox", 2)
    grid, strides = _cells(outputs.size_hw)
    if anchors not in (len(grid), None):
        raise ModelError(
            f"a YOLOX of {outputs.size_hw[1]}x{outputs.size_hw[0]} has {len(grid)} cells at the "
            f"strides {STRIDES}; this one has {anchors}"
        )
    moved = nodes.shifted(nodes.slice(raw, 0, 2, 2), grid[None])
    centres = nodes.scaled(moved, strides[None])
    sizes = nodes.scaled(nodes.add("Exp", [nodes.slice(raw, 2, 4, 2)]), strides[None])
    end = width or 2**31 - 1
    each = _chosen(nodes, nodes.slice(raw, 5, end, 2), classes, width and width - 5)
    scores = nodes.add("Mul", [nodes.slice(raw, 4, 5, 2), each])
    return _corners(nodes, centres, sizes), scores


def _cells(size_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of all cells ``[A,2]``, and their strides ``[A,1]``."""
    grids, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: size_hw[0] // stride, : size_hw[1] // stride]
        grids.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(grids).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _yolo(nodes: Nodes, outputs: Outputs, classes: Sequence[int]) -> tuple[str, str]:
    raw, (width, _) = outputs.only("yolo", 2)
    rows = nodes.add("Transpose", [raw], perm=[0, 2, 1])
    corners = _corners(nodes, nodes.slice(rows, 0, 2, 2), nodes.slice(rows, 2, 4, 2))
    scores = nodes.slice(rows, 4, width or 2**31 - 1, 2)
    return corners, _chosen(nodes, scores, classes, width and width - 4)


def _nms_free(nodes: Nodes, outputs: Outputs, classes: Sequence[int]) -> tuple[str, str]:
    raw, (_, width) = outputs.only("nms-free", 2)
    if width not in (6, None):
        raise ModelError(f"a detector without suppression gives six numbers per box, not {width}")
    score, label = nodes.slice(raw, 4, 5, 2), nodes.slice(raw, 5, 6, 2)
    wanted = nodes.constant(np.asarray(classes)[None, None], np.float32)
    # Labels are whole numbers as floats: one of the wanted ones keeps its score.
    rounded = nodes.add("Round", [label])
    is_wanted = nodes.add("Cast", [nodes.add("Equal", [rounded, wanted])], to=1)
    # Not a slice: OpenVINO 2026.4 drops it before GatherElements, and then the shapes differ.
    corners = nodes.add("Gather", [raw, nodes.constant([0, 1, 2, 3], np.int64)], axis=2)
    return corners, nodes.add("Mul", [score, is_wanted])


def _detr(nodes: Nodes, outputs: Outputs, classes: Sequence[int]) -> tuple[str, str]:
    boxes = [name for name, shape in outputs.shapes.items() if shape[-1] == 4]
    if len(boxes) > 1:  # four classes, too: the name has to tell
        boxes = [name for name in boxes if "box" in name.lower()]
    logits = [n for n, shape in outputs.shapes.items() if n not in boxes and len(shape) == 2]
    if len(boxes) != 1 or len(logits) != 1:
        raise ModelError(
            "a DETR gives logits [N,Q,C] and boxes [N,Q,4]; export it without its "
            f"post-processor: this one gives {dict(outputs.shapes)} (batch left out)"
        )
    height, width = outputs.size_hw
    pixels = nodes.scaled(boxes[0], [[[width, height, width, height]]])
    corners = _corners(nodes, nodes.slice(pixels, 0, 2, 2), nodes.slice(pixels, 2, 4, 2))
    scores = nodes.add("Sigmoid", [logits[0]])
    return corners, _chosen(nodes, scores, classes, outputs.shapes[logits[0]][-1])


STYLES = {
    "yolox": Style(is_rgb=False, scale=1.0, decode=_yolox),
    "yolo": Style(is_rgb=True, scale=1 / 255, decode=_yolo),
    "nms-free": Style(is_rgb=True, scale=1 / 255, decode=_nms_free),
    "detr": Style(is_rgb=True, scale=1 / 255, decode=_detr),
}
