"""The gate between people whom a rule means and alerts: group wait, cool-down, cap per hour.

It delays and merges, and never discards: whoever cannot be announced now is part of the one alert
that goes out when the gate opens again. Only a mute, and a restart that comes too late, drop them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from edge_app.config.schema import RuleSettings

_HOUR_S = 3600.0


@dataclass(frozen=True)
class Customer:
    """A person whom a rule means, with the evidence.

    Attributes:
        garment: the most probable of the rule's garments.
        probability: that the person wears what the rule asks for.
        colour: colour name, or ``unknown``.
        entered_at_s: event time of the entry.
        people: how many people this speaks of, once several are merged.
    """

    garment: str
    probability: float
    colour: str
    entered_at_s: float
    people: int = 1

    def merged(self, other: Customer) -> Customer:
        """Two of the same garment as one: the surer one's looks, the earlier one's time."""
        surer = max(self, other, key=lambda customer: customer.probability)
        first_s = min(self.entered_at_s, other.entered_at_s)
        return replace(surer, entered_at_s=first_s, people=self.people + other.people)


class Gate:
    """Holds the people of one rule and zone until they may be announced."""

    def __init__(self, rule: RuleSettings) -> None:
        self._rule = rule
        self._held: dict[str, Customer] = {}
        self._opens_at_s = 0.0
        self._hour = 0
        self._sent_in_hour = 0

    @property
    def is_single(self) -> bool:
        """Each person is an alert of their own, even several in one frame."""
        return self._rule.cooldown_s == 0.0 and self._rule.group_s == 0.0

    @property
    def expires_at_s(self) -> float:
        """When an alert that goes out as soon as the gate opens is worthless."""
        return self._opens_at_s + self._rule.expires_s

    def hold(self, customer: Customer, now_s: float) -> None:
        """Take a person in; the first after quiet opens the wait for companions."""
        if not self._held and now_s >= self._opens_at_s:
            self._opens_at_s = now_s + self._rule.group_s
        before = self._held.get(customer.garment)
        self._held[customer.garment] = customer if before is None else before.merged(customer)

    def release(self, now_s: float, is_forced: bool = False) -> Customer | None:
        """Everybody held, as one, if the gate is open.

        Args:
            now_s: the present, seconds of Unix time.
            is_forced: open now, whatever the wait: nothing will come later.

        Returns:
            The merged people under the garment most of them wear; None if nobody may pass yet.
        """
        if not self._held or (now_s < self._opens_at_s and not is_forced):
            return None
        hour = int(now_s // _HOUR_S)
        if hour != self._hour:
            self._hour, self._sent_in_hour = hour, 0
        if self._sent_in_hour >= self._rule.max_per_hour and not is_forced:
            self._opens_at_s = (hour + 1) * _HOUR_S
            return None
        self._sent_in_hour += 1
        self._opens_at_s = now_s + self._rule.cooldown_s
        return self._take()

    def drop(self) -> int:
        """Forget whoever is held; returns how many people that were."""
        people = sum(customer.people for customer in self._held.values())
        self._held.clear()
        return people

    def shift(self, by_s: float) -> None:
        """Follow a clock that was set back, or the cool-down would last as long as the step."""
        self._opens_at_s += by_s

    def date(self, by_s: float) -> None:
        """Follow a clock that was set: whoever is held came in by so much later."""
        self._held = {
            garment: replace(one, entered_at_s=one.entered_at_s + by_s)
            for garment, one in self._held.items()
        }

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able."""
        return {
            "held": [list(vars(customer).values()) for customer in self._held.values()],
            "opens_at_s": self._opens_at_s,
            "hour": self._hour,
            "sent_in_hour": self._sent_in_hour,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave; whom a changed rule no longer means is let go."""
        meant = {*self._rule.any_of, *self._rule.all_of}
        held = (Customer(*values) for values in state["held"])
        self._held = {one.garment: one for one in held if one.garment in meant}
        self._opens_at_s = state["opens_at_s"]
        self._hour = state["hour"]
        self._sent_in_hour = state["sent_in_hour"]

    def _take(self) -> Customer:
        held = list(self._held.values())
        self._held.clear()
        most = max(held, key=lambda customer: (customer.people, customer.probability))
        first_s = min(customer.entered_at_s for customer in held)
        people = sum(customer.people for customer in held)
        return replace(most, entered_at_s=first_s, people=people)
