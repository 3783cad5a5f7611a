"""What a reader can work out of all garment maps of a day together.

The maps hang together: zones add up to ``all`` and hours to their day, nobody wears two garments of
one region, so that no region adds up to more than ``garment_n``, and everybody of ``garment_n``
wears something. Each of these narrows what a hidden cell can be, and what one of them tells the
others take up, until nothing is learnt any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_app.events.shelf import WindowKey
from edge_app.events.tally import DAY
from edge_app.flow import ALL
from edge_app.vocabulary import CATEGORIES, REGION_OF, REGIONS, UNKNOWN

Counts = npt.NDArray[np.int64]

NAMES: Final = (*CATEGORIES, UNKNOWN)
_REGIONS: Final = [
    [place for place, name in enumerate(CATEGORIES) if REGION_OF[name] == region]
    for region in REGIONS
]
_ANY: Final = 10**9
"""More people than come in; what a map that is not published yet may say."""
_MOST_ROUNDS: Final = 100


class Published(NamedTuple):
    """A garment map as its readers have it: the cells, None for hidden, and ``garment_n``."""

    cells: Mapping[str, int | None]
    n: int


def cells_of_few(
    maps: Mapping[WindowKey, Published], k: int, has_whole_hours: bool = True
) -> set[tuple[WindowKey, str]]:
    """The hidden cells of which a reader knows that they hold 1 to k-1 people.

    Args:
        maps: of one business day, its own and those of its hours, of any zones and ``all``.
        k: the smallest positive count that may be published.
        has_whole_hours: the day is the sum of its hours; else it has more than these.

    >>> hours = [("door", "pt1h", 0), ("door", "pt1h", 3600)]
    >>> nothing = dict.fromkeys(NAMES)
    >>> told = {hours[0]: Published(nothing, 1), hours[1]: Published(nothing, 4)}
    >>> cells_of_few(told, 5)
    set()
    >>> day = Published(dict.fromkeys(NAMES, 0) | {"coat": 5}, 5)
    >>> sorted(cells_of_few({**told, ("door", "p1d", 0): day}, 5)) == [(h, "coat") for h in hours]
    True
    """
    zones = [*sorted({zone for zone, _, _ in maps} - {ALL}), ALL]
    starts = [*sorted({start for _, window, start in maps if window != DAY}), None]
    places = {
        key: (zones.index(key[0]), starts.index(None if key[1] == DAY else key[2])) for key in maps
    }
    # Where a zone has no map of an hour, nobody was counted; sums may be yet to come.
    least = np.zeros((len(zones), len(starts), len(NAMES)), np.int64)
    most, n = np.zeros_like(least), np.zeros((len(zones), len(starts), 2, 1), np.int64)
    most[-1], most[:, -1], n[-1, :, 1], n[:, -1, 1] = _ANY, _ANY, _ANY, _ANY
    hidden = np.zeros(least.shape, bool)
    for key, (cells, people) in maps.items():
        place = places[key]
        shown = [cells[name] for name in NAMES]
        # Zeros are shown, unless nothing is.
        fewest = 0 if all(value is None for value in shown) else 1
        hidden[place] = [value is None for value in shown]
        least[place] = [fewest if value is None else value for value in shown]
        most[place] = [people if value is None else value for value in shown]
        n[place] = people
    _narrow(least, most, n, has_whole_hours)
    few = hidden & (least >= 1) & (least <= most) & (most < k)
    return {(key, NAMES[i]) for key, place in places.items() for i in np.flatnonzero(few[place])}


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
