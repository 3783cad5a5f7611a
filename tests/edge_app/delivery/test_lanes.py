from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from edge_app.delivery.lanes import store_state
from edge_app.delivery.tables import SCHEMA


def test_what_stays_as_it_is_is_not_written_again() -> None:
    """Most of the state is a day of closed windows; written every second, it would wear disks."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.executescript(SCHEMA)
        for second in range(100):
            state = {"packed": {"tallies": ["x" * 200]}, "counts": {"closed_s": second}}
            store_state(db, state)
        stored = dict(db.execute("SELECT name, value FROM state"))
        assert {name: json.loads(value) for name, value in stored.items()} == state
        assert db.total_changes == 1 + 100
