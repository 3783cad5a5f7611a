"""Plane geometry on pictures: boxes, points, lines and polygons. Pure functions.

The y axis of a picture points down. Boxes are ``xyxy``: left, top, right, bottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_app.flow import Float32

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in plain floats: faster than an array where there are few."""

_EDGE_SHARE = 0.02
"""A box that ends this close to the picture's edge (of its height or width) is cut off by it."""


def intersection_over_union(boxes_a: Float32, boxes_b: Float32) -> Float32:
    """Intersection over union of every pair of boxes.

    Args:
        boxes_a: float32 ``[N, 4]``, xyxy.
        boxes_b: float32 ``[M, 4]``, xyxy.

    Returns:
        float32 ``[N, M]``, 0..1; 0 for pairs of empty boxes.

    >>> a = np.array([[0, 0, 2, 2]], np.float32)
    >>> b = np.array([[1, 0, 3, 2], [5, 5, 6, 6]], np.float32)
    >>> intersection_over_union(a, b).round(3).tolist()
    [[0.3330000042915344, 0.0]]
    """
    shared = shared_areas(boxes_a, boxes_b)
    union = area(boxes_a)[:, None] + area(boxes_b) - shared
    return np.asarray(shared / np.maximum(union, 1e-9), np.float32)


def shared_areas(boxes_a: Float32, boxes_b: Float32) -> Float32:
    """Areas in square pixels that pairs of boxes share.

    Args:
        boxes_a: float32 ``[N, 4]``, xyxy.
        boxes_b: float32 ``[M, 4]``, xyxy.

    Returns:
        float32 ``[N, M]``.

    >>> boxes = np.array([[0, 0, 2, 2], [1, 0, 4, 1]], np.float32)
    >>> shared_areas(boxes, boxes).tolist()
    [[4.0, 1.0], [1.0, 3.0]]
    """
    # Side by side, not as pairs of numbers in a last axis of two: numpy is slow along short axes.
    left_a, top_a, right_a, bottom_a = boxes_a.T[:, :, None]
    left_b, top_b, right_b, bottom_b = boxes_b.T
    width = np.minimum(right_a, right_b) - np.maximum(left_a, left_b)
    height = np.minimum(bottom_a, bottom_b) - np.maximum(top_a, top_b)
    return np.asarray(np.maximum(width, 0.0) * np.maximum(height, 0.0), np.float32)


def shared_area(one: Box, other: Box) -> float:
    """What two boxes share, square pixels; without ``min`` and ``max``, whose calls take longer.

    >>> shared_area((0.0, 0.0, 2.0, 2.0), (1.0, 0.0, 4.0, 1.0))
    1.0
    """
    x1, y1, x2, y2 = one
    left, top, right, bottom = other
    across = (x2 if x2 < right else right) - (x1 if x1 > left else left)
    if across <= 0:
        return 0.0
    down = (y2 if y2 < bottom else bottom) - (y1 if y1 > top else top)
    return across * down if down > 0 else 0.0


def area(boxes: Float32) -> Float32:
    """Areas in square pixels of float32 ``[N, 4]`` boxes, as float32 ``[N]``."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def non_maximum_suppression(
    boxes: Float32, scores: Float32, max_iou: float
) -> npt.NDArray[np.intp]:
    """Indices of the boxes to keep, best first: greedy suppression of overlapping ones.

    Args:
        boxes: float32 ``[N, 4]``, xyxy.
        scores: float32 ``[N]``.
        max_iou: a box that overlaps a better one by more than this is dropped.

    >>> boxes = np.array([[0, 0, 9, 9], [0, 0, 9, 10], [20, 0, 29, 9]], np.float32)
    >>> non_maximum_suppression(boxes, np.array([0.5, 0.9, 0.3], np.float32), 0.6).tolist()
    [1, 2]
    """
    order = np.argsort(-scores, kind="stable")
    ranked = boxes[order]
    is_apart = intersection_over_union(ranked, ranked) <= max_iou
    alive = np.ones(len(order), bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= is_apart[i, i + 1 :]
    return np.asarray(order[alive], np.intp)


def foot_point(box: Float32, size: tuple[int, int]) -> Point:
    """Middle of a box's lower edge, clamped to the picture: where the person stands.

    Args:
        box: float32 ``[4]``, xyxy, pixels.
        size: width and height of the picture in pixels.

    Returns:
        x and y as fractions of the picture's width and height, 0..1.

    >>> foot_point(np.array([10, 10, 30, 130], np.float32), (100, 100))
    (0.2, 1.0)
    """
    width, height = size
    x = min(max((float(box[0]) + float(box[2])) / 2 / width, 0.0), 1.0)
    y = min(max(float(box[3]) / height, 0.0), 1.0)
    return x, y


def is_cut_off(box: Box, size: tuple[int, int]) -> tuple[bool, bool, bool, bool]:
    """Whether a box ends at the picture's left, top, right and bottom edge, or nearly so.

    Args:
        box: xyxy, pixels.
        size: width and height of the picture in pixels.

    >>> is_cut_off((0.0, 10.0, 50.0, 99.0), (200, 100))
    (True, False, False, True)
    """
    across, down = _EDGE_SHARE * size[0], _EDGE_SHARE * size[1]
    x1, y1, x2, y2 = box
    return x1 <= across, y1 <= down, x2 >= size[0] - across, y2 >= size[1] - down


def side_of_line(point: Point, start: Point, end: Point) -> float:
    """Signed distance of a point from the line through start and end.

    Positive on the left hand of someone walking from start to end in the picture as it is seen
    (y down): that is "in"::

            in  (left hand)
        start ------------> end
            out (right hand)

    Returns:
        The distance, in the unit of the points.

    >>> side_of_line((0.5, 0.2), (0.0, 0.8), (1.0, 0.8)) > 0
    True
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = float(np.hypot(dx, dy))
    return ((point[0] - start[0]) * dy - (point[1] - start[1]) * dx) / length


def position_along(point: Point, start: Point, end: Point) -> float:
    """Where the foot of the perpendicular falls: 0 at start, 1 at end, outside beyond them.

    >>> position_along((0.25, 0.9), (0.0, 0.8), (1.0, 0.8))
    0.25
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    return ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / (dx * dx + dy * dy)


def is_inside(point: Point, polygon: Sequence[Point]) -> bool:
    """Whether a polygon contains a point; its boundary belongs to the inside.

    >>> square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    >>> [is_inside(point, square) for point in ((1.0, 0.5), (0.5, 1.0), (1.1, 0.5), (0.5, 1.1))]
    [True, True, False, False]
    """
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        cross = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        within = min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)
        if within and abs(cross) < 1e-12:
            return True
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def distance_to_polygon(point: Point, polygon: Sequence[Point]) -> float:
    """Distance of a point from a polygon's boundary, on either side of it; 0 on it.

    >>> distance_to_polygon((0.5, 0.25), [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    0.25
    """
    nearest = float("inf")
    for start, end in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        dx, dy = end[0] - start[0], end[1] - start[1]
        length2 = dx * dx + dy * dy
        along = 0.0 if length2 == 0 else min(max(position_along(point, start, end), 0.0), 1.0)
        apart = (start[0] + along * dx - point[0], start[1] + along * dy - point[1])
        nearest = min(nearest, float(np.hypot(*apart)))
    return nearest


def polygon_area(polygon: Sequence[Point]) -> float:
    """Area of a polygon without self-crossings, in square units of its points (shoelace formula).

    >>> polygon_area([(0, 0), (2, 0), (2, 1), (0, 1)])
    2.0
    """
    pairs = zip(polygon, [*polygon[1:], polygon[0]], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def crosses_itself(polygon: Sequence[Point]) -> bool:
    """Whether two sides of a polygon cross; they may touch, as those of a ring with a slit do.

    A corner that is written twice in a row is one corner.

    >>> a, b, c, d = (0, 0), (1, 0), (1, 1), (0, 1)
    >>> crosses_itself((a, b, c, d)), crosses_itself((a, b, d, c))
    (False, True)
    >>> crosses_itself((a, (2, 0), (2, 1), c, (1, 2), (0, 2)))  # of the shape of an L
    False
    """
    before = [polygon[-1], *polygon[:-1]]
    sides = [(p, q) for p, q in zip(before, polygon, strict=True) if p != q]
    apart = ((i, j) for j in range(len(sides)) for i in range(j - 1) if j - i < len(sides) - 1)
    return any(_cross(sides[i], sides[j]) for i, j in apart)


def _cross(a: tuple[Point, Point], b: tuple[Point, Point]) -> bool:
    """Whether two straight pieces, each of some length, cross."""
    apart = ([side_of_line(end, *x) for end in y] for x, y in ((a, b), (b, a)))
    return all(one * other < 0 for one, other in apart)


@dataclass(frozen=True)
class Letterbox:
    """How a picture is fitted into a network's input: scaled, kept top-left, padded.

    Attributes:
        scale_x: input pixels per picture pixel, horizontally.
        scale_y: the same, vertically.
        width: of the scaled picture in input pixels.
        height: of the scaled picture in input pixels.
    """

    scale_x: float
    scale_y: float
    width: int
    height: int

    @classmethod
    def fit(cls, picture: tuple[int, int], target: tuple[int, int]) -> Letterbox:
        """The largest fit of a picture of (width, height) into a target of (width, height).

        >>> Letterbox.fit((1000, 500), (416, 416))
        Letterbox(scale_x=0.416, scale_y=0.416, width=416, height=208)
        """
        scale = min(target[0] / picture[0], target[1] / picture[1])
        width = min(max(round(picture[0] * scale), 1), target[0])
        height = min(max(round(picture[1] * scale), 1), target[1])
        return cls(width / picture[0], height / picture[1], width, height)

    @property
    def is_averaged(self) -> bool:
        """Whether input pixels are means: taking every third pixel of a large picture aliases."""
        return self.scale_x < 0.5

    def to_picture(self, boxes: Float32) -> Float32:
        """Boxes in input pixels as boxes in the picture's pixels; float32 ``[N, 4]`` both."""
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        return np.asarray(boxes / scale, np.float32)


def widen(boxes: Float32, share: float, size: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Boxes with a margin on each side, clipped to the picture, in whole pixels of at least 1.

    Args:
        boxes: float32 ``[N, 4]``, xyxy, pixels.
        share: margin on each side as a share of the box's own width or height.
        size: width and height of the picture.

    >>> widen(np.array([[10, 10, 110, 60]], np.float32), 0.05, (100, 100)).tolist()
    [[5, 7, 100, 63]]
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    low = np.floor(boxes[:, :2] - share * sides)
    high = np.ceil(boxes[:, 2:] + share * sides)
    limit = np.array(size, np.float32)
    low = np.minimum(np.maximum(low, 0), limit - 1)
    high = np.minimum(np.maximum(high, low + 1), limit)
    return np.concatenate([low, high], axis=1).astype(np.int64)
