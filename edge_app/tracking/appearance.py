"""How people look, by the colours of their clothes: enough to tell two people of a scene apart.

In memory only, and only while the person is followed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_app.flow import Float32, UInt8
from edge_app.tracking.kalman import Float64

_ACROSS = np.linspace(0.25, 0.75, 8)
_DOWN = np.linspace(0.06, 0.94, 16)
"""Where in a box colours are looked at: its middle, where less of the background shows."""
_LEVELS = 6
_STRANGE_WEIGHT = 1.0
_SURELY_SAME, _SURELY_OTHER = 0.8, 0.4
"""Pairs whose looks agree less than the first lose likeness, at the second this much."""
_LEAST_SAME = 0.65
"""A lost person is not continued by somebody whose look agrees less."""
_LIGHT = (np.arange(766) * _LEVELS // 766).astype(np.intp)
_OPPONENT = np.clip((np.arange(-255, 256) + 40) * _LEVELS // 80, 0, _LEVELS - 1).astype(np.intp)
"""Level of a sum of three colours, and of a difference of two, which is seldom above 40."""


def look_at(frame_bgr: UInt8, boxes_xyxy: Float32) -> Float32 | None:
    """The appearance of the people in some boxes of a frame; None without boxes.

    Args:
        frame_bgr: uint8 ``[H, W, 3]``, BGR.
        boxes_xyxy: float32 ``[N, 4]``, pixels, inside the picture.

    Returns:
        float32 ``[N, D]``, see :func:`describe`.
    """
    return describe(sample(frame_bgr, boxes_xyxy)) if len(boxes_xyxy) else None


def sample(frame_bgr: UInt8, boxes_xyxy: Float32) -> UInt8:
    """Colours of a grid of points in each box.

    Args:
        frame_bgr: uint8 ``[H, W, 3]``, BGR.
        boxes_xyxy: float32 ``[N, 4]``, pixels, inside the picture.

    Returns:
        uint8 ``[N, 16, 8, 3]``, BGR, from top to bottom and left to right.
    """
    low, sides = boxes_xyxy[:, :2], boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    x = (low[:, :1] + sides[:, :1] * _ACROSS).astype(np.intp)
    y = (low[:, 1:] + sides[:, 1:] * _DOWN).astype(np.intp)
    y, x = np.minimum(y, frame_bgr.shape[0] - 1), np.minimum(x, frame_bgr.shape[1] - 1)
    return np.asarray(frame_bgr[y[:, :, None], x[:, None, :]])


def describe(colours_bgr: UInt8) -> Float32:
    """What the colours of some boxes are, so that a product of two tells how alike they are.

    The square roots of a histogram over brightness and the two opponent colours, which follow
    the light less than red, green and blue do; the product is the Bhattacharyya coefficient.

    Args:
        colours_bgr: uint8 ``[N, 16, 8, 3]``, of :func:`sample`.

    Returns:
        float32 ``[N, D]``, unit length.
    """
    count = len(colours_bgr)
    blue, green, red = np.moveaxis(colours_bgr.reshape(count, -1, 3).astype(np.int16), 2, 0)
    bins = _LIGHT[blue + green + red]
    bins += _OPPONENT[red - green + 255] * _LEVELS
    bins += _OPPONENT[(red + green) // 2 - blue + 255] * _LEVELS * _LEVELS
    bins += np.arange(count)[:, None] * _LEVELS**3
    share = np.bincount(bins.ravel(), minlength=count * _LEVELS**3) / colours_bgr[0, ..., 0].size
    return np.sqrt(share, dtype=np.float32).reshape(count, -1)


def strangeness(known: Sequence[Float32 | None], looks: Float32) -> Float64:
    """How much likeness pairs lose because they look different.

    Args:
        known: per track, how it has looked, float32 ``[D]``; None where that is not known.
        looks: float32 ``[M, D]``, of detections.

    Returns:
        float64 ``[N, M]``, 0 where nothing is known.
    """
    strange = np.zeros((len(known), len(looks)))
    rows = [row for row, look in enumerate(known) if look is not None]
    if rows:
        same = np.stack([look for look in known if look is not None]) @ looks.T
        share = (_SURELY_SAME - same) / (_SURELY_SAME - _SURELY_OTHER)
        strange[rows] = _STRANGE_WEIGHT * np.minimum(np.maximum(share, 0.0), 1.0)
    return strange


def looks_other(one: Float32 | None, other: Float32 | None) -> bool:
    """Whether two people are not the same by their looks; False where one is not known."""
    return one is not None and other is not None and float(one @ other) < _LEAST_SAME
