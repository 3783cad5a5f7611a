"""How many people are inside each zone, and its course over a stretch of time.

Changes are kept until their minute is closed and then applied in order of event time, so that the
order in which cameras report them does not matter. Occupancy never falls below 0: an exit without
an entry is a miscount of the past, not a debt of the future.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_app.flow import ALL

Change = tuple[float, int, str]
"""Event time in seconds of Unix time, by how many people, and the zone; 0 is a reset of all."""


@dataclass
class Course:
    """Occupancy over a stretch of time.

    Attributes:
        start: people at its start.
        end: people at its end.
        most: the most at any time.
        people_s: people times seconds.
        known_s: seconds that this speaks of.
    """

    start: int
    end: int
    most: int
    people_s: float = 0.0
    known_s: float = 0.0

    def stay(self, seconds: float) -> None:
        """Time passes without a change."""
        self.people_s += self.end * seconds
        self.known_s += seconds

    def become(self, people: int) -> None:
        """The number of people changes."""
        self.end = people
        self.most = max(self.most, people)

    def append(self, later: Course) -> None:
        """Continue with the course that follows this one."""
        self.end = later.end
        self.most = max(self.most, later.most)
        self.people_s += later.people_s
        self.known_s += later.known_s

    @property
    def average(self) -> float:
        """Mean over the known time."""
        return self.people_s / self.known_s if self.known_s > 0.0 else float(self.end)


class Occupancy:
    """The people in each zone, up to the last closed minute and beyond it.

    Args:
        zones: ids. Who was in a zone that is gone is known to be nowhere until it is put back.
    """

    def __init__(self, zones: Sequence[str]) -> None:
        self._zones = tuple(zones)
        self._people = dict.fromkeys(zones, 0)
        self._changes: list[Change] = []
        self._closed_s = 0.0
        self._reset_at_s = 0.0

    def change(self, zone: str, at_s: float, by: int) -> None:
        """Somebody came in (+1) or went out (-1) at a time, or several did."""
        if at_s >= self._closed_s:
            self._changes.append((at_s, by, zone))
        elif at_s >= self._reset_at_s:
            self._people[zone] = max(0, self._people[zone] + by)

    def reset(self, at_s: float) -> None:
        """Nobody is inside any zone at a time, whatever was counted before."""
        if at_s >= self._closed_s:
            self._changes.append((at_s, 0, ALL))
        elif at_s > self._reset_at_s:
            self._reset_at_s = at_s
            self._people = dict.fromkeys(self._people, 0)

    def close(self, start_s: float, end_s: float, known_until_s: float) -> dict[str, Course]:
        """Apply the changes before ``end_s``.

        Args:
            start_s: where the last call ended.
            end_s: seconds of Unix time, exclusive.
            known_until_s: time after this does not count for the average.

        Returns:
            By zone, former ones too, and for ``all``, the course from start to end.
        """
        due = sorted((c for c in self._changes if c[0] < end_s), key=_order)
        self._changes = [c for c in self._changes if c[0] >= end_s]
        # What is reset at the very start leaves nobody in this stretch.
        while due and due[0][0] <= start_s and due[0][1] == 0:
            self._apply(due.pop(0))
        courses = {zone: Course(n, n, n) for zone, n in self.people().items()}
        now_s = start_s
        for change in due:
            at_s = max(change[0], start_s)
            for course in courses.values():
                course.stay(at_s - now_s)
            now_s = at_s
            self._apply(change)
            for zone, people in self.people().items():
                courses[zone].become(people)
        for course in courses.values():
            course.stay(max(0.0, known_until_s - now_s))
        self._closed_s = end_s
        return courses

    def set_back(self, to_s: float, closed_s: float) -> None:
        """Event time goes on from an earlier time, with the people who are inside now.

        Args:
            to_s: that time, seconds of Unix time.
            closed_s: minutes before this are closed all the same.
        """
        self.close(self._closed_s, float("inf"), self._closed_s)
        self._closed_s = closed_s
        self._reset_at_s = to_s

    def latest(self, reset_at_s: float) -> dict[str, int]:
        """People by zone, former ones too, and for ``all``, after every change known so far.

        Args:
            reset_at_s: start of the present business day, at which everybody was gone.
        """
        ahead = Occupancy(self._zones)
        ahead._people = dict(self._people)
        changes = [*self._changes, (reset_at_s, 0, ALL)]
        for change in sorted((c for c in changes if c[0] >= self._closed_s), key=_order):
            ahead._apply(change)
        return ahead.people()

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able."""
        return {
            "people": dict(self._people),
            "changes": [list(change) for change in self._changes],
            "closed_s": self._closed_s,
            "reset_at_s": self._reset_at_s,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        self._people |= state["people"]
        self._changes = [(at_s, by, zone) for at_s, by, zone in state["changes"]]
        self._closed_s = state["closed_s"]
        self._reset_at_s = state["reset_at_s"]

    def _apply(self, change: Change) -> None:
        at_s, by, zone = change
        if by == 0:
            self._people = dict.fromkeys(self._people, 0)
            self._reset_at_s = max(self._reset_at_s, at_s)
        else:
            self._people[zone] = max(0, self._people[zone] + by)

    def people(self) -> dict[str, int]:
        """People by zone, former ones too, and for ``all``, at the last closed minute's end."""
        return {**self._people, ALL: sum(self._people[zone] for zone in self._zones)}


def _order(change: Change) -> tuple[float, int, str]:
    """By time; at one time first a reset, then those who come, then those who go."""
    at_s, by, zone = change
    return at_s, (0 if by == 0 else 1 if by > 0 else 2), zone
