"""Which boxes hit, and average precision: how well scores put what is true before what is not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def average_precision(scores: Floats, is_hit: NDArray[np.bool_], positives: int) -> float:
    """Area under the precision-recall curve, precision made monotone, over all points.

    Claims of the same score count together: which comes first says nothing of the model.

    Args:
        scores: `[N]`, higher is more certain.
        is_hit: `[N]`, whether a claim is true.
        positives: how many true claims there were to make; if none, the answer is not a number.

    >>> average_precision(np.array([0.9, 0.8, 0.1]), np.array([True, False, True]), 2)
    0.8333333333333333
    """
    if positives == 0:
        return float("nan")
    found, believed = down_to_each(scores, is_hit)
    envelope = np.maximum.accumulate((found / believed)[::-1])[::-1]
    return float((envelope * np.diff(found, prepend=0)).sum() / positives)


def hits(scores: Floats, overlaps: Floats, least: float = 0.5) -> NDArray[np.bool_]:
    """Which claims, best first, take a true box that no better one has taken; bool `[N]`.

    Args:
        scores: `[N]`.
        overlaps: `[N,G]`, intersection over union with each true box.
        least: of a hit.

    >>> hits(np.array([0.5, 0.9, 0.8]), np.array([[0.9], [0.6], [0.2]]))
    array([False,  True, False])
    """
    left = np.array(overlaps)
    found = np.zeros(len(scores), np.bool_)
    for claim in np.argsort(-scores, kind="stable"):
        if left[claim].max(initial=0.0) >= least:
            found[claim] = True
            left[:, left[claim].argmax()] = 0.0
    return found


def down_to_each(
    scores: Floats, is_hit: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """True claims and all claims down to each score that there is, from the highest on."""
    best_first = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[best_first], append=-np.inf))
    found = np.cumsum(is_hit[best_first], dtype=np.int64)
    return found[last], np.asarray(last + 1, np.int64)
