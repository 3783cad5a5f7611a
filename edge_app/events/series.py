"""What closed windows said of coverage and occupancy, kept for revisions in little space."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import astuple, dataclass
from typing import Any


@dataclass(frozen=True)
class Facts:
    """What a window says that does not add up.

    Attributes:
        coverage: share of the window in which every camera of the zone was seen, 0..1.
        start: people inside at its start.
        end: people inside at its end.
        most: the most at any time.
        average: over the time that was counted.
    """

    coverage: float
    start: int
    end: int
    most: int
    average: float

    def continued(self) -> Facts:
        """The next window if nothing happens in it."""
        return Facts(self.coverage, self.end, self.end, self.end, float(self.end))


class Series:
    """The facts of one zone's windows of one kind; quiet windows take no space.

    >>> series = Series()
    >>> for start, facts in ((0, Facts(1.0, 2, 2, 2, 2.0)), (60, Facts(1.0, 2, 2, 2, 2.0))):
    ...     series.put(start, facts)
    >>> series.at(60).end, len(series.state())
    (2, 1)
    """

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._facts: list[Facts] = []

    def put(self, start: int, facts: Facts) -> None:
        """Note the facts of the window that begins at a time."""
        place = bisect_left(self._starts, start)
        if place < len(self._starts) and self._starts[place] == start:
            self._facts[place] = facts
        elif place == 0 or self._facts[place - 1].continued() != facts:
            self._starts.insert(place, start)
            self._facts.insert(place, facts)

    def at(self, start: int) -> Facts:
        """The facts of the window that begins at a time; of one before all others, none."""
        place = bisect_right(self._starts, start) - 1
        if place < 0:
            return Facts(0.0, 0, 0, 0, 0.0)
        facts = self._facts[place]
        return facts if self._starts[place] == start else facts.continued()

    def forget(self, before_s: float) -> None:
        """Drop what is older than a time, but for the last, which the quiet ones continue."""
        keep = max(0, bisect_right(self._starts, before_s) - 1)
        del self._starts[:keep]
        del self._facts[:keep]

    def state(self) -> list[list[Any]]:
        """What must survive a restart, JSON-able."""
        pairs = zip(self._starts, self._facts, strict=True)
        return [[start, *astuple(facts)] for start, facts in pairs]

    @classmethod
    def restored(cls, state: list[list[Any]]) -> Series:
        """A series that continues from what :meth:`state` gave."""
        series = cls()
        series._starts = [start for start, *_ in state]
        series._facts = [Facts(*values) for _, *values in state]
        return series
