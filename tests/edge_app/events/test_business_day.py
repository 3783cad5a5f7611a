from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.events.business_day import BusinessDays


def at(text: str, timezone: str = "Europe/Paris", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone), fold=fold).timestamp()


DAYS = {
    "after the start": ("2026-11-20T04:00", "2026-11-20"),
    "before the start": ("2026-11-20T03:59:59", "2026-11-19"),
    "clocks go forward": ("2026-03-29T03:30", "2026-03-28"),
    "clocks went forward": ("2026-03-29T04:00", "2026-03-29"),
    "clocks go back": ("2026-10-25T02:30", "2026-10-24"),
}


@pytest.mark.parametrize(("local", "day"), DAYS.values(), ids=DAYS.keys())
def test_day(local, day):
    assert BusinessDays("Europe/Paris", "04:00").day(at(local)) == day


HOURS = {
    "ordinary": ("Europe/Paris", "04:00", "2026-11-20", 24),
    "spring, in the night before": ("Europe/Paris", "04:00", "2026-03-28", 23),
    "autumn, in the night before": ("Europe/Paris", "04:00", "2026-10-24", 25),
    "spring, from midnight": ("Europe/Paris", "00:00", "2026-03-29", 23),
    "autumn, from midnight": ("Europe/Paris", "00:00", "2026-10-25", 25),
    "a start that does not exist": ("Europe/Paris", "02:30", "2026-03-29", 23),
    "a start that occurs twice": ("Europe/Paris", "02:30", "2026-10-25", 25),
    "no summer time": ("Asia/Kolkata", "04:00", "2026-03-29", 24),
    "half an hour of it": ("Australia/Lord_Howe", "04:00", "2026-04-04", 24.5),
}


@pytest.mark.parametrize(("zone", "start", "day", "hours"), HOURS.values(), ids=HOURS.keys())
def test_length(zone, start, day, hours):
    begin, end = BusinessDays(zone, start).span(day)
    assert (end - begin) / 3600 == hours


@given(
    st.integers(at("2026-01-01T00:00"), at("2027-01-01T00:00")),
    st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.sampled_from(["00:00", "02:30", "04:00", "23:45"]),
)
def test_every_time_is_in_its_day_and_days_follow_each_other(at_s, zone, start):
    days = BusinessDays(zone, start)
    begin, end = days.span(days.day(at_s))
    assert begin <= at_s < end
    assert days.day(begin) == days.day(end - 1) != days.day(end)
    assert days.span(days.day(end))[0] == end


def test_the_local_hour_repeats_when_clocks_go_back():
    days = BusinessDays("Europe/Paris", "04:00")
    times = [at("2026-10-25T02:30"), at("2026-10-25T02:30", fold=1)]
    assert times[1] - times[0] == 3600
    assert [days.hour(time) for time in times] == [2, 2]
