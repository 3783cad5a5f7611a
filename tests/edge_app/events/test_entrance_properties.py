"""What holds for any walk: nothing is made up, nothing is lost, left and right are alike."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge_app.config.schema import ZoneSettings
from edge_app.events.entrance import Entrance
from edge_app.flow import Entry, Track, TrackedFrame

SIZE = (640, 360)
START_S = 1_700_000_000.0
LEVEL = ((0.0, 0.6), (1.0, 0.6))
HEIGHT = 0.3
"""Of the people, picture heights; the band around the line is 0.015 on each side."""

Points = list[tuple[float, float]]
places = st.tuples(st.floats(0.1, 0.9), st.floats(0.35, 0.95))
walks = st.lists(places, min_size=2, max_size=12)


def seen_at(x: float, y: float, track_id: int = 1) -> Track:
    bottom, tall = y * SIZE[1], HEIGHT * SIZE[1]
    middle = x * SIZE[0]
    box = np.array([middle - 20, bottom - tall, middle + 20, bottom], np.float32)
    return Track(track_id, box, 0.8, True, START_S)


def watch(
    points: Points, fps: float, line: tuple[tuple[float, float], tuple[float, float]] = LEVEL
) -> list[Entry]:
    entrance = Entrance("cam", {"door": ZoneSettings(line=line)}, True)
    entries: list[Entry] = []
    for index, (x, y) in enumerate(points):
        frame = TrackedFrame("cam", index, START_S + index / fps, SIZE, (seen_at(x, y),))
        entries += entrance.update(frame)
    return entries + entrance.finish()


def strolled(stops: Points, fps: float, leg_s: float = 1.6, rest_s: float = 0.8) -> Points:
    """Positions of somebody who walks from stop to stop and rests at each."""
    times, at = [], []
    for number, stop in enumerate(stops):
        times += [number * (leg_s + rest_s), number * (leg_s + rest_s) + rest_s]
        at += [stop, stop]
    moments = np.arange(0.0, times[-1], 1 / fps)
    xs, ys = (np.interp(moments, times, [p[axis] for p in at]) for axis in (0, 1))
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


def far_from_line(stops: Points) -> bool:
    return all(abs(y - LEVEL[0][1]) > 0.03 for _, y in stops)


def net(entries: list[Entry]) -> int:
    return sum(1 if entry.direction == "in" else -1 for entry in entries)


@given(
    offsets=st.lists(st.floats(-0.0149, 0.0149), min_size=5, max_size=200),
    fps=st.sampled_from([5.0, 10.0, 30.0]),
)
@settings(deadline=None)
def test_jitter_on_the_line_never_counts(offsets: list[float], fps: float) -> None:
    assert watch([(0.5, LEVEL[0][1] + offset) for offset in offsets], fps) == []


@given(
    side=st.sampled_from([-1, 1]),
    flickers=st.lists(st.booleans(), min_size=20, max_size=120),
)
@settings(deadline=None)
def test_single_glimpses_of_the_other_side_never_count(side: int, flickers: list[bool]) -> None:
    """Flicker was counted as crossing back and forth in a well-known system."""
    points, was_flicker = [], True
    for flicker in flickers:
        is_flicker = flicker and not was_flicker
        points.append((0.5, LEVEL[0][1] + (side if not is_flicker else -side) * 0.1))
        was_flicker = is_flicker
    assert watch(points, 10.0) == []


@given(stops=walks)
@settings(deadline=None)
def test_in_minus_out_is_inside_at_the_end_minus_inside_at_the_start(stops: Points) -> None:
    assume(far_from_line(stops))
    entries = watch(strolled(stops, 10.0), 10.0)
    assert net(entries) == int(stops[-1][1] < LEVEL[0][1]) - int(stops[0][1] < LEVEL[0][1])
    assert all(a.direction != b.direction for a, b in pairwise(entries))


@given(walk=st.lists(st.tuples(st.floats(0.1, 0.9), st.floats(0.3, 1.0)), max_size=150))
@settings(deadline=None)
def test_directions_alternate_over_any_walk_however_wild(walk: Points) -> None:
    entries = watch(walk, 10.0)
    assert all(a.direction != b.direction for a, b in pairwise(entries))
    assert all(a.at_s < b.at_s for a, b in pairwise(entries))
    assert abs(net(entries)) <= 1


sights = st.tuples(
    st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.sampled_from([0.0, 0.3]), st.floats(0.0, 1.0)
)


@given(
    frames=st.lists(
        st.tuples(st.sampled_from([0.0, 0.05, 0.1, 0.5, 3.0]), st.lists(sights, max_size=3)),
        max_size=40,
    )
)
@settings(deadline=None)
def test_whatever_is_seen_directions_alternate(
    frames: list[tuple[float, list[tuple[float, float, float, float]]]],
) -> None:
    """Frames of one time, long gaps, boxes without a height, people who are hardly seen."""
    entrance = Entrance("cam", {"door": ZoneSettings(line=LEVEL)}, True)
    at_s, entries = START_S, []
    for index, (elapsed_s, people) in enumerate(frames):
        at_s += elapsed_s
        tracks = []
        for number, (x, y, height, score) in enumerate(people):
            box = np.array([x - 0.05, max(y - height, 0.0), x + 0.05, y], np.float32)
            xyxy = (box * [*SIZE, *SIZE]).astype(np.float32)
            tracks.append(Track(number, xyxy, score, score > 0.1, START_S + 0.1 * number))
        entries += entrance.update(TrackedFrame("cam", index, at_s, SIZE, tuple(tracks)))
    entries += entrance.finish()
    for number in range(3):
        own = [entry for entry in entries if entry.track_id == number]
        assert all(a.direction != b.direction for a, b in pairwise(own))
        assert all(a.at_s <= b.at_s for a, b in pairwise(own))


@given(stops=walks)
@settings(deadline=None, max_examples=50)
def test_the_frame_rate_does_not_matter(stops: Points) -> None:
    assume(far_from_line(stops))
    per_rate = [watch(strolled(stops, fps), fps) for fps in (5.0, 10.0, 30.0)]
    directions = [[entry.direction for entry in entries] for entries in per_rate]
    assert directions[0] == directions[1] == directions[2]
    for slow, fast in zip(per_rate[0], per_rate[2], strict=True):
        assert slow.at_s == pytest.approx(fast.at_s, abs=0.3)


@given(stops=walks)
@settings(deadline=None, max_examples=50)
def test_a_mirrored_picture_swaps_in_and_out(stops: Points) -> None:
    line = ((0.5, 0.0), (0.5, 1.0))
    assume(all(abs(x - 0.5) > 0.03 for x, _ in stops))
    walk = strolled(stops, 10.0)
    as_seen = [entry.direction for entry in watch(walk, 10.0, line)]
    mirrored = [entry.direction for entry in watch([(1 - x, y) for x, y in walk], 10.0, line)]
    assert mirrored == [{"in": "out", "out": "in"}[direction] for direction in as_seen]


@given(stops=walks)
@settings(deadline=None, max_examples=50)
def test_turning_the_line_round_swaps_in_and_out(stops: Points) -> None:
    assume(far_from_line(stops))
    walk = strolled(stops, 10.0)
    forth = watch(walk, 10.0)
    back = watch(walk, 10.0, (LEVEL[1], LEVEL[0]))
    assert [(e.at_s, e.direction == "in") for e in forth] == [
        (e.at_s, e.direction == "out") for e in back
    ]


@given(stops=st.lists(walks, min_size=2, max_size=4), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_people_are_counted_independently_of_each_other(stops: list[Points], seed: int) -> None:
    people = [strolled(walk, 10.0) for walk in stops]
    alone = sorted((entry.at_s, entry.direction) for walk in people for entry in watch(walk, 10.0))
    rng = np.random.default_rng(seed)
    entrance = Entrance("cam", {"door": ZoneSettings(line=LEVEL)}, True)
    together: list[Entry] = []
    for index in range(max(map(len, people))):
        tracks = [
            seen_at(*walk[index], number)
            for number, walk in enumerate(people, 1)
            if index < len(walk)
        ]
        rng.shuffle(tracks)  # type: ignore[arg-type]
        frame = TrackedFrame("cam", index, START_S + index / 10, SIZE, tuple(tracks))
        together += entrance.update(frame)
    together += entrance.finish()
    assert sorted((entry.at_s, entry.direction) for entry in together) == alone


def test_hours_of_lingering_beside_the_line_count_nothing() -> None:
    """+400 in four hours beside a line was reported of a well-known system."""
    rng = np.random.default_rng(3)
    drift = 0.0
    points = []
    for _ in range(4 * 3600 * 5):
        drift = 0.9 * drift + rng.normal(0, 0.004)
        points.append((0.5, LEVEL[0][1] + 0.03 + drift))
    assert watch(points, 5.0) == []


def test_state_is_deleted_when_tracks_end() -> None:
    entrance = Entrance("cam", {"door": ZoneSettings(line=LEVEL)}, True)
    for index in range(2000):
        shown = tuple(seen_at(0.5, 0.9, index + k) for k in range(3))
        at_s = START_S + index / 10
        entrance.update(TrackedFrame("cam", index, at_s, SIZE, shown, ended=(index - 1,)))
    assert len(entrance.people) <= 4
