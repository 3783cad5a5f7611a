"""Times of a recording's frames: those of its time stamps, as far as they can be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.capture.stamps import Stamps


def times_of(stamps_s: Sequence[float], fps: float = 10.0) -> list[float]:
    stamps = Stamps(fps)
    return [stamps.taken_s(i, stamp_s) for i, stamp_s in enumerate(stamps_s)]


EVEN = [i / 10 for i in range(40)]
DAY_S = 86_400.0
CASES = {
    "rounded": ([round(i / 10 + 0.004 * (-1) ** i, 3) for i in range(40)], EVEN),
    "none at all": ([0.0] * 40, EVEN),
    "all the same": ([7.5] * 40, EVEN),
    "a tick apart": ([i / 10_240 for i in range(40)], EVEN),
    "from somewhere else": ([1e5 + i / 10 for i in range(40)], EVEN),
    "from before": ([-0.2 + i / 10 for i in range(40)], EVEN),
    "begun again": (EVEN[:20] * 2, EVEN),
    "begun again a year ahead": (EVEN[:20] + [365 * DAY_S + s for s in EVEN[:20]], EVEN),
    "one is missing": ([*EVEN[:20], 0.0, *EVEN[21:]], EVEN),
    "one too early": ([*EVEN[:20], 1.85, *EVEN[21:]], EVEN),
    "the first ones late": ([0.0, 0.0, 0.0, *EVEN[3:]], EVEN),
    "a second at once": ([float(i // 10) for i in range(40)], EVEN),
    "a dropped frame": ([*EVEN[:7], *EVEN[8:]], [*EVEN[:7], *EVEN[8:]]),
    "a pause": (
        [*EVEN[:20], *(600 + s for s in EVEN[:20])],
        [*EVEN[:20], *(600 + s for s in EVEN[:20])],
    ),
    "another rate than the header's": ([3 * s for s in EVEN], [3 * s for s in EVEN]),
    "twice the same": (
        [0.0, 0.03, 0.06, 0.06, 0.09, 0.25, 0.3],
        [0.0, 0.03, 0.06, 0.16, 0.175, 0.25, 0.3],
    ),
}


@pytest.mark.parametrize(("stamps_s", "times_s"), CASES.values(), ids=CASES.keys())
def test_time_stamps_become_times(stamps_s: list[float], times_s: list[float]) -> None:
    assert times_of(stamps_s) == pytest.approx(times_s, abs=1e-6)


@given(st.sampled_from([5.0, 12.5, 16.667, 25.0, 29.97, 60.0]), st.integers(1, 3))
def test_a_constant_rate_is_exact_however_it_was_rounded(fps: float, digits: int) -> None:
    exact = [i / fps for i in range(500)]
    digits = 3 if fps > 50 else max(digits, 2)
    assert times_of([round(s, digits) for s in exact], fps) == exact


@given(st.lists(st.floats(0.0021, 5.0), max_size=50), st.sampled_from([2.0, 10.0, 30.0]))
def test_stamps_that_grow_are_the_times(steps_s: list[float], fps: float) -> None:
    stamps_s = list(accumulate(steps_s, initial=3.0))
    times_s = times_of(stamps_s, fps)
    assert times_s == pytest.approx([s - 3.0 for s in stamps_s], abs=0.0125)


@given(st.lists(st.floats(-1e6, 1e6), max_size=50), st.floats(0.1, 240.0))
def test_times_always_grow(stamps_s: list[float], fps: float) -> None:
    assert all(before < after for before, after in pairwise(times_of(stamps_s, fps)))
