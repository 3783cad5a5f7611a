"""The figures of the COCO challenge, by its own code (pycocotools).

AP is the mean over the overlaps 0.50, 0.55 … 0.95 and over the labels; small is below 32² px, large
from 96² px on (https://cocodataset.org/#detection-eval).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from edge_app.flow import Detections

_SUMMARY = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")


@dataclass(frozen=True)
class Annotated:
    """What there is to be found in a picture.

    Attributes:
        boxes: float32 `[G,4]`, xyxy, px.
        labels: int64 `[G]`.
        is_ignored: bool `[G]`: neither to be found nor wrong to find (COCO's `iscrowd`).
    """

    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    is_ignored: NDArray[np.bool_]


def coco_figures(
    truths: Sequence[Annotated], found: Sequence[Detections], labels: Sequence[str]
) -> dict[str, float]:
    """AP over overlaps, at 0.5 and 0.75, by size, and by label where there are several.

    A figure that nothing contributes to is not a number.
    """
    wanted, given = [], []
    for number, (truth, detections) in enumerate(zip(truths, found, strict=True)):
        for box, label, is_ignored in zip(truth.boxes, truth.labels, truth.is_ignored, strict=True):
            wanted.append(_annotation(number, box, label) | {"iscrowd": int(is_ignored)})
        for box, label, score in zip(
            detections.boxes_xyxy, detections.labels, detections.scores, strict=True
        ):
            given.append(_annotation(number, box, label) | {"iscrowd": 0, "score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):
        judge = COCOeval(
            _data_set(len(truths), labels, wanted), _data_set(len(truths), labels, given), "bbox"
        )
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    figures = dict(zip(_SUMMARY, judge.stats, strict=False))
    if len(labels) > 1:
        # Overlaps, recalls, labels, sizes (all first), numbers of boxes (100 last).
        precision = judge.eval["precision"][:, :, :, 0, -1]
        for index, label in enumerate(labels):
            figures[f"ap/{label}"] = precision[:, :, index].mean()
    return {name: float(v) if v >= 0 else float("nan") for name, v in figures.items()}


def _annotation(picture: int, box: NDArray[np.float32], label: int) -> dict[str, Any]:
    x0, y0, x1, y1 = (float(value) for value in box)
    sides = [x1 - x0, y1 - y0]
    return {
        "image_id": picture,
        "category_id": int(label),
        "bbox": [x0, y0, *sides],
        "area": sides[0] * sides[1],
    }


def _data_set(pictures: int, labels: Sequence[str], annotations: list[dict[str, Any]]) -> COCO:
    data = COCO()
    data.dataset = {
        "images": [{"id": number} for number in range(pictures)],
        "categories": [{"id": index, "name": label} for index, label in enumerate(labels)],
        # From 1 on: the judge takes the number 0 for "matched by nothing".
        "annotations": [{"id": i, **entry} for i, entry in enumerate(annotations, 1)],
    }
    data.createIndex()
    return data
