"""The store's calendar: local hours, and business days of 23, 24 or 25 hours."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class LocalTime:
    """The clock on the store's wall.

    Args:
        timezone: of the tz database, such as ``Europe/Paris``.
    """

    def __init__(self, timezone: str) -> None:
        self.zone = ZoneInfo(timezone)

    def hour(self, at_s: float) -> int:
        """Hour of the local day, 0..23; one hour repeats when clocks go back."""
        return datetime.fromtimestamp(at_s, self.zone).hour

    def minute_of_day(self, at_s: float) -> int:
        """Minute of the local day, 0..1439."""
        local = datetime.fromtimestamp(at_s, self.zone)
        return local.hour * 60 + local.minute


class BusinessDays:
    """Turns times into business days and back.

    All arithmetic goes through Unix time: subtracting two local times of one zone gives 24 h even
    on the days on which the clocks change.

    Args:
        local_time: the store's clock.
        start: local time at which a new business day begins, such as ``04:00``.

    >>> days = BusinessDays(LocalTime("Europe/Paris"), "04:00")
    >>> [(end - start) / 3600 for start, end in map(days.span, ("2026-03-28", "2026-10-24"))]
    [23.0, 25.0]
    """

    def __init__(self, local_time: LocalTime, start: str) -> None:
        self.local_time = local_time
        self._zone = local_time.zone
        self._start = time.fromisoformat(start)
        self._last = (0, 0, "")

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
