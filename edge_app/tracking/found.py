"""What the detector found in one frame, and which of it may be two boxes of one person.

Non-maximum suppression has to choose: two boxes that overlap by half are one person found twice, or
two people side by side. Here it need not: such a box stays, but only as a weak one, which continues
a track and does not speak for a new person (compare Soft-NMS, Bodla et al., ICCV 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from edge_app.flow import Detections, Float32
from edge_app.geometry import Box, shared_area

_DOUBTFUL = 0.45
"""A box that overlaps a better one by more than this (intersection over union) is doubtful,"""
_DOUBTFUL_SHARE = 0.97
"""and scores at most this share of what a good box has to score."""
_COVERED = 0.58
_CLEAR_SCORE = 0.5
"""A box of which another covers this share, or that scores less, tells nothing of a look."""
_PART = 0.85
"""A part of a person lies within the whole by this share."""
_WHOLE_SURE = 0.5
"""and scores at most twice as much: what is surely found is not a part of what hardly is."""
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
        boxes: ``N`` boxes, pixels.
        scores: ``N`` scores; lowered to a weak one where the box is doubtful.
        is_doubtful: per box, whether it may be a second one of somebody whom a better one is of.
        looks: float32 ``[N, D]``, or None, see :meth:`Tracker.update`.
        part_of: per box, the boxes of the people of whom it may be a part.
        is_clear: per box, whether its look is its own: nobody else's box covers much of it.
    """

    boxes: list[Box]
    scores: list[float]
    is_doubtful: list[bool]
    looks: Float32 | None
    part_of: list[list[int]]
    is_clear: list[bool]

    @classmethod
    def of(cls, detections: Detections, looks: Float32 | None, good_score: float) -> Found:
        """Put detections into an order that does not depend on the detector's.

        Args:
            detections: of people.
            looks: theirs, see :meth:`Tracker.update`.
            good_score: what a box has to score to be more than a weak one.
        """
        boxes, scores = detections.boxes_xyxy.tolist(), detections.scores.tolist()
        order = sorted(range(len(scores)), key=lambda index: (-scores[index], boxes[index]))
        found: list[Box] = [tuple(boxes[index]) for index in order]
        scores = [scores[index] for index in order]
        covered = covered_shares(found)
        most = [max(shares) for shares in covered]
        is_any_within = max(most, default=0.0) >= _WITHIN
        if is_any_within and (dropped := spans_two(found, scores, covered)):
            kept = [index for index in range(len(found)) if index not in dropped]
            found, scores = [found[index] for index in kept], [scores[index] for index in kept]
            order = [order[index] for index in kept]
            covered = [[covered[index][other] for other in kept] for index in kept]
            most = [max(shares) for shares in covered]
        doubtful = doubles(covered)
        weak = _DOUBTFUL_SHARE * good_score
        return cls(
            boxes=found,
            scores=[
                min(score, weak) if is_doubtful else score
                for score, is_doubtful in zip(scores, doubtful, strict=True)
            ],
            is_doubtful=doubtful,
            looks=None if looks is None else looks[order],
            part_of=[
                parts_of(found, scores, covered, index) if share >= _PART else []
                for index, share in enumerate(most)
            ],
            is_clear=[
                score >= _CLEAR_SCORE and share < _COVERED
                for score, share in zip(scores, most, strict=True)
            ],
        )


def covered_shares(boxes_xyxy: Sequence[Box]) -> list[list[float]]:
    """How much of each box (row) lies within each other one (column), 0..1; 0 within itself."""
    count = len(boxes_xyxy)
    covered = [[0.0] * count for _ in range(count)]
    for row in range(1, count):
        box = boxes_xyxy[row]
        for column in range(row):
            other = boxes_xyxy[column]
            shared = shared_area(box, other)
            if shared > 0:
                x1, y1, x2, y2 = box
                covered[row][column] = shared / ((x2 - x1) * (y2 - y1))
                x1, y1, x2, y2 = other
                covered[column][row] = shared / ((x2 - x1) * (y2 - y1))
    return covered


def doubles(covered: Sequence[Sequence[float]]) -> list[bool]:
    """Which boxes may be second ones of people whom better boxes are of.

    Args:
        covered: the :func:`covered_shares` of boxes, best first.

    >>> boxes = [(0.0, 0.0, 40.0, 100.0), (10.0, 0.0, 50.0, 100.0), (20.0, 0.0, 60.0, 100.0)]
    >>> doubles(covered_shares(boxes))
    [False, True, False]
    """
    found: list[bool] = []
    for place, shares in enumerate(covered):
        found.append(
            any(
                one > _DOUBTFUL
                and not found[better]
                and _overlap(one, covered[better][place]) > _DOUBTFUL
                for better, one in enumerate(shares[:place])
            )
        )
    return found


def _overlap(covered: float, other_covered: float) -> float:
    """Intersection over union of two boxes that cover each other by these shares, one above 0."""
    return 1 / (1 / covered + 1 / other_covered - 1)


def spans_two(
    boxes_xyxy: Sequence[Box], scores: Sequence[float], covered: Sequence[Sequence[float]]
) -> set[int]:
    """Which boxes hold two people side by side, or a person and a thing, who are found apart too.

    Of such a box, each of the two would seem a part, and neither its own person; and who was
    followed in it could go on with either.

    Args:
        boxes_xyxy: the boxes.
        scores: their scores.
        covered: their :func:`covered_shares`.

    >>> boxes = [(0.0, 0.0, 40.0, 100.0), (30.0, 0.0, 70.0, 100.0), (0.0, 0.0, 70.0, 100.0)]
    >>> spans_two(boxes, [0.9, 0.5, 0.6], covered_shares(boxes))
    {2}
    """
    found: set[int] = set()
    for whole, (x1, y1, x2, y2) in enumerate(boxes_xyxy):
        inner = [index for index, shares in enumerate(covered) if shares[whole] >= _WITHIN]
        if len(inner) < 2:
            continue
        for one, other in combinations(inner, 2):
            better, worse = max(scores[one], scores[other]), min(scores[one], scores[other])
            if better <= scores[whole] or worse < _HALF_SURE * scores[whole]:
                continue
            left, top, right, bottom = boxes_xyxy[one]
            other_left, _, other_right, _ = boxes_xyxy[other]
            if abs(left + right - other_left - other_right) < 2 * _APART * (x2 - x1):
                continue
            shared = covered[one][other] * (right - left) * (bottom - top)
            shared /= (x2 - x1) * (y2 - y1)
            if covered[whole][one] + covered[whole][other] - shared >= _FILLED:
                found.add(whole)
                break
    return found


def parts_of(
    boxes_xyxy: Sequence[Box],
    scores: Sequence[float],
    covered: Sequence[Sequence[float]],
    index: int,
) -> list[int]:
    """The boxes of people of whom a box may be a second one: a head, a bust or legs.

    Such a box lies almost wholly within the other, in the middle part of its width, and is
    smaller.

    Args:
        boxes_xyxy: the boxes.
        scores: their scores.
        covered: their :func:`covered_shares`.
        index: of the box.

    >>> boxes = [(0.0, 0.0, 40.0, 100.0), (10.0, 2.0, 30.0, 25.0), (30.0, 0.0, 70.0, 100.0)]
    >>> parts_of(boxes, [0.9, 0.6, 0.8], covered_shares(boxes), 1)
    [0]
    """
    found = []
    for other, share in enumerate(covered[index]):
        if share < _PART or scores[other] < _WHOLE_SURE * scores[index]:
            continue
        x1, y1, x2, y2 = boxes_xyxy[index]
        left, top, right, bottom = boxes_xyxy[other]
        is_central = abs(x1 + x2 - left - right) <= 0.6 * (right - left)
        if is_central and (x2 - x1) * (y2 - y1) <= 0.75 * (right - left) * (bottom - top):
            found.append(other)
    return found
