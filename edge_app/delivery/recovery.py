"""How the outbox goes on when its file cannot be read.

The work begins anew in an empty database. It goes on from the last known numbers and places, so
that no ``seq`` comes twice and a running session, which asks for what comes after its place, gets
what is new.
"""

# ruff: noqa: S608 - the pieces of SQL that are joined here are constants of this module
from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from edge_app.delivery.lanes import keep_cursors

_KEPT: Final = ("number", "latest", "sqlite_sequence")


class Recovery:
    """What is known of a database, should its file become unreadable.

    Args:
        brokers: names of the brokers.
    """

    def __init__(self, brokers: Sequence[str]) -> None:
        self._brokers = brokers
        self._known: dict[str, list[tuple[Any, ...]]] = {}

    def note(self, db: sqlite3.Connection) -> None:
        """Remember the numbers, places and states as they are now."""
        self._known = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in _KEPT}

    def begin(self, db: sqlite3.Connection) -> None:
        """Have an empty database go on from what is known."""
        for name, rows in self._known.items():
            for row in rows:
                db.execute(f"INSERT INTO {name} VALUES ({','.join('?' * len(row))})", row)
        keep_cursors(db, self._brokers)
