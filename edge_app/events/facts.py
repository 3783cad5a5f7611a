"""What closed windows said of coverage and occupancy, kept for revisions in little space."""

from __future__ import annotations

from dataclasses import dataclass

from edge_app.events.shelf import Shelf, WindowKey
from edge_app.events.tally import DAY, LENGTH_S, WINDOWS

_HOUR_S = 3600
_LONGEST_DAY_S = 25 * _HOUR_S


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

    coverage: float = 0.0
    start: int = 0
    end: int = 0
    most: int = 0
    average: float = 0.0

    def continued(self) -> Facts:
        """The next window if nothing happens in it."""
        return Facts(self.coverage, self.end, self.end, self.end, float(self.end))


class FactBook:
    """The facts of closed windows; within an hour, quiet windows take no space.

    Attributes:
        shelf: those that are not quiet.

    >>> book = FactBook()
    >>> for start in (0, 60):
    ...     book.put(("door", "pt1m", start), Facts(1.0, 2, 2, 2, 2.0))
    >>> book.at(("door", "pt1m", 60)).end, len(list(book.shelf.since(0)))
    (2, 1)
    """

    def __init__(self) -> None:
        self.shelf = Shelf[Facts](
            lambda f: [f.coverage, f.start, f.end, f.most, f.average], lambda row: Facts(*row)
        )

    def put(self, key: WindowKey, facts: Facts) -> None:
        """Note the facts of a window."""
        if self.shelf.get(key) is not None or self._before(key) != facts:
            self.shelf.put(key, facts)

    def at(self, key: WindowKey) -> Facts:
        """The facts of a window; all zero if it was never closed."""
        return self.shelf.get(key) or self._before(key) or Facts()

    def forget(self, before_s: float) -> None:
        """Drop the hours that ended before a time, and days a day after that."""
        hour_s = before_s // _HOUR_S * _HOUR_S  # quiet windows rest on the others of their hour
        for window in WINDOWS:
            self.shelf.forget(window, hour_s - (window == DAY) * _LONGEST_DAY_S)

    def _before(self, key: WindowKey) -> Facts | None:
        """What the windows earlier in the hour lead one to expect."""
        zone, window, start = key
        length = LENGTH_S.get(window, _HOUR_S)
        for earlier in range(start - length, start // _HOUR_S * _HOUR_S - 1, -length):
            facts = self.shelf.get((zone, window, earlier))
            if facts is not None:
                return facts.continued()
        return None
