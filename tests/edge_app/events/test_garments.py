from __future__ import annotations

import json
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_app.events.counts import Counts
from edge_app.flow import CountWindow, Entry, Outfit, Worn
from edge_app.suppression import suppress
from edge_app.vocabulary import REGION_OF

K = 5
START = 1_795_014_000.0  # 15:00 UTC
HOUR_S = 3600.0
ZONES = {"entrance": "door", "side-door": "back"}


def new_counts() -> Counts:
    return Counts(ZONES, "Europe/Paris", "04:00", START, min_cell=K)


def enter(counts: Counts, hour: int, zone: str = "entrance", **garments: int) -> None:
    """People in these garments come in, within an hour after the start."""
    for entry, outfit in customers(hour, zone, garments):
        counts.entered(entry)
        counts.settled(entry, outfit)


def find_staff(counts: Counts, hour: int, zone: str = "entrance", **garments: int) -> None:
    """So many of those who came in in these garments turn out to work here."""
    for entry, outfit in customers(hour, zone, garments):
        counts.staff(entry)
        counts.unsettled(entry, outfit)


def customers(hour: int, zone: str, garments: dict[str, int]) -> Iterator[tuple[Entry, Outfit]]:
    """So many people in each garment, and when they come in."""
    for garment, people in garments.items():
        for i in range(people):
            at_s = START + HOUR_S * hour + 10.0 + i
            yield Entry(ZONES[zone], zone, 1, "in", 0, at_s), wearing(garment)


def wearing(garment: str) -> Outfit:
    return Outfit(True, {}, {REGION_OF[garment]: Worn(garment, 0.9)}, evidence=1.0)


def shown(window: CountWindow) -> dict[str, int | None]:
    """What a reader sees."""
    return suppress(window.garment, K, window.withheld)[0]


def of(windows: list[CountWindow], zone: str, window: str) -> list[CountWindow]:
    return [w for w in windows if (w.zone, w.window) == (zone, window)]


def test_the_store_does_not_give_a_zone_away():
    counts = new_counts()
    enter(counts, 0, dress=9, jeans=20, shirt=30, coat=12)
    enter(counts, 0, "side-door", dress=2, jeans=20, shirt=30, coat=12)
    windows = counts.finish(START + 100)
    for window in ("pt1h", "p1d"):
        [side], [both] = of(windows, "side-door", window), of(windows, "all", window)
        assert shown(side)["dress"] is None
        assert shown(both)["dress"] is None
        assert both.withheld == ("coat", "dress")
        assert shown(both)["shirt"] == 60


def test_the_day_does_not_give_an_hour_away():
    counts = new_counts()
    enter(counts, 0, dress=9, jeans=20, shirt=30)
    enter(counts, 1, dress=2, jeans=20, shirt=30)
    windows = counts.finish(START + HOUR_S + 100)
    [day] = of(windows, "entrance", "p1d")
    assert day.garment["dress"] == 11
    assert shown(day)["dress"] is None
    assert shown(day)["shirt"] == 60


def test_the_day_tells_what_the_hours_could_not():
    counts = new_counts()
    for hour in range(4):
        enter(counts, hour, dress=3, jeans=4, shirt=30)
    windows = counts.finish(START + 3 * HOUR_S + 100)
    assert {shown(w)["dress"] for w in of(windows, "entrance", "pt1h")} == {None}
    [day] = of(windows, "entrance", "p1d")
    assert (shown(day)["dress"], shown(day)["jeans"]) == (12, 16)


def test_a_revision_does_not_tell_of_a_late_person():
    counts = new_counts()
    enter(counts, 0, dress=9, shirt=30)
    before = of(counts.advance(START + HOUR_S + 60), "entrance", "pt1h")[0]
    enter(counts, 0, dress=1)
    after = of(counts.advance(START + HOUR_S + 60), "entrance", "pt1h")[0]
    assert (after.rev, after.counts["in"]) == (1, 40)
    assert (after.garment, after.garment_n) == (before.garment, before.garment_n)
    [day] = of(counts.finish(START + HOUR_S + 60), "entrance", "p1d")
    assert day.garment["dress"] == 10
    assert shown(day)["dress"] is None


def test_a_revision_tells_of_many_late_people():
    counts = new_counts()
    enter(counts, 0, dress=9, shirt=30)
    counts.advance(START + HOUR_S + 60)
    enter(counts, 0, dress=6)
    after = of(counts.advance(START + HOUR_S + 60), "entrance", "pt1h")[0]
    assert (after.rev, after.garment["dress"]) == (1, 15)


def test_clothes_of_staff_are_taken_out_of_an_hour_that_is_open():
    counts = new_counts()
    enter(counts, 0, dress=9, shirt=30)
    find_staff(counts, 0, dress=2)
    [hour] = of(counts.advance(START + HOUR_S + 60), "entrance", "pt1h")
    assert (hour.garment["dress"], hour.garment_n, hour.counts["staff_in"]) == (7, 37, 2)


def test_clothes_of_staff_who_are_found_late_are_not_told_by_a_revision():
    counts = new_counts()
    enter(counts, 0, dress=9, jeans=20, shirt=30)
    before = of(counts.advance(START + HOUR_S + 60), "entrance", "pt1h")[0]
    find_staff(counts, 0, dress=2)
    after = of(counts.advance(START + HOUR_S + 60), "entrance", "pt1h")[0]
    assert (after.rev, after.counts["staff_in"]) == (1, 2)
    assert (after.garment, after.garment_n) == (before.garment, before.garment_n)
    [day] = of(counts.finish(START + HOUR_S + 60), "entrance", "p1d")
    assert (day.garment["dress"], day.garment_n) == (7, 57)
    assert shown(day)["dress"] is None


def test_what_a_clock_that_was_set_back_took_along_is_not_taken_back_again():
    counts, days_s = new_counts(), 72 * HOUR_S
    counts.advance(START + days_s)
    enter(counts, 72, dress=1)
    counts.advance(START)
    find_staff(counts, 72, dress=1)
    counts.advance(START + days_s)
    assert all(n >= 0 for w in counts.finish(START + days_s + 60) for n in w.garment.values())


def test_what_was_published_survives_a_restart():
    counts = new_counts()
    enter(counts, 0, dress=9, shirt=30)
    counts.advance(START + HOUR_S + 60)
    after = new_counts()
    after.restore(json.loads(json.dumps(counts.state())))
    enter(after, 0, dress=1)
    [hour] = of(after.advance(START + HOUR_S + 60), "entrance", "pt1h")
    assert hour.garment["dress"] == 9


PEOPLE = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(list(ZONES)),
        st.sampled_from(["dress", "jeans", "shirt"]),
        st.integers(1, 12),
        st.booleans(),
        st.integers(0, 6),
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(PEOPLE)
def test_no_difference_of_published_maps_tells_of_fewer_than_k(people):
    counts, windows = new_counts(), []
    for hour in range(4):
        for _, zone, garment, n, _, _ in (p for p in people if p[0] == hour and not p[4]):
            enter(counts, hour, zone, **{garment: n})
        windows += counts.advance(START + HOUR_S * (hour + 1) + 30)
        for _, zone, garment, n, _, _ in (p for p in people if p[0] == hour and p[4]):
            enter(counts, hour, zone, **{garment: n})
        for _, zone, garment, n, _, staff in (p for p in people if p[0] == hour):
            find_staff(counts, hour, zone, **{garment: min(n, staff)})
    windows += counts.finish(START + HOUR_S * 4 + 30)
    seen: dict[tuple, dict[str, int | None]] = {}
    for window in windows:
        key = (window.zone, window.window, window.start_s)
        if window.window not in ("pt1h", "p1d") or seen.get(key) == shown(window):
            continue
        before, seen[key] = seen.get(key, {}), shown(window)
        for name, value in seen[key].items():
            if value is not None and before.get(name) is not None:
                assert not 0 < abs(value - before[name]) < K
        if window.window == "p1d":
            hours = [v for (z, w, _), v in seen.items() if z == window.zone and w == "pt1h"]
            _assert_difference_is_safe(seen[key], hours)
        if window.zone == "all":
            _assert_difference_is_safe(seen[key], [seen[(zone, *key[1:])] for zone in ZONES])


def _assert_difference_is_safe(total: dict, parts: list[dict]) -> None:
    """What the visible parts leave of a total is nobody or many."""
    for name, value in total.items():
        if value is not None:
            rest = value - sum(part[name] or 0 for part in parts)
            assert rest == 0 or rest >= K
