"""What the outbox gives up, and in which order, so that it never outgrows its disk.

By age: alerts at their expiry; windows that nobody could be sent within ``max_age_days``; windows
that were sent, and what a broker refused, after ``history_days``; days after 90 days. But for
alerts only while the date is trusted.

By size, one after the other until the rest fits: sent minutes, sent quarters, sent hours; then what
still waits, oldest first: minutes, quarters, hours; then sent days; days that wait come last.

Every message that is given up although a broker still waits for it is counted by its kind.
"""

# ruff: noqa: S608 - the pieces of SQL that are joined here are constants of this module
from __future__ import annotations

import sqlite3
from typing import Final

from edge_app.config.schema import OutboxSettings

DAY_S: Final = 86400.0
DAYS_KEPT: Final = 90.0
CLOCK_SET_S: Final = 1.6e9
"""Before this Unix time a clock was not set yet; such rows have no age."""

BATCH: Final = 256
_DROP_ORDER: Final = (
    ("pt1m", True), ("pt15m", True), ("pt1h", True),
    ("pt1m", False), ("pt15m", False), ("pt1h", False),
    ("p1d", True), ("p1d", False),
)  # fmt: skip
REFUSED_KEPT: Final = 1000

JUMP_S: Final = 3600.0
DISTRUST_S: Final = 6 * 3600.0
"""After a start, or a clock that was set ahead, the date is not trusted for so long: a wrong one,
believed for a minute, would make everything too old. A box that is off at night still clears up."""


class DateTrust:
    """Whether the time of day is sure enough to give up what is old.

    >>> trust = DateTrust(now_s=1.7e9, steady_s=0.0)
    >>> trust.holds(1.7e9 + DISTRUST_S, DISTRUST_S)
    True
    >>> trust.holds(1.8e9, DISTRUST_S + 60.0)
    False
    """

    def __init__(self, now_s: float, steady_s: float) -> None:
        self._ahead_s = now_s - steady_s
        self._holds_at_s = steady_s + DISTRUST_S

    def holds(self, now_s: float, steady_s: float) -> bool:
        """Ask at least every few minutes.

        Args:
            now_s: Unix time.
            steady_s: seconds that never jump.
        """
        before_s, self._ahead_s = self._ahead_s, now_s - steady_s
        if self._ahead_s - before_s > JUMP_S:
            self._holds_at_s = steady_s + DISTRUST_S
        return steady_s >= self._holds_at_s


def used_mb(connection: sqlite3.Connection) -> float:
    """Size of what is in the database, without its free pages, in MiB."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size / 2**20


def count(connection: sqlite3.Connection, name: str, n: int = 1) -> int:
    """Add to a number that is kept over restarts, and return it."""
    connection.execute(
        "INSERT INTO number VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + ?",
        (name, n, n),
    )
    row = connection.execute("SELECT value FROM number WHERE name = ?", (name,)).fetchone()
    return int(row[0])


def drop_old(connection: sqlite3.Connection, settings: OutboxSettings, now_s: float) -> None:
    """Give up what is too old; alerts have a rule of their own."""
    sent = _sent(connection)
    for condition, days in (
        # The plus keeps SQLite from walking the positions, where the index of ages is short.
        ("window <> 'p1d' AND +position > :sent", settings.max_age_days),
        ("window <> 'p1d' AND +position <= :sent", settings.history_days),
        ("window = 'p1d'", max(DAYS_KEPT, settings.max_age_days, settings.history_days)),
    ):
        _give_up(
            connection,
            f"{condition} AND created_s BETWEEN {CLOCK_SET_S} AND :limit",
            {"sent": sent, "limit": now_s - days * DAY_S},
        )
    connection.execute(
        "DELETE FROM refused WHERE position <= (SELECT max(position) FROM refused) - ? "
        "OR at_s BETWEEN ? AND ?",
        (REFUSED_KEPT, CLOCK_SET_S, now_s - settings.history_days * DAY_S),
    )


def drop_excess(connection: sqlite3.Connection, settings: OutboxSettings) -> None:
    """Give up what does not fit, in the order of the module's text."""
    sent = _sent(connection)
    for window, is_sent in _DROP_ORDER:
        which = (
            "position IN (SELECT position FROM message WHERE window = :window "
            f"AND position {'<=' if is_sent else '>'} :sent ORDER BY position LIMIT {BATCH})"
        )
        while used_mb(connection) > settings.max_mb:
            if not _give_up(connection, which, {"window": window, "sent": sent}):
                break


def _sent(connection: sqlite3.Connection) -> int:
    """The position up to which every broker has every window."""
    row = connection.execute("SELECT min(position) FROM cursor WHERE lane = 'agg'").fetchone()
    return int(row[0] or 0)


def _give_up(
    connection: sqlite3.Connection, which: str, values: dict[str, float | int | str]
) -> int:
    """Delete windows, counting those that some broker still waits for; the number deleted."""
    waiting = connection.execute(
        f"SELECT window, count(*) FROM message WHERE {which} AND position > :sent GROUP BY window",
        values,
    ).fetchall()
    for window, n in waiting:
        count(connection, f"dropped.{window}", n)
    given_up = connection.execute(f"DELETE FROM message WHERE {which}", values).rowcount
    if given_up:
        connection.execute("DELETE FROM resend WHERE message NOT IN (SELECT position FROM message)")
    return given_up
