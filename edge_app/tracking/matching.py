"""Which box is which track: how alike they are, and the best assignment.

Likeness is intersection over union after some corrections, each for a way in which a person's
box changes although the person does not:

- *cut off*: who walks in over the picture's lower edge is first a head, then a bust, then a whole
  person. Boxes that end at the lower edge are completed to a whole person before they are
  compared, so that growing becomes plain movement.
- *leaving*: who walks out of the picture is compared with the part of the prediction within it.
- *legs hidden*: where only one of the two boxes has legs, the parts above its waist decide.
- *late*: after dropped frames, at a low frame rate or at first sight the prediction is vague;
  the filter's own uncertainty says how much displacement is still likely.

The same uncertainty, the other way round, takes likeness from boxes that overlap but lie where
the person cannot have got to: so people who cross keep their own ways.

A scene holds few people, and most of them are far apart: all this is done in plain floats, pairs
that cannot be alike are left out early, and most comparisons are written out, which takes less
time than calls of ``min`` and ``max``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from edge_app.geometry import Box, is_cut_off
from edge_app.tracking.kalman import Motion

_HEIGHT_PER_WIDTH = 2.2
"""Of a whole person's box, where it is not known."""
_UPPER_WEIGHT = 0.8
_VAGUE_WEIGHT = 0.7
"""Likeness by the corrections counts less than plain overlap."""
_FARTHEST = 3.2
"""Standard deviations from which on boxes that do not overlap are not alike at all."""
_UNLIKELY_WEIGHT = 0.3
_UNLIKELY_DISTANCE = 9.0
"""Squared Mahalanobis distance from which on the whole weight is taken away."""

Claim = tuple[float, int, int]
"""Score of a pair, its row and its column."""


class Expected(NamedTuple):
    """Where a track should be in this frame.

    Attributes:
        box: the part of the predicted box within the picture, pixels.
        whole_end: where the box would end if the picture did not cut it off.
        std: how far off centre x and top are to be expected, pixels.
        reach: between which x a box lies, at least in part, that is alike at all.
    """

    box: Box
    whole_end: float
    std: tuple[float, float]
    reach: tuple[float, float]

    @classmethod
    def of(cls, motion: Motion, size: tuple[int, int]) -> Expected:
        """The prediction of one filter in a picture of this width and height."""
        x1, y1, x2, y2 = motion.box_xyxy
        width, height = size
        if x1 < 0 or y1 < 0 or x2 > width or y2 > height:
            x1, x2 = (min(max(x, 0.0), width) for x in (x1, x2))
            y1, y2 = (min(max(y, 0.0), height) for y in (y1, y2))
        box, std = (x1, y1, x2, y2), motion.expected_std
        middle, far = (x1 + x2) / 2, _FARTHEST * std[0]
        reach = min(x1, middle - far), max(x2, middle + far)
        return cls(box, whole_end(box, size), std, reach)


def likeness(expected: Expected, seen: Box, seen_whole_end: float) -> tuple[float, float]:
    """How well a box fits a predicted track.

    Args:
        expected: the prediction.
        seen: the box, pixels.
        seen_whole_end: its :func:`whole_end`.

    Returns:
        Likeness, 0..1, and how much of that is to be taken away where the person can hardly
        have got to.
    """
    (x1, y1, x2, y2), whole, (std_x, std_top), _ = expected
    seen_x1, seen_y1, seen_x2, seen_y2 = seen
    off_x, off_top = (seen_x1 + seen_x2 - x1 - x2) / (2 * std_x), (seen_y1 - y1) / std_top
    distance = off_x * off_x + off_top * off_top
    across = (x2 if x2 < seen_x2 else seen_x2) - (x1 if x1 > seen_x1 else seen_x1)
    if distance >= _FARTHEST**2 and (across <= 0 or y1 >= seen_whole_end or seen_y1 >= whole):
        return 0.0, 0.0
    width, seen_width = x2 - x1, seen_x2 - seen_x1
    height, seen_height = whole - y1, seen_whole_end - seen_y1
    area, seen_area = width * height, seen_width * seen_height
    shape = width if width < seen_width else seen_width
    shape *= height if height < seen_height else seen_height
    best = _VAGUE_WEIGHT * _ratio(shape, area, seen_area) / (1 + distance / 4)
    if across > 0:
        top = y1 if y1 > seen_y1 else seen_y1
        down = (whole if whole < seen_whole_end else seen_whole_end) - top
        if down > 0:
            plain = _ratio(across * down, area, seen_area)
            best = plain if plain > best else best
        end = y2 if y2 < seen_y2 else seen_y2
        if end > top:
            upper = _ratio(across * (end - top), width * (end - y1), seen_width * (end - seen_y1))
            best = max(best, _UPPER_WEIGHT * upper)
    return best, _UNLIKELY_WEIGHT * min(distance / _UNLIKELY_DISTANCE, 1.0)


def assign(claims: Sequence[Claim]) -> list[tuple[int, int]]:
    """The assignment of rows to columns with the greatest sum (Jonker-Volgenant).

    Args:
        claims: the pairs that can be made, and what each is worth, above 0.

    Returns:
        Rows and columns of the pairs made.

    >>> sorted(assign([(0.9, 0, 0), (0.8, 0, 1), (0.8, 1, 0), (0.5, 2, 2)]))
    [(0, 1), (1, 0), (2, 2)]
    """
    of_row = Counter(row for _, row, _ in claims)
    of_column = Counter(column for _, _, column in claims)
    open_claims, made = [], []
    for claim in claims:
        _, row, column = claim
        if of_row[row] == 1 and of_column[column] == 1:
            made.append((row, column))
        else:
            open_claims.append(claim)
    if not open_claims:
        return made
    rows = sorted({row for _, row, _ in open_claims})
    columns = sorted({column for _, _, column in open_claims})
    place = {row: index for index, row in enumerate(rows)}
    column_place = {column: index for index, column in enumerate(columns)}
    scores = np.zeros((len(rows), len(columns)))
    for score, row, column in open_claims:
        scores[place[row], column_place[column]] = score
    picked = linear_sum_assignment(scores, maximize=True)
    for row, column in zip(*(part.tolist() for part in picked), strict=True):
        if scores[row, column] > 0:
            made.append((rows[row], columns[column]))
    return made


def comes_from_beyond(box_xyxy: Box, others: Sequence[Box], size: tuple[int, int]) -> bool:
    """Whether a box is cut off by an edge of the picture that none of the others reaches.

    >>> size, head = (200, 100), (5.0, 80.0, 25.0, 100.0)
    >>> inside, leaving = (5.0, 20.0, 25.0, 70.0), (5.0, 60.0, 25.0, 100.0)
    >>> comes_from_beyond(head, [inside], size), comes_from_beyond(head, [inside, leaving], size)
    (True, False)
    """
    reached = [is_cut_off(other, size) for other in others]
    return any(
        is_cut and not any(edges[side] for edges in reached)
        for side, is_cut in enumerate(is_cut_off(box_xyxy, size))
    )


def whole_end(box_xyxy: Box, size: tuple[int, int]) -> float:
    """A box's lower end; where the picture cuts it off, where the feet must be.

    >>> [whole_end((0.0, 80.0, 30.0, end), (200, 100)) for end in (100.0, 90.0)]
    [146.0, 90.0]
    """
    x1, y1, x2, y2 = box_xyxy
    return max(y2, y1 + _HEIGHT_PER_WIDTH * (x2 - x1)) if is_cut_off(box_xyxy, size)[3] else y2


def _ratio(shared: float, area: float, other: float) -> float:
    """Intersection over union."""
    return shared / max(area + other - shared, 1e-9)
