from __future__ import annotations

import json
import logging

import pytest

from edge_app.events.counts import Counts
from edge_app.flow import CountWindow
from tests.edge_app.events.counting import (
    NOON,
    PARIS,
    at,
    counts_from,
    entry,
    named,
    watch,
    wearing,
)

DAY_S = 86400.0
DST = {
    "spring": ("2026-03-28T04:00", "2026-03-28", 23, 15),
    "autumn": ("2026-10-24T04:00", "2026-10-24", 25, 15),
    "new year": ("2026-12-31T04:00", "2026-12-31", 24, 15),
    "leap day": ("2028-02-28T04:00", "2028-02-28", 24, 15),
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
    assert local.count(2) == {23: 0, 24: 1, 25: 2}[hours]
    assert {w.business_day for w in each} == {day}
    assert len({w.start_s for w in each}) == hours


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0], ids=["back an hour", "ahead an hour"])
@pytest.mark.parametrize(
    "start",
    ["2026-11-20T12:00", "2026-03-29T01:30", "2026-10-25T02:30", "2026-12-31T23:00"],
    ids=["noon", "spring", "autumn", "new year"],
)
def test_a_clock_that_is_set_loses_nobody(start, step_s):
    counts = counts_from(at(start))
    final: dict[tuple, CountWindow] = {}
    now_s, people = at(start) + 1800, 0
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
    assert {w.window for w in before} == {"pt1m", "pt15m", "pt1h", "p1d"}
    assert {w.counts["in"] for w in before} == {1}
    counts.entered(entry(NOON - 100_000 + 5))
    after = watch(counts, NOON - 100_000 + 1, NOON - 100_000 + 200)
    assert sum(w.counts["in"] for w in named(after, "pt1m")) == 1
    assert named(after, "pt1m")[-1].in_total == 2


def newest(windows: list[CountWindow]) -> dict[tuple, CountWindow]:
    """What a store holds that keeps the highest revision; nothing is said twice."""
    held: dict[tuple, CountWindow] = {}
    for w in windows:
        key = (w.zone, w.window, w.start_s)
        assert key not in held or w.rev > held[key].rev
        held[key] = w
    return held


@pytest.mark.parametrize("back_s", [605.0, 700.0], ids=["same minute", "later"])
@pytest.mark.parametrize("ahead_s", [26.5 * 3600, 3 * 86400.0, 10 * 365 * 86400.0])
def test_a_day_goes_on_after_a_clock_that_was_ahead_for_a_moment(ahead_s, back_s):
    counts, hour = counts_from(), ("entrance", "pt1h", NOON)
    for second in (10, 590):
        counts.entered(entry(NOON + second))
    windows = watch(counts, NOON, NOON + 600)
    counts.entered(entry(NOON + ahead_s + 601))
    windows += watch(counts, NOON + ahead_s + 600, NOON + ahead_s + back_s)
    assert newest(windows)[hour].counts["in"] == 2
    windows += watch(counts, NOON + back_s, NOON + back_s + 1)
    counts = restart(counts, NOON + back_s + 1)
    for second in (3, 1000):
        counts.entered(entry(NOON + back_s + second))
    windows += watch(counts, NOON + back_s + 1, NOON + 3700)
    told = newest(windows)[hour]
    assert (told.rev, told.counts["in"], told.in_total, told.occ["max"]) == (1, 4, 5, 3)
    assert told.coverage > 0.96
    assert counts.live(NOON + 3700)[0].in_today == 4
    windows += counts.finish(NOON + 3700)
    day = newest(windows)["entrance", "p1d", at("2026-11-20T04:00")]
    assert (day.counts["in"], day.in_total) == (4, 5)
    minutes = [w for w in newest(windows).values() if w.zone == "entrance" and w.window == "pt1m"]
    assert sum(w.counts["in"] for w in minutes) == 5


def test_windows_told_ahead_of_time_are_told_again_when_they_come():
    counts, days_s = counts_from(), 2 * 86400.0
    windows = watch(counts, NOON, NOON + 60)
    counts.entered(entry(NOON + days_s + 10))
    windows += watch(counts, NOON + days_s, NOON + days_s + 300)
    windows += watch(counts, NOON + 360, NOON + days_s, step_s=20)
    counts.entered(entry(NOON + days_s + 20))
    counts.entered(entry(NOON + days_s + 20))
    windows += watch(counts, NOON + days_s, NOON + days_s + 400)
    minutes = [newest(windows)["entrance", "pt1m", NOON + days_s + 60 * i] for i in range(6)]
    assert [w.rev for w in minutes] == [1, 1, 1, 1, 0, 0]
    assert (minutes[0].counts["in"], minutes[0].in_total) == (2, 3)
    assert {w.rev for w in windows if NOON + 600 <= w.start_s < NOON + days_s - 7200} == {0}


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


BOOTS = {"ten days back": NOON - 10 * 86400.0, "no battery": 0.0}


@pytest.mark.parametrize("boot_s", BOOTS.values(), ids=BOOTS.keys())
@pytest.mark.parametrize("off_s", [600.0, 5 * 3600.0], ids=["minutes", "hours"])
def test_a_boot_with_the_clock_in_the_past_loses_nothing_of_the_day(boot_s, off_s, caplog):
    counts = counts_from()
    for second in range(10, 4000, 10):
        counts.entered(entry(NOON + second))
    windows = watch(counts, NOON, NOON + 4800)
    counts = restart(counts, boot_s)
    assert "behind the last known time" in caplog.text
    early = entry(boot_s + 20)
    counts.entered(early)
    windows += watch(counts, boot_s, boot_s + 30)
    assert counts.live(boot_s + 30)[0].in_today == 400
    assert counts.live(boot_s + 30)[0].occupancy == 400
    counts = restart(counts, boot_s + 30)  # or a reload
    windows += watch(counts, boot_s + 30, boot_s + 60)
    now_s = NOON + 4860 + off_s
    counts.entered(entry(now_s + 30))
    windows += watch(counts, now_s, now_s + 200)
    counts.settled(early, wearing("dress"))
    assert counts.live(now_s + 200)[0].in_today == 401
    windows += counts.finish(now_s + 200)
    held = newest(windows)
    assert min(w.start_s for w in windows) == at("2026-11-20T04:00")
    day = held["entrance", "p1d", at("2026-11-20T04:00")]
    assert (day.counts["in"], day.in_total, day.garment_n) == (401, 401, 1)
    minutes = [w for key, w in held.items() if key[:2] == ("entrance", "pt1m")]
    assert sum(w.counts["in"] for w in minutes) == 401
    assert len(minutes) == 85  # 80 before, the one after the boot, and 4
    assert counts.late_dropped == 0


@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "a while later"])
def test_a_synchronised_clock_is_believed_after_a_restart(is_late, caplog):
    ahead = counts_from()
    windows = watch(ahead, NOON, NOON + 100)
    ahead.entered(entry(NOON + 3e6))
    windows += watch(ahead, NOON + 3e6, NOON + 3e6 + 100)
    state = json.loads(json.dumps(ahead.state()))
    answers = [not is_late, not is_late]
    counts = Counts(
        {"entrance": "door"},
        PARIS,
        "04:00",
        NOON + 900,
        is_clock_ok=lambda: answers.pop() if answers else True,
    )
    counts.restore(state)
    assert ("behind" in caplog.text) == is_late
    windows += watch(counts, NOON + 900, NOON + 1000)
    counts.entered(entry(NOON + 1000))
    windows += watch(counts, NOON + 1000, NOON + 1100)
    assert newest(windows)["entrance", "pt1m", NOON + 960].counts["in"] == 1


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


def test_what_a_clock_that_was_set_back_calls_a_day_late_may_be_forgotten_and_is_left_out():
    counts, late_s = counts_from(), NOON + DAY_S - 30
    windows = watch(counts, NOON, NOON + 120) + counts.advance(NOON + DAY_S / 2)
    windows += counts.advance(late_s)
    counts.entered(entry(NOON + 40))
    windows += counts.advance(late_s) + counts.advance(late_s + 420)
    counts = restart(counts, late_s + 2)
    windows += counts.advance(late_s + 2)
    counts.entered(entry(NOON + 50))
    windows += counts.advance(late_s + 2)
    told = newest(windows)["entrance", "pt1m", NOON]
    assert (told.rev, told.counts["in"], counts.late_dropped) == (1, 1, 1)


def test_windows_that_were_forgotten_before_the_clock_was_set_back_are_told_as_new_revisions():
    counts = counts_from()
    windows = watch(counts, NOON, NOON + 120)
    for second in (10, 20):
        counts.entered(entry(NOON + second))
        windows += counts.advance(NOON + 120)
    for hours in (23, 46):
        windows += counts.advance(NOON + 3600 * hours)
    windows += watch(restart(counts, NOON + 46 * 3600), NOON - 180, NOON + 300)
    minutes = named(list(newest(windows).values()), "pt1m")
    assert {w.start_s - NOON: w.rev for w in minutes if w.start_s < NOON + 200} == {
        -240.0: 3, -180.0: 3, -120.0: 3, -60.0: 3, 0.0: 3, 60.0: 3, 120.0: 3, 180.0: 3
    }  # fmt: skip


def test_somebody_late_in_time_that_was_skipped_is_in_the_hour_and_the_day():
    counts = counts_from()
    windows = watch(counts, NOON, NOON + 60)
    counts = restart(counts, NOON + 1800)
    windows += watch(counts, NOON + 1800, NOON + 1801)
    counts.entered(entry(NOON + 1000))
    windows += counts.advance(NOON + 1801)
    counts = restart(counts, NOON + 30 * 3600)
    windows += watch(counts, NOON + 30 * 3600, NOON + 30 * 3600 + 100)
    for window in ("pt1m", "pt15m", "pt1h", "p1d"):
        for zone in ("entrance", "all"):
            told = [w for w in newest(windows).values() if (w.window, w.zone) == (window, zone)]
            assert sum(w.counts["in"] for w in told) == 1
