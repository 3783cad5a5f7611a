"""Where messages wait for the brokers, in one SQLite file, together with the state behind them.

Lanes: ``alert`` goes first and expires, ``agg`` is first in, first out, ``state`` keeps the latest
of each topic, ``now`` is not stored: it is sent if there is a connection, else dropped and counted.
Each broker has its own cursor per lane, so a broker that is away holds nobody else up; headquarters
has none for alerts, which stay in the store. Windows stay after they were sent: they are the
history that ``resend`` reads.

Messages get their ``seq`` here, in the transaction that stores them: alerts and windows are
numbered apart, from 1 and over restarts, so that a reader of either sees every gap.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from edge_app.config.schema import OutboxSettings
from edge_app.delivery import lanes
from edge_app.delivery.bounds import DateTrust, count, drop_excess, drop_old
from edge_app.delivery.database import Database
from edge_app.delivery.depth import Depth, depth_of
from edge_app.delivery.lanes import STORED, Lane
from edge_app.delivery.recovery import Recovery
from edge_app.delivery.topics import WINDOW_EXPIRY_S, is_told
from edge_app.flow import Message

NOW_KEPT: Final = 256
"""Live messages kept for a broker until its sender takes them."""

UPKEEP_S: Final = 60.0
"""How often the outbox looks for what became too old."""


class Waiting(NamedTuple):
    """A message that a broker has not acknowledged.

    Attributes:
        position: its place in its lane.
        message: what to send.
        deadline_s: by the monotonic clock, when it becomes worthless; None for never.
    """

    position: int
    message: Message
    deadline_s: float | None


class Outbox:
    """The publisher of the box: what it took is delivered, or counted as lost.

    Args:
        path: the SQLite file.
        settings: bounds.
        brokers: names of the brokers.
        clock: Unix time in seconds.
        monotonic: seconds that never jump.
    """

    def __init__(
        self,
        path: Path,
        settings: OutboxSettings,
        brokers: Sequence[str] = ("store",),
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._clock, self._monotonic = clock, monotonic
        self._recovery = Recovery(brokers)
        self._database = Database(path, self._recovery, monotonic)
        self._upkeep_at_s = monotonic()
        self._date = DateTrust(clock(), monotonic())
        # An alert's life is measured by the steady clock, so that a jump of the wall clock kills
        # none; only alerts of an earlier run fall back on the time that is written in them.
        self._deadlines: dict[int, float] = {}
        self._now = {broker: deque[Message](maxlen=NOW_KEPT) for broker in brokers}
        self._live_dropped = dict.fromkeys(brokers, 0)
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._database.transact(lambda db: lanes.keep_cursors(db, brokers))

    def __enter__(self) -> Outbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def trouble(self) -> str | None:
        """Why the outbox works in memory; None while it is on the disk."""
        return self._database.trouble

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called, in the publishing thread, after each ``publish``."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        self._listeners = [other for other in self._listeners if other != listener]

    def publish(
        self,
        messages: Sequence[Message],
        state: Mapping[str, Mapping[str, Any]] | None = None,
        is_durable: bool = False,
    ) -> None:
        """Take messages and, in the same transaction, the state that they follow from, for good.

        With an alert or a window among them, or if asked for, all of it survives a power cut on
        return; else it survives the end of the process.

        Args:
            messages: in the order in which they are to be sent per lane.
            state: JSON-able state of the stages by name, kept for the next start.
            is_durable: whether a power cut is survived in any case.
        """
        kept = [message for message in messages if message.lane != "now"]
        if kept or state is not None:
            is_durable |= any(message.lane in STORED for message in kept)
            self._database.transact(lambda db: self._store(db, kept, state or {}), is_durable)
        with self._lock:
            for message in messages:
                if message.lane == "now":
                    for broker, queue in self._now.items():
                        if is_told(broker, message.topic):
                            self._live_dropped[broker] += len(queue) == NOW_KEPT
                            queue.append(message)
        for listener in self._listeners:
            listener()

    def keep_retained(self, source: str, topics: Sequence[str]) -> None:
        """Say what is retained from now on; at every start, and when the configuration changes.

        Args:
            source: names the box. What it retained and no longer makes is taken back from the
                brokers; what it retained under another name may be another box's now.
            topics: that it makes.
        """
        now_s = self._clock()
        self._database.transact(lambda db: lanes.keep_retained(db, source, topics, now_s))
        for listener in self._listeners:
            listener()

    def _store(
        self,
        db: sqlite3.Connection,
        messages: Sequence[Message],
        state: Mapping[str, Mapping[str, Any]],
    ) -> None:
        now_s, steady_s = self._clock(), self._monotonic()
        for alert in lanes.store(db, messages, now_s):
            if alert.message.expires_at_s is not None:
                self._deadlines[alert.position] = steady_s + alert.message.expires_at_s - now_s
        lanes.store_state(db, state)
        if steady_s >= self._upkeep_at_s:
            self._upkeep_at_s = steady_s + UPKEEP_S
            if self._date.holds(now_s, steady_s):
                drop_old(db, self._settings, now_s)
            alerts = db.execute("SELECT position, expires_s FROM message WHERE lane = 'alert'")
            living = self._living({at: self._deadline(at, until) for at, until in alerts}, db)
            self._deadlines = {at: end for at, end in self._deadlines.items() if at in living}
        drop_excess(db, self._settings)
        self._recovery.note(db)

    def state(self) -> dict[str, Any]:
        """The state that was published last, by name."""
        rows = self._database.transact(lambda db: db.execute("SELECT * FROM state").fetchall())
        return {name: json.loads(value) for name, value in rows}

    def next_birth(self) -> int:
        """A number for a new connection, higher than every one before, restarts included.

        It is Unix time or, where that is not higher, the next one: a box whose database was lost,
        or put back from a copy, is not taken for one of the past.
        """

        def work(db: sqlite3.Connection) -> int:
            reached = lanes.total(db, "birth")
            return count(db, "birth", max(1, int(self._clock()) - reached))

        return self._database.transact(work, is_durable=True)

    def waiting(self, broker: str, lane: Lane, after: int, limit: int) -> list[Waiting]:
        """The first messages of a lane that a broker lacks, after a position, in order.

        Alerts that became too old on the way are given up and counted.
        """

        def work(db: sqlite3.Connection) -> list[Waiting]:
            rows = lanes.waiting(db, broker, lane, after, limit)
            if lane == "alert":
                until = {at: self._deadline(at, alert.expires_at_s) for at, alert in rows}
                living = self._living(until, db)
                if rows and not living:
                    return work(db)
                return [Waiting(at, alert, living[at]) for at, alert in rows if at in living]
            # What is sent again is worth as much as if it were new.
            anew_s = self._monotonic() + WINDOW_EXPIRY_S if lane == "resend" else None
            return [
                Waiting(at, window, anew_s or self._deadline(at, window.expires_at_s))
                for at, window in rows
            ]

        return self._database.transact(work)

    def latest(self, after: int) -> list[Waiting]:
        """The state messages newer than a version, which is their position, oldest first."""
        rows = self._database.transact(lambda db: lanes.latest(db, after))
        return [Waiting(row.position, row.message, None) for row in rows]

    def take_now(self, broker: str) -> list[Message]:
        """The live messages that came since the last call."""
        if not self._now[broker]:
            return []
        with self._lock:
            taken = list(self._now[broker])
            self._now[broker].clear()
        return taken

    def drop_now(self, broker: str) -> None:
        """Drop and count the live messages: there is nobody to send them to."""
        with self._lock:
            self._live_dropped[broker] += len(self._now[broker])
            self._now[broker].clear()

    def advance(self, broker: str, reached: Mapping[Lane, int]) -> None:
        """Note that a broker has everything of these lanes up to these positions."""
        self._database.transact(lambda db: lanes.advance(db, broker, reached))

    def refuse(self, broker: str, message: Message, reason: str) -> None:
        """Keep a message that a broker refused for good apart, and count it.

        An alert is only counted: it speaks of a person, and is worthless by then.
        """

        def work(db: sqlite3.Connection) -> None:
            if message.lane != "alert":
                db.execute(
                    "INSERT INTO refused (broker, topic, payload, reason, at_s) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (broker, message.topic, message.payload, reason, self._clock()),
                )
            count(db, f"refused.{broker}")

        self._database.transact(work)

    def resend(self, broker: str, which: Mapping[str, str]) -> int:
        """Queue windows of the history for a broker again.

        Args:
            broker: who gets them.
            which: ``zone`` and ``window``, each an id or ``*`` for all; ``start`` and ``end``,
                RFC 3339 as in the payloads: windows that start from here, and before this.

        Returns:
            How many will be sent.
        """
        n = self._database.transact(lambda db: lanes.resend(db, broker, which), is_durable=True)
        for listener in self._listeners:
            listener()
        return n

    def depth(self, broker: str) -> Depth:
        """How full the outbox is, seen from a broker."""
        return self._database.transact(
            lambda db: depth_of(db, broker, self._clock(), self._live_dropped[broker])
        )

    def _deadline(self, position: int, expires_at_s: float | None) -> float | None:
        if position in self._deadlines:
            return self._deadlines[position]
        if expires_at_s is None:
            return None
        return self._monotonic() + expires_at_s - self._clock()

    def _living(
        self, until: dict[int, float | None], db: sqlite3.Connection
    ) -> dict[int, float | None]:
        """Those of some alerts that are still worth sending; the others are given up."""
        steady_s = self._monotonic()
        late = [position for position, end in until.items() if end is not None and end <= steady_s]
        lanes.give_up_alerts(db, late)
        for position in late:
            self._deadlines.pop(position, None)
        return {position: end for position, end in until.items() if position not in late}
