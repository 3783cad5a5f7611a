"""Ranges: what each method clips, and the fast entropy against the recipe, bin by bin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.ranges import BINS, LEVELS, METHODS, SMALLEST_SCALE, Method, scale_of


def histogram(values: np.ndarray) -> tuple[np.ndarray, float]:
    largest = float(np.abs(values).max())
    bins = np.minimum(np.abs(values) * (BINS / largest), BINS - 1).astype(int)
    return np.bincount(bins, minlength=BINS).astype(np.int64), largest


def with_outlier() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.append(rng.normal(0, 1, 50_000), [60.0])


def entropy_by_the_recipe(counts: np.ndarray) -> float:
    """TensorRT's recipe as it is told: try every number of bins, one after the other."""
    hist = counts.astype(np.float64)
    hist[0] = hist[1]
    best, best_end = np.inf, 0
    for end in range(LEVELS, BINS + 1):
        p = hist[:end].copy()
        p[-1] += hist[end:].sum()
        edges = [k * end // LEVELS for k in range(LEVELS + 1)]
        widths = np.diff(edges)
        used = np.add.reduceat((hist[:end] > 0).astype(int), edges[:-1])
        level = np.add.reduceat(hist[:end], edges[:-1]) / np.maximum(used, 1)
        q = np.where(hist[:end] > 0, np.repeat(level, widths), 0.0)
        if q.sum() == 0:
            continue
        p, q = p / p.sum(), q / q.sum()
        q = np.where(q > 0, q, 1e-9 / max(hist[:end].sum(), 1e-9))
        held = p > 0
        divergence = float((p[held] * np.log(p[held] / q[held])).sum())
        if divergence < best - 1e-12:
            best, best_end = divergence, end
    return best_end / BINS


def test_min_max_spans_everything() -> None:
    counts, largest = histogram(with_outlier())
    assert scale_of(counts, largest, "minmax") == pytest.approx(60.0 / 127)


@pytest.mark.parametrize("method", ["percentile", "entropy", "mse"])
def test_the_others_clip_one_far_outlier(method: Method) -> None:
    counts, largest = histogram(with_outlier())
    assert 2.5 < scale_of(counts, largest, method) * 127 < 50.0


@pytest.mark.parametrize("seed", [1, 2])
def test_entropy_is_the_recipe(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.append(rng.laplace(0, 1, 20_000), rng.normal(0, 9, 30))
    counts, largest = histogram(np.maximum(values, 0.0) if seed == 2 else values)
    kept = float(np.quantile(np.abs(values), 0.999)) / largest
    assert entropy_by_the_recipe(counts) > kept, "the recipe alone decides here"
    expected = entropy_by_the_recipe(counts) * largest / 127
    assert scale_of(counts, largest, "entropy") == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_values_of_few_levels_are_not_clipped(method: Method) -> None:
    picture = np.random.default_rng(3).integers(0, 256, 100_000) / 255
    counts, largest = histogram(picture)
    assert scale_of(counts, largest, method) * 127 == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("method", METHODS)
def test_a_tensor_of_zeros_has_a_scale_that_is_not_zero(method: Method) -> None:
    assert scale_of(np.zeros(BINS, np.int64), 0.0, method) == SMALLEST_SCALE


@settings(max_examples=30)
@given(st.sampled_from(METHODS), st.integers(0, 2**31), st.floats(1e-6, 1e6))
def test_no_range_is_wider_than_what_was_seen(method: Method, seed: int, size: float) -> None:
    values = np.random.default_rng(seed).standard_t(3, 2000) * size
    counts, largest = histogram(values)
    assert 0 < scale_of(counts, largest, method) <= largest / 127 * (1 + 1e-9)
