from __future__ import annotations

import json
import logging

from tests.edge_app.events.counting import (
    NOON,
    at,
    counts_from,
    entry,
    named,
    watch,
    wearing,
)


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


def test_people_whom_a_break_of_the_pictures_loses_are_no_exits():
    counts = counts_from()
    counts.entered(entry(NOON + 1))
    counts.entered(entry(NOON + 11, "out", is_initial=True))
    counts.entered(entry(NOON + 14, is_initial=True))
    [window] = named(counts.finish(NOON + 40), "pt1h")
    assert (window.in_total, window.out_total, window.occ["end"]) == (1, 0, 1)
    assert window.counts["out"] == 0


def test_the_totals_of_all_do_not_go_back_when_a_zone_goes_and_comes():
    totals = []
    state = None
    for zones in (("entrance", "rooms"), ("entrance",), ("entrance", "rooms")):
        counts = counts_from(zones=zones)
        if state is not None:
            counts.restore(json.loads(json.dumps(state)))
        for zone in zones:
            counts.entered(entry(NOON + 1, zone=zone))
        [window] = named(counts.finish(NOON + 40), "pt1h", "all")
        totals.append((window.in_total, window.counter_epoch_s))
        state = counts.state()
    assert totals == [(2, NOON), (3, NOON), (5, NOON)]


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


def test_facts_that_are_hours_late_join_what_is_packed_away_even_after_a_restart():
    counts = counts_from()
    for minute in range(20 * 60):
        now_s = NOON + 60 * minute
        counts.entered(entry(now_s + 10))
        watch(counts, now_s, now_s + 60, step_s=2)
    again = counts_from()
    again.restore(json.loads(json.dumps(counts.state())))
    for each in (counts, again):
        before_s = NOON + 20 * 3600
        each.entered(entry(NOON + 90))
        each.entered(entry(NOON + 9000))
        revised = each.advance(before_s)
        told = [(w.window, w.start_s - NOON, w.rev, w.counts["in"]) for w in revised]
        assert told[::2] == [
            ("pt1m", 60, 1, 2),
            ("pt15m", 0, 1, 16),
            ("pt1h", 0, 1, 61),
            ("pt1m", 9000, 1, 2),
            ("pt15m", 9000, 1, 16),
            ("pt1h", 7200, 1, 61),
            ("p1d", -8 * 3600, 1, 962),
        ]
        assert revised[0].coverage == 1.0
        assert revised[0].in_total == 3


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


def test_a_counted_loss_is_not_only_stored_with_the_time():
    counts = counts_from()
    counts.advance(NOON + 90_000)
    before = counts.state()
    counts.entered(entry(NOON + 3500))
    after = counts.state()
    assert {name for name in after if after[name] != before[name]} == {"late_dropped"}
    again = counts_from(NOON + 90_000)
    again.restore(json.loads(json.dumps(after)))
    assert again.late_dropped == 1


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


def test_zones_that_come_hours_later_begin_then():
    empty = counts_from(zones=())
    assert watch(empty, NOON, NOON + 36_000, step_s=10) == []
    counts = counts_from(NOON + 36_000)
    counts.restore(json.loads(json.dumps(empty.state())))
    counts.entered(entry(NOON + 36_010))
    windows = watch(counts, NOON + 36_000, NOON + 36_100)
    assert [(w.window, w.rev, w.counts["in"]) for w in windows] == [("pt1m", 0, 1)] * 2
    [hour] = named(counts.finish(NOON + 36_100), "pt1h")
    assert (hour.start_s, hour.counts["in"], hour.coverage) == (NOON + 36_000, 1, 0.0278)
    assert hour.counter_epoch_s == NOON + 36_000


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


def test_what_was_counted_since_windows_closed_is_stored_apart_and_little():
    counts = counts_from(NOON)
    watch(counts, NOON, NOON + 90)
    before = counts.state()
    counts.entered(entry(NOON + 80))
    counts.settled(entry(NOON + 80), wearing("dress"))
    watch(counts, NOON + 90, NOON + 100)
    after = counts.state()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"counted", "time"}
    assert len(json.dumps([after[name] for name in changed])) < 500
    again = counts_from(NOON + 100)
    again.restore(json.loads(json.dumps(after)))
    assert again.finish(NOON + 130) == counts.finish(NOON + 130)


def test_a_flood_of_entries_is_added_up_before_it_is_much():
    counts = counts_from(NOON)
    sizes = []
    for n in range(300):
        counts.entered(entry(NOON + n / 100))
        sizes.append(len(counts.state()["counted"]))
    assert max(sizes) < 2000
    again = counts_from(NOON + 100)
    again.restore(json.loads(json.dumps(counts.state())))
    assert again.live(NOON + 100)[0].in_today == 300


def test_a_way_back_to_an_earlier_version_and_up_again_loses_and_doubles_nothing():
    """It reads the counters' state and what is packed, and leaves all else as it was."""
    newer = counts_from(NOON)
    watch(newer, NOON, NOON + 90)
    newer.state()
    newer.entered(entry(NOON + 85))
    left = newer.state()
    newer.sum_up()
    stopped = newer.state()
    kept = {name: part for name, part in stopped.items() if name not in ("counted", "time")}
    earlier = counts_from(NOON + 100)
    earlier.restore(json.loads(json.dumps(kept)))
    watch(earlier, NOON + 100, NOON + 110)
    earlier.entered(entry(NOON + 105))
    earlier.sum_up()
    beside = {name: left[name] for name in ("counted", "time")}
    again = counts_from(NOON + 120)
    again.restore(json.loads(json.dumps({**earlier.state(), **beside})))
    assert again.live(NOON + 120)[0].in_today == 2
