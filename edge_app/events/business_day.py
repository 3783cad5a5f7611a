"""The store's calendar: local hours, and business days of 23, 24 or 25 hours."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

logger = logging.getLogger(__name__)

_HOUR_S = 3600
_KEPT_S = 3 * 24 * _HOUR_S
"""For so long, late facts and days that are open may ask for former calendars."""


class BusinessDays:
    """Turns times into business days and back.

    All arithmetic goes through Unix time: subtracting two local times of one zone gives 24 h even
    on the days on which the clocks change.

    Args:
        timezone: of the tz database, such as ``Europe/Paris``.
        start: local time at which a new business day begins, such as ``04:00``.

    >>> days = BusinessDays("Europe/Paris", "04:00")
    >>> [(end - start) / 3600 for start, end in map(days.span, ("2026-03-28", "2026-10-24"))]
    [23.0, 25.0]
    """

    def __init__(self, timezone: str, start: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._start = time.fromisoformat(start)
        self._last = (0, 0, "")

    def hour(self, at_s: float) -> int:
        """Hour of the local day, 0..23; one hour repeats when clocks go back."""
        return datetime.fromtimestamp(at_s, self._zone).hour

    def day(self, at_s: float) -> str:
        """ISO date of the business day that a time (seconds of Unix time) belongs to."""
        start_s, end_s, day = self._last
        if not start_s <= at_s < end_s:
            local = datetime.fromtimestamp(at_s, self._zone).date()
            if at_s < self._begins_at_s(local):
                local -= timedelta(days=1)
            day = local.isoformat()
            self._last = (*self.span(day), day)
        return day

    def span(self, day: str) -> tuple[int, int]:
        """Start and end (exclusive) of a business day, seconds of Unix time, whole minutes."""
        local = date.fromisoformat(day)
        return self._begins_at_s(local), self._begins_at_s(local + timedelta(days=1))

    def _begins_at_s(self, local: date) -> int:
        # A start that the change to summer time skips lies an hour later; one that occurs twice is
        # the first of the two.
        return int(datetime.combine(local, self._start, self._zone).timestamp()) // 60 * 60


class Calendar:
    """Business days that, on a full hour, go over from those of another time zone or start.

    That hour cuts the day in two, so that every shorter window lies within one of them.

    Args:
        timezone: of the tz database, such as ``Europe/Paris``.
        start: local time at which a new business day begins, such as ``04:00``.

    >>> before, after = Calendar("UTC", "04:00"), Calendar("UTC", "15:00")
    >>> after.follow(before.state(), from_s=10.2 * 3600, open_s=10 * 3600)
    >>> [[hour / 3600 for hour in after.span(hour * 3600)] for hour in (10, 11, 15)]
    [[4.0, 11.0], [11.0, 15.0], [15.0, 39.0]]
    """

    def __init__(self, timezone: str, start: str) -> None:
        self._now = _Era(float("inf"), timezone, start)
        self._former: list[_Era] = []

    def day(self, at_s: float) -> str:
        """ISO date of the business day that a time (seconds of Unix time) belongs to."""
        return self._era(at_s).days.day(at_s)

    def hour(self, at_s: float) -> int:
        """Hour of the local day, 0..23; one hour repeats when clocks go back."""
        return self._era(at_s).days.hour(at_s)

    def timezone(self, at_s: float) -> str:
        """The time zone that the store was said to be in."""
        return self._era(at_s).timezone

    def began_s(self, at_s: float) -> int:
        """When the day of a time began, be it cut or not: the end of the night before."""
        return self._era(at_s).span(at_s)[0]

    def span(self, at_s: float) -> tuple[int, int]:
        """Start and end (exclusive) of the day, or the part of a day, that a time lies in."""
        start, end = self._era(at_s).span(at_s)
        cuts = [int(era.until_s) for era in self._former]
        return (
            max([start, *(cut for cut in cuts if cut <= at_s)]),
            min([end, *(cut for cut in cuts if cut > at_s)]),
        )

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able."""
        former = [[era.until_s, era.timezone, era.start] for era in self._former]
        return {"former": former, "now": [self._now.timezone, self._now.start]}

    def follow(self, state: Mapping[str, Any], from_s: float, open_s: float) -> None:
        """Go on from the calendar of an earlier run, up to the next full hour if they differ.

        Args:
            state: what :meth:`state` gave.
            from_s: the present, seconds of Unix time.
            open_s: from when on windows are open, long ago if the box was off for days.
        """
        kept = [_Era(*era) for era in (*state["former"], [float("inf"), *state["now"]])]
        since_s = min(from_s, open_s) - _KEPT_S
        self._former = [era for era in kept if since_s < era.until_s <= from_s]
        before = next(era for era in kept if era.until_s > from_s)
        if self._now.span(from_s) == before.span(from_s):
            return
        until_s = -(-from_s // _HOUR_S) * _HOUR_S
        self._former.append(_Era(until_s, before.timezone, before.start))
        if kept[-1].name != self._now.name:
            logger.warning(
                "counts: from %s on a business day begins at %s, until then at %s; the day that is "
                "open ends at that time, and another begins",
                datetime.fromtimestamp(until_s, ZoneInfo("UTC")).strftime("%Y-%m-%d %H:%M UTC"),
                self._now.name,
                before.name,
            )

    def _era(self, at_s: float) -> _Era:
        return next((era for era in self._former if at_s < era.until_s), self._now)


class _Era:
    """The time up to which one calendar holds."""

    def __init__(self, until_s: float, timezone: str, start: str) -> None:
        self.until_s, self.timezone, self.start = until_s, timezone, start
        self.days = BusinessDays(timezone, start)

    @property
    def name(self) -> str:
        return f"{self.start} {self.timezone}"

    def span(self, at_s: float) -> tuple[int, int]:
        return self.days.span(self.days.day(at_s))
