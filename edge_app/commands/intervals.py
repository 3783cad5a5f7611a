"""How far a figure can be trusted: 95 % intervals of shares, rates and quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
from scipy.stats import binomtest, chi2, quantile_test

CONFIDENCE = 0.95

FORMULAS = {
    "shares": "Wilson score",
    "f1": "2J/(1+J) of J, the matched share of all true or counted, Wilson score",
    "rates": "Poisson, exact (Garwood)",
    "net_error": "difference of two Poisson means, exact limits at 97.5 % each (Bonferroni)",
    "quantiles": "order statistics (binomial, exact)",
}
"""Which formula is behind the interval of which kind of figure."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    Attributes:
        value: the figure; None where there is nothing to estimate it from.
        low: lower limit; None where there are too few for one.
        high: upper limit, likewise.
        n: how many it rests on.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int

    def as_json(self) -> dict[str, Any]:
        """The figure as a replay's ``--json`` writes it."""
        return asdict(self)


def share(k: int, n: int) -> Estimate:
    """``k`` of ``n``, with Wilson's score interval.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.

    >>> share(9, 10)
    Estimate(value=0.9, low=0.5958, high=0.9821, n=10)
    """
    if n == 0:
        return Estimate(None, None, None, 0)
    interval = binomtest(k, n).proportion_ci(CONFIDENCE, method="wilson")
    return _rounded(k / n, interval.low, interval.high, n)


def f1(matched: int, missed: int, wrong: int) -> Estimate:
    """The harmonic mean of precision and recall.

    F1 grows with J, the matched share of everything true or counted: F1 = 2J / (1 + J). Its limits
    are J's (Wilson) taken through that.

    >>> f1(9, 1, 0).value
    0.9474
    """
    jaccard = share(matched, matched + missed + wrong)
    if jaccard.value is None or jaccard.low is None or jaccard.high is None:
        return jaccard
    # Of the exact share: the rounded one would shift the last digit.
    exact = matched / jaccard.n
    value, low, high = (2 * j / (1 + j) for j in (exact, jaccard.low, jaccard.high))
    return _rounded(value, low, high, jaccard.n)


def rate(k: int, spans: float) -> Estimate:
    """Events per span of time, counted ``k`` times in ``spans`` of them.

    Garwood, "Fiducial limits for the Poisson distribution", Biometrika 1936.

    >>> rate(0, 4.0)
    Estimate(value=0.0, low=0.0, high=0.9222, n=0)
    """
    if spans <= 0:
        return Estimate(None, None, None, k)
    low, high = _garwood(k, CONFIDENCE)
    return _rounded(k / spans, low / spans, high / spans, k)


def net_rate(gains: int, losses: int, spans: float) -> Estimate:
    """Gains minus losses per span of time, both taken for Poisson.

    Each mean lies within its exact limits at 97.5 %, so both do at 95 % or more (Bonferroni); the
    difference of the limits is wider than need be, and never too narrow, however few there were.

    >>> net_rate(0, 0, 4.0)
    Estimate(value=0.0, low=-1.0955, high=1.0955, n=0)
    """
    if spans <= 0:
        return Estimate(None, None, None, gains + losses)
    each = 1 - (1 - CONFIDENCE) / 2
    (least_gained, most_gained), (least_lost, most_lost) = (
        _garwood(k, each) for k in (gains, losses)
    )
    low, high = least_gained - most_lost, most_gained - least_lost
    return _rounded((gains - losses) / spans, low / spans, high / spans, gains + losses)


def quantile(values: Sequence[float], p: float) -> Estimate:
    """A quantile with the order statistics that enclose it, whatever the distribution.

    Conover, "Practical nonparametric statistics", 1999, section 3.2. A limit that would need more
    values than there are is None.

    >>> quantile([float(v) for v in range(1, 21)], 0.5)
    Estimate(value=10.5, low=6.0, high=15.0, n=20)
    """
    if not values:
        return Estimate(None, None, None, 0)
    value = float(np.quantile(values, p))
    # SciPy's stubs say float; it is a pair.
    limits: Any = quantile_test(values, q=value, p=p).confidence_interval(CONFIDENCE)
    return _rounded(value, limits.low, limits.high, len(values))


def _garwood(k: int, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low = float(chi2.ppf(tail, 2 * k)) / 2 if k else 0.0
    return low, float(chi2.ppf(1 - tail, 2 * k + 2)) / 2


def _rounded(value: float, low: float, high: float, n: int) -> Estimate:
    return Estimate(round(value, 4), _limit(low), _limit(high), n)


def _limit(limit: float) -> float | None:
    return round(float(limit), 4) if isfinite(limit) else None
