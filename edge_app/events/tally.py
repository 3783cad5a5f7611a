"""What was counted in each zone and window: the part that simply adds up."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_app.events.business_day import Calendar
from edge_app.events.shelf import Shelf
from edge_app.flow import ALL, GARMENT_WINDOWS

LENGTH_S = {"pt1m": 60, "pt15m": 900, "pt1h": 3600}
"""Lengths of the windows that are aligned in UTC."""
DAY = "p1d"
"""The window that is aligned on the store's business day, of 23, 24 or 25 hours."""
WINDOWS = (*LENGTH_S, DAY)


@dataclass
class Tally:
    """The sums of one zone and window.

    Attributes:
        entries: people who came in, U-turns and staff included.
        exits: people who went out, U-turns included.
        uturns: exits that undid an entry at once.
        staff: entries of people who work here, but for those that are undone in ``uturns``.
        initial: people who were inside when the camera came up, which are no entries; less those
            whom a restart lost out of sight, which are no exits.
        stays: exits of people whose entry is known.
        stays_ms: the lengths of their stays added up; whole, so that no order changes the sum.
        garments: per category and ``unknown`` the entries that wear it; in ``pt1h`` and ``p1d``.
        garment_n: entries with at least one settled region.
    """

    entries: int = 0
    exits: int = 0
    uturns: int = 0
    staff: int = 0
    initial: int = 0
    stays: int = 0
    stays_ms: int = 0
    garment_n: int = 0
    garments: dict[str, int] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.entries += other.entries
        self.exits += other.exits
        self.uturns += other.uturns
        self.staff += other.staff
        self.initial += other.initial
        self.stays += other.stays
        self.stays_ms += other.stays_ms
        # What went with a clock that was set back cannot be taken back once more.
        self.garment_n = max(0, self.garment_n + other.garment_n)
        for garment, n in other.garments.items():
            left = self.garments.pop(garment, 0) + n
            if left > 0:
                self.garments[garment] = left

    @property
    def drift(self) -> int:
        """People too many (or, below 0, too few) inside if all had left by the window's end."""
        return self.entries + self.initial - self.exits


class Ledger:
    """Tallies by zone and window, kept while late facts may still change them.

    Args:
        zones: ids; ``all`` is the sum of these and of former ones, and never kept.
        days: the store's business days.

    Attributes:
        shelf: the tallies.
    """

    def __init__(self, zones: Sequence[str], days: Calendar) -> None:
        self.days = days
        self.shelf = Shelf[Tally](to_row, lambda row: Tally(*row))
        self._totals = {zone: Tally() for zone in zones}

    @property
    def zones(self) -> Collection[str]:
        """The zones that there are, and those that there were since the counters began."""
        return self._totals.keys()

    def bounds(self, window: str, at_s: float) -> tuple[int, int]:
        """Start and end (exclusive) of the window of a kind that a time lies in."""
        if window == DAY:
            return self.days.span(at_s)
        length = LENGTH_S[window]
        start = int(at_s // length) * length
        return start, start + length

    def add(self, zone: str, at_s: float, what: Tally) -> list[tuple[str, int, int]]:
        """Count something that happened at a time; returns its windows, with start and end."""
        touched = []
        for window in WINDOWS:
            start, end = self.bounds(window, at_s)
            tally = self.shelf.get((zone, window, start)) or Tally()
            tally.add(what)
            if window not in GARMENT_WINDOWS:
                tally.garments.clear()
            self.shelf.put((zone, window, start), tally)
            touched.append((window, start, end))
        self._totals[zone].add(what)
        self._totals[zone].garments.clear()
        return touched

    def tally(self, zone: str, window: str, start: int) -> Tally:
        """The sums of a zone, or of ``all``, in a window."""
        total = Tally()
        for each in self._totals if zone == ALL else (zone,):
            total.add(self.shelf.get((each, window, start)) or Tally())
        return total

    def totals_before(self, zone: str, end: int) -> tuple[int, int]:
        """Entries and exits since the counters began, up to a whole minute of event time."""
        zones = self._totals if zone == ALL else (zone,)
        entries = sum(self._totals[each].entries for each in zones)
        exits = sum(self._totals[each].exits for each in zones)
        for (each, window, _), tally in self.shelf.since(end):
            if window == "pt1m" and each in zones:
                entries -= tally.entries
                exits -= tally.exits
        return entries, exits

    def minutes(self, since: int) -> Iterator[int]:
        """Starts of the minutes, from a time on, in which anything was counted."""
        for (_, window, start), _ in self.shelf.since(since):
            if window == "pt1m":
                yield start

    def forget(self, before_s: float) -> None:
        """Drop the windows that ended before a time; the totals stay."""
        for window in WINDOWS:
            self.shelf.forget(window, self.bounds(window, before_s)[0])

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able."""
        return {
            "tallies": self.shelf.state(),
            "totals": {zone: to_row(tally) for zone, tally in self._totals.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave; zones that are gone stay in the sum."""
        self.shelf.restore(state["tallies"])
        self._totals |= {zone: Tally(*values) for zone, values in state["totals"].items()}


def to_row(tally: Tally) -> list[Any]:
    """A tally's values in order, without the trailing ones that are empty."""
    values = list(vars(tally).values())
    while values and not values[-1]:
        values.pop()
    return values
