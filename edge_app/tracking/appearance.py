"""How people look, by the colours of their clothes: enough to tell two people of a scene apart.

In memory only, and only while the person is followed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_app.flow import Float32, UInt8

_ACROSS = np.linspace(0.25, 0.75, 8)
_DOWN = np.linspace(0.06, 0.94, 16)
"""Where in a box colours are looked at: its middle, where less of the background shows."""
_LEVELS = 6
_NOT_OTHER, _SURELY_OTHER = 0.82, 0.6
"""Pairs whose looks agree less than the first lose likeness, at the second all of it."""
_RIVAL_WEIGHT = 0.3
_MUCH_WORSE = 0.2
"""And this much if somebody else in reach looks more like it by so much."""
_LEAST_SAME = 0.75
"""Whose looks agree less tells nothing of where the person may have got to."""
_OTHER = 0.72
"""A lost person is not continued by somebody whose look agrees less,"""
KNOWN_AGAIN = 0.77
"""nor after longer than others are waited for, or who is there already, by one who agrees less."""
SURELY_SAME = 0.85
"""Whose looks agree by this is the same, wherever."""


def _bins_of_colours() -> UInt8:
    """Which bin each colour falls into, by the upper six bits of blue, green and red.

    A sum of three colours has so many levels, and each difference, which is seldom above 40.
    """
    middle = np.arange(2, 256, 4)
    blue, green, red = np.meshgrid(middle, middle, middle, indexing="ij")
    light = (blue + green + red) * _LEVELS // 766
    opponents = (
        np.clip((difference + 40) * _LEVELS // 80, 0, _LEVELS - 1)
        for difference in (red - green, (red + green) // 2 - blue)
    )
    first, second = opponents
    return np.asarray((light + first * _LEVELS + second * _LEVELS**2).ravel(), np.uint8)


_BINS = _bins_of_colours()
_UPPER_BITS = np.uint8(0b11111100)
_PLACES = np.array([2.0**10, 2.0**4, 2.0**-2], np.float32)
"""Blue, green and red, of which only the upper six bits are left, times these give the bin's place.
Such numbers are exact in float32, whose product is faster than that of integers."""


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
    count, down, across, _ = colours_bgr.shape
    upper = (colours_bgr & _UPPER_BITS).reshape(-1, 3).astype(np.float32)
    bins = _BINS[(upper @ _PLACES).astype(np.intp)].reshape(count, -1)
    first = np.arange(0, count * _LEVELS**3, _LEVELS**3)
    found = np.bincount((bins + first[:, None]).ravel(), minlength=count * _LEVELS**3)
    shares = found.reshape(count, -1).astype(np.float32) * np.float32(1 / (down * across))
    return np.asarray(np.sqrt(shares))


def agreement(one: Float32, other: Float32) -> float:
    """How much two looks agree, 0..1."""
    return float(one @ other)


def agreements(ones: Sequence[Float32], others: Float32) -> list[list[float]]:
    """The :func:`agreement` of each of some looks with each of others, float32 ``[N, D]``."""
    return (np.array(ones) @ others.T).tolist() if ones else []


def strangeness(agrees: float, best: float) -> float:
    """How much likeness a pair loses because the two look different.

    Args:
        agrees: their :func:`agreement`.
        best: that of whoever in reach looks most like the detection.
    """
    other = (_NOT_OTHER - agrees) / (_NOT_OTHER - _SURELY_OTHER)
    worse = (best - agrees) / _MUCH_WORSE
    return min(max(other, 0.0), 1.0) + _RIVAL_WEIGHT * min(worse, 1.0)


def sureness(agrees: float) -> float:
    """How sure it is that two are the same by their :func:`agreement`, 0..1."""
    return min(max((agrees - _LEAST_SAME) / (SURELY_SAME - _LEAST_SAME), 0.0), 1.0)


def looks_other(one: Float32 | None, other: Float32 | None) -> bool:
    """Whether two people are not the same by their looks; False where one is not known."""
    return one is not None and other is not None and agreement(one, other) < _OTHER
