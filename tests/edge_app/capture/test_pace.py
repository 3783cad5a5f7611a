"""Lateness, rates, paced recordings, and a clock that never goes back."""

from __future__ import annotations

import random
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.capture.clock import SteadyClock
from edge_app.capture.pace import LatenessMeter, PacedCamera, RateLimit
from edge_app.capture.replay import ReplayCamera
from edge_app.flow import Frame
from tests.edge_app.capture.pictures import write_video


def test_a_backlog_is_late_and_a_punctual_frame_is_not() -> None:
    meter = LatenessMeter(0.5)
    assert [meter.measure(100.0 + i / 10, i / 10) for i in range(10)] == pytest.approx(
        [0.0] * 10, abs=0.01
    )
    # Two seconds without a frame, then the twenty missed ones at once.
    late = [meter.measure(103.0 + i / 1000, 1.0 + i / 10) for i in range(21)]
    assert late[0] == pytest.approx(2.0, abs=0.02)
    assert late[10] == pytest.approx(1.0, abs=0.02)
    assert late[20] == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("drift", [-0.002, 0.0, 0.002])
def test_clocks_that_drift_apart_are_not_late(drift: float) -> None:
    meter = LatenessMeter(0.5)
    late = [meter.measure(i / 10, (1 + drift) * i / 10) for i in range(36_000)]
    assert max(late) < 0.01


def test_a_stream_that_begins_again_is_not_late() -> None:
    meter = LatenessMeter(0.5)
    meter.measure(100.0, 3600.0)
    assert meter.measure(100.1, 0.0) == 0.0


def test_a_stream_without_a_clock_is_never_late() -> None:
    meter = LatenessMeter(0.5)
    assert [meter.measure(100.0 + i, 0.0) for i in range(5)] == [0.0] * 5


def test_a_stream_whose_clock_runs_slow_is_late_for_two_seconds_at_most() -> None:
    meter = LatenessMeter(0.5)
    late = [meter.measure(i / 10, 0.9 * i / 10) > 0.5 for i in range(600)]
    longest = max(len(run) for run in "".join("x" if x else " " for x in late).split())
    assert longest <= 22


@given(st.floats(1.0, 60.0), st.floats(1.0, 60.0), st.floats(0.0, 0.3), st.integers())
def test_the_mean_rate_is_the_wanted_one_or_the_cameras(
    camera_fps: float, wanted_fps: float, jitter: float, seed: int
) -> None:
    rate = RateLimit(wanted_fps)
    shake = random.Random(seed).uniform
    seconds = 15.0
    times = sorted(
        (i + shake(-jitter, jitter)) / camera_fps for i in range(int(camera_fps * seconds))
    )
    passed = sum(rate.wants(t) for t in times)
    expected = min(camera_fps, wanted_fps) * seconds
    assert passed <= wanted_fps * seconds + 2
    assert passed >= 0.9 * expected - 2


def test_jitter_around_the_wanted_rate_costs_nothing() -> None:
    rate = RateLimit(10.0)
    assert all(rate.wants(i / 10 + (0.02 if i % 2 else -0.02)) for i in range(100))


def test_after_a_break_no_more_frames_pass_than_before() -> None:
    rate = RateLimit(5.0)
    seconds = [[second + i / 25 for i in range(25)] for second in (0, 60, 61)]
    assert [sum(map(rate.wants, times)) for times in seconds] == [6, 6, 5]


def test_a_recording_is_played_at_its_own_rate(tmp_path: Path) -> None:
    camera = PacedCamera(ReplayCamera("door", write_video(tmp_path / "v.mp4", 11, fps=20.0)))
    began = time.monotonic()
    frames = []
    while (frame := camera.read()) is not None:
        frames.append(frame)
    camera.close()
    # Ten periods; a busy machine may take longer, but never less.
    assert 0.5 <= time.monotonic() - began < 5.0
    times = [frame.taken_at_s - began for frame in frames]
    assert times == sorted(times)
    assert all(t >= i / 20.0 for i, t in enumerate(times))


class Timed:
    """A recording whose frames were taken at these times."""

    def __init__(self, *taken_at_s: float) -> None:
        pixels = np.zeros((4, 4, 3), np.uint8)
        self._frames = [Frame("door", i, at_s, pixels) for i, at_s in enumerate(taken_at_s)]

    def read(self) -> Frame | None:
        """The next frame."""
        return self._frames.pop(0) if self._frames else None

    def close(self) -> None:
        """Nothing is held."""


def test_hours_that_were_cut_out_are_not_waited_for() -> None:
    """A wait of many seconds would be a camera that hangs: its recording would begin again."""
    camera = PacedCamera(Timed(0.0, 0.1, 7200.1, 7200.2), longest_s=0.4)
    times = [frame.taken_at_s for frame in iter(camera.read, None)]
    first, gap, last = (after - before for before, after in pairwise(times))
    assert first >= 0.09
    assert 0.39 <= gap < 2.0
    assert last >= 0.09


class Hands:
    """The two clocks of a machine, set by hand."""

    def __init__(self) -> None:
        self.wall_s = 1_700_000_000.0
        self.monotonic_s = 50.0
        self.clock = SteadyClock(lambda: self.wall_s, lambda: self.monotonic_s)

    def pass_s(self, seconds: float) -> float:
        self.wall_s += seconds
        self.monotonic_s += seconds
        return self.clock.now_s()


def test_the_clock_follows_the_systems() -> None:
    hands = Hands()
    assert hands.pass_s(10.0) == pytest.approx(1_700_000_010.0, abs=0.01)


def test_a_step_forward_is_followed_at_once() -> None:
    hands = Hands()
    hands.wall_s += 86_400.0
    assert hands.pass_s(1.0) == pytest.approx(1_700_086_401.0, abs=0.01)


def test_a_step_back_is_approached_slowly_and_durations_stay_true() -> None:
    hands = Hands()
    hands.wall_s -= 5.0
    assert hands.pass_s(100.0) == pytest.approx(1_700_000_099.0, abs=0.01)
    for _ in range(5):
        hands.pass_s(100.0)
    assert hands.clock.now_s() == pytest.approx(hands.wall_s, abs=0.01)


def test_a_clock_that_was_years_ahead_is_right_again_at_once() -> None:
    hands = Hands()
    hands.wall_s += 10 * 365 * 86_400.0
    hands.pass_s(60.0)
    steady_s = hands.clock.steady_s()
    hands.wall_s = 1_700_000_060.0
    assert hands.pass_s(1.0) == pytest.approx(1_700_000_061.0, abs=0.01)
    assert hands.clock.steady_s() == pytest.approx(steady_s + 1.0)


def test_an_hour_back_is_made_good_in_two() -> None:
    hands = Hands()
    hands.wall_s -= 3600.0
    told = [hands.pass_s(10.0) for _ in range(718)]
    assert told == pytest.approx([1_700_000_005.0 + 5.0 * n for n in range(718)], abs=0.01)
    for _ in range(120):
        hands.pass_s(10.0)
    assert hands.clock.now_s() == pytest.approx(hands.wall_s, abs=0.01)


def test_a_steady_clock_of_the_machine_that_goes_back_is_held() -> None:
    hands = Hands()
    hands.pass_s(10.0)
    before_s = hands.clock.steady_s()
    hands.monotonic_s -= 5.0
    assert hands.clock.steady_s() == before_s
    assert hands.clock.now_s() == pytest.approx(hands.wall_s, abs=0.01)


@given(st.lists(st.tuples(st.floats(0.0, 100.0), st.floats(-1500.0, 5000.0)), max_size=50))
def test_the_clock_never_goes_back_by_less_than_a_day(changes: list[tuple[float, float]]) -> None:
    hands = Hands()
    before = hands.clock.now_s()
    for passed, step in changes:
        hands.wall_s += step
        now = hands.pass_s(passed)
        assert now >= before
        assert now >= before + 0.49 * passed - 1e-6  # what a float of Unix time cannot show
        before = now
