"""Frames and times, at an even rate and at others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edge_app.commands.frame_times import FrameTimes
from edge_app.flow import Frame


def noted(taken_at_s: Sequence[float], fps: float = 10.0, start_s: float = 0.0) -> FrameTimes:
    times = FrameTimes(fps, start_s)
    for i, at_s in enumerate(taken_at_s):
        times.note(Frame("door", i, at_s, np.zeros((4, 4, 3), np.uint8)))
    return times


def test_at_an_even_rate_it_is_the_rate_that_counts() -> None:
    times = noted([1e9 + i / 29.97 for i in range(90)], 29.97, 1e9)
    assert times.is_even
    assert [times.frame_of(1e9 + i / 29.97) for i in range(90)] == list(range(90))
    assert times.frame_of(1e9 - 5) == 0
    assert times.length_s == 90 / 29.97
    assert times.share(45) == 0.5


@pytest.mark.parametrize(
    ("at_s", "frame"), [(0.0, 0), (-9.0, 0), (0.07, 1), (2.0, 1), (2.1, 2), (4.1, 3), (99.0, 3)]
)
def test_at_another_it_is_the_nearest_frame(at_s: float, frame: int) -> None:
    times = noted([50.0, 50.1, 54.0, 54.1], start_s=50.0)
    assert not times.is_even
    assert times.frame_of(50.0 + at_s) == frame
    assert times.length_s == pytest.approx(4.2)
    assert times.share(3) == pytest.approx(4.1 / 4.2)
