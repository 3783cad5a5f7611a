"""A store whose time zone or start of the day is corrected: nobody is in no day, or in two."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from edge_app.events.counts import Counts
from edge_app.flow import CountWindow
from tests.edge_app.events.counting import NOON, PARIS, at, entry, named, watch

MORNING = NOON - 6 * 3600  # 06:00 in Paris
SOUND = (PARIS, "04:00")


def counts_by(calendar: tuple[str, str], started_at_s: float) -> Counts:
    return Counts({"entrance": "door"}, *calendar, started_at_s)


def restart(counts: Counts, calendar: tuple[str, str], now_s: float) -> Counts:
    after = counts_by(calendar, now_s)
    after.restore(json.loads(json.dumps(counts.state())))
    return after


def busy(counts: Counts, first_s: float, last_s: float) -> list[CountWindow]:
    """Somebody comes in every five minutes."""
    windows = []
    for i in range(round((last_s - first_s) / 300)):
        counts.entered(entry(first_s + 300 * i + 10))
        windows += watch(counts, first_s + 300 * i, first_s + 300 * (i + 1), step_s=30)
    return windows


# Start, end and business day of the days that a correction at noon leaves; UTC.
CORRECTED = {
    "a zone in the west": (
        ("America/New_York", "04:00"),
        [("20T03", "20T11", "2026-11-20"), ("20T11", "21T09", "2026-11-20")],
    ),
    "a zone in the east": (
        ("Asia/Tokyo", "04:00"),
        [("20T03", "20T11", "2026-11-20"), ("20T11", "20T19", "2026-11-20")],
    ),
    "an earlier start": (
        (PARIS, "09:30"),
        [("20T03", "20T11", "2026-11-20"), ("20T11", "21T08:30", "2026-11-20")],
    ),
    "a later start": (
        (PARIS, "15:00"),
        [("20T03", "20T11", "2026-11-20"), ("20T11", "20T14", "2026-11-19")],
    ),
    "a start at that time": (
        (PARIS, "12:00"),
        [("20T03", "20T11", "2026-11-20"), ("20T11", "21T11", "2026-11-20")],
    ),
    "another name of the same time": (
        ("Europe/Berlin", "04:00"),
        [("20T03", "21T03", "2026-11-20")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("minute", [0, 20], ids=["on the hour", "within an hour"])
@pytest.mark.parametrize(("calendar", "days"), CORRECTED.values(), ids=CORRECTED.keys())
def test_a_corrected_calendar_leaves_nobody_in_no_day_or_in_two(calendar, days, minute):
    counts, now_s = counts_by(SOUND, MORNING), NOON - 3600 * (minute > 0) + 60 * minute
    windows = busy(counts, MORNING, now_s)
    for again_s in (now_s, now_s + 30):  # the second changes nothing
        counts = restart(counts, calendar, again_s)
    counts.entered(entry(now_s - 5))
    windows += busy(counts, now_s + 300, NOON + 9000)
    windows += watch(counts, NOON + 9000, NOON + 26 * 3600, step_s=60)
    told = named(windows, "p1d")
    assert [
        (w.start_s, w.end_s, w.business_day) for w in told if w.start_s < at("2026-11-20T18:00")
    ] == [(utc(start), utc(end), day) for start, end, day in days]
    for before, after in pairwise(told):
        assert before.end_s == after.start_s
        assert after.in_total - before.in_total == after.counts["in"]
    hours = named(windows, "pt1h")
    assert told[-1].in_total == sum(w.counts["in"] for w in told) == hours[-1].in_total
    for w in told:
        within = [h.counts["in"] for h in hours if w.start_s <= h.start_s < w.end_s]
        assert sum(within) == w.counts["in"]
    assert all(0.0 <= w.coverage <= 1.0 and w.rev == 0 for w in told)
    for w in windows:
        assert w.local_hour == datetime.fromtimestamp(w.start_s, ZoneInfo(w.timezone)).hour
    assert {w.timezone for w in windows} == {PARIS, calendar[0]}


def utc(text: str) -> float:
    return at(f"2026-11-{text}:00" if len(text) == 5 else f"2026-11-{text}") + 3600


def test_late_facts_are_in_the_day_by_which_they_were_counted():
    counts = counts_by(SOUND, MORNING)
    busy(counts, MORNING, NOON - 60)
    counts = restart(counts, (PARIS, "15:00"), NOON)
    windows = busy(counts, NOON, NOON + 600)
    counts.staff(entry(NOON - 100))
    [old] = named(windows, "p1d")
    [again] = named(counts.advance(NOON + 600), "p1d")
    assert (again.start_s, again.end_s, again.business_day) == (
        old.start_s,
        old.end_s,
        old.business_day,
    )
    assert (again.rev, again.counts["in"], again.counts["staff_in"]) == (1, old.counts["in"], 1)


def test_a_clock_that_a_restart_finds_behind_cuts_no_day_before_what_was_counted():
    counts = counts_by(SOUND, MORNING)
    windows = busy(counts, MORNING, NOON + 600)
    counts = restart(counts, (PARIS, "15:00"), NOON - 1200)
    windows += busy(counts, NOON - 1200, NOON + 4200)
    [day] = named(windows, "p1d")
    assert (day.end_s, day.counts["in"], day.in_total) == (NOON + 3600, 90, 90)


def test_a_correction_that_is_taken_back_within_the_hour_cuts_no_day():
    counts = counts_by(SOUND, MORNING)
    windows = busy(counts, MORNING, NOON + 600)
    counts = restart(counts, (PARIS, "15:00"), NOON + 600)
    counts = restart(counts, SOUND, NOON + 660)
    windows += watch(counts, NOON + 660, NOON + 17 * 3600, step_s=60)
    [day] = named(windows, "p1d")
    assert (day.end_s - day.start_s, day.counts["in"]) == (86400, 74)


def test_a_corrected_calendar_is_told(caplog):
    counts = counts_by(SOUND, MORNING)
    busy(counts, MORNING, MORNING + 600)
    counts = restart(counts, (PARIS, "15:00"), NOON + 600)
    restart(counts, (PARIS, "15:00"), NOON + 700)
    assert caplog.text.count("business day") == 1
    assert (
        "from 2026-11-20 12:00 UTC on a business day begins at 15:00 Europe/Paris, until then at "
        "04:00 Europe/Paris" in caplog.text
    )


def test_the_night_still_empties_the_store_after_a_correction():
    counts = counts_by(SOUND, MORNING)
    busy(counts, MORNING, NOON - 60)
    counts = restart(counts, (PARIS, "02:00"), NOON)
    windows = watch(counts, NOON, at("2026-11-21T02:10"), step_s=30)
    assert [w.occ["end"] for w in named(windows, "p1d")] == [72, 72]
    assert counts.live(at("2026-11-21T02:10"))[0].occupancy == 0


def test_a_day_that_was_cut_before_days_without_power_is_told_as_it_was_counted():
    counts = counts_by(SOUND, MORNING)
    busy(counts, MORNING, NOON + 600)
    counts = restart(counts, (PARIS, "15:00"), NOON + 600)
    busy(counts, NOON + 600, NOON + 900)
    now_s = NOON + 4 * 86400
    counts = restart(counts, (PARIS, "15:00"), now_s)
    told = named(watch(counts, now_s, now_s + 200), "p1d")[0]
    assert (told.business_day, told.end_s) == ("2026-11-20", NOON + 3600)
    assert told.counts["in"] == 75


def test_no_day_is_cut_before_what_was_counted_by_a_clock_that_a_second_restart_finds_behind():
    counts = counts_by(SOUND, MORNING)
    windows = busy(counts, MORNING, NOON + 600)
    counts = restart(counts, SOUND, NOON - 7200)
    windows += busy(counts, NOON - 7200, NOON - 6900)
    counts = restart(counts, (PARIS, "15:00"), NOON - 6900)
    windows += busy(counts, NOON - 6900, NOON + 4200)
    [day] = named(windows, "p1d")
    assert (day.end_s, day.counts["in"]) == (NOON + 3600, day.in_total)
