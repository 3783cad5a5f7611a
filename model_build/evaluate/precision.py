"""Average precision, of ranked claims and of boxes, and calibration error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_app.geometry import intersection_over_union


def average_precision(
    scores: NDArray[np.floating], is_hit: NDArray[np.bool_], positives: int
) -> float:
    """Area under the precision-recall curve, precision made monotone, over all points.

    Args:
        scores: `[N]`, higher is more certain.
        is_hit: `[N]`, whether a claim is true.
        positives: how many true claims there were to make.

    >>> average_precision(np.array([0.9, 0.8, 0.1]), np.array([True, False, True]), 2)
    0.8333333333333333
    """
    if positives == 0:
        return float("nan")
    hits = is_hit[np.argsort(-scores, kind="stable")]
    found = np.cumsum(hits)
    precision = found / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[hits].sum() / positives)


def box_average_precision(
    found: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
    truth: Sequence[NDArray[np.float32]],
    overlap: float = 0.5,
) -> float:
    """Average precision of boxes: each true box may be found once, by the best claim that fits.

    Args:
        found: for each picture, boxes `[K,4]` xyxy and scores `[K]`.
        truth: for each picture, boxes `[G,4]`.
        overlap: the least intersection over union of a hit.
    """
    scores: list[float] = []
    hits: list[bool] = []
    for (boxes, certainty), true_boxes in zip(found, truth, strict=True):
        free = np.ones(len(true_boxes), np.bool_)
        overlaps = intersection_over_union(boxes, true_boxes)
        for claim in np.argsort(-certainty, kind="stable"):
            fits = np.where(free, overlaps[claim], 0.0)
            is_hit = bool(fits.size) and bool(fits.max() >= overlap)
            if is_hit:
                free[fits.argmax()] = False
            scores.append(float(certainty[claim]))
            hits.append(is_hit)
    total = sum(len(boxes) for boxes in truth)
    return average_precision(np.array(scores), np.array(hits, np.bool_), total)


def calibration_error(
    confidence: NDArray[np.floating], is_right: NDArray[np.bool_], bins: int = 15
) -> float:
    """Expected calibration error: how far confidence is from accuracy, weighted over equal bins.

    Reference: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.

    >>> calibration_error(np.array([0.75] * 4), np.array([True, True, True, False]))
    0.0
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        inside = place == index
        if inside.any():
            gap = abs(float(confidence[inside].mean()) - float(is_right[inside].mean()))
            error += gap * float(inside.mean())
    return error
