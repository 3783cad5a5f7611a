from __future__ import annotations

import json
import logging
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from edge_app.config.schema import RuleSettings
from edge_app.events.alerts import Alerts
from edge_app.flow import Entry, Outfit, Worn
from edge_app.vocabulary import REGION_OF, UNKNOWN

PARIS = "Europe/Paris"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=ZoneInfo(PARIS)).timestamp()


def rule(**changes) -> RuleSettings:
    return RuleSettings(
        **{"any_of": ("dress", "suit"), "min_probability": 0.7, "cooldown_s": 0.0, **changes}
    )


def alerts_of(**changes) -> Alerts:
    return Alerts({"formalwear": rule(**changes)}, PARIS)


def entry(track_id: int, at_s: float = NOON, **changes) -> Entry:
    values = {"camera": "door", "zone": "entrance", "direction": "in", "frame_index": 0, **changes}
    return Entry(track_id=track_id, at_s=at_s, **values)


def outfit(is_settled: bool = True, **wears: float) -> Outfit:
    regions = {REGION_OF[garment]: Worn(garment, p) for garment, p in wears.items()}
    return Outfit(is_settled, wears, regions, "red", looks=5, evidence=1.0)


def enter(alerts: Alerts, *track_ids: int, at_s: float = NOON, **wears: float) -> list:
    """People come in whose outfits are settled already."""
    for track_id in track_ids:
        alerts.entered(entry(track_id, at_s))
    worn = wears or {"dress": 0.9}
    return alerts.update({("door", i): outfit(**worn) for i in track_ids}, at_s, 7)


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


@pytest.mark.parametrize("first", ["entry", "evidence"])
def test_entry_and_evidence_fire_whichever_is_later(first):
    alerts = alerts_of()
    settled = {("door", 1): outfit(dress=0.9)}
    if first == "entry":
        alerts.entered(entry(1))
        assert alerts.update({("door", 1): outfit(is_settled=False, dress=0.9)}, NOON, 0) == []
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


def test_each_rule_has_its_own_alert():
    alerts = Alerts({"dresses": rule(any_of=("dress",)), "formal": rule()}, PARIS)
    assert [alert.rule for alert in enter(alerts, 1)] == ["dresses", "formal"]


def test_the_same_track_id_on_another_camera_is_another_person():
    alerts = alerts_of()
    assert len(enter(alerts, 1)) == 1
    alerts.entered(entry(1, camera="back"))
    assert len(alerts.update({("back", 1): outfit(dress=0.9)}, NOON, 0)) == 1


EVIDENCE = {
    "sure": ({}, outfit(dress=0.7), 1),
    "not sure enough": ({}, outfit(dress=0.69), 0),
    "either of two": ({}, outfit(dress=0.5, suit=0.5), 1),
    "something else": ({}, outfit(jeans=0.99), 0),
    "not settled": ({}, outfit(is_settled=False, dress=0.99), 0),
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
    alerts = Alerts({"formalwear": rule(hours="13:00-14:00")}, PARIS, honours_hours=False)
    assert len(enter(alerts, 1)) == 1


def test_without_cooldown_everybody_is_an_alert():
    alerts = alerts_of()
    assert [alert.people for alert in enter(alerts, 1, 2, 3)] == [1, 1, 1]


def test_a_group_in_one_frame_is_one_alert():
    assert [alert.people for alert in enter(alerts_of(cooldown_s=30.0), 1, 2, 3)] == [3]


def test_cooldown_merges_and_discards_nobody():
    alerts = alerts_of(cooldown_s=30.0)
    assert [a.people for a in enter(alerts, 1)] == [1]
    assert enter(alerts, 2, at_s=NOON + 5) == []
    assert enter(alerts, 3, at_s=NOON + 10, suit=0.95) == []
    assert enter(alerts, 4, at_s=NOON + 12) == []
    assert alerts.update({}, NOON + 29.9, 8) == []
    [merged] = alerts.update({}, NOON + 30, 9)
    assert (merged.people, merged.garment, merged.frame_index) == (3, "dress", 9)
    # A merged alert is as fresh as any: it expires counted from when it went out.
    assert (merged.entered_at_s, merged.settled_at_s) == (NOON + 5, NOON + 30)
    assert enter(alerts, 5, at_s=NOON + 31) == []
    assert [a.people for a in alerts.update({}, NOON + 60, 10)] == [1]


def test_cooldown_is_per_rule_and_zone():
    alerts = alerts_of(cooldown_s=30.0)
    assert len(enter(alerts, 1)) == 1
    alerts.entered(entry(2, zone="side-door"))
    assert len(alerts.update({("door", 2): outfit(dress=0.9)}, NOON, 0)) == 1


def test_a_group_is_waited_for():
    alerts = alerts_of(cooldown_s=30.0, group_s=2.0)
    assert enter(alerts, 1) == []
    assert enter(alerts, 2, at_s=NOON + 1.5) == []
    assert [a.people for a in alerts.update({}, NOON + 2, 0)] == [2]
    assert enter(alerts, 3, at_s=NOON + 3) == []
    assert [a.people for a in alerts.update({}, NOON + 32, 0)] == [1]


def test_beyond_the_cap_there_is_one_alert_at_the_hours_end():
    alerts = alerts_of(max_per_hour=2)
    assert len(enter(alerts, 1)) == 1
    assert len(enter(alerts, 2, at_s=NOON + 10)) == 1
    assert enter(alerts, 3, 4, at_s=NOON + 20) == []
    assert enter(alerts, 5, at_s=NOON + 3000) == []
    assert alerts.update({}, NOON + 3599, 0) == []
    assert [a.people for a in alerts.update({}, NOON + 3600, 0)] == [3]
    assert [a.people for a in enter(alerts, 6, at_s=NOON + 3700)] == [1]
    assert enter(alerts, 7, at_s=NOON + 3800) == []


def test_a_muted_rule_is_silent_and_does_not_catch_up():
    alerts = alerts_of(cooldown_s=30.0)
    assert len(enter(alerts, 1)) == 1
    assert enter(alerts, 2, at_s=NOON + 1) == []
    alerts.mute("formalwear", NOON + 600)
    assert alerts.update({}, NOON + 40, 0) == []
    assert enter(alerts, 3, at_s=NOON + 100) == []
    assert alerts.update({}, NOON + 700, 0) == []
    assert len(enter(alerts, 4, at_s=NOON + 701)) == 1


def test_a_mute_ends_early():
    alerts = alerts_of()
    alerts.mute("formalwear", NOON + 600)
    alerts.unmute("formalwear")
    assert len(enter(alerts, 1)) == 1


def test_staff_are_not_announced():
    alerts = alerts_of()
    alerts.entered(entry(1))
    alerts.staff("door", 1)
    assert alerts.update({("door", 1): outfit(dress=0.9)}, NOON, 0) == []
    assert enter(alerts, 1, at_s=NOON + 5) == []


def test_flush_sends_what_is_held():
    alerts = alerts_of(cooldown_s=30.0, group_s=5.0, max_per_hour=1)
    assert enter(alerts, 1) == []
    assert [a.people for a in alerts.flush(NOON + 1, 3)] == [1]
    assert enter(alerts, 2, 3, at_s=NOON + 2) == []
    assert [a.people for a in alerts.flush(NOON + 3, 4)] == [2]
    assert alerts.flush(NOON + 4, 5) == []


def test_a_test_alert_changes_nothing():
    alerts = alerts_of(cooldown_s=30.0)
    test = alerts.test_alert("formalwear", "entrance", NOON)
    assert (test.is_test, test.garment, test.people) == (True, "dress", 1)
    assert len(enter(alerts, 1)) == 1


@pytest.mark.parametrize(
    ("name", "zone", "message"),
    [
        ("casual", "entrance", "no alert rule 'casual'; known are formalwear"),
        ("formalwear", "roof", "watches entrance, not 'roof'"),
    ],
    ids=["rule", "zone"],
)
def test_a_test_alert_of_nothing_is_refused(name, zone, message):
    with pytest.raises(ValueError, match=message):
        alerts_of(zones=("entrance",)).test_alert(name, zone, NOON)


@pytest.mark.parametrize("verb", ["mute", "unmute"])
def test_an_unknown_rule_cannot_be_muted(verb):
    arguments = ("casual", NOON) if verb == "mute" else ("casual",)
    with pytest.raises(ValueError, match="no alert rule"):
        getattr(alerts_of(), verb)(*arguments)


def test_who_is_forgotten_no_longer_fires_but_who_is_held_does():
    alerts = alerts_of(cooldown_s=30.0)
    assert len(enter(alerts, 1)) == 1
    enter(alerts, 2, at_s=NOON + 1)
    alerts.entered(entry(3, NOON + 2))
    alerts.forget("door", 2)
    alerts.forget("door", 3)
    late = alerts.update({("door", 3): outfit(dress=0.9)}, NOON + 30, 0)
    assert [alert.people for alert in late] == [1]


def test_memory_is_bounded_even_if_nobody_forgets():
    alerts = alerts_of()
    for i in range(3000):
        enter(alerts, i, at_s=NOON + 10 * i)
    assert len(alerts.state()["people"]) <= 370


def test_somebody_who_stays_for_hours_is_not_announced_again():
    alerts = alerts_of()
    assert len(enter(alerts, 1)) == 1
    for minute in range(1, 300):
        assert alerts.update({("door", 1): outfit(dress=0.9)}, NOON + 60 * minute, 0) == []
    assert enter(alerts, 1, at_s=NOON + 300 * 60) == []


def test_cameras_a_little_apart_do_not_disturb_each_other():
    alerts = alerts_of(cooldown_s=30.0)
    assert len(enter(alerts, 1)) == 1
    assert enter(alerts, 2, at_s=NOON - 1.0) == []
    assert len(alerts.update({}, NOON + 30, 0)) == 1


def test_a_clock_set_back_does_not_lengthen_the_cooldown(caplog):
    alerts = alerts_of(cooldown_s=30.0)
    assert len(enter(alerts, 1)) == 1
    with caplog.at_level(logging.WARNING):
        assert enter(alerts, 2, at_s=NOON - 3600) == []
    assert "clock went back by 3600 s" in caplog.text
    assert len(alerts.update({}, NOON - 3600 + 30, 0)) == 1


def test_a_restart_keeps_the_cooldown_the_cap_and_the_mute():
    alerts = alerts_of(cooldown_s=30.0, max_per_hour=2)
    assert len(enter(alerts, 1)) == 1
    assert enter(alerts, 2, 3, at_s=NOON + 5) == []
    after = alerts_of(cooldown_s=30.0, max_per_hour=2)
    after.restore(json.loads(json.dumps(alerts.state())))
    # Track ids begin anew after a restart: this is another person 1.
    assert enter(after, 1, at_s=NOON + 10) == []
    assert [a.people for a in after.update({}, NOON + 30, 0)] == [3]
    assert enter(after, 2, at_s=NOON + 100) == []
    after.mute("formalwear", NOON + 7200)
    muted = alerts_of(cooldown_s=30.0, max_per_hour=2)
    muted.restore(json.loads(json.dumps(after.state())))
    assert muted.update({}, NOON + 3600, 0) == []


def test_rules_that_are_gone_are_left_behind():
    alerts = alerts_of(cooldown_s=30.0)
    enter(alerts, 1)
    enter(alerts, 2, at_s=NOON + 1)
    after = Alerts({"casual": rule(any_of=("jeans",))}, PARIS)
    after.restore(alerts.state())
    assert after.update({}, NOON + 60, 0) == []


def test_a_state_of_another_version_is_refused_aloud(caplog):
    with caplog.at_level(logging.WARNING):
        alerts_of().restore({"version": 99})
    assert "version 99, expected 1" in caplog.text
