"""People whom the detector takes for one: a single box around two or three of them.

Were the box given to one of them, that one's box would grow, the others would be lost, and whoever
is seen first when they part would go on as the wrong one. So nobody gets it: all of them keep their
own shape and their places in it, and go where it goes, until each is found alone again.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_app.geometry import Box, shared_area

_INSIDE = 0.6
"""Who is in the box is expected within it by this share,"""
_LEAST = 0.5
_BETTER = 0.05
"""and all of them together fit it by so much, and better than any of them by so much."""
_FOLLOWED = 0.5
"""Everybody goes along with this share of each of the box's moves: its sides jump."""


def shared_by(box_xyxy: Box, expected: Sequence[Box]) -> bool:
    """Whether a box is around several people rather than one of them.

    Args:
        box_xyxy: the box, pixels.
        expected: where each of them should be.

    >>> two = [(0.0, 0.0, 40.0, 100.0), (30.0, 0.0, 70.0, 100.0)]
    >>> shared_by((0.0, 0.0, 72.0, 100.0), two), shared_by((0.0, 0.0, 41.0, 100.0), two)
    (True, False)
    """
    together = overlap(around(expected), box_xyxy)
    return together >= _LEAST and together >= _BETTER + max(
        overlap(each, box_xyxy) for each in expected
    )


def is_inside(each: Box, box_xyxy: Box) -> bool:
    """Whether most of somebody's box lies within another box."""
    x1, y1, x2, y2 = each
    return shared_area(each, box_xyxy) >= _INSIDE * (x2 - x1) * (y2 - y1) > 0


def shift(box_xyxy: Box, expected: Sequence[Box]) -> tuple[float, float]:
    """How far those in a shared box move to stay with it: across and down, pixels.

    >>> shift((3.0, 1.0, 75.0, 102.0), [(0.0, 0.0, 40.0, 100.0), (30.0, 0.0, 70.0, 100.0)])
    (2.0, 0.5)
    """
    x1, y1, x2, _ = around(expected)
    across = (box_xyxy[0] + box_xyxy[2] - x1 - x2) / 2
    return _FOLLOWED * across, _FOLLOWED * (box_xyxy[1] - y1)


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box around some boxes."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    shared = shared_area(one, other)
    areas = sum((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (one, other))
    return shared / max(areas - shared, 1e-9)
