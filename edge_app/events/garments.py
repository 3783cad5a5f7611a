"""Which garment maps may be published, given what was published before.

One map is made safe where its payload is made (:func:`edge_app.suppression.suppress`). Here is what
a reader could compute from several: the store's sum minus its other zones, the day minus its other
hours, all of these and ``garment_n`` together, a revision minus the one before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge_app.events.disclosure import NAMES, Published, Reader
from edge_app.events.shelf import Shelf, WindowKey
from edge_app.events.tally import DAY, Tally
from edge_app.flow import ALL, GARMENT_WINDOWS, CountWindow
from edge_app.suppression import suppress, withheld_in_total
from edge_app.vocabulary import REGION_OF

_HOUR_S = 3600


@dataclass(frozen=True)
class GarmentMap:
    """The garments of one zone and window.

    Attributes:
        cells: per category and ``unknown`` the entries that wear it; only positive ones.
        n: entries with at least one settled region.
        withheld: the cells that are hidden, whatever k is by now.
    """

    cells: Mapping[str, int]
    n: int
    withheld: tuple[str, ...] = ()

    def whole(self) -> dict[str, int]:
        """The cells of the whole vocabulary."""
        return {name: self.cells.get(name, 0) for name in NAMES}

    def shown(self) -> dict[str, int | None]:
        """The cells as a reader sees them."""
        cells, withheld = self.cells, self.withheld
        return {name: None if name in withheld else cells.get(name, 0) for name in NAMES}


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

    def publish(self, key: WindowKey, day: tuple[int, int], tally: Tally) -> GarmentMap:
        """What to publish of a window's garments.

        A revision that changes a cell by fewer than k people would tell of them, and so would one
        that hides other cells: the map stays as it was, and the late ones are in the day's.

        Args:
            key: zone, window and start.
            day: start and end of the business day that it lies in, seconds of Unix time.
            tally: the window's sums.
        """
        if key[1] not in GARMENT_WINDOWS:
            return GarmentMap({}, tally.garment_n)
        fresh = GarmentMap(dict(tally.garments), tally.garment_n)
        before = self.shelf.get(key)
        if before is not None and self._tells_of_few(before.whole(), fresh.whole()):
            return before
        beside = self._beside(key, day)
        total = fresh.whole()
        withheld = [withheld_in_total(total, part, self._k) for part in _parts(key, beside) if part]
        names = self._cover(key, fresh, frozenset().union(*withheld), beside, day)
        if before is not None and set(before.withheld) != names:
            return before
        shown = GarmentMap(fresh.cells, fresh.n, tuple(sorted(names)))
        self.shelf.put(key, shown)
        return shown

    def note(self, key: WindowKey, window: CountWindow) -> None:
        """A copy of these counters has published this window."""
        if window.garment:
            cells = {name: n for name, n in window.garment.items() if n}
            self.shelf.put(key, GarmentMap(cells, window.garment_n, window.withheld))

    def forget(self, before_s: float) -> None:
        """Drop the maps of windows that began before a time."""
        for window in GARMENT_WINDOWS:
            self.shelf.forget(window, before_s)

    def _tells_of_few(self, before: Mapping[str, int], after: Mapping[str, int]) -> bool:
        return any(0 < abs(n - before[name]) < self._k for name, n in after.items())

    def _beside(self, key: WindowKey, day: tuple[int, int]) -> dict[WindowKey, Published]:
        """What else was published of the day and of its hours, as far as it tells of this map.

        Hours hang together by their day alone; that of ``all`` is published last.
        """
        is_told = key[1] == DAY or self.shelf.get((ALL, DAY, day[0])) is not None
        since, until = day if is_told else (key[2], key[2] + 1)
        return {
            other: Published(published.shown(), published.n)
            for other, published in self.shelf.since(since)
            if other != key and (other[2] == day[0] if other[1] == DAY else other[2] < until)
        }

    def _cover(
        self,
        key: WindowKey,
        fresh: GarmentMap,
        withheld: frozenset[str],
        beside: Mapping[WindowKey, Published],
        day: tuple[int, int],
    ) -> frozenset[str]:
        """What to hide, so that a map tells of no few people, its own or others', any more."""
        has_whole_hours = day[0] % _HOUR_S == 0 and day[1] % _HOUR_S == 0
        if not fresh.cells:
            return frozenset()  # there is nobody to protect
        reader = Reader(beside, key, fresh.n, self._k, has_whole_hours)
        known = reader.cells_of_few(dict.fromkeys(NAMES))
        while True:
            shown = suppress(fresh.whole(), self._k, withheld)[0]
            told = {name for _, name in reader.cells_of_few(shown) - known}
            visible = {name: n for name, n in shown.items() if n is not None}
            if not told or not visible:
                return frozenset(NAMES) - visible.keys()
            regions = {REGION_OF.get(name) for name in told}
            # What tells, then what is worn in its place, the smallest first, equals together.
            rank = {
                name: (n == 0, name not in told, REGION_OF.get(name) not in regions, n)
                for name, n in visible.items()
            }
            first = min(rank.values())
            withheld |= {name for name in visible if rank[name] == first}


def _parts(
    key: WindowKey, beside: Mapping[WindowKey, Published]
) -> list[list[Mapping[str, int | None]]]:
    """What was published of a map's parts: the zones of ``all``, the hours of a day."""
    zone, window, start = key
    zones, hours = [], []
    for (other, kind, begun), published in beside.items():
        if zone == ALL and other != ALL and (kind, begun) == (window, start):
            zones.append(published.cells)
        if window == DAY and other == zone and kind != DAY:
            hours.append(published.cells)
    return [zones, hours]
