"""The outbox's tables, read and written within a transaction of the caller."""

# ruff: noqa: S608 - the pieces of SQL that are joined here are constants of this module
from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from pydantic_core import from_json

from edge_app.delivery.bounds import count
from edge_app.delivery.messages import historical, numbered
from edge_app.delivery.topics import HEADQUARTERS
from edge_app.flow import Message

Lane = Literal["alert", "agg", "resend"]
STORED: Final = ("alert", "agg")

RETAINED: Final = "retained"
"""Name of the state that tells which topics this box has brokers keep."""

_COLUMNS: Final = "topic, payload, properties, id, qos, retain, expires_s"


def lanes_of(broker: str) -> tuple[Lane, ...]:
    """The lanes of stored messages that a broker gets, in order; alerts stay in the store."""
    return ("agg", "resend") if broker == HEADQUARTERS else ("alert", "agg", "resend")


class Row(NamedTuple):
    """A stored message and its place in its lane."""

    position: int
    message: Message


def keep_cursors(db: sqlite3.Connection, brokers: Sequence[str]) -> None:
    """Have cursors of exactly these brokers; a new one starts with what comes from now on."""
    marks = ",".join("?" * len(brokers))
    db.execute(f"DELETE FROM cursor WHERE broker NOT IN ({marks})", brokers)
    db.execute(f"DELETE FROM resend WHERE broker NOT IN ({marks})", brokers)
    for broker in brokers:
        for lane in STORED:
            statement = (
                "INSERT OR IGNORE INTO cursor "
                "SELECT ?, ?, coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'message'"
                if lane in lanes_of(broker)
                else "DELETE FROM cursor WHERE broker = ? AND lane = ?"
            )
            db.execute(statement, (broker, lane))


def store(db: sqlite3.Connection, messages: Iterable[Message], now_s: float) -> list[Row]:
    """Store messages with their numbers; the alerts among them are returned."""
    alerts = []
    for message in messages:
        if message.lane == "state":
            _store_latest(db, message)
            continue
        payload, window = message.payload, dict[str, str]()
        seq = count(db, f"seq.{message.lane}")
        if message.lane == "agg":
            window = json.loads(payload)
            dropped = total(db, "dropped.") if window["window"] == "p1d" else 0
            payload = numbered(payload, seq, dropped)
        else:
            payload = numbered(payload, seq, 0)
        values = (
            message.lane, message.topic, payload, json.dumps(dict(message.properties)), message.id,
            message.qos, message.is_retained, now_s, message.expires_at_s,
            window.get("zone"), window.get("window"), window.get("start"),
        )  # fmt: skip
        cursor = db.execute(
            "INSERT INTO message (lane, topic, payload, properties, id, qos, retain, created_s, "
            f"expires_s, zone, window, start) VALUES ({','.join('?' * len(values))})",
            values,
        )
        if message.lane == "alert" and cursor.lastrowid is not None:
            alerts.append(Row(cursor.lastrowid, message))
    return alerts


def _store_latest(db: sqlite3.Connection, message: Message) -> None:
    db.execute(
        "INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?, ?, ?)",
        (
            message.topic, message.payload, json.dumps(dict(message.properties)), message.qos,
            message.is_retained, count(db, "version"),
        ),
    )  # fmt: skip


def store_state(db: sqlite3.Connection, state: Mapping[str, Mapping[str, Any]]) -> None:
    """Replace the named parts of the state; what stays as it is costs no writing."""
    db.executemany(
        "INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value "
        "WHERE value <> excluded.value",
        [(name, json.dumps(value, separators=(",", ":"))) for name, value in state.items()],
    )


def keep_retained(db: sqlite3.Connection, source: str, topics: Sequence[str], now_s: float) -> None:
    """Have of all retained topics only these, and the source's others forgotten by the brokers.

    They forget by an empty message, which waits among the windows without being one.
    """
    row = db.execute("SELECT value FROM state WHERE name = ?", (RETAINED,)).fetchone()
    gone = set(json.loads(row[0]).get(source, ()) if row else ()).difference(topics)
    store_state(db, {RETAINED: {source: topics}})
    marks = ",".join("?" * len(topics))
    db.execute(f"DELETE FROM latest WHERE topic NOT IN ({marks})", topics)
    db.execute(
        f"DELETE FROM message WHERE lane = 'agg' AND window IS NULL AND (topic IN ({marks}) OR "
        "position <= (SELECT min(position) FROM cursor WHERE lane = 'agg'))",
        topics,
    )
    db.executemany(
        "INSERT INTO message (lane, topic, payload, properties, qos, retain, created_s) "
        "VALUES ('agg', ?, x'', '{}', 1, 1, ?)",
        [(topic, now_s) for topic in sorted(gone)],
    )


def latest(db: sqlite3.Connection, after: int) -> list[Row]:
    """State messages newer than a version, which is their position."""
    rows = db.execute(
        "SELECT version, topic, payload, properties, NULL, qos, retain, NULL FROM latest "
        "WHERE version > ? ORDER BY version",
        (after,),
    )
    return [Row(position, _message("state", *columns)) for position, *columns in rows]


def waiting(db: sqlite3.Connection, broker: str, lane: Lane, after: int, limit: int) -> list[Row]:
    """The first messages of a lane that a broker lacks, after a position."""
    if lane == "resend":
        rows = db.execute(
            f"SELECT r.position, {_COLUMNS} FROM resend r JOIN message m ON m.position = r.message "
            "WHERE r.broker = ? AND r.position > ? ORDER BY r.position LIMIT ?",
            (broker, after, limit),
        )
        resent = [Row(position, _message("agg", *columns)) for position, *columns in rows]
        return [Row(row.position, _as_history(row.message)) for row in resent]
    (reached,) = db.execute(
        "SELECT position FROM cursor WHERE broker = ? AND lane = ?", (broker, lane)
    ).fetchone()
    rows = db.execute(
        f"SELECT position, {_COLUMNS} FROM message WHERE lane = ? AND position > ? "
        "ORDER BY position LIMIT ?",
        (lane, max(after, reached), limit),
    )
    return [Row(position, _message(lane, *columns)) for position, *columns in rows]


def advance(db: sqlite3.Connection, broker: str, reached: Mapping[Lane, int]) -> None:
    """Note what a broker has; alerts that every broker has are forgotten, windows are history."""
    for lane, position in reached.items():
        if lane == "resend":
            db.execute("DELETE FROM resend WHERE broker = ? AND position <= ?", (broker, position))
            continue
        db.execute(
            "UPDATE cursor SET position = max(position, ?) WHERE broker = ? AND lane = ?",
            (position, broker, lane),
        )
        if lane == "alert":
            db.execute(
                "DELETE FROM message WHERE lane = 'alert' AND position <= "
                "(SELECT min(position) FROM cursor WHERE lane = 'alert')"
            )


def give_up_alerts(db: sqlite3.Connection, positions: Sequence[int]) -> None:
    """Delete alerts that came too late, counted for each broker that still waits for them."""
    for position in positions:
        behind = db.execute(
            "SELECT broker FROM cursor WHERE lane = 'alert' AND position < ?", (position,)
        ).fetchall()
        for (broker,) in behind:
            count(db, f"expired.{broker}")
        db.execute("DELETE FROM message WHERE position = ?", (position,))


def resend(db: sqlite3.Connection, broker: str, which: Mapping[str, str]) -> int:
    """Queue windows of the history again; how many. Those that are queued already stay there."""
    values = {"broker": broker, **which}
    asked = (
        "FROM message WHERE lane = 'agg' AND start >= :start AND start < :end "
        "AND :zone IN ('*', zone) AND :window IN ('*', window)"
    )
    db.execute(
        f"INSERT INTO resend (broker, message) SELECT :broker, position {asked} AND position "
        "NOT IN (SELECT message FROM resend WHERE broker = :broker) ORDER BY position",
        values,
    )
    return int(db.execute(f"SELECT count(*) {asked}", values).fetchone()[0])


def total(db: sqlite3.Connection, prefix: str) -> int:
    """The sum of all numbers whose name starts so."""
    row = db.execute("SELECT sum(value) FROM number WHERE name GLOB ?", (prefix + "*",)).fetchone()
    return int(row[0] or 0)


def backlog(db: sqlite3.Connection, broker: str) -> tuple[int, float | None]:
    """How many messages wait for a broker, and when the oldest was stored."""
    rows, oldest = db.execute(
        "SELECT count(*), min(created_s) FROM message m JOIN cursor c ON c.lane = m.lane "
        "WHERE c.broker = ? AND m.position > c.position",
        (broker,),
    ).fetchone()
    (again,) = db.execute("SELECT count(*) FROM resend WHERE broker = ?", (broker,)).fetchone()
    return rows + again, oldest


def _message(lane: Any, *columns: Any) -> Message:
    topic, payload, properties, event_id, qos, retain, expires_s = columns
    return Message(
        topic, payload, qos, bool(retain), lane, expires_s, event_id, from_json(properties)
    )


def _as_history(message: Message) -> Message:
    return Message(
        message.topic,
        historical(message.payload),
        message.qos,
        message.is_retained,
        "agg",
        None,
        message.id,
        message.properties,
    )
