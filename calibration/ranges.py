"""From what a tensor was seen to hold to the range that INT8 spans: four ways.

A histogram of absolute values, 2048 bins from 0 to the largest, is all they need.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

Method = Literal["minmax", "percentile", "entropy", "mse"]
METHODS: tuple[Method, ...] = get_args(Method)

BINS = 2048
LEVELS = 128
PERCENTILE = 99.99
ENTROPY_KEEPS = 99.9
"""Percent of the values that entropy may not clip. What has few different values, as a picture has
256, leaves most bins empty, and then the fewest bins look best."""
SMALLEST_SCALE = 1e-8
"""A tensor that was never anything but zero still needs a scale: TensorRT refuses 0."""

_TINY = 1e-9

Counts = npt.NDArray[np.int64]


def scale_of(counts: Counts, largest: float, method: Method) -> float:
    """The scale of a tensor: the range that is spanned, divided by 127.

    Args:
        counts: int64 ``[2048]``, how often an absolute value fell into each bin.
        largest: the upper end of the last bin.
        method: how the range is chosen.
    """
    if largest <= 0.0 or counts.sum() == 0:
        return SMALLEST_SCALE
    share = {
        "minmax": lambda: 1.0,
        "percentile": lambda: _percentile(counts, PERCENTILE),
        "entropy": lambda: max(_entropy(counts), _percentile(counts, ENTROPY_KEEPS)),
        "mse": lambda: _squared_error(counts),
    }[method]()
    return max(share * largest / (LEVELS - 1), SMALLEST_SCALE)


def _percentile(counts: Counts, percent: float) -> float:
    """The share of the range below which so many values lie."""
    so_far = np.cumsum(counts) / counts.sum()
    return float(np.searchsorted(so_far, percent / 100.0) + 1) / len(counts)


def _entropy(counts: Counts) -> float:
    """The share of the range whose 128 levels lose least information (TensorRT's recipe).

    Migacz, "8-bit inference with TensorRT", GTC 2017: clip at bin i, spread what remains over 128
    levels, and take the i with the smallest Kullback-Leibler divergence from the clipped values.
    """
    hist = counts.astype(np.float64)
    # Zeros, half of all values after a ReLU, have a level of their own and lose nothing.
    hist[0] = hist[1]
    ends = np.arange(LEVELS, len(hist) + 1)
    edges = (np.arange(LEVELS + 1)[None, :] * ends[:, None]) // LEVELS
    # Sums over any run of bins are differences of prefix sums, for all ends at once.
    mass = np.diff(_prefix_sums(hist)[edges], axis=1)
    used = np.diff(_prefix_sums(hist > 0)[edges], axis=1)
    level = np.log(np.maximum(mass, _TINY) / np.maximum(used, 1.0))
    inside, last = _prefix_sums(hist)[ends], hist[ends - 1]
    tail = hist.sum() - inside
    # Kullback-Leibler: sum of p log p, less sum of p log q; the tail is in the last bin of p.
    own = _prefix_sums(_times_log(hist))[ends] - _times_log(last) + _times_log(last + tail)
    # On an empty last bin, the tail has no counterpart: dear, but not infinitely so.
    last_level = np.where(last > 0, level[:, -1], np.log(_TINY))
    crossed = (mass * level).sum(axis=1) + tail * last_level
    divergence = (own - crossed) / hist.sum() + np.log(np.maximum(inside, _TINY) / hist.sum())
    divergence[inside <= 0] = np.inf
    return float(ends[int(np.argmin(divergence))]) / len(hist)


def _prefix_sums(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])


def _times_log(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return values * np.log(np.maximum(values, _TINY))


def _squared_error(counts: Counts) -> float:
    """The share of the range whose rounding and clipping together cost least."""
    centres = (np.arange(len(counts)) + 0.5) / len(counts)
    shares = np.linspace(0.05, 1.0, 191)
    steps = shares[:, None] / (LEVELS - 1)
    rounded = np.minimum(np.rint(centres / steps), LEVELS - 1) * steps
    errors = ((rounded - centres) ** 2 * counts).sum(axis=1)
    return float(shares[int(np.argmin(errors))])
