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
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from edge_app.tracking.kalman import Float64, Motion, to_coordinates

_HEIGHT_PER_WIDTH = 2.2
"""Of a whole person's box, where it is not known."""
_EDGE_SHARE = 0.02
"""A box that ends this close to the picture's edge (of its height or width) is cut off by it."""
_UPPER_WEIGHT = 0.8
_VAGUE_WEIGHT = 0.7
"""Likeness by the corrections counts less than plain overlap."""
_UNLIKELY_WEIGHT = 0.3
_UNLIKELY_DISTANCE = 9.0
"""Squared Mahalanobis distance from which on the whole weight is taken away."""


def likeness(motion: Motion, boxes_xyxy: Float64, size: tuple[int, int]) -> Float64:
    """How well boxes fit the predicted tracks.

    Args:
        motion: the predicted state of ``N`` tracks.
        boxes_xyxy: float64 ``[M, 4]``, pixels.
        size: width and height of the picture.

    Returns:
        float64 ``[N, M]``, 0..1.
    """
    expected = np.clip(motion.boxes_xyxy, 0.0, np.array([*size, *size], np.float64))
    whole_expected, whole_seen = completed(expected, size), completed(boxes_xyxy, size)
    overlap = _overlap(whole_expected, whole_seen)
    upper = _upper_overlap(expected, boxes_xyxy)
    distance = _distance(expected, motion.position_std, boxes_xyxy)
    vague = _shape_likeness(whole_expected, whole_seen) / (1 + distance / 4)
    best = np.maximum(overlap, np.maximum(_UPPER_WEIGHT * upper, _VAGUE_WEIGHT * vague))
    unlikely = _UNLIKELY_WEIGHT * np.minimum(distance / _UNLIKELY_DISTANCE, 1.0)
    return np.asarray(np.maximum(best - unlikely, 0.0))


def assign(scores: Float64, least: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The assignment of rows to columns with the greatest sum (Jonker-Volgenant).

    Args:
        scores: float64 ``[N, M]``, 0..1.
        least: pairs that score less are never made.

    Returns:
        Rows and columns of the pairs, int ``[P]`` each.

    >>> rows, columns = assign(np.array([[0.9, 0.8], [0.8, 0.1]]), 0.3)
    >>> rows.tolist(), columns.tolist()
    ([0, 1], [1, 0])
    """
    if scores.size == 0:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    usable = scores >= least
    rows, columns = linear_sum_assignment(np.where(usable, scores, 0.0), maximize=True)
    good = usable[rows, columns]
    return rows[good], columns[good]


def completed(boxes_xyxy: Float64, size: tuple[int, int]) -> Float64:
    """Boxes that the lower edge cuts off, lengthened to a whole person; float64 ``[N, 4]`` both.

    >>> completed(np.array([[0.0, 80.0, 30.0, 100.0], [0.0, 0.0, 30.0, 90.0]]), (200, 100)).tolist()
    [[0.0, 80.0, 30.0, 146.0], [0.0, 0.0, 30.0, 90.0]]
    """
    x1, y1, x2, y2 = boxes_xyxy.T
    whole = np.where(
        is_cut_below(boxes_xyxy, size), np.maximum(y2, y1 + _HEIGHT_PER_WIDTH * (x2 - x1)), y2
    )
    return np.stack([x1, y1, x2, whole], axis=1)


def is_cut_below(boxes_xyxy: Float64, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which boxes end at the picture's lower edge; float64 ``[N, 4]`` to bool ``[N]``."""
    return np.asarray(boxes_xyxy[:, 3] >= size[1] * (1 - _EDGE_SHARE), bool)


def is_cut_off(box_xyxy: Float64, size: tuple[int, int]) -> tuple[bool, bool, bool, bool]:
    """Whether a box ends at the picture's left, top, right and bottom edge.

    >>> is_cut_off(np.array([0.0, 10.0, 50.0, 99.0]), (200, 100))
    (True, False, False, True)
    """
    width, height = size
    across, down = _EDGE_SHARE * width, _EDGE_SHARE * height
    x1, y1, x2, y2 = (float(value) for value in box_xyxy)
    return x1 <= across, y1 <= down, x2 >= width - across, y2 >= height - down


def is_part_of(boxes_xyxy: Float64, others_xyxy: Float64) -> npt.NDArray[np.bool_]:
    """Whether a box may be a second one on the same person: a head, a bust or legs.

    Such a box lies almost wholly within the other, in the middle part of its width, and is
    smaller.

    Args:
        boxes_xyxy: float64 ``[N, 4]``, which may be parts.
        others_xyxy: float64 ``[M, 4]``, which may be wholes.

    Returns:
        bool ``[N, M]``.

    >>> body = np.array([[0.0, 0.0, 40.0, 100.0]])
    >>> head, neighbour = [10.0, 2.0, 30.0, 25.0], [30.0, 0.0, 70.0, 100.0]
    >>> is_part_of(np.array([head, neighbour]), body).tolist()
    [[True], [False]]
    """
    areas, other_areas = _areas(boxes_xyxy)[:, None], _areas(others_xyxy)[None]
    within = _shared(boxes_xyxy, others_xyxy) / np.maximum(areas, 1e-9)
    middle = (boxes_xyxy[:, 0] + boxes_xyxy[:, 2])[:, None] / 2
    other_middle = (others_xyxy[:, 0] + others_xyxy[:, 2])[None] / 2
    other_width = (others_xyxy[:, 2] - others_xyxy[:, 0])[None]
    is_central = np.abs(middle - other_middle) <= 0.3 * other_width
    is_smaller = areas <= 0.75 * other_areas
    return np.asarray((within >= 0.85) & is_central & is_smaller)


def _overlap(boxes: Float64, others: Float64) -> Float64:
    shared = _shared(boxes, others)
    union = _areas(boxes)[:, None] + _areas(others)[None] - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


def _shared(boxes: Float64, others: Float64) -> Float64:
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    sides = np.clip(high - low, 0.0, None)
    return np.asarray(sides[..., 0] * sides[..., 1])


def _areas(boxes: Float64) -> Float64:
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None)
    return np.asarray(sides[:, 0] * sides[:, 1])


def _upper_overlap(boxes: Float64, others: Float64) -> Float64:
    """Intersection over union of the parts above the higher of the two lower ends."""
    end = np.minimum(boxes[:, None, 3], others[None, :, 3])
    left = np.maximum(boxes[:, None, 0], others[None, :, 0])
    right = np.minimum(boxes[:, None, 2], others[None, :, 2])
    top = np.maximum(boxes[:, None, 1], others[None, :, 1])
    shared = np.clip(right - left, 0.0, None) * np.clip(end - top, 0.0, None)
    widths, other_widths = boxes[:, 2] - boxes[:, 0], others[:, 2] - others[:, 0]
    area = widths[:, None] * np.clip(end - boxes[:, None, 1], 0.0, None)
    other_area = other_widths[None] * np.clip(end - others[None, :, 1], 0.0, None)
    return np.asarray(shared / np.maximum(area + other_area - shared, 1e-9))


def _shape_likeness(boxes: Float64, others: Float64) -> Float64:
    """Intersection over union of the boxes as if they shared a corner."""
    sides, other_sides = boxes[:, 2:] - boxes[:, :2], others[:, 2:] - others[:, :2]
    smaller = np.minimum(sides[:, None], other_sides[None]).prod(axis=2)
    union = sides.prod(axis=1)[:, None] + other_sides.prod(axis=1)[None] - smaller
    return np.asarray(smaller / np.maximum(union, 1e-9))


def _distance(expected: Float64, std: Float64, boxes: Float64) -> Float64:
    """Squared Mahalanobis distance of the centre's x and the top, ``[N, M]``."""
    which = [0, 2]
    error = to_coordinates(boxes)[None, :, which] - to_coordinates(expected)[:, None, which]
    return np.asarray(((error / std[:, None, which]) ** 2).sum(axis=2))
