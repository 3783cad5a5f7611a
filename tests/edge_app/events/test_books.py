"""Entries and outfits in counts and alerts together: staff, open outfits, restarts."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edge_app.events.alerts import Alerts
from edge_app.events.books import Books
from edge_app.flow import CountWindow, Outfit
from tests.edge_app.events.alerting import ZONES, outfit, rule
from tests.edge_app.events.counting import NOON, PARIS, counts_from, entry, wearing

ME = ("door", 1)
STAFF = replace(outfit(dress=0.9), is_staff=True)
OPEN_STAFF = replace(STAFF, is_settled=False)


def books_of(staff_zones: tuple[str, ...] = (), started_at_s: float = NOON) -> Books:
    counts = counts_from(started_at_s, zones=("entrance", "rooms"))
    return Books(Alerts({"formalwear": rule()}, PARIS, ZONES), counts, staff_zones)


def closed(books: Books, zone: str = "entrance") -> CountWindow:
    """The day so far, in full."""
    [*_, day] = [w for w in books.counts.finish(NOON + 120) if (w.window, w.zone) == ("p1d", zone)]
    return day


def test_a_customer_is_counted_dressed_and_announced():
    books = books_of()
    assert books.book([entry(NOON)], {}, NOON, 0) == []
    [alert] = books.book([], {ME: outfit(dress=0.9)}, NOON + 1, 1)
    assert alert.garment == "dress"
    day = closed(books)
    assert (day.counts["in"], day.counts["staff_in"], day.garment["dress"]) == (1, 0, 1)


# By when the uniform is noticed: what is booked first, and what then.
NOTICED = {
    "before the entry": [([], {ME: STAFF}), ([entry(NOON)], {ME: STAFF})],
    "with the entry": [([entry(NOON)], {ME: STAFF})],
    "after the entry": [([entry(NOON)], {}), ([], {ME: STAFF})],
    "while it is open": [([entry(NOON)], {ME: OPEN_STAFF}), ([], {ME: STAFF})],
}  # fmt: skip


@pytest.mark.parametrize("steps", NOTICED.values(), ids=NOTICED.keys())
def test_staff_by_uniform_are_counted_apart_and_not_announced(steps):
    books = books_of()
    for i, (entries, outfits) in enumerate(steps):
        assert books.book(entries, outfits, NOON + i, i) == []
    books.book([entry(NOON + 30, "out")], {ME: STAFF}, NOON + 30, 9)
    books.book([entry(NOON + 60)], {ME: STAFF}, NOON + 60, 10)
    day = closed(books)
    assert (day.counts["in"], day.counts["out"], day.counts["staff_in"]) == (2, 1, 2)
    assert (day.garment_n, day.garment["dress"]) == (0, 0)


@pytest.mark.parametrize("direction", ["in", "out"])
def test_whoever_is_seen_in_a_staff_zone_works_here(direction):
    books = books_of(staff_zones=("rooms",))
    in_rooms = replace(entry(NOON + 5, direction, zone="rooms"), camera="door")
    books.book([entry(NOON)], {}, NOON, 0)
    books.book([in_rooms], {}, NOON + 5, 1)
    assert books.book([], {ME: outfit(dress=0.9)}, NOON + 6, 2) == []
    day = closed(books)
    assert (day.counts["in"], day.counts["staff_in"], day.garment_n) == (1, 1, 0)
    assert closed(books, "rooms").counts["staff_in"] == (1 if direction == "in" else 0)


def test_staff_who_are_followed_are_not_announced_by_a_rule_that_a_reload_brings():
    books = books_of(staff_zones=("rooms",))
    in_rooms = replace(entry(NOON, zone="rooms"), camera="door")
    books.book([in_rooms], {ME: outfit(dress=0.9)}, NOON, 0)
    alerts = Alerts({"formalwear": rule(), "dresses": rule(any_of=("dress",))}, PARIS, ZONES)
    alerts.restore(books.alerts.state(), keeps_tracks=True)
    books.renew(alerts, books.counts)
    assert books.book([entry(NOON + 60)], {ME: outfit(dress=0.9)}, NOON + 60, 1) == []


UTURN = {"is_uturn": True, "dwell_s": 6.0}
# By when the uniform is noticed: what is booked first, and what then.
TURNED = {
    "with the entry": [([entry(NOON)], {ME: STAFF}), ([entry(NOON + 6, "out", **UTURN)], {})],
    "with the U-turn": [([entry(NOON)], {}), ([entry(NOON + 6, "out", **UTURN)], {ME: STAFF})],
    "after the U-turn": [([entry(NOON), entry(NOON + 6, "out", **UTURN)], {}), ([], {ME: STAFF})],
}


@pytest.mark.parametrize("steps", TURNED.values(), ids=TURNED.keys())
def test_a_colleague_who_turns_round_takes_nothing_from_the_footfall(steps):
    books = books_of()
    for i, (entries, outfits) in enumerate(steps):
        books.book(entries, outfits, NOON + i, i)
    books.book([entry(NOON + 60)], {}, NOON + 60, 9)
    counted = closed(books).counts
    assert (counted["in"], counted["out"]) == (2, 1)
    assert counted["in"] - counted["uturn"] - counted["staff_in"] == 0


def test_a_u_turn_in_one_zone_undoes_no_entry_of_another():
    books = books_of()
    in_rooms = replace(entry(NOON, zone="rooms"), camera="door")
    turned = entry(NOON + 6, "out", **UTURN)
    books.book([in_rooms, entry(NOON), turned], {ME: STAFF}, NOON, 0)
    assert closed(books, "rooms").counts["staff_in"] == 1
    assert closed(books, "all").counts["uturn"] + closed(books, "all").counts["staff_in"] == 2


def test_clothes_of_staff_who_are_known_by_their_zone_do_not_count_however_late():
    books = books_of(staff_zones=("rooms",))
    books.book([entry(NOON), entry(NOON + 1, "out"), entry(NOON + 2)], {}, NOON + 2, 0)
    books.book([], {ME: wearing("shirt", "jeans")}, NOON + 3, 1)
    books.book([entry(NOON + 40, "out")], {}, NOON + 40, 2)
    in_rooms = replace(entry(NOON + 50, zone="rooms"), camera="door")
    books.book([in_rooms], {ME: wearing("shirt", "jeans")}, NOON + 50, 3)
    other = replace(entry(NOON + 51), track_id=2)
    books.book([other], {("door", 2): wearing("shirt")}, NOON + 51, 4)
    day = closed(books)
    assert (day.counts["in"], day.counts["staff_in"], day.garment_n) == (3, 2, 1)
    assert {name: n for name, n in day.garment.items() if n} == {"shirt": 1}


def test_people_in_a_staff_zone_do_not_make_others_staff():
    books = books_of(staff_zones=("rooms",))
    books.book([entry(NOON, zone="rooms")], {}, NOON, 0)
    assert len(books.book([entry(NOON + 1)], {ME: outfit(dress=0.9)}, NOON + 1, 1)) == 1
    assert closed(books).counts["staff_in"] == 0


def test_whoever_left_is_forgotten():
    books = books_of()
    books.book([entry(NOON)], {ME: STAFF}, NOON, 0)
    books.forget(ME)
    # The id is given to somebody else.
    assert len(books.book([entry(NOON + 60)], {ME: outfit(dress=0.9)}, NOON + 60, 9)) == 1
    assert closed(books).counts["staff_in"] == 1


OPEN = {
    "half of it known": (wearing("shirt", "unknown"), {"shirt": 1, "unknown": 1}),
    "nothing seen yet": (None, {}),
}


@pytest.mark.parametrize(("known", "cells"), OPEN.values(), ids=OPEN.keys())
def test_an_outfit_that_a_restart_leaves_open_counts_as_what_it_was_by_then(known, cells):
    books = books_of()
    outfits = {} if known is None else {ME: replace(known, is_settled=False)}
    books.book([entry(NOON)], outfits, NOON, 0)
    assert books.open == [ME]
    kept = json.loads(json.dumps(books.state()))
    for _ in range(2):  # killed again before anything was stored
        after = books_of(started_at_s=NOON + 30)
        after.restore(kept)
    # Somebody else has the id now.
    after.book([], {ME: outfit(dress=0.9)}, NOON + 31, 0)
    day = closed(after)
    assert day.counts["in"] == 1
    assert {name: n for name, n in day.garment.items() if n} == cells
    assert after.open == []


def test_an_outfit_settled_before_a_restart_is_not_counted_again():
    books = books_of()
    books.book([entry(NOON)], {ME: wearing("shirt")}, NOON, 0)
    after = books_of(started_at_s=NOON + 30)
    after.restore(json.loads(json.dumps(books.state())))
    assert closed(after).garment["shirt"] == 1


@pytest.mark.parametrize(
    "kept", [{}, {"home_assistant": {}}], ids=["a first start", "killed before it counted"]
)
def test_there_may_be_nothing_to_go_on_with(kept):
    books = books_of()
    books.restore(kept)
    assert closed(books).counts["in"] == 0


def inside(books: Books, zone: str, now_s: float) -> int:
    return next(live.occupancy for live in books.counts.live(now_s) if live.zone == zone)


def test_people_in_an_area_are_not_doubled_by_a_restart():
    """Lines keep their people over a restart; in an area they are seen, and told of, anew."""
    books = books_of()
    for i in range(3):
        books.book([entry(NOON + i, zone="rooms"), entry(NOON + i)], {}, NOON + i, i)
    assert (inside(books, "rooms", NOON + 5), inside(books, "entrance", NOON + 5)) == (3, 3)
    after = books_of(started_at_s=NOON + 30)
    after.restore(json.loads(json.dumps(books.state())), emptied=["rooms"])
    assert (inside(after, "rooms", NOON + 31), inside(after, "entrance", NOON + 31)) == (0, 3)
    for _ in range(2):
        after.book([entry(NOON + 32, zone="rooms", is_initial=True)], {}, NOON + 32, 0)
    assert (inside(after, "rooms", NOON + 33), inside(after, "all", NOON + 33)) == (2, 5)
    day = closed(after, "rooms")
    # Three came in, two of them are still there: nobody was seen to leave.
    assert (day.counts["in"], day.counts["out"], day.occ["end"], day.drift) == (3, 0, 2, 2)


def test_an_empty_area_stays_empty_over_a_restart():
    after = books_of(started_at_s=NOON + 30)
    after.restore(json.loads(json.dumps(books_of().state())), emptied=["rooms"])
    assert inside(after, "rooms", NOON + 31) == 0
    assert closed(after, "rooms").drift == 0


@pytest.mark.parametrize("is_restart", [False, True], ids=["reload", "restart"])
def test_entries_of_a_zone_that_goes_settle_as_the_others_do(is_restart):
    books = books_of()
    worn = {ME: wearing("shirt"), ("back", 1): wearing("dress")}
    seen = {key: replace(outfit, is_settled=False) for key, outfit in worn.items()}
    books.book([entry(NOON, zone="rooms"), entry(NOON)], seen, NOON, 0)
    books.counts.advance(NOON + 300)
    counts = counts_from(NOON + 320, zones=("entrance",))
    if is_restart:
        kept = json.loads(json.dumps(books.state()))
        Books(books.alerts, counts).restore(kept)
    else:
        counts.restore(books.counts.state())
        books.renew(books.alerts, counts)
        books.book([], worn, NOON + 320, 1)
    windows = counts.advance(NOON + 330) + counts.finish(NOON + 360)
    for zone, cells in (("entrance", (1, 0)), ("rooms", (0, 1)), ("all", (1, 1))):
        [day] = [w for w in windows if (w.window, w.zone) == ("p1d", zone)]
        assert (day.garment["shirt"], day.garment["dress"]) == cells


def test_open_entries_of_a_zone_that_the_counters_never_had_are_left_out():
    books = books_of()
    books.book([entry(NOON, zone="rooms")], {}, NOON, 0)
    kept = json.loads(json.dumps(books.state()))
    kept["counts"]["version"] = 99
    counts = counts_from(NOON + 30)
    Books(Alerts({}, PARIS, ZONES), counts).restore(kept)
    assert [w.garment_n for w in counts.finish(NOON + 60) if w.window == "p1d"] == [0, 0]


def test_an_outfit_without_an_entry_counts_nothing():
    books = books_of()
    books.book([], {ME: Outfit(True, {}, wearing("shirt").regions)}, NOON, 0)
    assert closed(books).garment_n == 0
