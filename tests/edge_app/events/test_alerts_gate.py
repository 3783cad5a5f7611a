from __future__ import annotations

import json
import logging

import pytest

from edge_app.events.alerts import Alerts
from tests.edge_app.events.alerting import (
    NOON,
    PARIS,
    ZONES,
    alerts_of,
    enter,
    entry,
    outfit,
    pass_time,
    rule,
)


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
    assert pass_time(alerts, NOON + 100, NOON + 700) == []
    assert len(enter(alerts, 4, at_s=NOON + 701)) == 1


def test_a_mute_ends_early():
    alerts = alerts_of()
    alerts.mute("formalwear", NOON + 600)
    alerts.mute("formalwear", NOON)
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


@pytest.mark.parametrize(
    ("known", "zone", "message"),
    [
        (["entrance", "rooms"], "roof", "no zone 'roof'; known are entrance, rooms"),
        (["entrance"], "all", "no zone 'all'; known are entrance"),
        ([], "roof", "no zone 'roof'; known are all"),
    ],
    ids=["unknown", "the sum", "no zones yet"],
)
def test_a_test_alert_of_an_unknown_zone_is_refused_though_the_rule_names_none(
    known, zone, message
):
    alerts = Alerts({"formalwear": rule()}, PARIS, known)
    with pytest.raises(ValueError, match=message):
        alerts.test_alert("formalwear", zone, NOON)
    first = (*known, "all")[0]
    assert alerts.test_alert("formalwear", first, NOON).zone == first
    assert alerts.test_alert("formalwear", None, NOON).zone == first


def test_a_test_alert_of_no_zone_in_particular_is_of_the_first_that_the_rule_watches():
    alerts = alerts_of(zones=("side-door", "entrance"))
    assert alerts.test_alert("formalwear", None, NOON).zone == "side-door"


def test_an_unknown_rule_cannot_be_muted():
    with pytest.raises(ValueError, match="no alert rule"):
        alerts_of().mute("casual", NOON)


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


def test_who_stays_for_hours_is_remembered_and_who_went_is_not():
    alerts = alerts_of()
    assert len(enter(alerts, 1, 2)) == 2
    for minute in range(1, 300):
        alerts.seen("door", [1, 3])
        alerts.update({}, NOON + 60 * minute, 0)
    assert enter(alerts, 1, at_s=NOON + 300 * 60) == []
    assert len(enter(alerts, 2, 3, at_s=NOON + 300 * 60)) == 2


def test_cameras_a_little_apart_do_not_disturb_each_other():
    alerts = alerts_of(cooldown_s=30.0)
    assert len(enter(alerts, 1)) == 1
    assert enter(alerts, 2, at_s=NOON - 1.0) == []
    assert len(alerts.update({}, NOON + 30, 0)) == 1


def test_who_came_in_before_the_clock_was_set_ahead_is_announced_all_the_same():
    alerts = alerts_of()
    alerts.entered(entry(1))
    alerts.update({}, NOON, 0)
    alerts.update({}, NOON + 2 * 3600.0, 1)
    assert len(alerts.update({("door", 1): outfit(dress=0.9)}, NOON + 2 * 3600.0 + 1.0, 2)) == 1


def test_a_clock_set_back_does_not_lengthen_the_cooldown(caplog):
    alerts = alerts_of(cooldown_s=30.0)
    assert len(enter(alerts, 1)) == 1
    with caplog.at_level(logging.WARNING):
        assert enter(alerts, 2, at_s=NOON - 3600) == []
    assert "clock went back by 3600 s" in caplog.text
    assert len(alerts.update({}, NOON - 3600 + 30, 0)) == 1


def test_a_rule_that_is_muted_again_after_a_restart_is_muted_up_to_the_new_time():
    alerts = alerts_of()
    alerts.update({}, NOON, 0)
    alerts.mute("formalwear", NOON + 600)
    after = alerts_of()
    after.restore(alerts.state())
    after.update({}, NOON + 60, 0)
    after.mute("formalwear", NOON + 3600)
    assert pass_time(after, NOON + 60, NOON + 1800) == []
    assert enter(after, 1, at_s=NOON + 1800) == []


def test_a_clock_set_back_does_not_lengthen_a_mute():
    alerts = alerts_of()
    ahead_s = 10 * 365 * 86400.0
    alerts.update({}, NOON + ahead_s, 0)
    alerts.mute("formalwear", NOON + ahead_s + 600)
    assert enter(alerts, 1, at_s=NOON) == []
    assert pass_time(alerts, NOON, NOON + 589) == []
    assert enter(alerts, 2, at_s=NOON + 590) == []
    assert len(enter(alerts, 3, at_s=NOON + 601)) == 1


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


@pytest.mark.parametrize(
    ("away_s", "announced"),
    [(5.0, 0), (30.0, 2), (89.0, 2), (91.0, 0), (36_000.0, 0), (-3600.0, 0)],
    ids=["too early", "in time", "just in time", "expired", "next morning", "clock behind"],
)
def test_who_was_held_at_a_restart_is_announced_as_long_as_it_is_news(away_s, announced, caplog):
    alerts = alerts_of(cooldown_s=30.0, expires_s=60.0)
    assert len(enter(alerts, 1)) == 1
    assert enter(alerts, 2, 3) == []
    after = alerts_of(cooldown_s=30.0, expires_s=60.0)
    after.restore(json.loads(json.dumps(alerts.state())))
    told = after.update({}, NOON + away_s, 0)
    assert sum(alert.people for alert in told) == announced
    is_lost = "2 people held at a restart" in caplog.text
    assert is_lost == (announced == 0 and away_s != 5.0)


def test_who_waits_for_the_next_hour_is_not_lost_by_a_short_restart():
    alerts = alerts_of(max_per_hour=1)
    assert len(enter(alerts, 1)) == 1
    assert enter(alerts, 2, at_s=NOON + 10) == []
    after = alerts_of(max_per_hour=1)
    after.restore(json.loads(json.dumps(alerts.state())))
    assert after.update({}, NOON + 1800, 0) == []
    assert [a.people for a in after.update({}, NOON + 3600, 0)] == [1]


def test_rules_that_are_gone_are_left_behind():
    alerts = alerts_of(cooldown_s=30.0)
    enter(alerts, 1)
    enter(alerts, 2, at_s=NOON + 1)
    after = Alerts({"casual": rule(any_of=("jeans",))}, PARIS, ZONES)
    after.restore(alerts.state())
    assert after.update({}, NOON + 60, 0) == []


@pytest.mark.parametrize(
    ("changes", "known", "announced"),
    [
        ({}, ["entrance", "roof"], 2),
        ({"zones": ("roof",)}, ["entrance", "roof"], 0),
        ({}, ["roof"], 0),
        ({"any_of": ("coat", "dress")}, ["entrance"], 2),
        ({"any_of": ("coat",)}, ["entrance"], 0),
        ({"direction": "out"}, ["entrance"], 0),
    ],
    ids=[
        "still watched",
        "zone left the rule",
        "zone gone",
        "still meant",
        "garment left the rule",
        "direction turned",
    ],
)
def test_a_reload_announces_nobody_whom_no_rule_means_any_more(changes, known, announced):
    alerts = alerts_of(cooldown_s=30.0)
    assert len(enter(alerts, 1)) == 1
    assert enter(alerts, 2, at_s=NOON + 1) == []
    alerts.entered(entry(3, NOON + 2))
    after = Alerts({"formalwear": rule(cooldown_s=30.0, **changes)}, PARIS, known)
    after.restore(alerts.state(), keeps_tracks=True)
    later = after.update({("door", 3): outfit(dress=0.9)}, NOON + 60, 0)
    assert sum(alert.people for alert in later) == announced


def test_a_state_of_another_version_is_refused_aloud(caplog):
    with caplog.at_level(logging.WARNING):
        alerts_of().restore({"version": 99})
    assert "version 99, expected 1" in caplog.text
