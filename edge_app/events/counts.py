"""Counts: what happened in each zone, in windows of event time that a restart does not disturb.

::

    entered, settled, staff ──> Ledger (sums) + Occupancy ──┐
    seen ─────────────────────> Coverage ──> watermark ──> advance ──> CountWindow

A minute is closed once the watermark has passed its end by 15 s; longer windows close with their
last minute. What arrives later, within 24 h, publishes its windows again in full with ``rev`` + 1;
occupancy and coverage of a closed window stay as they were known then. Event time may jump: windows
that were skipped are published empty while the program runs, a clock that goes back finds its
windows closed and revises them, and one that a restart finds in the past is not believed until it
is set.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from edge_app.events.business_day import Calendar
from edge_app.events.coverage import MINUTE_S, Coverage
from edge_app.events.dating import Dating
from edge_app.events.garments import GarmentMaps
from edge_app.events.occupancy import Occupancy
from edge_app.events.shelf import Shelf, pack, unpack
from edge_app.events.tally import DAY, Ledger, Tally, to_row
from edge_app.events.windows import Windows, whole_minute
from edge_app.flow import ALL, CountWindow, Entry, LiveCount, Outfit

logger = logging.getLogger(__name__)

_VERSION = 1
_GRACE_S = 15.0
"""A window is closed when the watermark is this far beyond its end."""
_LATE_S = 24 * 3600.0
"""Facts that are older than this change nothing any more."""
_MOST_COUNTED = 50
"""So much that was counted is stored one by one, before all of it is put together anew."""


class Counts:
    """Counts entries, exits, occupancy and garments by zone and window.

    Args:
        cameras_of: by zone the camera that watches it, in the order in which the zones' windows are
            published; ``all`` follows.
        timezone: of the store's business day.
        business_day_start: local time at which it begins, such as ``04:00``.
        started_at_s: when counting begins, seconds of Unix time.
        min_cell: k of the garment statistics, as they will be published.
        is_clock_ok: whether to go by the clock; one that nobody vouches for is not believed
            if a restart finds it a day and more before the last known time.
    """

    def __init__(
        self,
        cameras_of: Mapping[str, str],
        timezone: str,
        business_day_start: str,
        started_at_s: float,
        min_cell: int = 5,
        is_clock_ok: Callable[[], bool] = lambda: False,
    ) -> None:
        zones = tuple(cameras_of)
        cameras = {zone: frozenset({camera}) for zone, camera in cameras_of.items()}
        every = frozenset(cameras_of.values())
        self._zones = (*zones, ALL)
        self._days = Calendar(timezone, business_day_start)
        self._ledger = Ledger(zones, self._days)
        self._occupancy = Occupancy(zones)
        self._coverage = Coverage(every)
        self._garments = GarmentMaps(min_cell)
        self._windows = Windows(
            {**cameras, ALL: every} if zones else {},
            self._ledger,
            self._occupancy,
            self._coverage,
            self._garments,
            started_at_s,
        )
        self._dating = Dating(is_clock_ok)
        self._now_s = started_at_s
        self._watermark_s = started_at_s
        self._kept: dict[str, Any] | None = None
        self._counted: list[list[Any]] = []
        self.late_dropped = 0
        """Facts that came more than a day late and were left out, since the counters began."""

    def entered(self, entry: Entry) -> None:
        """Count a crossing, or somebody who was inside when pictures began or broke off."""
        entry = self._dated(entry)
        by = -1 if entry.direction == "out" else 1
        if entry.is_initial:
            what = Tally(initial=by)
        elif entry.direction == "out":
            stay_ms = 0 if entry.dwell_s is None else round(1000 * entry.dwell_s)
            stays = int(entry.dwell_s is not None)
            what = Tally(exits=1, uturns=int(entry.is_uturn), stays=stays, stays_ms=stay_ms)
        else:
            what = Tally(entries=1)
        self._count(entry, what, by)

    def settled(self, entry: Entry, outfit: Outfit) -> None:
        """Count what somebody wears, in the windows of their entry; exits count nothing.

        Each category is counted once per entry, ``unknown`` too, so that no cell is larger than
        ``garment_n``. Not to be called for staff.
        """
        self._dress(entry, outfit, 1)

    def unsettled(self, entry: Entry, outfit: Outfit) -> None:
        """Take back what :meth:`settled` counted: it is staff after all."""
        self._dress(entry, outfit, -1)

    def staff(self, entry: Entry) -> None:
        """Count a counted entry as one of staff: footfall is ``in`` - ``uturn`` - ``staff_in``."""
        if entry.direction == "in" and not entry.is_initial:
            self._count(self._dated(entry), Tally(staff=1))

    def seen(self, camera: str, at_s: float) -> None:
        """A frame of a camera, taken at a time, was processed."""
        self._coverage.seen(camera, self._dating.date(at_s))

    def reset_occupancy(self, now_s: float) -> None:
        """Nobody is inside any zone now, whatever was counted."""
        self._occupancy.reset(self._dating.date(now_s))
        self.sum_up()

    def advance(self, now_s: float) -> list[CountWindow]:
        """The windows that are complete by now, and those that late facts have changed."""
        if self._dating.is_set(now_s):
            self._windows.nothing_ran(self._now_s, now_s)
        self._now_s = self._dating.date(now_s)
        self._watermark_s = self._coverage.watermark(self._now_s)
        before_s = self._windows.closed_s
        windows: list[CountWindow] = []
        if self._watermark_s < before_s - _LATE_S:
            windows += self._windows.set_back(self._watermark_s)
        windows += self._windows.close_until(self._watermark_s - _GRACE_S)
        windows += self._windows.revised()
        has_closed = self._windows.closed_s != before_s
        if has_closed:
            self._windows.forget(self._windows.closed_s - _LATE_S)
        if has_closed or windows:
            self.sum_up()
        return windows

    def finish(self, now_s: float) -> list[CountWindow]:
        """Every window that has begun, complete or not: the recording or the program ends.

        Should counting go on after all, the incomplete ones are published again as revisions.
        """
        windows = self.advance(now_s)
        ahead = deepcopy(self)
        last_s = max([self._now_s, *ahead._ledger.minutes(ahead._windows.closed_s)])
        windows += ahead._windows.close_until(whole_minute(last_s) + MINUTE_S, last_s)
        unfinished = ahead._windows.close_open(float("inf"))
        self._windows.note_published(windows + unfinished)
        self.sum_up()
        return windows + unfinished

    def live(self, now_s: float) -> list[LiveCount]:
        """Occupancy, and today's entries and exits, of each zone and ``all``."""
        at_s = self._dating.date(now_s)
        start, _ = self._ledger.bounds(DAY, at_s)
        people = self._occupancy.latest(self._days.began_s(at_s))
        counts = []
        for zone in self._zones:
            today = self._ledger.tally(zone, DAY, start)
            counts.append(LiveCount(zone, now_s, people[zone], today.entries, today.exits))
        return counts

    def sum_up(self) -> None:
        """Have the next state hold everything, as it must where windows are told.

        To be called at the end, too: an earlier version knows of nothing beside it.
        """
        self._kept, self._counted = None, []

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able; to be kept together with the windows.

        It is put together when windows have closed; what was ``counted`` since, and the ``time``
        that went by, are little. ``packed`` is most of it, and hardly ever changes.
        """
        if self._kept is None or len(self._counted) > _MOST_COUNTED:
            self._kept, self._counted = self._summed_up(), []
        return {
            **self._kept,
            "late_dropped": self.late_dropped,
            "counted": pack(self._counted),
            "time": {
                "of": self._kept["windows"]["alive_s"],
                "alive_s": self._now_s,
                "watermark_s": self._watermark_s,
                "coverage": pack([self._coverage.state()]),
            },
        }

    def _summed_up(self) -> dict[str, Any]:
        return {
            "version": _VERSION,
            "zones": list(self._zones[:-1]),
            "days": self._days.state(),
            "watermark_s": self._watermark_s,
            "ledger": self._ledger.state(),
            "occupancy": self._occupancy.state(),
            "coverage": self._coverage.state(),
            "garments": self._garments.shelf.state(),
            "windows": self._windows.state(self._now_s),
            "packed": {name: shelf.packed() for name, shelf in self._shelves().items()},
        }

    def restore(self, state: Mapping[str, Any], emptied: Sequence[str] = ()) -> None:
        """Continue from what :meth:`state` gave before a restart.

        Args:
            state: of the earlier run.
            emptied: zones whose people will be seen, and told of, anew: the areas, after a restart.
        """
        if state["version"] != _VERSION:
            logger.warning(
                "counts: the kept state has version %s, expected %s; all counters start afresh, "
                "with a new counter_epoch",
                state["version"],
                _VERSION,
            )
            return
        if not state["ledger"]["totals"]:
            return  # there never was a zone: nothing to go on with, and no windows to catch up on
        state = _up_to_date(state)
        alive_s = state["windows"]["alive_s"]
        self._dating.begin(self._now_s, alive_s)
        self._now_s = self._dating.date(self._now_s)
        if "days" in state:
            # Nothing that was counted may lie beyond the end of its day.
            closed_s = state["windows"]["closed_s"]
            known_s = max(alive_s, closed_s)
            is_ahead = 0.0 < known_s - self._now_s <= _LATE_S
            self._days.follow(state["days"], known_s if is_ahead else self._now_s, closed_s)
        self._watermark_s = state["watermark_s"]
        self.late_dropped = state["late_dropped"]
        self._ledger.restore(state["ledger"])
        self._occupancy.restore(state["occupancy"])
        self._coverage.restore(state["coverage"])
        self._garments.shelf.restore(state["garments"])
        self._windows.restore(state["windows"])
        for name, shelf in self._shelves().items():
            shelf.add(state.get("packed", {}).get(name, ()))
        for zone, at_s, by, *what in state["counted"]:
            self._add(zone, at_s, by, Tally(*what))
        self._tell_of_gone(state.get("zones", ()))
        self._empty(emptied)

    def _shelves(self) -> dict[str, Shelf[Any]]:
        shelves = (self._ledger.shelf, self._windows.facts.shelf, self._garments.shelf)
        return dict(zip(("tallies", "facts", "garments"), shelves, strict=True))

    def _tell_of_gone(self, zones: Sequence[str]) -> None:
        start, _ = self._ledger.bounds(DAY, self._now_s)
        for zone in [zone for zone in zones if zone not in self._zones]:
            today = self._ledger.tally(zone, DAY, start)
            logger.info(
                "counts: zone %s is gone; its %d in and %d out of today stay in the windows that "
                "have begun, and in those of all",
                zone,
                today.entries,
                today.exits,
            )

    def _empty(self, zones: Sequence[str]) -> None:
        """Nobody is known to be in these zones now; nobody went out either."""
        people = self._occupancy.latest(self._days.began_s(self._now_s))
        for zone in zones:
            if people[zone]:
                self._occupancy.change(zone, self._now_s, -people[zone])
                gone = Tally(initial=-people[zone])
                self._windows.note(zone, self._ledger.add(zone, self._now_s, gone))

    def _dress(self, entry: Entry, outfit: Outfit, by: int) -> None:
        worn = sorted({worn.category for worn in outfit.regions.values()})
        if entry.direction == "in" and not entry.is_initial and worn:
            what = Tally(garment_n=by, garments=dict.fromkeys(worn, by))
            self._count(self._dated(entry), what)

    def _dated(self, entry: Entry) -> Entry:
        return replace(entry, at_s=self._dating.date(entry.at_s))

    def _count(self, entry: Entry, what: Tally, by: int = 0) -> None:
        if entry.zone not in self._ledger.zones:
            return  # left open by a run whose counters were refused
        known_s = max(self._watermark_s, self._windows.closed_s)  # the clock may have gone back
        if entry.at_s < known_s - _LATE_S:
            self.late_dropped += 1
            words = (
                "counts: an event of zone %s came %.0f s late and was left out; is a clock wrong?"
            )
            logger.warning(words, entry.zone, known_s - entry.at_s)
            return
        self._counted.append([entry.zone, entry.at_s, by, *to_row(what)])
        self._add(entry.zone, entry.at_s, by, what)

    def _add(self, zone: str, at_s: float, by: int, what: Tally) -> None:
        self._windows.note(zone, self._ledger.add(zone, at_s, what))
        if by:
            self._occupancy.change(zone, at_s, by)


def _up_to_date(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state with what came after it."""
    time, windows = state.get("time", {}), state["windows"]
    if time.get("of") != windows["alive_s"]:  # an earlier version went on, and left it as it was
        return {**state, "counted": ()}
    windows = {**windows, "alive_s": time["alive_s"]}
    packed = {"coverage": unpack(time["coverage"])[0], "counted": unpack(state["counted"])}
    return {**state, **time, **packed, "windows": windows}
