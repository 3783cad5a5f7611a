"""How full the outbox is."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from edge_app.delivery import lanes
from edge_app.delivery.bounds import used_mb


@dataclass(frozen=True)
class Depth:
    """How full the outbox is, seen from one broker.

    Attributes:
        rows: messages waiting.
        oldest_s: age of the oldest of them, seconds; 0 when there are none.
        size_mb: size of the database in MiB.
        alerts_expired: alerts that became too old unsent, ever.
        windows_dropped: windows given up although a broker lacked them, ever.
        live_dropped: live messages that could not be sent, since the start.
        refused: messages that the broker refused for good, ever.
    """

    rows: int
    oldest_s: float
    size_mb: float
    alerts_expired: int
    windows_dropped: int
    live_dropped: int
    refused: int


def depth_of(db: sqlite3.Connection, broker: str, now_s: float, live_dropped: int) -> Depth:
    """How full the outbox is, seen from a broker; `live_dropped` is not in the database."""
    rows, oldest_s = lanes.backlog(db, broker)
    return Depth(
        rows,
        max(0.0, now_s - oldest_s) if oldest_s is not None else 0.0,
        used_mb(db),
        lanes.total(db, f"expired.{broker}"),
        lanes.total(db, "dropped."),
        live_dropped,
        lanes.total(db, f"refused.{broker}"),
    )
