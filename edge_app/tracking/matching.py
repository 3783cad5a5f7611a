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

from edge_app.tracking.kalman import Float64, Motion

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


def likeness(motion: Motion, boxes_xyxy: Float64, size: tuple[int, int]) -> tuple[Float64, Float64]:
    """How well boxes fit the predicted tracks.

    Args:
        motion: the predicted state of ``N`` tracks.
        boxes_xyxy: float64 ``[M, 4]``, pixels.
        size: width and height of the picture.

    Returns:
        float64 ``[N, M]``, 0..1, and how much of that is to be taken away where the person can
        hardly have got to.
    """
    limits = np.array([*size, *size], np.float64)
    expected = np.minimum(np.maximum(motion.boxes_xyxy, 0.0), limits)
    x1, y1, x2, y2 = expected.T[:, :, None]
    seen_x1, seen_y1, seen_x2, seen_y2 = boxes_xyxy.T[:, None]
    width, seen_width = x2 - x1, seen_x2 - seen_x1
    whole, seen_whole = _whole_end(expected, size)[:, None], _whole_end(boxes_xyxy, size)[None]
    height, seen_height = whole - y1, seen_whole - seen_y1
    area, seen_area = width * height, seen_width * seen_height

    across = np.maximum(np.minimum(x2, seen_x2) - np.maximum(x1, seen_x1), 0.0)
    top = np.maximum(y1, seen_y1)
    overlap = _ratio(across * np.maximum(np.minimum(whole, seen_whole) - top, 0.0), area, seen_area)
    end = np.minimum(y2, seen_y2)
    upper = _ratio(
        across * np.maximum(end - top, 0.0),
        width * np.maximum(end - y1, 0.0),
        seen_width * np.maximum(end - seen_y1, 0.0),
    )
    shape = _ratio(np.minimum(width, seen_width) * np.minimum(height, seen_height), area, seen_area)
    std = motion.position_std
    distance = ((seen_x1 + seen_x2 - x1 - x2) / (2 * std[:, :1])) ** 2
    distance += ((seen_y1 - y1) / std[:, 2:3]) ** 2
    best = np.maximum(overlap, _UPPER_WEIGHT * upper)
    best = np.maximum(best, _VAGUE_WEIGHT * shape / (1 + distance / 4))
    unlikely = _UNLIKELY_WEIGHT * np.minimum(distance / _UNLIKELY_DISTANCE, 1.0)
    return np.asarray(best), np.asarray(unlikely)


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


def _whole_end(boxes_xyxy: Float64, size: tuple[int, int]) -> Float64:
    """Lower ends, float64 ``[N]``; those that the picture cuts off, where the feet must be.

    >>> boxes = np.array([[0.0, 80.0, 30.0, 100.0], [0.0, 0.0, 30.0, 90.0]])
    >>> _whole_end(boxes, (200, 100)).tolist()
    [146.0, 90.0]
    """
    x1, y1, x2, y2 = boxes_xyxy.T
    whole = np.maximum(y2, y1 + _HEIGHT_PER_WIDTH * (x2 - x1))
    return np.asarray(np.where(is_cut_below(boxes_xyxy, size), whole, y2))


def _ratio(shared: Float64, area: Float64, other: Float64) -> Float64:
    """Intersection over union."""
    return np.asarray(shared / np.maximum(area + other - shared, 1e-9))
