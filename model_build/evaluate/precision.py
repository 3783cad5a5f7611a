"""Claims and how true they are: precision, recall, average precision, calibration, abstention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.precision import Floats, average_precision, down_to_each, hits
from edge_app.geometry import intersection_over_union

BINS = 15
"""Of the calibration error, as in Guo et al."""


@dataclass(frozen=True)
class Claims:
    """What a model claims about many pictures: boxes, or that something is worn.

    Attributes:
        scores: `[N]`, higher is more certain.
        is_hit: bool `[N]`, whether a claim is true.
        positives: how many true claims there were to make.
    """

    scores: Floats
    is_hit: NDArray[np.bool_]
    positives: int

    @classmethod
    def where_known(cls, scores: Floats, truth: Floats) -> Claims:
        """Claims `[N]` about what is 1 true, 0 not, NaN not known, which is left out."""
        is_known, is_hit = ~np.isnan(truth), truth > 0.5
        return cls(scores[is_known], is_hit[is_known], int(is_hit.sum()))

    def average_precision(self) -> float:
        """Area under the precision-recall curve; see :func:`average_precision`."""
        return average_precision(self.scores, self.is_hit, self.positives)

    def curve(self) -> tuple[Floats, Floats]:
        """Recall and precision when all claims down to each score are believed, `[N]` each."""
        found, believed = down_to_each(self.scores, self.is_hit)
        return found / max(self.positives, 1), found / believed

    def at(self, threshold: float) -> tuple[float, float]:
        """Precision and recall of the claims at least as certain as a threshold.

        The precision is not a number where there is no such claim, nor the recall where there is
        nothing to find.
        """
        is_sure = self.scores >= threshold
        right, sure = int(self.is_hit[is_sure].sum()), int(is_sure.sum())
        precision = right / sure if sure else float("nan")
        return precision, right / self.positives if self.positives else float("nan")


def box_claims(
    found: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
    truth: Sequence[NDArray[np.float32]],
) -> Claims:
    """Boxes against the truth: each true box may be found once, by the best claim that fits.

    Args:
        found: for each picture, boxes `[K,4]` xyxy and scores `[K]`.
        truth: for each picture, boxes `[G,4]`.
    """
    is_hit = [
        hits(certainty, intersection_over_union(boxes, true_boxes))
        for (boxes, certainty), true_boxes in zip(found, truth, strict=True)
    ]
    return Claims(
        np.concatenate([np.zeros(0), *(certainty for _, certainty in found)]),
        np.concatenate([np.zeros(0, np.bool_), *is_hit]),
        sum(len(boxes) for boxes in truth),
    )


def reliability(
    confidence: Floats, is_right: NDArray[np.bool_], bins: int = BINS
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Mean confidence, accuracy and count of each bin of equal width, `[bins]` each.

    An empty bin's confidence and accuracy are not a number.
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, confidence, bins) / count
        accuracy = np.bincount(place, is_right, bins) / count
    return mean, accuracy, count


def calibration_error(confidence: Floats, is_right: NDArray[np.bool_], bins: int = BINS) -> float:
    """Expected calibration error: how far confidence is from accuracy, weighted over equal bins.

    Reference: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.

    >>> calibration_error(np.array([0.75] * 4), np.array([True, True, True, False]))
    0.0
    """
    mean, accuracy, count = reliability(confidence, is_right, bins)
    return float(np.nansum(np.abs(mean - accuracy) * count) / max(1, len(confidence)))


def abstention(confidence: Floats, is_right: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Share answered, and accuracy of what is answered, when the least certain stay silent.

    Returns:
        Both `[N]`, from the most certain answer alone to all answers.

    Reference: Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks", 2017.

    >>> abstention(np.array([0.4, 0.9]), np.array([False, True]))
    (array([0.5, 1. ]), array([1. , 0.5]))
    """
    ranked = is_right[np.argsort(-confidence, kind="stable")]
    answered = np.arange(1, len(ranked) + 1)
    return answered / len(ranked), np.cumsum(ranked) / answered
