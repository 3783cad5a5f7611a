"""What the detector found in one frame, and which of it may be two boxes of one person."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from edge_app.flow import Detections, Float32
from edge_app.tracking.kalman import Float64

Rows = npt.NDArray[np.intp]

_SLENDER = 1.6
"""Of a whole person's box the height is more than this, in widths."""
_COVERED = 0.5
_CLEAR_SCORE = 0.4
"""A box of which another covers this share, or that scores less, tells nothing of a look."""
_WITHIN = 0.7
_FILLED = 0.75
_APART = 0.35
_HALF_SURE = 0.5
"""A box is of two people if two others lie within it by this share, together fill this share of
it, have centres this far apart (in its widths), and score more, one of them at least half as much.
"""


@dataclass(frozen=True)
class Found:
    """The detections of one frame, best first, and what they are to each other.

    Boxes of two people who are found apart too are left out.

    Attributes:
        boxes: float64 ``[N, 4]``, xyxy, pixels.
        scores: float64 ``[N]``.
        looks: float32 ``[N, D]`` or None, see :meth:`Tracker.update`.
        part_of: bool ``[N, N]``, whether the first may be a part of the person in the second.
        is_alone: bool ``[N]``, whether it is a part of nobody.
        is_clear: bool ``[N]``, whether its look is its own: nobody else's box covers much of it.
    """

    boxes: Float64
    scores: Float64
    looks: Float32 | None
    part_of: npt.NDArray[np.bool_]
    is_alone: npt.NDArray[np.bool_]
    is_clear: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, detections: Detections, looks: Float32 | None) -> Found:
        """Put detections into an order that does not depend on the detector's."""
        boxes = detections.boxes_xyxy.astype(np.float64)
        scores = detections.scores.astype(np.float64)
        if len(scores) > 1:
            order = np.lexsort((*boxes.T, -scores))
            boxes, scores = boxes[order], scores[order]
            covered = covered_shares(boxes)
            is_of_two = spans_two(boxes, scores, covered)
            if is_of_two.any():
                order, kept = order[~is_of_two], np.flatnonzero(~is_of_two)
                boxes, scores, covered = boxes[kept], scores[kept], covered[kept[:, None], kept]
            looks = None if looks is None else looks[order]
            part_of = is_part_of(boxes, covered)
            is_clear = np.asarray(covered.max(axis=1) < _COVERED)
        else:
            part_of, is_clear = np.zeros((1, 1), np.bool_), np.ones(1, np.bool_)
        return cls(
            boxes,
            scores,
            looks,
            part_of,
            np.asarray(~part_of.any(axis=1)),
            np.asarray(is_clear & (scores >= _CLEAR_SCORE)),
        )

    def wholes_first(self, columns: Rows, is_free: npt.NDArray[np.bool_]) -> Rows:
        """Matched detections, with a whole person that nobody claims in place of head or bust.

        A track that has followed a head for a while would stay with the head. A box as slender
        as a whole person stays: the larger one around it holds something else too.
        """
        columns, is_free = columns.copy(), is_free.copy()
        for pair in (~self.is_alone[columns]).nonzero()[0]:
            column = columns[pair]
            x1, y1, x2, y2 = self.boxes[column]
            if y2 - y1 > _SLENDER * (x2 - x1):
                continue
            wholes = np.flatnonzero(self.part_of[column] & is_free)
            if len(wholes):
                columns[pair] = wholes[0]
                is_free[wholes[0]] = False
        return columns


def covered_shares(boxes_xyxy: Float64) -> Float64:
    """How much of each box lies within each other one.

    Args:
        boxes_xyxy: float64 ``[N, 4]``.

    Returns:
        float64 ``[N, N]``, 0..1; 0 between a box and itself.
    """
    x1, y1, x2, y2 = boxes_xyxy.T[:, :, None]
    across = np.maximum(np.minimum(x2, x2.T) - np.maximum(x1, x1.T), 0.0)
    shared = across * np.maximum(np.minimum(y2, y2.T) - np.maximum(y1, y1.T), 0.0)
    shared /= np.maximum((x2 - x1) * (y2 - y1), 1e-9)
    np.fill_diagonal(shared, 0.0)
    return np.asarray(shared)


def spans_two(boxes_xyxy: Float64, scores: Float64, covered: Float64) -> npt.NDArray[np.bool_]:
    """Which boxes hold two people side by side, or a person and a thing, who are found apart too.

    Of such a box, each of the two would seem a part, and neither its own person; and who was
    followed in it could go on with either.

    Args:
        boxes_xyxy: float64 ``[N, 4]``.
        scores: float64 ``[N]``.
        covered: float64 ``[N, N]``, the boxes' :func:`covered_shares`.

    Returns:
        bool ``[N]``.

    >>> boxes = np.array([[0.0, 0, 40, 100], [30, 0, 70, 100], [0, 0, 70, 100]])
    >>> spans_two(boxes, np.array([0.9, 0.5, 0.6]), covered_shares(boxes)).tolist()
    [False, False, True]
    """
    is_within = covered >= _WITHIN
    found = np.zeros(len(boxes_xyxy), np.bool_)
    for whole in (is_within.sum(axis=0) >= 2).nonzero()[0].tolist():
        x1, y1, x2, y2 = boxes_xyxy[whole].tolist()
        area = (x2 - x1) * (y2 - y1)
        inner = is_within[:, whole].nonzero()[0].tolist()
        for one, other in combinations(inner, 2):
            better, worse = sorted((scores[one], scores[other]), reverse=True)
            if better <= scores[whole] or worse < _HALF_SURE * scores[whole]:
                continue
            centres = boxes_xyxy[[one, other]][:, [0, 2]].mean(axis=1)
            if abs(centres[0] - centres[1]) < _APART * (x2 - x1):
                continue
            sides = boxes_xyxy[one, 2:] - boxes_xyxy[one, :2]
            shared = covered[one, other] * sides[0] * sides[1] / area
            if covered[whole, one] + covered[whole, other] - shared >= _FILLED:
                found[whole] = True
                break
    return found


def is_part_of(boxes_xyxy: Float64, covered: Float64) -> npt.NDArray[np.bool_]:
    """Whether a box may be a second one on the person in another: a head, a bust or legs.

    Such a box lies almost wholly within the other, in the middle part of its width, and is
    smaller.

    Args:
        boxes_xyxy: float64 ``[N, 4]``.
        covered: float64 ``[N, N]``, their :func:`covered_shares`.

    Returns:
        bool ``[N, N]``: the first is a part of the second.

    >>> boxes = np.array([[0.0, 0, 40, 100], [10, 2, 30, 25], [30, 0, 70, 100]])
    >>> is_part_of(boxes, covered_shares(boxes)).tolist()
    [[False, False, False], [True, False, False], [False, False, False]]
    """
    is_within = covered >= 0.85
    if not is_within.any():
        return is_within
    x1, y1, x2, y2 = boxes_xyxy.T[:, :, None]
    width = (x2 - x1).T
    area = (x2 - x1) * (y2 - y1)
    is_central = np.abs(x1 + x2 - (x1 + x2).T) <= 0.6 * width
    return np.asarray(is_within & is_central & (area <= 0.75 * area.T))
