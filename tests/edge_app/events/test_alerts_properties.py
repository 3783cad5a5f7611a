from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_app.config.schema import RuleSettings
from edge_app.events.alerts import Alerts
from edge_app.flow import Entry, Outfit, Worn

ZONES = ("entrance", "side-door")

RULES = {
    "single": RuleSettings(any_of=("dress",), cooldown_s=0.0),
    "merged": RuleSettings(any_of=("dress", "suit"), cooldown_s=20.0, group_s=1.0, max_per_hour=3),
}
PEOPLE = range(8)

# Who enters or is settled when: (seconds since the last step, kind, person, garment)
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 3.0, 25.0, 80.0]),
        st.sampled_from(["entry", "settled"]),
        st.sampled_from(PEOPLE),
        st.sampled_from(["dress", "suit", "jeans"]),
    ),
    max_size=40,
)


class Log:
    """Feeds steps to an Alerts as the pipeline would."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0
        self.worn: dict[int, str] = {}
        self.entered: set[int] = set()

    def play(self, alerts: Alerts, step: tuple) -> list:
        pause_s, kind, person, garment = step
        self.now_s += pause_s
        changed = {}
        if kind == "settled":
            self.worn.setdefault(person, garment)
        else:
            self.entered.add(person)
            alerts.entered(Entry("door", ZONES[person % 2], person, "in", 0, self.now_s))
        if person in self.worn:
            garment = self.worn[person]
            changed = {("door", person): Outfit(True, {garment: 0.9}, {"long": Worn(garment, 0.9)})}
        return alerts.update(changed, self.now_s, 0)

    def meant(self, rule: str) -> int:
        garments = RULES[rule].any_of
        return sum(self.worn.get(person) in garments for person in self.entered)


@given(STEPS)
def test_everybody_meant_is_announced_exactly_once_per_rule(steps):
    alerts, log, sent = Alerts(RULES, "UTC", ZONES), Log(), []
    for step in steps:
        sent += log.play(alerts, step)
    sent += alerts.flush(log.now_s, 0)
    for name in RULES:
        assert sum(a.people for a in sent if a.rule == name) == log.meant(name)
    assert all(a.people == 1 for a in sent if a.rule == "single")


@given(STEPS)
def test_cooldown_and_cap_hold(steps):
    alerts, log, sent = Alerts(RULES, "UTC", ZONES), Log(), []
    for step in steps:
        sent += log.play(alerts, step)
    for zone in ("entrance", "side-door"):
        times = [a.settled_at_s for a in sent if (a.rule, a.zone) == ("merged", zone)]
        assert all(b - a >= 20.0 for a, b in pairwise(times))
        hours = [int(t // 3600) for t in times]
        assert all(hours.count(hour) <= 3 for hour in hours)


@settings(max_examples=60)
@given(STEPS)
def test_a_kill_after_any_step_changes_nothing(steps):
    alerts, log = Alerts(RULES, "UTC", ZONES), Log()
    expected = [log.play(alerts, step) for step in steps]
    alerts, log, sent = Alerts(RULES, "UTC", ZONES), Log(), []
    for step in steps:
        state = json.dumps(alerts.state())
        # Killed before this step was committed: it is played again from the log.
        ahead = Log()
        ahead.now_s, ahead.worn, ahead.entered = log.now_s, dict(log.worn), set(log.entered)
        ahead.play(alerts, step)
        alerts = Alerts(RULES, "UTC", ZONES)
        alerts.restore(json.loads(state), keeps_tracks=True)
        sent.append(log.play(alerts, step))
    assert sent == expected
