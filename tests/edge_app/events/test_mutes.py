"""A mute lasts as long as was asked for, whatever becomes of the box and its clock."""

from __future__ import annotations

import json

import pytest

from edge_app.events.alerts import Alerts
from tests.edge_app.events.alerting import NOON, alerts_of, enter

ASKED_MIN = 480
DAY_MIN = 24 * 60
MONTH_MIN = 30 * DAY_MIN
YEARS_MIN = 3650 * DAY_MIN


def restarted(alerts: Alerts) -> Alerts:
    after = alerts_of()
    after.restore(json.loads(json.dumps(alerts.state())))
    return after


def reloaded(alerts: Alerts) -> Alerts:
    after = alerts_of()
    after.restore(alerts.state(), keeps_tracks=True)
    return after


# In minutes since the mute was asked for: when the box goes off, and for how long; from when on its
# clock is ahead, and by how much; when the mute is to end.
CASES = {
    "nothing happens": ({}, {}, ASKED_MIN),
    "off for hours": ({10: 180}, {}, ASKED_MIN),
    "off until after its end": ({10: 600}, {}, 610),
    "starts a month behind": ({10: 2}, {12: -MONTH_MIN, 14: 0}, ASKED_MIN),
    "off for hours, starts a month behind": ({10: 180}, {190: -MONTH_MIN, 192: 0}, ASKED_MIN),
    "starts where it went off": ({10: 180}, {190: -180, 195: 0}, ASKED_MIN),
    "starts behind twice": (
        {10: 5, 17: 30},
        {15: -MONTH_MIN, 47: -MONTH_MIN, 49: 0},
        ASKED_MIN,
    ),
    "starts behind, and the next time not": ({10: 5, 17: 30}, {15: -MONTH_MIN, 47: 0}, ASKED_MIN),
    # Nobody there knows how long the box was off.
    "starts behind, and is never set": ({10: 180}, {190: -MONTH_MIN}, ASKED_MIN + 180),
    "was a month behind when asked": ({}, {0: -MONTH_MIN, 5: 0}, ASKED_MIN),
    "was a day ahead when asked": ({}, {0: 2 * DAY_MIN, 5: 0}, ASKED_MIN),
    "years ahead for a moment": ({}, {5: YEARS_MIN, 6: 0}, ASKED_MIN),
}


@pytest.mark.parametrize(("offs", "ahead", "ends_min"), CASES.values(), ids=CASES.keys())
def test_a_mute_lasts_as_long_as_was_asked_for(
    offs: dict[int, int], ahead: dict[int, int], ends_min: int
) -> None:
    alerts = alerts_of()
    ahead_min, on_again_min = 0, 0
    told = []
    for minute in range(ASKED_MIN + 200):
        ahead_min = ahead.get(minute, ahead_min)
        now_s = NOON + 60.0 * (minute + ahead_min)
        if minute in offs:
            on_again_min = minute + offs[minute]
            alerts = restarted(alerts)
        if minute == 0:
            alerts.update({}, now_s, 0)
            alerts.mute("formalwear", now_s + 60.0 * ASKED_MIN)
        if minute == 100:
            alerts = reloaded(alerts)
        if minute >= on_again_min:
            for second in (0.0, 20.0, 40.0):
                alerts.update({}, now_s + second, 0)
            if enter(alerts, minute, at_s=now_s + 59.0):
                told.append(minute)
    assert told[0] == pytest.approx(ends_min, abs=1)
    assert told == list(range(told[0], ASKED_MIN + 200))
