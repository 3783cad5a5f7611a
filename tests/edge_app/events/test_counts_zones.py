"""Zones that are renamed, removed and put back: what was counted is told, once."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from edge_app.events.counts import Counts
from edge_app.flow import CountWindow
from tests.edge_app.events.counting import NOON, at, counts_from, entry, named, watch, wearing

BOTH = ("entrance", "rooms")


def changed(counts: Counts, zones: tuple[str, ...], now_s: float) -> Counts:
    """The counters after a restart or reload with other zones."""
    after = counts_from(now_s, zones)
    after.restore(json.loads(json.dumps(counts.state())))
    return after


def morning(counts: Counts) -> list[CountWindow]:
    """Half an hour with nine entries, one of them in the minute that is open at its end."""
    windows = []
    for i in range(8):
        counts.entered(entry(NOON + 200 * i + 10))
        counts.settled(entry(NOON + 200 * i + 10), wearing("shirt", "jeans"))
        counts.entered(entry(NOON + 200 * i + 20, zone="rooms"))
        counts.settled(entry(NOON + 200 * i + 20, zone="rooms"), wearing("dress"))
        if i < 6:
            counts.entered(entry(NOON + 200 * i + 100, "out", dwell_s=90.0))
        windows += watch(counts, NOON + 200 * i, NOON + 200 * (i + 1))
    windows += watch(counts, NOON + 1600, NOON + 1810)
    counts.entered(entry(NOON + 1805))
    return windows


def newest(windows: list[CountWindow]) -> list[CountWindow]:
    """What a store holds that keeps the highest revision; nothing is said twice."""
    held: dict[tuple, CountWindow] = {}
    for w in windows:
        key = (w.zone, w.window, w.start_s)
        assert key not in held or w.rev > held[key].rev
        held[key] = w
    return list(held.values())


def sums(windows: list[CountWindow]) -> Counter:
    """Everything that adds up, by zone and kind of window."""
    found: Counter = Counter()
    for w in newest(windows):
        for name, n in {**w.counts, **w.garment, "dwell": w.dwell_n}.items():
            found[w.zone, w.window, name] += n
        found[w.zone, w.window, "total"] = max(found[w.zone, w.window, "total"], w.in_total)
    return +found


AWAY = {
    "renamed for a second": (("rooms",), 1.0),
    "renamed for minutes": (("rooms",), 700.0),
    "renamed over an hour": (("rooms",), 5000.0),
    "all removed for minutes": ((), 700.0),
}


@pytest.mark.parametrize(("others", "away_s"), AWAY.values(), ids=AWAY.keys())
def test_a_name_that_is_put_back_changes_no_sum(others, away_s):
    told = []
    for zones in (BOTH, others):
        counts = counts_from(zones=BOTH)
        windows = morning(counts)
        counts = changed(counts, zones, NOON + 1810)
        windows += watch(counts, NOON + 1810, NOON + 1810 + away_s)
        counts = changed(counts, BOTH, NOON + 1810 + away_s)
        counts.entered(entry(NOON + 1820 + away_s))
        windows += watch(counts, NOON + 1810 + away_s, NOON + 9000)
        assert {live.zone: live.in_today for live in counts.live(NOON + 9000)} == {
            "entrance": 10,
            "rooms": 8,
            "all": 18,
        }
        assert counts.live(NOON + 9000)[0].occupancy == 4
        told.append(sums(windows + counts.finish(NOON + 9000)))
    assert told[0] == told[1]
    assert told[0]["entrance", "pt1m", "in"] == told[0]["entrance", "p1d", "in"] == 10


@pytest.mark.parametrize("others", [("entrance",), ()], ids=["one is left", "none is left"])
def test_a_zone_that_goes_is_told_until_its_day_is_over(others):
    counts = counts_from(zones=BOTH)
    windows = morning(counts)
    counts.entered(entry(NOON + 1806, zone="rooms"))
    counts = changed(counts, others, NOON + 1810)
    counts = changed(counts, others, NOON + 1815)
    windows += watch(counts, NOON + 1810, NOON + 3700)
    assert [w.counts["in"] for w in named(windows, "pt1m", "rooms")][-2:] == [0, 1]
    assert [w.counts["in"] for w in named(windows, "pt15m", "rooms")] == [5, 3, 1]
    [hour] = named(windows, "pt1h", "rooms")
    assert (hour.counts["in"], hour.garment["dress"], hour.in_total) == (9, 8, 9)
    assert hour.coverage == pytest.approx(1800 / 3600, abs=0.02)
    [both] = named(windows, "pt1h", "all")
    assert (both.counts["in"], both.garment_n, both.in_total) == (18, 16, 18)
    assert counts.live(NOON + 3700)[-1].in_today == 18
    night = at("2026-11-21T04:00")
    windows = watch(counts, NOON + 3700, night + 3700, step_s=10)
    assert [w.counts["in"] for w in named(windows, "p1d", "rooms")] == [9]
    assert [w.counts["in"] for w in named(windows, "p1d", "all")] == [18]
    assert {w.window for w in windows if w.zone == "rooms"} == {"p1d"}
    assert all(w.zone in others for w in windows if w.start_s >= night and w.zone != "all")
    assert named(windows, "p1d", "all")[0].garment["dress"] == 8


def test_late_facts_revise_what_a_zone_that_went_had_told_of_the_store():
    counts = counts_from(zones=BOTH)
    morning(counts)
    counts = changed(counts, ("entrance",), NOON + 1810)
    watch(counts, NOON + 1810, NOON + 3700)
    counts.entered(entry(NOON + 30))
    counts.settled(entry(NOON + 20, zone="rooms"), wearing("coat"))
    revised = {(w.zone, w.window, w.start_s): w for w in counts.advance(NOON + 3700)}
    hour = revised["all", "pt1h", NOON]
    assert (hour.rev, hour.counts["in"]) == (1, 18)
    assert revised["rooms", "pt1h", NOON].rev == 1


def test_nobody_is_known_to_be_in_a_zone_that_is_gone():
    counts = counts_from(zones=BOTH)
    morning(counts)
    counts = changed(counts, ("rooms",), NOON + 1810)
    assert {live.zone: live.occupancy for live in counts.live(NOON + 1811)} == {
        "rooms": 8,
        "all": 8,
    }


def test_the_store_does_not_give_away_a_zone_that_is_gone():
    counts = counts_from(zones=BOTH)
    for i in range(9):
        counts.settled(entry(NOON + i), wearing("dress"))
        counts.settled(entry(NOON + i), wearing("shirt"))
    for i in range(2):
        counts.settled(entry(NOON + i, zone="rooms"), wearing("dress"))
    counts = changed(counts, ("entrance",), NOON + 60)
    for window in ("pt1h", "p1d"):
        [both] = named(counts.finish(NOON + 100), window, "all")
        assert both.garment["dress"] == 11
        assert "dress" in both.withheld


def test_it_is_said_what_a_zone_that_goes_had(caplog):
    counts = counts_from(zones=BOTH)
    morning(counts)
    caplog.set_level("INFO")
    counts = changed(counts, ("rooms",), NOON + 1810)
    changed(counts, ("rooms",), NOON + 1815)
    assert caplog.text.count("zone entrance is gone") == 1
    assert "9 in and 6 out" in caplog.text
