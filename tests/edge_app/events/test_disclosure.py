"""Nothing that is hidden can be worked out of everything that is published."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_app.delivery.messages import Messages
from edge_app.events.counts import Counts
from edge_app.flow import CountWindow, Entry, Outfit, Worn
from edge_app.vocabulary import REGION_OF
from tests.edge_app.events.reader import hidden_cells

K = 5
START = 1_795_014_000.0  # 15:00 UTC
HOUR_S = 3600.0
ZONES = {"entrance": "door", "side-door": "back"}
Clothes = tuple[str, ...]
WORN = ("tshirt", "shirt", "coat", "jeans", "skirt", "unknown")


def come_in(counts: Counts, hour: int, zone: str, clothes: Clothes, people: int = 1) -> None:
    """People who wear the same come in, within an hour after the start."""
    worn = {REGION_OF.get(name, "top"): Worn(name, 0.9) for name in clothes}
    for i in range(people):
        entry = Entry(ZONES[zone], zone, 1, "in", 0, START + HOUR_S * hour + 10.0 + i)
        counts.entered(entry)
        counts.settled(entry, Outfit(True, {}, worn, evidence=1.0))


def published(windows: list[CountWindow], k: int = K) -> list[dict[str, Any]]:
    make = Messages("acme-0042", "edge-1", "5f2c8a10", "UTC", min_cell=k)
    return [json.loads(make.window(window, START).payload) for window in windows]


def new_counts(*zones: str, k: int = K) -> Counts:
    return Counts({zone: ZONES[zone] for zone in zones}, "UTC", "15:00", START, min_cell=k)


def of_few(payloads: list[dict[str, Any]]) -> dict[Any, tuple[int, int]]:
    """What a reader knows to be 1 to 4 people."""
    return {
        cell: (least, most)
        for cell, (least, most) in hidden_cells(payloads, WORN).items()
        if least >= 1 and most < K
    }


def test_one_garment_of_a_region_does_not_tell_the_other():
    counts = new_counts("entrance")
    come_in(counts, 0, "entrance", ("tshirt", "jeans"), 6)
    come_in(counts, 0, "entrance", ("tshirt", "skirt"))
    come_in(counts, 0, "entrance", ("shirt",))
    payloads = published(counts.finish(START + 100))
    assert of_few(payloads) == {}
    [hour] = [p for p in payloads if (p["zone"], p["window"]) == ("entrance", "pt1h")]
    assert (hour["garment_n"], hour["garment"]["jeans"]) == (8, None)


def test_a_day_in_coats_does_not_tell_what_few_wore_in_a_quiet_hour():
    counts = new_counts("entrance")
    come_in(counts, 0, "entrance", ("coat",), 1)
    come_in(counts, 1, "entrance", ("coat",), 4)
    assert of_few(published(counts.finish(START + HOUR_S + 100))) == {}


def test_a_busy_day_in_coats_is_told():
    counts = new_counts("entrance")
    for hour in range(3):
        come_in(counts, hour, "entrance", ("coat",), 12)
        come_in(counts, hour, "entrance", ("dress",), 3)
    [day] = [p for p in published(counts.finish(START + 2 * HOUR_S + 100))
             if (p["zone"], p["window"]) == ("entrance", "p1d")]  # fmt: skip
    assert (day["garment"]["coat"], day["garment"]["dress"]) == (36, 9)


def test_days_of_zones_do_not_tell_what_the_hours_of_the_store_hide():
    counts = new_counts(*ZONES)
    for hour, people in ((0, 1), (1, 3), (2, 3)):
        for zone in ZONES:
            come_in(counts, hour, zone, ("jeans",), people)
            come_in(counts, hour, zone, ("tshirt",), 12)
            come_in(counts, hour, zone, ("shirt",), 20)
    assert of_few(published(counts.finish(START + 2 * HOUR_S + 100))) == {}


def test_a_revision_hides_the_same_cells():
    counts = new_counts("entrance")
    for clothes, people in ((("dress",), 2), (("suit",), 7), (("coat",), 9)):
        come_in(counts, 0, "entrance", clothes, people)
    [before] = hours(counts.advance(START + HOUR_S + 60))
    assert before["garment"]["suit"] is None
    come_in(counts, 0, "entrance", ("jumpsuit",), 5)
    [after] = hours(counts.advance(START + HOUR_S + 60))
    # The sum of the dress and the suit was 18 - 9: a suit that is shown now would tell of 2.
    assert (after["rev"], after["garment"]) == (1, before["garment"])


@pytest.mark.parametrize(("before_k", "after_k"), [(2, 5), (5, 2)])
def test_another_threshold_does_not_tell_what_was_told_by_the_former(before_k: int, after_k: int):
    before = new_counts("entrance", k=before_k)
    come_in(before, 0, "entrance", ("dress",), 4)
    come_in(before, 0, "entrance", ("coat",), 9)
    come_in(before, 0, "entrance", ("suit",), 20)
    payloads = published(before.advance(START + HOUR_S + 30), before_k)
    after = new_counts("entrance", k=after_k)
    after.restore(json.loads(json.dumps(before.state())))
    come_in(after, 1, "entrance", ("dress",), 4)
    come_in(after, 1, "entrance", ("coat",), 9)
    come_in(after, 1, "entrance", ("suit",), 20)
    payloads += published(after.finish(START + HOUR_S + 100), after_k)
    [day] = [p for p in payloads if (p["zone"], p["window"]) == ("entrance", "p1d")]
    told = {p["garment"]["dress"] for p in payloads if p["window"] == "pt1h"}
    # One hour shows its 4, so that of the day would give the other one away.
    assert told == {4, None}
    assert day["garment"]["dress"] is None


def hours(windows: list[CountWindow]) -> list[dict[str, Any]]:
    told = [w for w in windows if (w.zone, w.window) == ("entrance", "pt1h")]
    return published(told)


TOPS = ("tshirt", "shirt", "unknown")
BOTTOMS = ("jeans", "skirt")
PEOPLE = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(list(ZONES)),
        st.sampled_from([("coat",), *((top, bottom) for top in TOPS for bottom in BOTTOMS)]),
        st.integers(1, 9),
    ),
    max_size=9,
)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(PEOPLE)
def test_no_hidden_cell_can_be_computed(people: list[tuple[int, str, Clothes, int]]):
    counts = new_counts(*ZONES)
    for hour, zone, clothes, n in people:
        come_in(counts, hour, zone, clothes, n)
    exact = {
        cell: least
        for cell, (least, most) in hidden_cells(
            published(counts.finish(START + HOUR_S + 100)), WORN
        ).items()
        if 0 < least == most < K
    }
    assert exact == {}
