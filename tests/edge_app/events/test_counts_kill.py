"""Counts and a database are killed at every statement; what a consumer holds stays the same."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from edge_app.events.counts import Counts
from edge_app.flow import CountWindow, Entry, Outfit, Worn

START = 1_795_000_200.0
STEPS = 45
STEP_S = 5.0


class KilledError(Exception):
    """The process is gone: nothing after this statement happens."""


class Database:
    """One transaction for windows, state and the place in the log, that dies at a statement."""

    def __init__(self, uri: str, statements_to_live: int) -> None:
        self._left = statements_to_live
        self._db = sqlite3.connect(uri, isolation_level=None, uri=True)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS state (id INT PRIMARY KEY, step INT, value TEXT)"
        )
        self._db.execute("CREATE TABLE IF NOT EXISTS sent (seq INTEGER PRIMARY KEY, value TEXT)")

    def read(self) -> tuple[int, dict | None]:
        row = self._db.execute("SELECT step, value FROM state").fetchone()
        return (row[0], json.loads(row[1])) if row else (0, None)

    def commit(self, step: int, state: dict, windows: list[CountWindow]) -> None:
        self._execute("BEGIN IMMEDIATE")
        for window in windows:
            self._execute("INSERT INTO sent (value) VALUES (?)", json.dumps(vars(window)))
        self._execute("REPLACE INTO state VALUES (1, ?, ?)", step, json.dumps(state))
        self._execute("COMMIT")

    def sent(self) -> list[dict]:
        return [json.loads(value) for (value,) in self._db.execute("SELECT value FROM sent")]

    def close(self) -> None:
        self._db.close()

    def _execute(self, statement: str, *values: object) -> None:
        if self._left == 0:
            raise KilledError
        self._left -= 1
        self._db.execute(statement, values)


def facts(step: int) -> list[tuple[Entry, Outfit]]:
    """The log: somebody in every second step, somebody out in every third, two of them late."""
    at_s = START + STEP_S * step + 1.0
    outfit = Outfit(True, {}, {"long": Worn("dress" if step % 4 else "suit", 0.9)})
    people = []
    if step % 2 == 0:
        people.append(Entry("door", "entrance", step, "in", step, at_s))
    if step % 3 == 0:
        people.append(Entry("door", "entrance", step, "out", step, at_s + 0.5, dwell_s=2.5))
    if step in (40, 43):
        people.append(Entry("door", "entrance", 99, "in", step, START + 10.0))
    return [(entry, outfit) for entry in people]


def life(uri: str, statements_to_live: int) -> None:
    """One process: start from the database, play the rest of the log, die when it is time."""
    database = Database(uri, statements_to_live)
    try:
        counts = Counts(["entrance"], "Europe/Paris", "04:00", START, {"entrance": "door"})
        first, state = database.read()
        if state is not None:
            counts.restore(state)
        for step in range(first, STEPS):
            now_s = START + STEP_S * (step + 1)
            for entry, outfit in facts(step):
                counts.entered(entry)
                counts.settled(entry, outfit)
            for second in range(int(STEP_S)):
                counts.seen("door", now_s - STEP_S + 1 + second)
            windows = counts.advance(now_s)
            database.commit(step + 1, counts.state(), windows)
        if first <= STEPS:
            finished = counts.finish(START + STEP_S * STEPS)
            database.commit(STEPS + 1, counts.state(), finished)
    finally:
        database.close()


def sent(uri: str) -> list[dict]:
    database = Database(uri, 0)
    windows = database.sent()
    database.close()
    return windows


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> list[dict]:
    uri = f"file:{tmp_path_factory.mktemp('whole') / 'counts.db'}"
    life(uri, -1)
    return sent(uri)


def test_the_log_is_worth_killing(uninterrupted):
    assert {w["rev"] for w in uninterrupted} == {0, 1, 2}
    assert {w["window"] for w in uninterrupted} == {"pt1m", "pt15m", "pt1h", "p1d"}
    [day] = [w for w in uninterrupted if (w["window"], w["zone"]) == ("p1d", "all")]
    assert (day["counts"]["in"], day["counts"]["out"]) == (25, 15)
    assert (day["garment"]["dress"], day["garment"]["suit"]) == (12, 13)


def test_a_kill_at_any_statement_loses_and_doubles_nothing(uninterrupted):
    statements = len(uninterrupted) + 3 * (STEPS + 1)
    for statement in range(statements):
        uri = f"file:statement-{statement}?mode=memory&cache=shared"
        # A database in memory lives as long as somebody has it open, and spares 200 files.
        with closing(sqlite3.connect(uri, uri=True)):
            with pytest.raises(KilledError):
                life(uri, statement)
            life(uri, -1)
            assert sent(uri) == uninterrupted, f"killed at statement {statement}"


def test_kills_all_the_time_lose_and_double_nothing(uninterrupted, tmp_path):
    uri = f"file:{tmp_path / 'counts.db'}"
    lives = 0
    # Each life is just long enough for the largest single transaction.
    while lives < 1000:
        lives += 1
        try:
            life(uri, 15)
            break
        except KilledError:
            continue
    assert lives > 5
    assert sent(uri) == uninterrupted
