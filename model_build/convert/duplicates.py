"""Finds pictures that are the same file, or look the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from model_build.convert.facts import Facts

MOST_BITS = 3
"""Of a perceptual hash, that pictures which look the same may differ in."""
_LEAST_CORRELATION = 0.98
_BANDS, _BAND_BITS = 4, 16
_AT_ONCE = 256
_ONES = np.array([number.bit_count() for number in range(2**16)], np.uint8)


def same_files(facts: Sequence[Facts]) -> list[list[int]]:
    """Groups of pictures with the same bytes, by number; those alone are left out."""
    groups: dict[str, list[int]] = {}
    for index, one in enumerate(facts):
        groups.setdefault(one.digest, []).append(index)
    return [group for group in groups.values() if len(group) > 1]


def look_alikes(facts: Sequence[Facts]) -> list[tuple[int, int]]:
    """Pairs of pictures that look the same though their bytes differ, by number, in order.

    Two hashes that differ in at most three of 64 bits agree in one of four quarters, so only
    pictures that share a quarter are compared. What a hash says is confirmed on 16x16 pixels.
    """
    if len(facts) < 2:
        return []
    looks = np.array([one.look for one in facts], np.uint64)
    smalls = np.stack([one.small for one in facts])
    found: set[tuple[int, int]] = set()
    for band in range(_BANDS):
        part = (looks >> np.uint64(band * _BAND_BITS)) & np.uint64(2**_BAND_BITS - 1)
        for bucket in _buckets(part):
            for first, second in _close_pairs(looks, bucket):
                pair = (min(first, second), max(first, second))
                if pair not in found and _correlate(smalls[first], smalls[second]):
                    found.add(pair)
    return sorted((a, b) for a, b in found if facts[a].digest != facts[b].digest)


def _buckets(values: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """The numbers of equal values, wherever there are several."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order])) + 1
    for bucket in np.split(order, starts):
        if len(bucket) > 1:
            yield bucket


def _close_pairs(looks: NDArray[np.uint64], bucket: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    for start in range(0, len(bucket), _AT_ONCE):
        rows = bucket[start : start + _AT_ONCE]
        differing = looks[rows, None] ^ looks[None, bucket[start:]]
        bits = _ONES[differing.view(np.uint16)].reshape(*differing.shape, -1).sum(2)
        for row, column in np.argwhere(bits <= MOST_BITS):
            if column > row:
                yield int(rows[row]), int(bucket[start + column])


def _correlate(small_a: NDArray[np.uint8], small_b: NDArray[np.uint8]) -> bool:
    a, b = (small.astype(np.float64) - small.mean() for small in (small_a, small_b))
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    if scale == 0.0:  # one colour throughout: nothing to go by but the colour itself
        return bool((small_a == small_b).all())
    return float(a @ b) >= _LEAST_CORRELATION * scale
