"""Which garment maps may be published, given what was published before.

One map is made safe where its payload is made (:func:`edge_app.suppression.suppress`). Here is what
a reader could compute from several: the store's sum minus its other zones, the day minus its other
hours, a revision minus the one before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_app.events.shelf import Key, Shelf
from edge_app.events.tally import DAY, Tally
from edge_app.flow import ALL, GARMENT_WINDOWS, CountWindow
from edge_app.suppression import suppress, withheld_in_total
from edge_app.vocabulary import CATEGORIES, UNKNOWN


@dataclass(frozen=True)
class GarmentMap:
    """The garments of one zone and window.

    Attributes:
        cells: per category and ``unknown`` the entries that wear it; only positive ones.
        n: entries with at least one settled region.
        withheld: cells to hide whatever their value.
    """

    cells: Mapping[str, int]
    n: int
    withheld: tuple[str, ...] = ()

    def whole(self) -> dict[str, int]:
        """The cells of the whole vocabulary."""
        return {name: self.cells.get(name, 0) for name in (*CATEGORIES, UNKNOWN)}

    def shown(self, k: int) -> dict[str, int | None]:
        """The cells as a reader sees them."""
        return suppress(self.whole(), k, self.withheld)[0]


class GarmentMaps:
    """Remembers the maps of the last days, and decides about the next one.

    Args:
        k: the smallest positive count that may be published.

    Attributes:
        shelf: what was published.
    """

    def __init__(self, k: int) -> None:
        self._k = k
        self.shelf = Shelf[GarmentMap](
            lambda shown: [dict(shown.cells), shown.n, list(shown.withheld)],
            lambda row: GarmentMap(row[0], row[1], tuple(row[2])),
        )

    def publish(self, key: Key, end: int, tally: Tally) -> GarmentMap:
        """What to publish of a window's garments.

        A revision that changes a cell by fewer than k people would tell of them: the map stays as
        it was, and the late ones are in the day's.

        Args:
            key: zone, window and start.
            end: of the window, seconds of Unix time.
            tally: the window's sums.
        """
        if key[1] not in GARMENT_WINDOWS:
            return GarmentMap({}, tally.garment_n)
        fresh = GarmentMap(dict(tally.garments), tally.garment_n)
        before = self.shelf.get(key)
        if before is not None and self._tells_of_few(before.whole(), fresh.whole()):
            return before
        parts = self._parts(key, end)
        total = fresh.whole()
        withheld = [withheld_in_total(total, part, self._k) for part in parts if part]
        names = tuple(sorted(frozenset().union(*withheld)))
        shown = GarmentMap(fresh.cells, fresh.n, names)
        self.shelf.put(key, shown)
        return shown

    def note(self, key: Key, window: CountWindow) -> None:
        """A copy of these counters has published this window."""
        if window.garment:
            cells = {name: n for name, n in window.garment.items() if n}
            self.shelf.put(key, GarmentMap(cells, window.garment_n, window.withheld))

    def forget(self, before_s: float) -> None:
        """Drop the maps of windows that began before a time."""
        for window in GARMENT_WINDOWS:
            self.shelf.forget(window, before_s)

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able."""
        return self.shelf.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        self.shelf.restore(state)

    def _tells_of_few(self, before: Mapping[str, int], after: Mapping[str, int]) -> bool:
        return any(0 < abs(n - before[name]) < self._k for name, n in after.items())

    def _parts(self, key: Key, end: int) -> list[list[dict[str, int | None]]]:
        """What was published of its parts: the zones of ``all``, the hours of a day."""
        zone, window, start = key
        zones, hours = [], []
        for (other, kind, begun), published in self.shelf.since(start):
            if zone == ALL and other != ALL and (kind, begun) == (window, start):
                zones.append(published.shown(self._k))
            if window == DAY and other == zone and kind != DAY and start <= begun < end:
                hours.append(published.shown(self._k))
        return [zones, hours]
