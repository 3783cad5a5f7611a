"""How the outbox goes on when its file cannot be read.

The work begins anew in an empty database. It goes on from the last known numbers and places, so
that no ``seq`` comes twice and a running session, which asks for what comes after its place, gets
what is new. Once the file can be read again, what it holds is taken over.
"""

# ruff: noqa: S608 - the pieces of SQL that are joined here are constants of this module
from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from edge_app.delivery.bounds import count
from edge_app.delivery.lanes import keep_cursors, total

_KEPT: Final = ("number", "latest", "sqlite_sequence")

_COUNTED: Final = ("dropped.", "expired.", "refused.")

_COLUMNS: Final = (
    "lane, topic, payload, properties, id, qos, retain, created_s, expires_s, zone, window, start"
)
_SENT: Final = "(SELECT min(position) FROM file.cursor WHERE lane = 'agg')"
_HISTORY: Final = "- 1 - (SELECT max(position) FROM file.message)"
_TAKEN_OVER: Final = (
    # History gets places below 0, which every broker is past, in the same order;
    f"INSERT INTO message (position, {_COLUMNS}) SELECT position {_HISTORY}, {_COLUMNS} "
    f"FROM file.message WHERE lane = 'agg' AND position <= {_SENT}",
    "INSERT INTO resend (broker, message) "
    f"SELECT broker, message {_HISTORY} FROM file.resend WHERE message <= {_SENT} "
    "AND message IN (SELECT position FROM file.message) "
    "AND broker IN (SELECT broker FROM main.cursor) ORDER BY position",
    # what some broker lacks gets new ones, where sessions that are under way come to it.
    f"INSERT INTO message ({_COLUMNS}) SELECT {_COLUMNS} FROM file.message AS m WHERE position > "
    "(SELECT min(position) FROM file.cursor AS c WHERE c.lane = m.lane) ORDER BY position",
    "INSERT INTO refused (broker, topic, payload, reason, at_s) "
    "SELECT broker, topic, payload, reason, at_s FROM file.refused ORDER BY position",
    # Whoever counts began with nothing and has told so by now, unless there was no time to.
    "INSERT OR IGNORE INTO state SELECT * FROM file.state",
)
"""What is taken of a file's tables; the states to be sent (``latest``) were told anew meanwhile."""


class Recovery:
    """What is known of a database, should its file become unreadable.

    Args:
        brokers: names of the brokers.
    """

    def __init__(self, brokers: Sequence[str]) -> None:
        self._brokers = brokers
        self._known: dict[str, list[tuple[Any, ...]]] = {}
        self._began: dict[str, int] = {}

    def note(self, db: sqlite3.Connection) -> None:
        """Remember the numbers, places and states as they are now."""
        self._known = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in _KEPT}

    def begin(self, db: sqlite3.Connection) -> None:
        """Have an empty database go on from what is known."""
        for name, rows in self._known.items():
            for row in rows:
                db.execute(f"INSERT INTO {name} VALUES ({','.join('?' * len(row))})", row)
        self._began = dict(self._known.get("number", ()))
        keep_cursors(db, self._brokers)

    def take_over(self, db: sqlite3.Connection) -> None:
        """Add what a file holds, attached as ``file``, to the database that began without it."""
        for statement in _TAKEN_OVER:
            db.execute(statement)
        for name, value in db.execute("SELECT name, value FROM file.number").fetchall():
            # Of what was counted, both began with the same; of the others the higher goes on.
            known = self._began.get(name, 0) if name.startswith(_COUNTED) else total(db, name)
            count(db, name, max(0, value - known))
