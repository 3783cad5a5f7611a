"""Crossings and steps into areas: each counted once, in the right direction."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from edge_app.config.schema import ZoneSettings
from edge_app.events.entrance import Entrance
from edge_app.flow import Entry, Track, TrackedFrame

SIZE = (640, 360)
START_S = 1_700_000_000.0
LINE = {"door": ZoneSettings(line=((0.1, 0.8), (0.9, 0.8)))}
AREA = {"rooms": ZoneSettings(area=((0.4, 0.2), (0.8, 0.2), (0.8, 0.6), (0.4, 0.6)))}
WHOLE = {"rooms": ZoneSettings(area=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))}

Foot = tuple[float, float] | None
Walk = Callable[[float], Foot]


def track(foot: tuple[float, float], height: float, first_s: float, track_id: int = 1) -> Track:
    x, bottom = foot[0] * SIZE[0], foot[1] * SIZE[1]
    tall = height * SIZE[1]
    box = np.array([x - 0.2 * tall, bottom - tall, x + 0.2 * tall, bottom], np.float32)
    box = np.clip(box, 0, [*SIZE, *SIZE]).astype(np.float32)
    return Track(track_id, box, 0.8, True, first_s)


def watch(
    walk: Walk,
    seconds: float,
    zones: dict[str, ZoneSettings] = LINE,
    fps: float = 10.0,
    is_replay: bool = True,
    height: float = 0.35,
    entrance: Entrance | None = None,
    start_s: float = START_S,
    confirmed_s: float = 0.2,
) -> list[Entry]:
    """Entries of one person who is seen wherever the walk says, and confirmed after a moment."""
    entrance = entrance or Entrance("cam", zones, is_replay)
    entries: list[Entry] = []
    first: float | None = None
    for index in range(round(seconds * fps)):
        at_s = index / fps
        foot = walk(at_s)
        if foot is not None and first is None:
            first = at_s
        shown: tuple[Track, ...] = ()
        if foot is not None and first is not None and at_s - first >= confirmed_s - 1e-9:
            shown = (track(foot, height, start_s + first),)
        entries += entrance.update(TrackedFrame("cam", index, start_s + at_s, SIZE, shown))
    last = round(seconds * fps)
    entries += entrance.update(TrackedFrame("cam", last, start_s + seconds, SIZE, (), ended=(1,)))
    return entries + entrance.finish()


def along(*stops: tuple[float, float, float], x: float = 0.5) -> Walk:
    """A walk through ``(time, y)`` or ``(time, x, y)`` stops."""
    times = [stop[0] for stop in stops]

    def at(t: float) -> Foot:
        if t > times[-1] or t < times[0]:
            return None
        return (
            float(np.interp(t, times, [stop[1] for stop in stops])),
            float(np.interp(t, times, [stop[2] for stop in stops])),
        )

    return at


def directions(entries: Sequence[Entry]) -> list[str]:
    return [entry.direction for entry in entries]


UP = along((0, 0.5, 1.0), (2, 0.5, 0.5))
DOWN = along((0, 0.5, 0.5), (2, 0.5, 1.0))


@pytest.mark.parametrize("fps", [5.0, 10.0, 12.5, 30.0])
@pytest.mark.parametrize(("walk", "expected"), [(UP, ["in"]), (DOWN, ["out"])])
def test_a_walk_across_counts_once(walk: Walk, expected: list[str], fps: float) -> None:
    entries = watch(walk, 3.0, fps=fps)
    assert directions(entries) == expected
    assert entries[0].zone == "door"
    assert entries[0].camera == "cam"


def test_event_time_is_that_of_the_line_and_the_frame_that_of_the_decision() -> None:
    entry = watch(UP, 3.0)[0]
    assert entry.at_s - START_S == pytest.approx(0.8, abs=0.02)
    assert 11 <= entry.frame_index <= 13


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_event_time_is_right_although_feet_are_found_too_low_for_a_while(fps: float) -> None:
    def walk(at_s: float) -> Foot:
        return 0.5, 0.95 - 0.1 * at_s + (0.06 if 1.6 <= at_s < 2.0 else 0.0)

    entries = watch(walk, 4.0, fps=fps)
    assert directions(entries) == ["in"]
    assert entries[0].at_s - START_S == pytest.approx(1.5, abs=0.25)


def test_when_somebody_crosses_does_not_depend_on_the_way_before_the_crossing_before() -> None:
    steps = ((0.5, 0.55), (0.9, 0.85), (1.4, 0.75), (2.5, 0.85))

    def walk(at_s: float) -> Foot:
        return next(((0.5, y) for until_s, y in steps if at_s < until_s), None)

    entries = watch(walk, 3.0)
    assert directions(entries) == ["out", "in", "out"]
    assert [e.at_s - START_S for e in entries[1:]] == pytest.approx([0.85, 1.35], abs=0.1)


@pytest.mark.parametrize(
    ("walk", "expected"),
    [
        pytest.param(along((0, 0.5, 1.0), (0.4, 0.5, 0.8), (2, 0.5, 0.3)), ["in"], id="fast"),
        pytest.param(along((0, 0.5, 0.9), (0.2, 0.5, 0.82), (2, 0.5, 0.3)), [], id="0.2s-near"),
        pytest.param(along((0, 0.5, 0.9), (1, 0.5, 0.9), (1.2, 0.5, 0.7)), [], id="0.1s-far"),
        pytest.param(along((0, 0.03, 0.95), (2, 0.03, 0.5)), [], id="past-the-end"),
        pytest.param(along((0, 0.08, 0.95), (2, 0.08, 0.5)), ["in"], id="just-at-the-end"),
        pytest.param(along((0, 0.2, 0.9), (3, 0.8, 0.9)), [], id="beside-the-line"),
        pytest.param(
            along((0, 0.5, 0.95), (1, 0.5, 0.6), (2, 0.5, 0.9), (3, 0.5, 0.6), (4, 0.5, 0.6)),
            ["in", "out", "in"],
            id="three-times",
        ),
        pytest.param(
            along((0, 0.5, 0.9), (1, 0.5, 0.9), (1.2, 0.5, 0.77), (1.4, 0.5, 0.9), (3, 0.5, 0.9)),
            [],
            id="a-glimpse-of-the-far-side",
        ),
        pytest.param(
            along((0, 0.5, 0.82), (0.5, 0.5, 0.81), (2, 0.5, 0.3)),
            ["in"],
            id="first-seen-close-to-it",
        ),
        pytest.param(
            along((0, 0.5, 0.82), (0.2, 0.5, 0.81), (2, 0.5, 0.3)),
            [],
            id="first-seen-0.2s-before-it",
        ),
        pytest.param(
            along((0, 0.5, 0.81), (1, 0.5, 0.81), (1.5, 0.5, 0.79), (6, 0.5, 0.79)),
            [],
            id="never-far-from-it",
        ),
    ],
)
def test_what_counts_as_a_crossing(walk: Walk, expected: list[str]) -> None:
    assert directions(watch(walk, 6.0)) == expected


def test_who_appears_at_the_edge_needs_no_hold() -> None:
    walk = along((0, 0.5, 1.0), (0.21, 0.5, 1.0), (0.28, 0.5, 0.8), (1.5, 0.5, 0.4))
    assert directions(watch(walk, 3.0)) == ["in"]


def test_who_disappears_over_the_edge_needs_no_hold() -> None:
    walk = along((0, 0.5, 0.6), (1.0, 0.5, 0.8), (1.2, 0.5, 0.99))
    assert directions(watch(walk, 2.0)) == ["out"]


def test_who_disappears_over_the_edge_has_gone_out_although_the_pictures_break_then() -> None:
    entrance = Entrance("cam", LINE, is_replay=False)
    walk = along((0, 0.5, 0.6), (1.0, 0.5, 0.8), (1.2, 0.5, 0.99))
    entries: list[Entry] = []
    for index in range(13):
        foot = walk(index / 10)
        shown = (track(foot, 0.35, START_S),) if foot is not None and index > 1 else ()
        entries += entrance.update(TrackedFrame("cam", index, START_S + index / 10, SIZE, shown))
    assert entries == []
    (left,) = entrance.update(TrackedFrame("cam", 13, START_S + 60.0, SIZE, (), ended=(1,)))
    assert (left.direction, left.is_initial) == ("out", False)


@pytest.mark.parametrize("y", [0.95, 0.97, 0.985])
def test_lines_near_the_lower_edge_work(y: float) -> None:
    zones = {"door": ZoneSettings(line=((0.05, y), (0.95, y)))}
    walk = along((0, 0.5, 1.0), (1.0, 0.5, 1.0), (2.5, 0.5, 0.7))
    assert directions(watch(walk, 3.0, zones)) == ["in"]


def test_a_line_near_the_side_works_for_who_is_cut_off() -> None:
    zones = {"door": ZoneSettings(line=((0.93, 0.0), (0.93, 1.0)))}
    walk = along((0, 0.5, 0.8), (2.0, 1.1, 0.8))
    assert directions(watch(walk, 3.0, zones)) == ["in"]


@pytest.mark.parametrize(("stay_s", "is_uturn"), [(3.0, True), (15.0, False)])
def test_a_u_turn_is_an_out_soon_after_an_in(stay_s: float, is_uturn: bool) -> None:
    walk = along((0, 0.5, 1.0), (1, 0.5, 0.6), (1 + stay_s, 0.5, 0.6), (2 + stay_s, 0.5, 1.0))
    entries = watch(walk, stay_s + 4.0)
    assert directions(entries) == ["in", "out"]
    assert [entry.is_uturn for entry in entries] == [False, is_uturn]
    assert entries[1].dwell_s == pytest.approx(stay_s + 1.0, abs=0.1)


@pytest.mark.parametrize(("back_to_y", "expected"), [(0.83, ["in"]), (0.87, ["in", "out"])])
def test_who_was_counted_is_counted_back_from_further_away_only(
    back_to_y: float, expected: list[str]
) -> None:
    """People who stand on the line sway: 0.83 is beyond the band as it was when they came."""
    walk = along(
        (0, 0.5, 0.83),
        (1.0, 0.5, 0.83),
        (2.0, 0.5, 0.7),
        (3.0, 0.5, back_to_y),
        (5.0, 0.5, back_to_y),
    )
    assert directions(watch(walk, 5.0)) == expected


def test_an_out_without_an_in_has_no_dwell_and_is_no_u_turn() -> None:
    entry = watch(DOWN, 3.0)[0]
    assert entry.dwell_s is None
    assert not entry.is_uturn


def test_coasting_is_no_observation() -> None:
    entrance = Entrance("cam", LINE, True)
    entries: list[Entry] = []
    for index in range(30):
        seen = track((0.5, 1.0 - 0.02 * index), 0.35, START_S)
        coasting = Track(1, seen.box_xyxy, 0.0, index < 8, START_S)
        frame = TrackedFrame("cam", index, START_S + index / 10, SIZE, (coasting,))
        entries += entrance.update(frame)
    assert entries + entrance.finish() == []


@pytest.mark.parametrize(("score", "expected"), [(0.29, []), (0.3, ["in"])])
def test_a_weak_box_does_not_tell_where_somebody_stands(score: float, expected: list[str]) -> None:
    entrance = Entrance("cam", LINE, True)
    entries: list[Entry] = []
    for index in range(30):
        is_weak = index >= 15
        seen = track((0.5, 0.7 if is_weak else 0.9), 0.35, START_S)
        shown = Track(1, seen.box_xyxy, score if is_weak else 0.8, True, START_S)
        frame = TrackedFrame("cam", index, START_S + index / 10, SIZE, (shown,))
        entries += entrance.update(frame)
    assert directions(entries) == expected


@pytest.mark.parametrize("times", [1.0, 2.0, 5.0])
def test_lost_on_one_side_and_found_on_the_other_is_one_crossing(times: float) -> None:
    walk = along((0, 0.5, 1.0), (3 * times, 0.5, 0.5))
    entries = watch(lambda t: None if 0.8 * times < t < 2.2 * times else walk(t), 4.0 * times)
    assert directions(entries) == ["in"]
    assert entries[0].at_s - START_S == pytest.approx(1.2 * times, abs=0.1)


def test_legs_found_late_do_not_cross_back() -> None:
    """The box's bottom jumps by a tenth of the height while the person walks in and stops."""
    walk = along((0, 0.5, 1.0), (3, 0.5, 0.72), (8, 0.5, 0.72))
    entrance = Entrance("cam", LINE, True)
    rng = np.random.default_rng(0)
    entries: list[Entry] = []
    for index in range(80):
        foot = walk(index / 10)
        assert foot is not None
        whole = track(foot, 0.5, START_S).box_xyxy
        if whole[3] < SIZE[1] and rng.random() < 0.4:
            whole[3] -= 0.1 * 0.5 * SIZE[1]
        seen = Track(1, whole, 0.8, True, START_S)
        entries += entrance.update(TrackedFrame("cam", index, START_S + index / 10, SIZE, (seen,)))
    assert directions(entries) == ["in"]


def come_to_light(walk: Walk, hidden: float, until_s: float, is_head: bool = False) -> list[Entry]:
    """Somebody whose legs, or head, a share of the height, are behind something at first."""
    entrance = Entrance("cam", LINE, True)
    entries: list[Entry] = []
    for index in range(2, 25):
        at_s = index / 10
        foot = walk(at_s)
        assert foot is not None
        box = track(foot, 0.35, START_S).box_xyxy
        if at_s < until_s:
            box[1 if is_head else 3] -= (-hidden if is_head else hidden) * 0.35 * SIZE[1]
        seen = Track(1, box, 0.8, True, START_S)
        entries += entrance.update(TrackedFrame("cam", index, START_S + at_s, SIZE, (seen,)))
    return entries


@pytest.mark.parametrize("until_s", [0.5, 0.7])
@pytest.mark.parametrize("hidden", [0.35, 0.5])
def test_legs_that_come_to_light_after_the_first_sight_cross_nothing(
    hidden: float, until_s: float
) -> None:
    beyond = along((0, 0.4, 0.88), (3, 0.6, 0.88))
    assert come_to_light(beyond, hidden, until_s) == []
    out = along((0, 0.4, 0.7), (1, 0.5, 0.75), (2, 0.5, 0.95), (3, 0.5, 0.95))
    assert directions(come_to_light(out, hidden, until_s)) == ["out"]


@pytest.mark.parametrize("hidden", [0.15, 0.35])
def test_a_head_that_comes_to_light_has_not_moved_the_feet(hidden: float) -> None:
    """Under a door's lintel, say."""
    out = along((0, 0.5, 0.77), (1, 0.5, 0.84), (2, 0.5, 0.91), (3, 0.5, 0.98))
    assert directions(come_to_light(out, 0.0, 0.0)) == ["out"]
    assert directions(come_to_light(out, hidden, 0.6, is_head=True)) == ["out"]


def test_who_walks_away_and_becomes_smaller_crosses_when_the_feet_do() -> None:
    """A third of the height in a second: the shorter box is no box without legs."""
    entrance = Entrance("cam", LINE, True)
    entries: list[Entry] = []
    for index in range(25):
        at_s = index / 10
        foot, tall = 0.98 - 0.2 * at_s, 0.55 * 0.7**at_s
        seen = track((0.5, foot), tall, START_S)
        entries += entrance.update(TrackedFrame("cam", index, START_S + at_s, SIZE, (seen,)))
    assert directions(entries) == ["in"]
    assert entries[0].at_s - START_S == pytest.approx(0.9, abs=0.2)


def test_stepping_into_an_area_and_out() -> None:
    walk = along((0, 0.1, 0.4), (2, 0.6, 0.4), (5, 0.6, 0.4), (7, 0.1, 0.4))
    entries = watch(walk, 8.0, AREA, height=0.2)
    assert directions(entries) == ["in", "out"]
    assert entries[0].at_s - START_S == pytest.approx(1.2, abs=0.1)
    assert entries[1].dwell_s == pytest.approx(4.6, abs=0.3)
    assert not entries[1].is_uturn


def test_first_seen_inside_counts_from_the_first_sight_in_a_replay() -> None:
    entries = watch(lambda t: (0.6, 0.4) if t < 2 else None, 3.0, AREA, height=0.2)
    assert directions(entries) == ["in", "out"]
    assert entries[0].at_s == START_S
    assert not entries[0].is_initial


@pytest.mark.parametrize(("appears_s", "is_initial"), [(0.0, True), (8.0, True), (12.0, False)])
def test_live_people_inside_at_the_start_were_there_before(
    appears_s: float, is_initial: bool
) -> None:
    def walk(t: float) -> Foot:
        return (0.5, 0.8) if appears_s <= t < 15 else None

    entries = watch(walk, 16.0, WHOLE, is_replay=False)
    assert directions(entries) == ["in", "out"]
    assert entries[0].is_initial is is_initial
    assert (entries[1].dwell_s is None) is is_initial


def test_live_people_inside_after_a_reconnect_were_there_before() -> None:
    entrance = Entrance("cam", WHOLE, False)
    watch(lambda t: None, 20.0, entrance=entrance)
    later = watch(lambda t: (0.5, 0.8), 3.0, entrance=entrance, start_s=START_S + 100.0)
    assert later[0].is_initial


def test_whoever_is_inside_when_the_recording_ends_has_not_left() -> None:
    entrance = Entrance("cam", WHOLE, True)
    entries: list[Entry] = []
    for index in range(10):
        seen = track((0.5, 0.8), 0.4, START_S)
        entries += entrance.update(TrackedFrame("cam", index, START_S + index / 10, SIZE, (seen,)))
    assert directions(entries + entrance.finish()) == ["in"]


def watch_and_move(walk: Walk, area: dict[str, ZoneSettings], seconds: float) -> list[Entry]:
    """A live camera; 15 s after its start the area is moved, before the next picture."""
    entrance = Entrance("cam", AREA, is_replay=False)
    entries: list[Entry] = []
    for index in range(round(seconds * 10)):
        if index == 150:
            entrance.change_zones(area)
        at_s = index / 10
        foot = walk(at_s)
        shown = () if foot is None else (track(foot, 0.2, START_S + 11.0),)
        ended = (1,) if foot is None and walk(at_s - 0.1) is not None else ()
        tracked = TrackedFrame("cam", index, START_S + at_s, SIZE, shown, ended=ended)
        entries += entrance.update(tracked)
    return entries


ELSEWHERE = {"rooms": ZoneSettings(area=((0.0, 0.2), (0.3, 0.2), (0.3, 0.6), (0.0, 0.6)))}
LARGER = {"rooms": ZoneSettings(area=((0.3, 0.1), (0.9, 0.1), (0.9, 0.7), (0.3, 0.7)))}
# Whether each change of people inside is an entry or exit, by where the area is moved.
MOVED = {
    "away from somebody who stays": (ELSEWHERE, 20.0, [("in", False), ("out", True)]),
    "away from somebody who goes at once": (ELSEWHERE, 15.1, [("in", False), ("out", True)]),
    "around somebody who stays": (LARGER, 40.0, [("in", False)]),
    "around somebody who goes later": (LARGER, 20.0, [("in", False), ("out", False)]),
    "around somebody who goes at once": (LARGER, 15.1, [("in", False), ("out", True)]),
}


@pytest.mark.parametrize(("area", "gone_s", "expected"), MOVED.values(), ids=MOVED.keys())
def test_nobody_stays_in_an_area_that_is_moved_away(area, gone_s, expected) -> None:
    walk = along((11.0, 0.6, 0.4), (gone_s, 0.6, 0.4))
    entries = watch_and_move(walk, area, 25.0)
    assert [(entry.direction, entry.is_initial) for entry in entries] == expected


def test_whoever_steps_into_an_area_after_it_was_moved_away_is_counted_again() -> None:
    walk = along((11, 0.6, 0.4), (17, 0.6, 0.4), (19, 0.1, 0.4), (22, 0.1, 0.4))
    entries = watch_and_move(walk, ELSEWHERE, 24.0)
    assert [(entry.direction, entry.is_initial) for entry in entries] == [
        ("in", False),
        ("out", True),
        ("in", False),
        ("out", False),
    ]


def test_two_zones_are_counted_apart() -> None:
    zones = LINE | {"inner": ZoneSettings(line=((0.1, 0.6), (0.9, 0.6)))}
    entries = watch(along((0, 0.5, 1.0), (3, 0.5, 0.4), (4, 0.5, 0.4)), 5.0, zones)
    assert [(entry.zone, entry.direction) for entry in entries] == [("door", "in"), ("inner", "in")]


def test_a_camera_without_zones_counts_nothing() -> None:
    assert watch(UP, 3.0, {}) == []


def stand_and(taller: float, until_s: float, then: Walk) -> list[Entry]:
    """Somebody stands before the line for 4 s, is then found taller, and goes on."""
    entrance = Entrance("cam", LINE, is_replay=True)
    entries: list[Entry] = []
    for index in range(90):
        at_s = index / 10
        foot = (0.5, 0.9) if at_s < until_s else then(at_s)
        if foot is None:
            continue
        head = foot[1] - 0.35
        is_taller = 4.0 <= at_s < until_s
        box = track((0.5, head + (taller if is_taller else 0.35)), 0.35, START_S).box_xyxy.copy()
        box[1] = head * SIZE[1]
        shown = (Track(1, box, 0.8, True, START_S),)
        entries += entrance.update(TrackedFrame("cam", index, START_S + at_s, SIZE, shown))
    return entries + entrance.finish()


STAY = along((0, 0.5, 0.9), (9, 0.5, 0.9))
GO_IN = along((0, 0.5, 0.9), (6, 0.5, 0.9), (8, 0.5, 0.5), (9, 0.5, 0.5))


def test_feet_that_are_found_elsewhere_under_a_head_that_stays_have_not_moved() -> None:
    assert stand_and(0.17, 6.0, STAY) == []


def test_who_stood_for_long_and_walks_on_is_counted_at_the_line() -> None:
    (entered,) = stand_and(0.35, 6.0, GO_IN)
    assert entered.direction == "in"
    assert entered.at_s - START_S == pytest.approx(6.5, abs=0.25)


@pytest.mark.parametrize("confirmed_s", [0.0, 0.1, 0.2])
def test_the_first_boxes_of_a_person_decide_nothing(confirmed_s: float) -> None:
    """Somebody in the shop is found first with a shadow that reaches the picture's edge."""
    walk = along((0, 0.5, 1.0), (0.15, 0.5, 1.0), (0.16, 0.5, 0.5), (3, 0.5, 0.5))
    assert not watch(walk, 3.0, confirmed_s=confirmed_s)
