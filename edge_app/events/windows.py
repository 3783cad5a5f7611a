"""Closing windows: when each is complete, what it says, and when it must be said again.

Everything is driven by minutes, closed one after the other; a longer window collects the occupancy
and coverage of its minutes and closes with its last one. Sums are not collected but read from the
ledger when a window is published, so that late facts are in every publication after them.

Of a zone that is gone, nobody watches what is left: the windows that had begun, or in which
something was counted, are closed as the others are, and no new ones begin.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_app.events.coverage import MINUTE_S, Coverage
from edge_app.events.facts import FactBook, Facts
from edge_app.events.garments import GarmentMaps
from edge_app.events.occupancy import Course, Occupancy
from edge_app.events.shelf import WindowKey
from edge_app.events.tally import DAY, WINDOWS, Ledger, Tally
from edge_app.events.told import GAP_S, Told
from edge_app.flow import ALL, GARMENT_WINDOWS, CountWindow

logger = logging.getLogger(__name__)


@dataclass
class _Open:
    """What a window that is not over has collected."""

    start: int
    end: int
    course: Course
    watched_s: int


class Windows:
    """The windows of all zones, from the first open minute on.

    Args:
        cameras: by zone, and for ``all``, the cameras that watch it, in order of publication.
        ledger: the sums, with the store's business days.
        occupancy: the people inside.
        coverage: the seconds seen.
        garments: what was published of garments.
        started_at_s: when counting begins, seconds of Unix time.

    Attributes:
        facts: what closed windows said.
    """

    def __init__(
        self,
        cameras: Mapping[str, frozenset[str]],
        ledger: Ledger,
        occupancy: Occupancy,
        coverage: Coverage,
        garments: GarmentMaps,
        started_at_s: float,
    ) -> None:
        self._cameras = cameras
        self._ledger = ledger
        self._occupancy = occupancy
        self._coverage = coverage
        self._garments = garments
        self._days = ledger.days
        self._started_at_s = started_at_s
        self.epoch_s = started_at_s
        self.closed_s = whole_minute(started_at_s)
        self._told = Told(ledger.bounds, self.closed_s)
        self._down = (0, 0)
        self._open: dict[tuple[str, str], _Open] = {}
        self.facts = FactBook()
        self._changed: set[WindowKey] = set()

    def note(self, zone: str, touched: Sequence[tuple[str, int, int]]) -> None:
        """Something was counted in a zone's windows, given with start and end."""
        _, _, minute_end = touched[0]
        for window, start, end in touched:
            if end <= self.closed_s:
                self._changed |= {(zone, window, start), (ALL, window, start)}
            elif minute_end <= self.closed_s:
                self._open_late(zone, window)

    def close_until(self, limit_s: float, known_until_s: float | None = None) -> list[CountWindow]:
        """Close every minute that ends by a time.

        Args:
            limit_s: seconds of Unix time.
            known_until_s: nothing is known of the time after this; default: all is known.
        """
        windows: list[CountWindow] = []
        while self._ledger.zones and self.closed_s + MINUTE_S <= limit_s:
            stop = self._quiet_until(limit_s)
            if stop > self.closed_s:
                windows += self._skip(stop)
            else:
                windows += self._close_minute(known_until_s)
        return windows

    def close_open(self, end_s: float) -> list[CountWindow]:
        """Publish the windows that have begun and end by a time, complete or not."""
        ends = {(z, w, o.start): o.end for (z, w), o in self._open.items() if o.end <= end_s}
        due = sorted(ends, key=lambda key: self._order(key, ends[key]))
        return [self._publish(zone, window) for zone, window, _ in due]

    def revised(self) -> list[CountWindow]:
        """The closed windows that have changed, in full, each with its next revision."""
        ends = {key: self._ledger.bounds(key[1], key[2])[1] for key in self._changed}
        self._changed.clear()
        due = sorted(ends, key=lambda key: self._order(key, ends[key]))
        return [self._window(key, self._told.next_revision(key, is_closed=True)) for key in due]

    def note_published(self, windows: Sequence[CountWindow]) -> None:
        """These windows went out before they were complete: the next time is a revision."""
        self._told.note(windows)
        for window in windows:
            self._garments.note((window.zone, window.window, int(window.start_s)), window)

    def set_back(self, to_s: float) -> list[CountWindow]:
        """The clock went back by more than late facts may be late: go on from there.

        What was counted before that time stays, and is in the windows that go on. What was counted
        ahead of it stays in the totals only: its windows will be told again when they come.
        """
        logger.warning(
            "counts: event time went back by %.0f s; open windows are published as they are",
            self.closed_s - to_s,
        )
        minutes = list(self._ledger.minutes(self.closed_s))
        windows = self.close_until(max(minutes) + MINUTE_S) if minutes else []
        windows += self.revised() + self.close_open(float("inf"))
        self._told.note(windows)
        self.closed_s = self._told.set_back(whole_minute(to_s), self.closed_s)
        for shelf in (self._ledger.shelf, self.facts.shelf, self._garments.shelf):
            shelf.forget_from(self.closed_s)
        self._coverage.forget(float("inf"))
        self._occupancy.set_back(to_s, self.closed_s)
        return windows

    def nothing_ran(self, first_s: float, last_s: float) -> None:
        """Between two times the box was off: windows wholly within are not published."""
        self._down = (-whole_minute(-first_s), whole_minute(last_s))

    def forget(self, before_s: float) -> None:
        """Drop what no late fact can change any more."""
        before_s = self._told.kept_since(before_s)
        self._ledger.forget(before_s)
        self._garments.forget(before_s - GAP_S)
        self.facts.forget(before_s)
        self._told.forget(before_s)

    def _open_late(self, zone: str, window: str) -> None:
        """A window whose minutes so far were skipped is to be told all the same."""
        people = self._occupancy.people()
        for each in (zone, ALL):
            if (each, window) not in self._open:
                self._open[each, window] = self._begun(each, window, people[each])

    def _quiet_until(self, limit_s: float) -> int:
        """Where to go on, if the next minutes are such as are not published."""
        quiet_until = self.closed_s
        if limit_s - self.closed_s > GAP_S:
            quiet_until = whole_minute(limit_s)
        elif self._down[0] <= self.closed_s < self._down[1]:
            quiet_until = min(self._down[1], whole_minute(limit_s))
        return min([quiet_until, *self._ledger.minutes(self.closed_s)])

    def _skip(self, stop: int) -> list[CountWindow]:
        windows = self.close_open(stop)
        if self._days.began_s(stop) > self.closed_s:
            self._occupancy.reset(self._days.began_s(stop))
        self._occupancy.close(self.closed_s, stop, stop)
        self._coverage.forget(stop)
        self._told.note(windows)
        self._told.skip(self.closed_s, stop)
        self.closed_s = stop
        return windows

    def _close_minute(self, known_until_s: float | None) -> list[CountWindow]:
        start, end = self.closed_s, self.closed_s + MINUTE_S
        if self._days.began_s(start) == start:
            self._occupancy.reset(start)
        known_s = end if known_until_s is None else min(end, known_until_s)
        courses = self._occupancy.close(start, end, known_s)
        for zone in (*self._ledger.zones, ALL):
            cameras = self._cameras.get(zone)
            watched_s = 0 if cameras is None else self._coverage.watched_s(cameras, start)
            is_due = cameras is not None or self._ledger.tally(zone, "pt1m", start) != Tally()
            for window in WINDOWS:
                if is_due or (zone, window) in self._open:
                    self._collect(zone, window, courses[zone], watched_s)
        self._coverage.forget(end)
        self.closed_s = end
        return self.close_open(end)

    def _collect(self, zone: str, window: str, course: Course, watched_s: int) -> None:
        collected = self._open.get((zone, window))
        if collected is None:
            collected = self._open[zone, window] = self._begun(zone, window, course.start)
        collected.course.append(course)
        collected.watched_s += watched_s

    def _begun(self, zone: str, window: str, people: int) -> _Open:
        """The window that is to collect; what it said before the clock was set counts on."""
        start, end = self._ledger.bounds(window, self.closed_s)
        said = self.facts.shelf.get((zone, window, start))
        if said is None:
            return _Open(start, end, Course(people, people, people), 0)
        watched_s = round(said.coverage * (end - start))
        course = Course(said.start, people, said.most, said.average * watched_s, watched_s)
        return _Open(start, end, course, watched_s)

    def _publish(self, zone: str, window: str) -> CountWindow:
        """Close an open window."""
        done = self._open.pop((zone, window))
        coverage = min(1.0, round(done.watched_s / (done.end - done.start), 4))
        course = done.course
        facts = Facts(coverage, course.start, course.end, course.most, round(course.average, 3))
        key = (zone, window, done.start)
        self.facts.put(key, facts)
        self._changed.discard(key)
        return self._window(key, self._told.next_revision(key, is_closed=False))

    def _order(self, key: WindowKey, end: int) -> tuple[int, int, int]:
        """Parts before what they add up to: hours before their day, zones before ``all``."""
        return end, WINDOWS.index(key[1]), [*self._ledger.zones, ALL].index(key[0])

    def _window(self, key: WindowKey, revision: int) -> CountWindow:
        zone, window, start = key
        _, end = self._ledger.bounds(window, start)
        tally = self._ledger.tally(zone, window, start)
        in_total, out_total = self._ledger.totals_before(zone, end)
        facts = self.facts.at(key)
        garments = self._garments.publish(key, self._days.span(start), tally)
        return CountWindow(
            zone=zone,
            window=window,
            start_s=float(start),
            end_s=float(end),
            rev=revision,
            business_day=self._days.day(start),
            local_hour=self._days.hour(start),
            timezone=self._days.timezone(start),
            coverage=facts.coverage,
            counts={
                "in": tally.entries,
                "out": tally.exits,
                "uturn": tally.uturns,
                "staff_in": tally.staff,
            },
            occ={
                "start": facts.start,
                "end": facts.end,
                "max": facts.most,
                "avg": facts.average,
            },
            dwell_n=tally.stays,
            dwell_sum_s=tally.stays_ms / 1000,
            garment=garments.whole() if window in GARMENT_WINDOWS else {},
            garment_n=garments.n,
            withheld=garments.withheld,
            in_total=in_total,
            out_total=out_total,
            counter_epoch_s=self.epoch_s,
            drift=tally.drift if window == DAY else None,
        )

    def state(self, alive_s: float) -> dict[str, Any]:
        """What must survive a restart, JSON-able; ``alive_s`` is the present."""
        return {
            "alive_s": alive_s,
            "epoch_s": self.epoch_s,
            "closed_s": self.closed_s,
            "open": [
                [*k, o.start, o.end, list(vars(o.course).values()), o.watched_s]
                for k, o in self._open.items()
            ],
            "facts": self.facts.shelf.state(),
            "changed": [list(key) for key in sorted(self._changed)],
            **self._told.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave; windows in which nothing ran stay unpublished."""
        self.epoch_s = state["epoch_s"]
        self.closed_s = state["closed_s"]
        self.nothing_ran(state["alive_s"], self._started_at_s)
        self._open = {
            (zone, window): _Open(
                start, self._ledger.bounds(window, start)[1], Course(*course), watched_s
            )
            for zone, window, start, _, course, watched_s in state["open"]
        }
        self.facts.shelf.restore(state["facts"])
        self._told.restore(state)
        self._changed = {(z, w, s) for z, w, s in state["changed"]}


def whole_minute(at_s: float) -> int:
    """Start of the minute that a time lies in.

    >>> whole_minute(125.5)
    120
    """
    return int(at_s // MINUTE_S) * MINUTE_S
