from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_app.events.counts import Counts
from edge_app.flow import CountWindow, Entry, Outfit, Worn
from edge_app.vocabulary import REGION_OF

START = 1_795_000_200.0  # ten minutes before an hour's end
CAMERAS = {"entrance": "door", "rooms": "back"}
LENGTHS = {"pt1m": 60, "pt15m": 900, "pt1h": 3600}

FACTS = st.lists(
    st.builds(
        Entry,
        camera=st.just("door"),
        zone=st.sampled_from(list(CAMERAS)),
        track_id=st.integers(1, 5),
        direction=st.sampled_from(["in", "out"]),
        frame_index=st.just(0),
        at_s=st.integers(0, 20_000).map(lambda tenth: START + tenth / 10),
        is_uturn=st.booleans(),
        is_initial=st.just(False),
        dwell_s=st.none() | st.integers(0, 9000).map(lambda ms: ms / 1000),
    ),
    max_size=30,
)
WORN = st.sampled_from(["dress", "jeans", "shirt", "suit"])


def new_counts(started_at_s: float = START) -> Counts:
    return Counts(CAMERAS, "Europe/Paris", "04:00", started_at_s)


def wearing(garment: str) -> Outfit:
    return Outfit(True, {}, {REGION_OF[garment]: Worn(garment, 0.9)})


def newest(windows: list[CountWindow]) -> dict[tuple, CountWindow]:
    """What a consumer holds who keeps the highest revision of each window."""
    held: dict[tuple, CountWindow] = {}
    for window in windows:
        key = (window.zone, window.window, window.start_s)
        assert key not in held or window.rev > held[key].rev
        held[key] = window
    return held


def run_in_time(facts: list[Entry], until_s: float = START + 2100) -> list[CountWindow]:
    """Every fact arrives with the step in which it happened."""
    counts, windows = new_counts(), []
    waiting = sorted(facts, key=lambda entry: entry.at_s)
    now_s = START
    while now_s < until_s:
        now_s += 5.0
        while waiting and waiting[0].at_s <= now_s:
            counts.entered(waiting.pop(0))
        for camera in CAMERAS.values():
            counts.seen(camera, now_s)
        windows += counts.advance(now_s)
    return windows + counts.finish(now_s)


def recount(facts: list[Entry], length_s: int) -> Counter:
    """The plainest possible count of the same log, to compare with."""
    found: Counter = Counter()
    for entry in facts:
        start = entry.at_s // length_s * length_s
        for zone in (entry.zone, "all"):
            found[zone, start, entry.direction] += 1
            if entry.direction == "out":
                found[zone, start, "uturn"] += entry.is_uturn
                found[zone, start, "stays"] += entry.dwell_s is not None
    return found


@settings(max_examples=40, deadline=None)
@given(FACTS)
def test_windows_agree_with_a_plain_recount(facts):
    held = newest(run_in_time(facts))
    for window, length_s in LENGTHS.items():
        plain = recount(facts, length_s)
        found: Counter = Counter()
        for (zone, kind, start), w in held.items():
            if kind == window:
                for name in ("in", "out", "uturn"):
                    found[zone, start, name] += w.counts[name]
                found[zone, start, "stays"] += w.dwell_n
        assert +found == +plain


@settings(max_examples=40, deadline=None)
@given(FACTS)
def test_minutes_quarters_and_hours_add_up(facts):
    held = newest(run_in_time(facts))
    for zone in (*CAMERAS, "all"):
        sums = [
            [
                sum(
                    w.counts["in"]
                    for (z, kind, _), w in held.items()
                    if (z, kind) == (zone, window)
                ),
                sum(
                    w.counts["out"]
                    for (z, kind, _), w in held.items()
                    if (z, kind) == (zone, window)
                ),
                round(sum(w.dwell_sum_s for k, w in held.items() if k[:2] == (zone, window)), 3),
            ]
            for window in (*LENGTHS, "p1d")
        ]
        assert sums[0] == sums[1] == sums[2] == sums[3]


@settings(max_examples=40, deadline=None)
@given(FACTS)
def test_totals_and_occupancy_follow_from_the_windows(facts):
    held = newest(run_in_time(facts))
    for zone in (*CAMERAS, "all"):
        minutes = [w for k, w in sorted(held.items()) if k[:2] == (zone, "pt1m")]
        total = 0
        for before, after in zip([None, *minutes[:-1]], minutes, strict=True):
            total += after.counts["in"]
            assert after.in_total == total
            assert after.occ["start"] == (before.occ["end"] if before else 0)
            assert after.occ["max"] >= max(after.occ["start"], after.occ["end"])
            assert 0 <= after.occ["avg"] <= after.occ["max"]
            if zone != "all":
                gain = after.counts["in"] - after.counts["out"]
                assert after.occ["end"] - after.occ["start"] >= gain


@settings(max_examples=40, deadline=None)
@given(FACTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(facts, random):
    def run(order):
        counts = new_counts()
        for entry in order:
            counts.entered(entry)
            counts.settled(entry, wearing("dress" if entry.track_id % 2 else "jeans"))
        return counts.finish(START + 2100)

    shuffled = list(facts)
    random.shuffle(shuffled)
    assert run(facts) == run(shuffled)


@settings(max_examples=30, deadline=None)
@given(FACTS, st.randoms(use_true_random=False))
def test_late_facts_end_in_the_same_counts(facts, random):
    counts, windows = new_counts(), []
    shuffled = list(facts)
    random.shuffle(shuffled)
    now_s = START
    while now_s < START + 2200:
        now_s += 100.0
        for _ in range(3):
            if shuffled and shuffled[-1].at_s <= now_s:
                counts.entered(shuffled.pop())
        windows += counts.advance(now_s)
    for entry in shuffled:
        counts.entered(entry)
    windows += counts.finish(now_s)
    late, prompt = newest(windows), newest(run_in_time(facts, now_s))
    assert late.keys() >= prompt.keys()
    for key, window in late.items():
        if key in prompt:
            assert window.counts == prompt[key].counts
            assert window.dwell_sum_s == prompt[key].dwell_sum_s
        else:
            assert not any(window.counts.values())


def summed_up(counts: Counts) -> dict[str, Any]:
    """All that they hold, however it is stored."""
    copy = deepcopy(counts)
    copy.sum_up()
    return copy.state()


@settings(max_examples=15, deadline=None)
@given(FACTS, st.lists(WORN, min_size=30, max_size=30))
def test_a_kill_before_any_commit_changes_nothing(facts, worn):
    """Each step is played, killed before its commit, and played again from the restored state."""
    counts, killed = new_counts(), new_counts()
    log = sorted(zip(facts, worn, strict=False), key=lambda pair: pair[0].at_s)
    for step in range(140):
        now_s = START + 15.0 * (step + 1)
        due = [(entry, garment) for entry, garment in log if now_s - 15.0 < entry.at_s <= now_s]

        def play(each: Counts, now_s: float = now_s, due: list = due) -> list[CountWindow]:
            for entry, garment in due:
                each.entered(entry)
                each.settled(entry, wearing(garment))
            for second in range(15):
                each.seen("door", now_s - 14 + second)
            each.seen("back", now_s)
            return each.advance(now_s)

        committed = json.dumps(killed.state())
        play(killed)
        killed = new_counts()
        killed.restore(json.loads(committed))
        assert play(killed) == play(counts)
        expected = summed_up(counts)
        assert summed_up(killed) == expected
        # Most of the time a state is what windows that closed left, and what was counted since.
        again = new_counts()
        again.restore(json.loads(json.dumps(counts.state())))
        assert again.advance(now_s) == []
        assert summed_up(again) == expected
        assert killed.live(now_s) == again.live(now_s) == counts.live(now_s)
    assert killed.finish(now_s) == counts.finish(now_s)
