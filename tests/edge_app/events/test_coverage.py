from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.events.coverage import Coverage

FRAMES = {
    "ten a second": ([i / 10 for i in range(600)], 60),
    "one a second": (list(range(60)), 60),
    "one in two seconds": ([2 * i for i in range(30)], 59),
    "one in three seconds": ([3 * i for i in range(20)], 20),
    "half a minute": ([i / 10 for i in range(300)], 30),
    "an interruption": ([i / 10 for i in [*range(200), *range(400, 600)]], 40),
    "twice the same": ([*range(30), *range(30)], 30),
    "backwards": (list(reversed(range(60))), 60),
    "none": ([], 0),
}


@pytest.mark.parametrize(("times", "watched_s"), FRAMES.values(), ids=FRAMES.keys())
def test_watched_seconds(times, watched_s):
    coverage = Coverage(["door"])
    for at_s in times:
        coverage.seen("door", at_s)
    assert coverage.watched_s(["door"], 0) == watched_s


def test_every_camera_must_be_watching():
    coverage = Coverage(["door", "back"])
    for second in range(60):
        coverage.seen("door", second)
        if 20 <= second < 50:
            coverage.seen("back", second)
    assert coverage.watched_s(["door"], 0) == 60
    assert coverage.watched_s(["door", "back"], 0) == 30


def test_cameras_without_zones_do_not_matter():
    coverage = Coverage(["door"])
    coverage.seen("office", 5.0)
    assert coverage.watermark(100.0) == 98.0


WATERMARKS = {
    "nothing seen yet": ({}, 100.0, 98.0),
    "one camera": ({"door": 99.5}, 100.0, 97.5),
    "the slower of two": ({"door": 99.5, "back": 95.0}, 100.0, 93.0),
    "an idle one is left out": ({"door": 99.5, "back": 89.0}, 100.0, 97.5),
    "all idle": ({"door": 50.0}, 100.0, 98.0),
}


@pytest.mark.parametrize(("seen", "now_s", "expected"), WATERMARKS.values(), ids=WATERMARKS.keys())
def test_watermark(seen, now_s, expected):
    coverage = Coverage(["door", "back"])
    for camera, at_s in seen.items():
        coverage.seen(camera, at_s)
    assert coverage.watermark(now_s) == expected


@given(st.lists(st.floats(0, 180), max_size=50), st.data())
def test_a_restart_changes_nothing_and_no_minute_is_longer_than_a_minute(times, data):
    whole, first = Coverage(["door"]), Coverage(["door"])
    kill = data.draw(st.integers(0, len(times)))
    for i, at_s in enumerate(times):
        if i == kill:
            state = json.loads(json.dumps(first.state()))
            first = Coverage(["door"])
            first.restore(state)
        whole.seen("door", at_s)
        first.seen("door", at_s)
    assert first.state() == whole.state()
    assert all(whole.watched_s(["door"], start) <= 60 for start in (0, 60, 120))


def test_closed_minutes_are_forgotten():
    coverage = Coverage(["door"])
    for second in range(600):
        coverage.seen("door", second)
    coverage.forget(540)
    assert [minute for minute, _ in coverage.state()["seconds"]["door"]] == [9]
