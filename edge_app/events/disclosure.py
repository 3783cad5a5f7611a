"""What a reader can work out of all garment maps of a day together.

The maps hang together: zones add up to ``all`` and hours to their day, nobody wears two garments of
one region, so that no region adds up to more than ``garment_n``, and everybody of ``garment_n``
wears something. Each of these narrows what a hidden cell can be, and what one of them tells the
others take up, until nothing is learnt any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_app.events.shelf import WindowKey
from edge_app.events.tally import DAY
from edge_app.flow import ALL
from edge_app.vocabulary import CATEGORIES, REGION_OF, REGIONS, UNKNOWN

Counts = npt.NDArray[np.int64]
Row = tuple[int | None, ...]

NAMES: Final = (*CATEGORIES, UNKNOWN)
_REGIONS: Final = [
    [place for place, name in enumerate(CATEGORIES) if REGION_OF[name] == region]
    for region in REGIONS
]
_ANY: Final = 10**9
"""More people than come in; what a map that is not published yet may say."""
_MOST_ROUNDS: Final = 100
_ROW: Final = itemgetter(*NAMES)


class Published(NamedTuple):
    """A garment map as its readers have it: the cells, None for hidden, and ``garment_n``."""

    cells: Mapping[str, int | None]
    n: int


class Reader:
    """Somebody who has the garment maps of a business day, and is to have one more.

    Args:
        maps: the day's own and those of its hours, of any zones and ``all``.
        key: of the one more.
        n: its ``garment_n``.
        k: the smallest positive count that may be published.
        has_whole_hours: the day is the sum of its hours; else it has more than these.

    >>> nothing = dict.fromkeys(NAMES)
    >>> hours = {("door", "pt1h", 0): Published(nothing, 1)}
    >>> hours["door", "pt1h", 3600] = Published(nothing, 4)
    >>> reader = Reader(hours, ("door", "p1d", 0), 5, k=5)
    >>> reader.cells_of_few(nothing)
    set()
    >>> day = dict.fromkeys(NAMES, 0) | {"coat": 5}
    >>> sorted(reader.cells_of_few(day)) == [(hour, "coat") for hour in hours]
    True
    """

    def __init__(
        self,
        maps: Mapping[WindowKey, Published],
        key: WindowKey,
        n: int,
        k: int,
        has_whole_hours: bool = True,
    ) -> None:
        self._k = k
        self._has_whole_hours = has_whole_hours
        keys = [*maps, key]
        zones = [*sorted({zone for zone, _, _ in keys} - {ALL}), ALL]
        starts = [*sorted({start for _, window, start in keys if window != DAY}), None]
        zone_at, start_at = ({each: i for i, each in enumerate(axis)} for axis in (zones, starts))
        places = [(zone_at[z], start_at[None if w == DAY else s]) for z, w, s in keys]
        self._keys = dict(zip(places, keys, strict=True))
        self._place = places[-1]
        # Where a zone has no map of an hour, nobody was counted; sums may be yet to come.
        self._least = np.zeros((len(zones), len(starts), len(NAMES)), np.int64)
        self._most = np.zeros_like(self._least)
        self._n = np.zeros((len(zones), len(starts), 2, 1), np.int64)
        self._hidden = np.zeros(self._least.shape, bool)
        for bounds in (self._most[-1], self._most[:, -1], self._n[-1, :, 1], self._n[:, -1, 1]):
            bounds[:] = _ANY
        at = tuple(np.transpose(places))
        self._n[at] = np.reshape([*(each.n for each in maps.values()), n], (-1, 1, 1))
        rows = [_ROW(each.cells) for each in maps.values()]
        self._show(tuple(axis[:-1] for axis in at), rows)

    def cells_of_few(self, cells: Mapping[str, int | None]) -> set[tuple[WindowKey, str]]:
        """The hidden cells known to hold 1 to k-1 people, where the one more map has these cells.

        >>> Reader({}, ("door", "pt1h", 0), 3, k=5).cells_of_few(dict.fromkeys(NAMES))
        set()
        """
        self._show(tuple(np.array([axis]) for axis in self._place), [_ROW(cells)])
        least, most = self._least.copy(), self._most.copy()
        _narrow(least, most, self._n, self._has_whole_hours)
        few = self._hidden & (least >= 1) & (least <= most) & (most < self._k)
        return {(self._keys[zone, start], NAMES[i]) for zone, start, i in np.argwhere(few).tolist()}

    def _show(self, at: tuple[Counts, ...], rows: Sequence[Row]) -> None:
        """Take maps up into the bounds, at their places ``[maps]``."""
        shown = np.array(rows, float).reshape(-1, len(NAMES))
        hidden = np.isnan(shown)
        # Zeros are shown, unless nothing is.
        fewest = ~hidden.all(1, keepdims=True)
        self._hidden[at] = hidden
        self._least[at] = np.where(hidden, fewest, shown)
        self._most[at] = np.where(hidden, self._n[at][:, 0], shown)


def _narrow(least: Counts, most: Counts, n: Counts, has_whole_hours: bool) -> None:
    """Narrow the bounds int64 ``[zones, starts, names]`` in place; sums are at the ends of axes."""
    for _ in range(_MOST_ROUNDS):
        before = least.sum(), most.sum()
        _add_up(least, most, is_whole=True)
        if least.shape[1] > 1:
            _add_up(least.swapaxes(0, 1), most.swapaxes(0, 1), has_whole_hours)
        for region in _REGIONS:
            others = least[..., region].sum(-1, keepdims=True) - least[..., region]
            most[..., region] = np.minimum(most[..., region], n[..., 1, :] - others)
        others = most.sum(-1, keepdims=True) - most
        np.maximum(least, n[..., 0, :] - others, out=least)
        if (least.sum(), most.sum()) == before:
            return


def _add_up(least: Counts, most: Counts, is_whole: bool) -> None:
    """The last of axis 0 is the sum of the others, or at least that."""
    part_least, part_most = least[:-1], most[:-1]
    sum_least, sum_most = part_least.sum(0), part_most.sum(0)
    np.maximum(least[-1], sum_least, out=least[-1])
    room = most[-1] - (sum_least - part_least)
    if is_whole:
        np.minimum(most[-1], sum_most, out=most[-1])
        np.maximum(part_least, least[-1] - (sum_most - part_most), out=part_least)
    np.minimum(part_most, room, out=part_most)
