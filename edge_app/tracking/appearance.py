"""How people look, by the colours of their clothes: enough to tell two people of a scene apart.

In memory only, and only while the person is followed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_app.flow import Float32, UInt8

_ACROSS = np.linspace(0.25, 0.75, 8)
_DOWN = np.linspace(0.18, 0.88, 13)
"""Where in a box colours are looked at: its middle, where less of the background shows, from the
shoulders to the ankles: heads and feet of different people are much alike."""
_UPPER_ROWS = 6
"""So many of the rows are of what is worn above, the others of what is worn below."""
_LEVELS = 8
_FARTHEST = 40
"""Brightness and the two opponent colours have so many bins each; differences are seldom larger."""
_BITS = 5
"""Of blue, green and red so many upper bits are told apart."""
_NOT_OTHER, _SURELY_OTHER = 0.77, 0.48
"""Pairs whose looks agree less than the first lose likeness, at the second all of it."""
_RIVAL_WEIGHT = 0.3
_MUCH_WORSE = 0.27
"""And this much if somebody else in reach looks more like it by so much."""
_LEAST_SAME = 0.68
"""Whose looks agree less tells nothing of where the person may have got to."""
_OTHER = 0.64
"""A lost person is not continued by somebody whose look agrees less,"""
KNOWN_AGAIN = 0.7
"""nor after longer than others are waited for, or who is there already, by one who agrees less."""
SURELY_SAME = 0.81
"""Whose looks agree by this is the same, wherever."""


def _bins_of_colours() -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """The eight bins around each colour, and its share in each; ``[32768, 8]``.

    A colour belongs to all of them, the nearer the more (trilinear interpolation), so that noise
    and light that push it over the border of two change little.
    """
    middle = (np.arange(2**_BITS) + 0.5) * 2 ** (8 - _BITS)
    blue, green, red = (part.ravel() for part in np.meshgrid(middle, middle, middle, indexing="ij"))
    places = (
        (blue + green + red) / 766,
        (red - green) / (2 * _FARTHEST) + 0.5,
        ((red + green) / 2 - blue) / (2 * _FARTHEST) + 0.5,
    )
    bins = np.zeros((len(blue), 1), np.intp)
    shares = np.ones((len(blue), 1))
    for place in places:
        along = np.clip(place * _LEVELS - 0.5, 0, _LEVELS - 1)[:, None]
        low = np.minimum(along.astype(np.intp), _LEVELS - 2)
        bins = np.hstack([bins * _LEVELS + low, bins * _LEVELS + low + 1])
        shares = np.hstack([shares * (1 - along + low), shares * (along - low)])
    return bins, shares


_BINS, _SHARES = _bins_of_colours()
_COUNT = _LEVELS**3
_PLACES = np.array([4**_BITS, 2**_BITS, 1], np.float32)
"""The upper bits of blue, green and red times these give the colour's place among all. Such numbers
are exact in float32, whose product is faster than that of integers."""


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
        uint8 ``[N, 13, 8, 3]``, BGR, from top to bottom and left to right.
    """
    low, sides = boxes_xyxy[:, :2], boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    x = (low[:, :1] + sides[:, :1] * _ACROSS).astype(np.intp)
    y = (low[:, 1:] + sides[:, 1:] * _DOWN).astype(np.intp)
    y, x = np.minimum(y, frame_bgr.shape[0] - 1), np.minimum(x, frame_bgr.shape[1] - 1)
    return np.asarray(frame_bgr[y[:, :, None], x[:, None, :]])


def describe(colours_bgr: UInt8) -> Float32:
    """What the colours of some boxes are, so that a product of two tells how alike they are.

    The square roots of two histograms, of the upper and the lower clothes, over brightness and the
    two opponent colours, which follow the light less than red, green and blue do; the product is
    the Bhattacharyya coefficient.

    Args:
        colours_bgr: uint8 ``[N, 13, 8, 3]``, of :func:`sample`.

    Returns:
        float32 ``[N, D]``, unit length.
    """
    count, down, across, _ = colours_bgr.shape
    upper_bits = (colours_bgr >> (8 - _BITS)).reshape(-1, 3).astype(np.float32)
    places = (upper_bits @ _PLACES).astype(np.intp)
    rows = [_UPPER_ROWS, down - _UPPER_ROWS] * count
    first = np.repeat(np.arange(0, 2 * count * _COUNT, _COUNT), rows)
    bins = _BINS.take(places, axis=0).reshape(count * down, -1) + first[:, None]
    shares = _SHARES.take(places, axis=0)
    found = np.bincount(bins.ravel(), shares.ravel(), 2 * count * _COUNT).astype(np.float32)
    found *= np.float32(1 / (down * across))
    return np.asarray(np.sqrt(found).reshape(count, -1))


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
