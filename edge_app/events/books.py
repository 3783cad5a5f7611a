"""What follows from entries and outfits, booked together: counts, alerts, and who works here.

::

    entries ──> Counts ──────────────────────> windows
       │  └──> Alerts <── outfits ───────────> alerts
       └─ open, until the outfit settles ──> garments in the windows of the entry

Somebody whose clothes match the uniform, or who is seen in a staff-only zone, works here: no rule
announces them, their entries (also the earlier ones of the same track) count as ``staff_in``, and
their clothes do not count, or no longer. An entry that a U-turn undid is in ``uturn`` or in
``staff_in``, never in both: footfall leaves it out once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from edge_app.events.alerts import Alerts
from edge_app.events.counts import Counts
from edge_app.flow import Alert, Entry, Outfit, TrackKey, Worn

_APART: Final = ("packed", "counted", "time")
"""Parts of the counters' state that are stored apart from the rest of it."""


@dataclass
class _Person:
    """What is kept of a track with an entry; goes when the track ends.

    Attributes:
        entries: everything counted of this person.
        open: those that wait for the outfit.
        settled: those whose clothes were counted, each with what was counted.
        outfit: the newest; None before the first look.
        is_staff: works here.
    """

    entries: list[Entry] = field(default_factory=list)
    open: list[Entry] = field(default_factory=list)
    settled: list[tuple[Entry, Outfit]] = field(default_factory=list)
    outfit: Outfit | None = None
    is_staff: bool = False


class Books:
    """Books every entry and every outfit once, in counts and alerts.

    Args:
        alerts: the rules.
        counts: the counters.
        staff_zones: ids of the zones in which only staff are seen.
    """

    def __init__(self, alerts: Alerts, counts: Counts, staff_zones: Collection[str] = ()) -> None:
        self.alerts = alerts
        self.counts = counts
        self._staff_zones = frozenset(staff_zones)
        self._people: dict[TrackKey, _Person] = {}

    @property
    def open(self) -> list[TrackKey]:
        """The people whose entries wait for their outfit."""
        return [key for key, person in self._people.items() if person.open]

    def book(
        self,
        entries: Iterable[Entry],
        outfits: Mapping[TrackKey, Outfit],
        now_s: float,
        frame_index: int,
    ) -> list[Alert]:
        """Book what one step decided.

        Args:
            entries: decided in this step.
            outfits: that changed or settled in this step.
            now_s: when it was decided, seconds of Unix time.
            frame_index: number of the frame that decided it.

        Returns:
            The alerts that are due.
        """
        for entry in entries:
            self._enter(entry)
        for key, outfit in outfits.items():
            person = self._people.get(key)
            if person is not None:
                person.outfit = outfit
                if outfit.is_staff:
                    self._is_staff(key, person)
                if outfit.is_settled:
                    self._settle(person)
        return self.alerts.update(outfits, now_s, frame_index)

    def forget(self, key: TrackKey) -> None:
        """The track ended; its outfit was settled in this step or before."""
        self._people.pop(key, None)
        self.alerts.forget(*key)

    def renew(self, alerts: Alerts, counts: Counts) -> None:
        """Go on with other rules and counters, which were restored from these.

        Args:
            alerts: the new rules.
            counts: the new counters; entries of zones that are gone settle in them all the same.
        """
        self.alerts, self.counts = alerts, counts

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able; what changes more or less often is apart."""
        counts = self.counts.state()
        waiting = [p for p in self._people.values() if p.open and not p.is_staff]
        return {
            "alerts": self.alerts.state(keeps_tracks=False),
            **{name: counts.pop(name) for name in _APART},
            "counts": counts,
            "books": {
                "open": [
                    {
                        "entries": [asdict(entry) for entry in person.open],
                        "worn": _worn(person.outfit),
                    }
                    for person in waiting
                ]
            },
        }

    def restore(self, state: Mapping[str, Any], emptied: Sequence[str] = ()) -> None:
        """Continue from what :meth:`state` gave before a restart.

        Nobody is followed over a restart: an outfit that was open then will get no more looks, and
        counts as what it was by then.

        Args:
            state: of the earlier run; without what is ours if that ended before it counted.
            emptied: zones whose people are seen, and counted as being there, anew.
        """
        if "alerts" not in state:
            return
        self.alerts.restore(state["alerts"])
        apart = {name: state[name] for name in _APART if name in state}
        self.counts.restore({**state["counts"], **apart}, emptied)
        for person in state.get("books", {}).get("open", ()):
            worn = {region: Worn(*word) for region, word in person["worn"].items()}
            for entry in person["entries"]:
                self.counts.settled(Entry(**entry), Outfit(True, {}, worn))

    def _enter(self, entry: Entry) -> None:
        key = (entry.camera, entry.track_id)
        person = self._people.setdefault(key, _Person())
        self.counts.entered(replace(entry, is_uturn=False) if person.is_staff else entry)
        self.alerts.entered(entry)
        person.entries.append(entry)
        person.open.append(entry)
        if person.is_staff:
            self.alerts.staff(*key)  # a rule may be newer than what is known of them
            self.counts.staff(entry)
        elif entry.zone in self._staff_zones:
            self._is_staff(key, person)

    def _is_staff(self, key: TrackKey, person: _Person) -> None:
        if not person.is_staff:
            person.is_staff = True
            self.alerts.staff(*key)
            for entry in _not_undone(person.entries):
                self.counts.staff(entry)
            for entry, outfit in person.settled:
                self.counts.unsettled(entry, outfit)
            person.settled.clear()

    def _settle(self, person: _Person) -> None:
        waiting, person.open = person.open, []
        if person.outfit is not None and not person.is_staff:
            for entry in waiting:
                self.counts.settled(entry, person.outfit)
                person.settled.append((entry, person.outfit))


def _not_undone(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The entries of a track that no U-turn undid; each undoes the last one before it."""
    undone = set()
    for entry in reversed(entries):
        if entry.is_uturn:
            undone.add(entry.zone)
        elif entry.direction == "in" and entry.zone not in undone:
            yield entry
        elif entry.direction == "in":
            undone.remove(entry.zone)


def _worn(outfit: Outfit | None) -> dict[str, list[Any]]:
    regions = {} if outfit is None else outfit.regions
    return {region: [worn.category, worn.probability] for region, worn in regions.items()}
