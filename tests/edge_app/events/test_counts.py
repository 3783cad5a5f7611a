from __future__ import annotations

import json
import logging
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from edge_app.events.counts import Counts
from edge_app.flow import CountWindow, Entry, Outfit, Worn

PARIS = "Europe/Paris"
CAMERAS = {"entrance": "door", "rooms": "back"}


def at(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(PARIS), fold=fold).timestamp()


NOON = at("2026-11-20T12:00")


def counts_from(started_at_s: float = NOON, zones: tuple[str, ...] = ("entrance",)) -> Counts:
    return Counts(zones, PARIS, "04:00", started_at_s, {zone: CAMERAS[zone] for zone in zones})


def entry(at_s: float, direction: str = "in", zone: str = "entrance", **changes) -> Entry:
    return Entry(CAMERAS[zone], zone, 1, direction, 0, at_s, **changes)


def wearing(*categories: str) -> Outfit:
    regions = dict(zip(("top", "bottom", "long"), categories, strict=False))
    return Outfit(True, {}, {region: Worn(c, 0.9) for region, c in regions.items()})


def watch(counts: Counts, first_s: float, last_s: float, step_s: float = 1.0) -> list[CountWindow]:
    """Frames of both cameras from one time to another, and the windows that they close."""
    windows = []
    for i in range(round((last_s - first_s) / step_s)):
        now_s = first_s + i * step_s
        for camera in ("door", "back"):
            counts.seen(camera, now_s)
        windows += counts.advance(now_s)
    return windows


def named(windows: list[CountWindow], window: str, zone: str = "entrance") -> list[CountWindow]:
    return [w for w in windows if (w.window, w.zone) == (window, zone)]


def test_a_window_closes_when_the_watermark_is_past_it():
    counts = counts_from()
    counts.entered(entry(NOON + 59.9))
    assert watch(counts, NOON, NOON + 77.0) == []
    [one] = named(watch(counts, NOON + 77.0, NOON + 78.0), "pt1m")
    assert (one.start_s, one.end_s, one.rev) == (NOON, NOON + 60, 0)
    assert one.counts == {"in": 1, "out": 0, "uturn": 0, "staff_in": 0}


def test_the_boundary_belongs_to_the_later_window():
    counts = counts_from()
    counts.entered(entry(NOON + 60))
    windows = named(counts.finish(NOON + 61), "pt1m")
    assert [w.counts["in"] for w in windows] == [0, 1]


def test_windows_are_published_even_if_nothing_happens():
    windows = watch(counts_from(), NOON, NOON + 3600 + 80)
    found = {(w.zone, w.window): len(named(windows, w.window, w.zone)) for w in windows}
    assert found == {
        (zone, window): n
        for zone in ("entrance", "all")
        for window, n in (("pt1m", 61), ("pt15m", 4), ("pt1h", 1))
    }


def test_all_is_the_sum_of_the_zones():
    counts = counts_from(zones=("entrance", "rooms"))
    counts.entered(entry(NOON + 1))
    counts.entered(entry(NOON + 2, zone="rooms"))
    counts.entered(entry(NOON + 3, "out", dwell_s=2.0))
    windows = counts.finish(NOON + 10)
    [both] = named(windows, "pt1m", "all")
    assert both.counts == {"in": 2, "out": 1, "uturn": 0, "staff_in": 0}
    assert both.occ["max"] == 2
    assert (both.in_total, both.out_total, both.dwell_n, both.dwell_sum_s) == (2, 1, 1, 2.0)


def test_uturns_stays_and_staff():
    counts = counts_from()
    first, second = entry(NOON + 1), entry(NOON + 2)
    for each in (first, second):
        counts.entered(each)
    counts.staff(second)
    counts.entered(entry(NOON + 5, "out", is_uturn=True, dwell_s=4.0))
    counts.entered(entry(NOON + 30, "out"))
    [window] = named(counts.finish(NOON + 40), "pt1m")
    assert window.counts == {"in": 2, "out": 2, "uturn": 1, "staff_in": 1}
    assert (window.dwell_n, window.dwell_sum_s) == (1, 4.0)


def test_people_inside_from_the_start_are_occupancy_only():
    counts = counts_from()
    counts.entered(entry(NOON + 1, is_initial=True))
    counts.settled(entry(NOON + 1, is_initial=True), wearing("shirt"))
    [window] = named(counts.finish(NOON + 40), "pt1h")
    assert (window.counts["in"], window.in_total, window.garment_n) == (0, 0, 0)
    assert window.occ == {"start": 0, "end": 1, "max": 1, "avg": 0.975}


def test_garments_are_counted_in_the_window_of_the_entry():
    counts = counts_from()
    late = entry(NOON + 3599)
    for outfit in (wearing("shirt", "jeans"), wearing("shirt", "unknown"), wearing()):
        counts.entered(late)
        counts.settled(late, outfit)
    counts.settled(entry(NOON + 3599, "out"), wearing("dress"))
    [window] = [w for w in named(counts.finish(NOON + 3605), "pt1h") if w.start_s == NOON]
    assert {name: n for name, n in window.garment.items() if n} == {
        "shirt": 2,
        "jeans": 1,
        "unknown": 1,
    }
    assert (window.garment_n, len(window.garment)) == (2, 16)


def test_two_unknown_regions_are_one_unknown_person():
    counts = counts_from()
    counts.settled(entry(NOON + 1), wearing("unknown", "unknown"))
    [window] = named(counts.finish(NOON + 10), "pt1h")
    assert (window.garment["unknown"], window.garment_n) == (1, 1)


def test_no_garments_in_windows_that_would_single_people_out():
    counts = counts_from()
    counts.settled(entry(NOON + 1), wearing("dress"))
    windows = counts.finish(NOON + 10)
    assert [named(windows, w)[0].garment for w in ("pt1m", "pt15m")] == [{}, {}]
    assert [named(windows, w)[0].garment_n for w in ("pt1m", "pt15m")] == [1, 1]


def test_late_facts_publish_their_windows_again():
    counts = counts_from()
    assert [w.rev for w in watch(counts, NOON, NOON + 1000)] == [0] * 34
    counts.entered(entry(NOON + 30))
    revised = counts.advance(NOON + 1000)
    assert [(w.zone, w.window, w.rev, w.counts["in"]) for w in revised] == [
        ("entrance", "pt1m", 1, 1),
        ("all", "pt1m", 1, 1),
        ("entrance", "pt15m", 1, 1),
        ("all", "pt15m", 1, 1),
    ]
    assert revised[0].in_total == 1
    counts.entered(entry(NOON + 31))
    counts.entered(entry(NOON + 32))
    assert next((w.rev, w.counts["in"]) for w in counts.advance(NOON + 1001)) == (2, 3)
    assert counts.advance(NOON + 1002) == []


def test_totals_tell_what_happened_before_the_windows_end():
    counts = counts_from()
    for second in (10, 70, 130):
        counts.entered(entry(NOON + second))
    windows = named(watch(counts, NOON, NOON + 300), "pt1m")
    assert [w.in_total for w in windows] == [1, 2, 3, 3]
    counts.entered(entry(NOON + 20))
    assert counts.advance(NOON + 300)[0].in_total == 2
    assert named(watch(counts, NOON + 300, NOON + 330), "pt1m")[0].in_total == 4


def test_facts_older_than_a_day_are_a_counted_loss(caplog):
    counts = counts_from()
    counts.advance(NOON + 90_000)
    with caplog.at_level(logging.WARNING):
        counts.entered(entry(NOON + 3500))
    counts.entered(entry(NOON + 3700))
    assert counts.late_dropped == 1
    assert "86498 s late" in caplog.text
    assert [w.counts["in"] for w in named(counts.advance(NOON + 90_000), "pt1m")] == [1]


def test_missing_time_lowers_coverage_and_is_not_made_up():
    counts = counts_from(zones=("entrance", "rooms"))
    for second in range(900):
        if not 300 <= second < 600:
            counts.seen("door", NOON + second)
        counts.seen("back", NOON + second)
        counts.advance(NOON + second)
    windows = counts.finish(NOON + 900)
    coverage = {w.zone: w.coverage for w in windows if w.window == "pt15m" and w.start_s == NOON}
    assert coverage == {"entrance": 0.6667, "rooms": 1.0, "all": 0.6667}
    assert [w.coverage for w in named(windows, "pt1m") if w.start_s == NOON + 840] == [1.0]


def test_a_dead_camera_does_not_hold_up_the_others():
    counts = counts_from(zones=("entrance", "rooms"))
    windows = []
    for second in range(120):
        if second < 30:
            counts.seen("back", NOON + second)
        counts.seen("door", NOON + second)
        windows += counts.advance(NOON + second)
    assert [w.zone for w in windows] == ["entrance", "rooms", "all"]


def test_counting_begins_within_a_window():
    windows = watch(counts_from(NOON + 1770), NOON + 1770, NOON + 3700)
    assert [(w.start_s - NOON, w.coverage) for w in named(windows, "pt15m")] == [
        (900, 0.0333),
        (1800, 1.0),
        (2700, 1.0),
    ]
    assert [w.coverage for w in named(windows, "pt1h")] == [0.5083]


def test_occupancy_over_the_day_and_its_nightly_reset():
    start = at("2026-11-21T03:00")
    counts = counts_from(start)
    for minute in range(5):
        counts.entered(entry(start + 60 * minute))
    counts.entered(entry(start + 600, "out"))
    assert counts.live(start + 601)[0].occupancy == 4
    windows = watch(counts, start, start + 3600 + 200)
    [day] = named(windows, "p1d")
    assert (day.business_day, day.drift, day.occ["end"]) == ("2026-11-20", 4, 4)
    minutes = named(windows, "pt1m")
    assert [(w.occ["start"], w.drift) for w in minutes[60:]] == [(0, None)] * 3
    [live, both] = counts.live(start + 3800)
    assert (live.zone, live.occupancy, live.in_today, live.out_today) == ("entrance", 0, 0, 0)
    assert both.zone == "all"


def test_live_counts_are_reset_before_the_watermark_arrives():
    start = at("2026-11-21T03:59")
    counts = counts_from(start)
    counts.entered(entry(start + 30))
    counts.entered(entry(start + 61))
    live = counts.live(start + 62)[0]
    assert (live.occupancy, live.in_today) == (1, 1)


def test_drift_may_be_below_zero():
    start = at("2026-11-21T03:50")
    counts = counts_from(start)
    for second in (1, 2):
        counts.entered(entry(start + second, "out"))
    counts.entered(entry(start + 3))
    [day] = named(watch(counts, start, start + 700), "p1d")
    assert (day.drift, day.occ["end"]) == (-1, 1)


def test_reset_on_command():
    counts = counts_from()
    counts.entered(entry(NOON + 1))
    counts.reset_occupancy(NOON + 10)
    counts.entered(entry(NOON + 20))
    assert counts.live(NOON + 21)[0].occupancy == 1
    [window] = named(counts.finish(NOON + 30), "pt1m")
    assert (window.occ["end"], window.occ["max"], window.counts["in"]) == (1, 1, 2)


DST = {
    "spring": ("2026-03-28T04:00", "2026-03-28", 23, 15),
    "autumn": ("2026-10-24T04:00", "2026-10-24", 25, 15),
}


@pytest.mark.parametrize(("start", "day", "hours", "late"), DST.values(), ids=DST.keys())
def test_days_on_which_the_clocks_change(start, day, hours, late):
    start_s = at(start)
    counts = counts_from(start_s)
    for hour in range(hours):
        counts.entered(entry(start_s + 3600 * hour + 1800))
    windows = counts.advance(start_s + 3600 * hours + 60 + 17)
    [whole] = named(windows, "p1d")
    assert (whole.start_s, whole.end_s) == (start_s, start_s + 3600 * hours)
    assert (whole.business_day, whole.counts["in"]) == (day, hours)
    each = named(windows, "pt1h")
    assert [w.counts["in"] for w in each] == [1] * hours
    local = [w.local_hour for w in each]
    assert local.count(2) == {23: 0, 25: 2}[hours]
    assert {w.business_day for w in each} == {day}
    assert len({w.start_s for w in each}) == hours


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0], ids=["back an hour", "ahead an hour"])
def test_a_clock_that_is_set_loses_nobody(step_s):
    counts = counts_from()
    final: dict[tuple, CountWindow] = {}
    now_s, people = NOON + 1800, 0
    for second in range(3 * 3600):
        if second == 1000:
            now_s += step_s
        now_s += 1.0
        counts.seen("door", now_s)
        if second % 50 == 0:
            people += 1
            counts.entered(entry(now_s))
        for w in counts.advance(now_s):
            key = (w.window, w.zone, w.start_s)
            assert key not in final or w.rev == final[key].rev + 1
            assert 0.0 <= w.coverage <= 1.0
            final[key] = w
    for w in counts.finish(now_s):
        final[w.window, w.zone, w.start_s] = w
    for window in ("pt1m", "pt15m", "pt1h", "p1d"):
        assert sum(w.counts["in"] for w in final.values() if w.window == window) == 2 * people
    assert counts.late_dropped == 0
    if step_s > 0:
        skipped = [w for w in named(list(final.values()), "pt1m") if w.coverage == 0.0]
        assert len(skipped) >= 59
        assert all(w.counts["in"] == 0 for w in skipped)


def test_a_clock_set_back_by_more_than_a_day_begins_again(caplog):
    counts = counts_from()
    watch(counts, NOON, NOON + 100)
    counts.entered(entry(NOON + 90))
    with caplog.at_level(logging.WARNING):
        before = watch(counts, NOON - 100_000, NOON - 100_000 + 1)
    assert "event time went back" in caplog.text
    assert {w.window for w in before} == {"pt15m", "pt1h", "p1d"}
    counts.entered(entry(NOON - 100_000 + 5))
    after = watch(counts, NOON - 100_000 + 1, NOON - 100_000 + 200)
    assert sum(w.counts["in"] for w in named(after, "pt1m")) == 1
    assert named(after, "pt1m")[-1].in_total == 2


def test_a_clock_set_ahead_by_years_fills_nothing_in():
    counts = counts_from(0.0)
    counts.entered(entry(30.0))
    watch(counts, 0.0, 40.0)
    windows = counts.advance(NOON)
    assert len(windows) < 20
    assert sum(w.counts["in"] for w in named(windows, "pt1m")) == 1
    assert [w.counts["in"] for w in named(windows, "p1d")] == [1]
    assert len(named(watch(counts, NOON, NOON + 600), "pt1m")) >= 9


def restart(counts: Counts, started_at_s: float) -> Counts:
    after = counts_from(started_at_s)
    after.restore(json.loads(json.dumps(counts.state())))
    return after


def test_a_restart_continues_the_window_and_the_totals():
    counts = counts_from()
    counts.entered(entry(NOON + 10))
    windows = watch(counts, NOON, NOON + 30)
    counts = restart(counts, NOON + 45)
    counts.entered(entry(NOON + 50))
    windows += watch(counts, NOON + 45, NOON + 200)
    [first, *_] = named(windows, "pt1m")
    assert (first.counts["in"], first.coverage, first.in_total) == (2, 0.75, 2)
    assert first.counter_epoch_s == NOON
    assert counts.live(NOON + 200)[0].occupancy == 2


def test_windows_in_which_nothing_ran_are_not_published():
    counts = counts_from()
    windows = watch(counts, NOON, NOON + 600)
    counts = restart(counts, NOON + 6000)
    windows += watch(counts, NOON + 6000, NOON + 7300)
    starts = [round(w.start_s - NOON) // 60 for w in named(windows, "pt1m")]
    assert starts == [*range(10), *range(100, 121)]
    assert [round(w.start_s - NOON) // 60 for w in named(windows, "pt15m")] == [0, 90, 105]
    assert [w.coverage for w in named(windows, "pt15m")] == [0.6667, 0.3333, 1.0]
    assert [w.coverage for w in named(windows, "pt1h")] == [0.1667, 0.3333]
    assert all(w.rev == 0 for w in windows)


def test_the_store_is_empty_after_a_night_without_power():
    counts = counts_from()
    counts.entered(entry(NOON + 10))
    watch(counts, NOON, NOON + 100)
    counts = restart(counts, NOON + 24 * 3600)
    windows = watch(counts, NOON + 24 * 3600, NOON + 24 * 3600 + 200)
    assert counts.live(NOON + 24 * 3600 + 200)[0].occupancy == 0
    assert [(w.business_day, w.drift) for w in named(windows, "p1d")] == [("2026-11-20", 1)]
    assert named(windows, "pt1m")[-1].in_total == 1


def test_finish_publishes_what_has_begun_and_counting_may_go_on():
    counts = counts_from()
    counts.entered(entry(NOON + 10))
    watch(counts, NOON, NOON + 30)
    finished = counts.finish(NOON + 30)
    assert {(w.window, w.rev, w.counts["in"]) for w in finished} == {
        (window, 0, 1) for window in ("pt1m", "pt15m", "pt1h", "p1d")
    }
    counts.entered(entry(NOON + 40))
    again = watch(counts, NOON + 30, NOON + 100)
    assert [(w.window, w.rev, w.counts["in"]) for w in named(again, "pt1m")] == [("pt1m", 1, 2)]


def test_a_state_of_another_version_is_refused_aloud(caplog):
    with caplog.at_level(logging.WARNING):
        counts_from().restore({"version": 99})
    assert "version 99, expected 1" in caplog.text


def test_without_zones_there_is_nothing_to_count():
    counts = counts_from(zones=())
    assert watch(counts, NOON, NOON + 100) == []
    assert counts.finish(NOON + 100) == []


def test_memory_and_state_are_bounded():
    counts = counts_from()
    sizes = []
    for quarter in range(96 * 5):
        now_s = NOON + 900 * quarter
        counts.seen("door", now_s)
        counts.entered(entry(now_s))
        counts.settled(entry(now_s), wearing("shirt", "jeans"))
        counts.advance(now_s)
        sizes.append(len(json.dumps(counts.state())))
    assert max(sizes[288:]) <= 1.02 * max(sizes[192:288])
