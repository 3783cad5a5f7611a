"""Alerts: told once per person and rule, when the entry and the settled garment both hold.

::

    entered ──> waiting ──(evidence)──> gate of rule and zone ──> Alert
                   │                     group wait, cool-down,
                   └──> done             cap per hour: merged, never discarded

Whichever of entry and evidence comes later fires. Time is a parameter everywhere; what is kept of a
person goes when the track is forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from edge_app.config.schema import RuleSettings
from edge_app.events.gate import Customer, Gate
from edge_app.events.mutes import Mutes
from edge_app.events.rules import customer_of, is_meant, is_within_hours, watches
from edge_app.flow import ALL, Alert, Entry, Outfit, TrackKey
from edge_app.vocabulary import UNKNOWN

logger = logging.getLogger(__name__)

_VERSION = 1
_STEP_S = 60.0
"""Cameras differ by less than this; a clock that moves by more was set."""
_FORGET_S = 3600.0
"""Whoever was not heard of for so long is gone, even if nobody said so."""


@dataclass
class _Person:
    """What is known of one track.

    Attributes:
        waiting: by rule, zone and event time of an entry that waits for evidence.
        done: rules that have fired, or never will, for this person.
        heard_at_s: when the person last entered or was seen.
    """

    heard_at_s: float
    waiting: dict[str, tuple[str, float]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)


class Alerts:
    """Decides who is announced, when, and together with whom.

    Args:
        rules: by id.
        timezone: of the rules' hours.
        zones: ids of all that there are.
        honours_hours: False for a recording whose time of day is not known.
    """

    def __init__(
        self,
        rules: Mapping[str, RuleSettings],
        timezone: str,
        zones: Collection[str],
        honours_hours: bool = True,
    ) -> None:
        self._rules = dict(rules)
        self._zones = zones
        self._timezone = ZoneInfo(timezone)
        self._honours_hours = honours_hours
        self._people: dict[TrackKey, _Person] = {}
        self._gates: dict[tuple[str, str], Gate] = {}
        self._mutes = Mutes()
        self._now_s: float | None = None
        self._is_back = False
        """Restarted, and nothing happened since."""

    def entered(self, entry: Entry) -> None:
        """Note a counted entry; the first that a rule means is the one it speaks of."""
        for name, rule in self._rules.items():
            if not is_meant(rule, entry):
                continue
            if self._honours_hours and not is_within_hours(rule, entry.at_s, self._timezone):
                continue
            key = (entry.camera, entry.track_id)
            person = self._people.setdefault(key, _Person(entry.at_s))
            person.heard_at_s = max(person.heard_at_s, entry.at_s)
            if name not in person.done:
                person.waiting.setdefault(name, (entry.zone, entry.at_s))

    def staff(self, camera: str, track_id: int) -> None:
        """This person works here: no rule will announce them."""
        person = self._people.setdefault((camera, track_id), _Person(self._now_s or 0.0))
        person.waiting.clear()
        person.done.update(self._rules)

    def seen(self, camera: str, track_ids: Iterable[int]) -> None:
        """These people are in view still: what is known of them stays, however long that is."""
        for track_id in track_ids:
            person = self._people.get((camera, track_id))
            if person is not None:
                person.heard_at_s = max(person.heard_at_s, self._now_s or 0.0)

    def update(
        self, outfits: Mapping[TrackKey, Outfit], now_s: float, frame_index: int
    ) -> list[Alert]:
        """Everything that is due now.

        Args:
            outfits: newest outfits by camera and track, at least those that changed or settled.
            now_s: the present, seconds of Unix time.
            frame_index: number of the frame that the outfits come from.
        """
        now_s = self._follow_clock(now_s)
        alerts: list[Alert] = []
        for key in sorted(outfits.keys() & self._people.keys()):
            for name, zone, customer in self._customers(key, outfits[key]):
                gate = self._gates.setdefault((name, zone), Gate(self._rules[name]))
                gate.hold(customer, now_s)
                if gate.is_single:
                    alerts += self._released(name, zone, now_s, frame_index)
        for name, zone in sorted(self._gates):
            alerts += self._released(name, zone, now_s, frame_index)
        return alerts

    def flush(self, now_s: float, frame_index: int) -> list[Alert]:
        """Everything that still waits for companions, a cool-down or a cap: nothing comes later."""
        now_s = self._follow_clock(now_s)
        return [
            alert
            for name, zone in sorted(self._gates)
            for alert in self._released(name, zone, now_s, frame_index, is_forced=True)
        ]

    def forget(self, camera: str, track_id: int) -> None:
        """The track ended and its outfit was settled; people already held are still announced."""
        self._people.pop((camera, track_id), None)

    def mute(self, rule: str, until_s: float) -> None:
        """Announce nobody of a rule before a time; who would have been is not caught up later.

        Raises:
            ValueError: there is no such rule.
        """
        self._check(rule)
        self._mutes.mute(rule, until_s)

    def test_alert(self, rule: str, zone: str | None, now_s: float) -> Alert:
        """An alert as the rule would give it, marked as a test, of a zone that it watches.

        Nothing is changed by it. Without a zone it is of the first.

        Raises:
            ValueError: there is no such rule or zone, or the one does not watch the other.
        """
        self._check(rule)
        settings = self._rules[rule]
        # Where there are no zones yet, a test is of the store as a whole.
        zones = self._zones or (ALL,)
        zone = zone or (*settings.zones, *zones)[0]
        if not watches(settings, zone):
            its = ", ".join(settings.zones)
            raise ValueError(f"rule {rule!r} watches {its}, not {zone!r}; name one of its zones")
        if zone not in zones:
            raise ValueError(f"there is no zone {zone!r}; known are {', '.join(zones)}")
        garment = (*settings.any_of, *settings.all_of)[0]
        customer = Customer(garment, 1.0, UNKNOWN, now_s)
        return replace(self._alert(rule, zone, customer, now_s, frame_index=0), is_test=True)

    def state(self, keeps_tracks: bool = True) -> dict[str, Any]:
        """What must survive a restart, JSON-able; see :meth:`restore`.

        Without the tracks it is the same for as long as nothing happens, but for the minute.
        """
        now_s = self._now_s
        if now_s is not None and not keeps_tracks:
            now_s = now_s // _STEP_S * _STEP_S
        return {
            "version": _VERSION,
            "now_s": now_s,
            "gates": [[*key, gate.state()] for key, gate in self._gates.items()],
            "directions": {name: rule.direction for name, rule in self._rules.items()},
            **self._mutes.state(),
            "people": [
                [*key, p.heard_at_s, [[n, *w] for n, w in p.waiting.items()], sorted(p.done)]
                for key, p in (self._people.items() if keeps_tracks else ())
            ],
        }

    def restore(self, state: Mapping[str, Any], keeps_tracks: bool = False) -> None:
        """Continue from what :meth:`state` gave; rules that are gone or turned, and zones, go.

        Args:
            state: of the earlier run.
            keeps_tracks: track ids mean the same people as before. After a restart they do not: a
                new person may have the id of one who was announced already.
        """
        if state["version"] != _VERSION:
            words = "alerts: the kept state has version %s, expected %s; all of it starts afresh"
            logger.warning(words, state["version"], _VERSION)
            return
        self._now_s = state["now_s"]
        self._is_back = not keeps_tracks
        directions = state.get("directions", {})
        for name, zone, gate in state["gates"]:
            if self._watches(name, zone, directions.get(name)):
                self._gates[name, zone] = Gate(self._rules[name])
                self._gates[name, zone].restore(gate)
        self._mutes.restore(state, self._rules, is_restart=not keeps_tracks)
        for camera, track_id, heard_at_s, waiting, done in state["people"] if keeps_tracks else ():
            kept = {
                name: (zone, at_s)
                for name, zone, at_s in waiting
                if self._watches(name, zone, directions.get(name))
            }
            self._people[camera, track_id] = _Person(heard_at_s, kept, set(done))

    def _customers(self, key: TrackKey, outfit: Outfit) -> Iterator[tuple[str, str, Customer]]:
        """Rules, with their zones, for which this person's entry and evidence now both hold."""
        person = self._people[key]
        for name, (zone, entered_at_s) in list(person.waiting.items()):
            customer = customer_of(self._rules[name], outfit, entered_at_s)
            if customer is not None:
                del person.waiting[name]
                person.done.add(name)
                yield name, zone, customer
            elif outfit.is_settled:
                # It answers for good; who is followed under this id after going out is another.
                del person.waiting[name]

    def _released(
        self, name: str, zone: str, now_s: float, frame_index: int, is_forced: bool = False
    ) -> list[Alert]:
        """The gate's alert, if it opens; nothing while the rule is muted."""
        gate = self._gates[name, zone]
        if self._mutes.is_muted(name, now_s):
            people = gate.drop()
            if people:
                logger.info("alerts: rule %s is muted, %d people not announced", name, people)
            return []
        customer = gate.release(now_s, is_forced)
        if customer is None:
            return []
        return [self._alert(name, zone, customer, now_s, frame_index)]

    def _alert(
        self, name: str, zone: str, customer: Customer, now_s: float, frame_index: int
    ) -> Alert:
        return Alert(
            rule=name,
            zone=zone,
            garment=customer.garment,
            probability=customer.probability,
            colour=customer.colour,
            people=customer.people,
            entered_at_s=customer.entered_at_s,
            settled_at_s=now_s,
            frame_index=frame_index,
            expires_s=self._rules[name].expires_s,
            also=tuple(one for one in self._rules[name].all_of if one != customer.garment),
        )

    def _come_back(self, now_s: float, is_behind: bool) -> None:
        """After a restart: whose alert would be worthless by now, or might be, is no news."""
        gates = self._gates.values()
        lost = sum(gate.drop() for gate in gates if is_behind or now_s > gate.expires_at_s)
        if lost:
            logger.warning("alerts: %d people held at a restart are not announced so late", lost)

    def _watches(self, name: str, zone: str, direction: str | None) -> bool:
        """There are such a rule and zone, and the one means who passes the other that way.

        Earlier versions did not keep the direction.
        """
        rule = self._rules.get(name)
        if rule is None or zone not in self._zones:
            return False
        return watches(rule, zone) and direction in (None, rule.direction)

    def _check(self, rule: str) -> None:
        if rule not in self._rules:
            known = ", ".join(sorted(self._rules)) or "none"
            raise ValueError(f"there is no alert rule {rule!r}; known are {known}")

    def _follow_clock(self, now_s: float) -> float:
        """The present, never going back but when the clock was set back."""
        before_s = now_s if self._now_s is None else self._now_s
        step_s = now_s - before_s
        was_off, self._is_back = self._is_back, False
        if was_off:
            self._come_back(now_s, is_behind=step_s < -_STEP_S)
        if abs(step_s) <= _STEP_S:
            now_s = max(now_s, before_s)
        else:
            self._shift(step_s, now_s, was_off)
        if now_s // _STEP_S != before_s // _STEP_S:
            gone = [k for k, p in self._people.items() if p.heard_at_s < now_s - _FORGET_S]
            for key in gone:
                del self._people[key]
        self._now_s = now_s
        return now_s

    def _shift(self, by_s: float, now_s: float, was_off: bool) -> None:
        """The clock was set, or the box was off for so long."""
        self._mutes.shift(by_s)
        # Whoever is followed while the clock is set was not away for so long.
        for person in self._people.values():
            person.heard_at_s += by_s
            for name, (zone, at_s) in person.waiting.items():
                person.waiting[name] = (zone, min(at_s + by_s, now_s))
        if by_s < 0:
            logger.warning("alerts: the clock went back by %.0f s", -by_s)
        for gate in self._gates.values():
            if by_s < 0:
                gate.shift(by_s)
            if not was_off:
                gate.date(by_s)
