from __future__ import annotations

from dataclasses import replace

import pytest

from edge_app.events.alerts import Alerts
from edge_app.flow import Outfit, Worn
from edge_app.vocabulary import UNKNOWN
from tests.edge_app.events.alerting import (
    NOON,
    PARIS,
    ZONES,
    alerts_of,
    enter,
    entry,
    outfit,
    rule,
)


def test_the_alert_says_what_fired_it():
    alerts = alerts_of(expires_s=90.0)
    alerts.entered(entry(1, NOON - 2.0))
    [alert] = alerts.update({("door", 1): outfit(dress=0.5, suit=0.6)}, NOON, 42)
    assert (alert.rule, alert.zone, alert.garment, alert.colour) == (
        "formalwear",
        "entrance",
        "suit",
        "red",
    )
    assert alert.probability == pytest.approx(0.8)
    assert (alert.people, alert.frame_index, alert.is_test) == (1, 42, False)
    assert (alert.entered_at_s, alert.settled_at_s, alert.expires_s) == (NOON - 2.0, NOON, 90.0)


def test_the_colour_is_that_of_the_garment_it_names():
    """Not of the larger jacket above it: nobody would find a customer in red jeans."""
    alerts = alerts_of(any_of=("jeans",))
    alerts.entered(entry(1))
    seen = replace(outfit(jacket=0.9, jeans=0.9), colours={"top": "red", "bottom": "blue"})
    [alert] = alerts.update({("door", 1): seen}, NOON, 0)
    assert (alert.garment, alert.colour) == ("jeans", "blue")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"any_of": (), "all_of": ("blazer", "jeans")}, ("jeans", ("blazer",))),
        ({"any_of": ("blazer",), "all_of": ("jeans",)}, ("blazer", ("jeans",))),
        ({"any_of": ("blazer", "jeans")}, ("jeans", ())),
    ],
    ids=["all of", "any of and all of", "any of"],
)
def test_the_alert_says_what_its_rule_asks_for_together(changes, expected):
    alerts = alerts_of(**changes)
    alerts.entered(entry(1))
    [alert] = alerts.update({("door", 1): outfit(blazer=0.9, jeans=0.95)}, NOON, 0)
    assert (alert.garment, alert.also) == expected


@pytest.mark.parametrize("first", ["entry", "evidence"])
def test_entry_and_evidence_fire_whichever_is_later(first):
    alerts = alerts_of()
    settled = {("door", 1): outfit(dress=0.9)}
    if first == "entry":
        alerts.entered(entry(1))
        assert alerts.update({("door", 1): hardly_seen(dress=0.9)}, NOON, 0) == []
        assert alerts.update({}, NOON + 1, 1) == []
    else:
        assert alerts.update(settled, NOON, 0) == []
        alerts.entered(entry(1, NOON + 1))
    assert len(alerts.update(settled, NOON + 2, 2)) == 1


def test_once_per_person_and_rule():
    alerts = alerts_of()
    assert len(enter(alerts, 1)) == 1
    alerts.entered(entry(1, NOON + 60, zone="side-door"))
    assert enter(alerts, 1, at_s=NOON + 120) == []


def test_of_two_entries_the_alert_speaks_of_the_first():
    alerts = alerts_of()
    alerts.entered(entry(1, NOON))
    alerts.entered(entry(1, NOON + 3, zone="side-door"))
    [alert] = alerts.update({("door", 1): outfit(dress=0.9)}, NOON + 4, 0)
    assert (alert.zone, alert.entered_at_s) == ("entrance", NOON)


def test_a_settled_outfit_answers_for_good():
    """Who goes on under the same id after going out is another: their clothes are no news."""
    alerts = alerts_of()
    alerts.entered(entry(1))
    assert alerts.update({("door", 1): outfit(tshirt=0.9, shorts=0.9)}, NOON + 1, 0) == []
    alerts.entered(entry(1, NOON + 20, direction="out"))
    assert alerts.update({("door", 1): outfit(suit=0.9)}, NOON + 21, 1) == []
    alerts.entered(entry(1, NOON + 30))
    assert len(alerts.update({("door", 1): outfit(suit=0.9)}, NOON + 31, 2)) == 1


def test_each_rule_has_its_own_alert():
    alerts = Alerts({"dresses": rule(any_of=("dress",)), "formal": rule()}, PARIS, ZONES)
    assert [alert.rule for alert in enter(alerts, 1)] == ["dresses", "formal"]


def test_the_same_track_id_on_another_camera_is_another_person():
    alerts = alerts_of()
    assert len(enter(alerts, 1)) == 1
    alerts.entered(entry(1, camera="back"))
    assert len(alerts.update({("back", 1): outfit(dress=0.9)}, NOON, 0)) == 1


def hardly_seen(**wears: float) -> Outfit:
    """An outfit that is not settled and rests on too little."""
    return replace(outfit(is_settled=False, **wears), evidence=0.5)


EVIDENCE = {
    "sure": ({}, outfit(dress=0.7), 1),
    "not sure enough": ({}, outfit(dress=0.69), 0),
    "either of two": ({}, outfit(dress=0.5, suit=0.5), 1),
    "something else": ({}, outfit(jeans=0.99), 0),
    "not settled": ({}, hardly_seen(dress=0.99), 0),
    "never seen": ({}, Outfit(True, {"dress": 0.9}, {}), 0),
    "unknown on little evidence": (
        {},
        Outfit(True, {"dress": 0.9}, {"long": Worn(UNKNOWN, 0.9)}, evidence=0.4),
        0,
    ),
    "seen well, dress or suit": (
        {},
        Outfit(True, {"dress": 0.5, "suit": 0.5}, {"long": Worn(UNKNOWN, 0.5)}, evidence=1.2),
        1,
    ),
    "all of": ({"any_of": (), "all_of": ("blazer", "jeans")}, outfit(blazer=0.9, jeans=0.8), 1),
    "not all of": ({"any_of": (), "all_of": ("blazer", "jeans")}, outfit(blazer=0.9), 0),
    "all of, together too doubtful": (
        {"any_of": (), "all_of": ("blazer", "jeans")},
        outfit(blazer=0.8, jeans=0.8),
        0,
    ),
    "any of and all of": (
        {"any_of": ("jeans", "trousers"), "all_of": ("blazer",)},
        outfit(blazer=0.9, jeans=0.9),
        1,
    ),
}


@pytest.mark.parametrize(("changes", "worn", "fired"), EVIDENCE.values(), ids=EVIDENCE.keys())
def test_evidence(changes, worn, fired):
    alerts = alerts_of(**changes)
    alerts.entered(entry(1))
    assert len(alerts.update({("door", 1): worn}, NOON, 0)) == fired


MEANT = {
    "any zone": ({}, {}, 1),
    "its zone": ({"zones": ("entrance",)}, {}, 1),
    "another zone": ({"zones": ("entrance",)}, {"zone": "side-door"}, 0),
    "out": ({}, {"direction": "out"}, 0),
    "a rule for those who leave": ({"direction": "out"}, {"direction": "out"}, 1),
    "inside from the start": ({}, {"is_initial": True}, 0),
}


@pytest.mark.parametrize(("changes", "entered", "fired"), MEANT.values(), ids=MEANT.keys())
def test_which_entries_are_meant(changes, entered, fired):
    alerts = alerts_of(**changes)
    alerts.entered(entry(1, **entered))
    assert len(alerts.update({("door", 1): outfit(dress=0.9)}, NOON, 0)) == fired


HOURS = {
    "open": ("09:00-21:00", 0, 1),
    "first minute": ("12:00-21:00", 0, 1),
    "last minute is excluded": ("09:00-12:00", 0, 0),
    "closed": ("13:00-21:00", 0, 0),
    "over midnight, at noon": ("22:00-06:00", 0, 0),
    "over midnight, after it": ("22:00-06:00", 13 * 3600, 1),
}


@pytest.mark.parametrize(("hours", "after_s", "fired"), HOURS.values(), ids=HOURS.keys())
def test_hours_are_the_stores(hours, after_s, fired):
    assert len(enter(alerts_of(hours=hours), 1, at_s=NOON + after_s)) == fired


def test_a_recording_ignores_hours():
    alerts = Alerts({"formalwear": rule(hours="13:00-14:00")}, PARIS, ZONES, honours_hours=False)
    assert len(enter(alerts, 1)) == 1


@pytest.mark.parametrize("group_s", [0.0, 5.0])
def test_who_came_in_before_the_clock_was_set_ahead_has_not_come_in_years_ago(group_s: float):
    alerts = alerts_of(group_s=group_s)
    alerts.entered(entry(1, at_s=1000.0))
    alerts.update({("door", 1): outfit(dress=0.9)} if group_s else {}, 1001.0, 1)
    [alert] = alerts.update({("door", 1): outfit(dress=0.9)}, NOON, 2)
    assert alert.settled_at_s - alert.entered_at_s == 1.0
