"""Intervals against published values, and whether they hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from edge_app.commands.intervals import f1, net_rate, quantile, rate, share

# Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine
# 1998, table I, method 3 (Wilson's score without continuity correction).
NEWCOMBE = {
    "81 of 263": (81, 263, 0.2553, 0.3662),
    "15 of 148": (15, 148, 0.0624, 0.1605),
    "0 of 20": (0, 20, 0.0, 0.1611),
    "1 of 29": (1, 29, 0.0061, 0.1718),
}


@pytest.mark.parametrize(("k", "n", "low", "high"), NEWCOMBE.values(), ids=NEWCOMBE.keys())
def test_shares_are_wilsons(k, n, low, high):
    estimate = share(k, n)
    assert (estimate.low, estimate.high) == (low, high)


# Garwood 1936, as in every table of exact Poisson limits.
POISSON = {"none": (0, 0.0, 3.689), "one": (1, 0.025, 5.572), "ten": (10, 4.795, 18.390)}


@pytest.mark.parametrize(("k", "low", "high"), POISSON.values(), ids=POISSON.keys())
def test_rates_are_garwoods(k, low, high):
    estimate = rate(k, 1.0)
    assert (round(estimate.low, 3), round(estimate.high, 3)) == (low, high)


@pytest.mark.parametrize(("gains", "losses"), [(0.3, 0.3), (4.0, 1.0), (30.0, 20.0)])
def test_the_net_rate_is_enclosed_as_often_as_promised(gains, losses):
    draws = np.random.default_rng(1).poisson((gains, losses), (400, 2))
    estimates = [net_rate(int(g), int(lost), 2.0) for g, lost in draws]
    true = (gains - losses) / 2.0
    assert np.mean([e.low <= true <= e.high for e in estimates]) >= 0.95


def test_a_quantile_is_enclosed_as_often_as_promised():
    draws = np.random.default_rng(2).exponential(1.0, (300, 60))
    estimates = [quantile(list(values), 0.5) for values in draws]
    assert np.mean([e.low <= np.log(2) <= e.high for e in estimates]) >= 0.93


def test_f1_is_what_its_definition_says():
    matched, missed, wrong = 90, 7, 3
    precision, recall = matched / (matched + wrong), matched / (matched + missed)
    estimate = f1(matched, missed, wrong)
    assert estimate.value == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-4)
    assert estimate.low < estimate.value < estimate.high


@pytest.mark.parametrize(
    "estimate",
    [share(0, 0), f1(0, 0, 0), rate(0, 0.0), net_rate(0, 0, 0.0), quantile([], 0.5)],
    ids=["share", "f1", "rate", "net", "quantile"],
)
def test_of_nothing_nothing_is_estimated(estimate):
    assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
