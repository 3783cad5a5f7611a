"""What reaches the database of a message: Telegraf's configuration and its driver, followed.

Telegraf itself is not run. Its JSON parser joins maps by underscores, leaves nulls out and keeps
texts and truths only where they are named; topic parsing and processors come after it. Its driver
copies rows in PostgreSQL's binary format and converts nothing but to the type of the column.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

from edge_app.delivery.topics import TOPICS
from edge_app.flow import Message
from tests.deploy.files import INPUTS, PROCESSORS, listed, text_of, topic_tags, types_of


class Row(NamedTuple):
    """A row of a landing table."""

    kind: str
    values: dict[str, Any]


def flat(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload as Telegraf's JSON parser reads it: maps joined by underscores, no nulls."""
    values: dict[str, Any] = {}
    for key, value in payload.items():
        inner = value.items() if isinstance(value, dict) else ()
        values |= {f"{key}_{name}": one for name, one in inner if one is not None}
        if value is not None and not isinstance(value, dict):
            values[key] = value
    return values


def parsed(kind: str, topic: str, payload: Mapping[str, Any]) -> Row:
    """A message on a topic, as the input of its kind reads it."""
    part = INPUTS[kind]
    values = flat(payload)
    time = datetime.fromisoformat(values[text_of(part, "json_time_key")].replace("Z", "+00:00"))
    kept = listed(part, "fieldinclude")
    named = listed(part, "json_string_fields")
    fields = {
        name: converted(name, value)
        for name, value in values.items()
        if name in kept and (name in named or not isinstance(value, str | bool))
    }
    return Row(kind, fields | tags(part, topic) | {"time": time})


def tags(part: str, topic: str) -> dict[str, str]:
    """What the topic says, if it is of the expected shape."""
    levels, shape = topic.split("/"), text_of(part, "topic").split("/")
    if len(levels) != len(shape):
        return {}
    assert all(expected in ("+", level) for expected, level in zip(shape, levels, strict=True))
    return {name: levels[level] for name, level in topic_tags(part).items()}


def converted(name: str, value: Any) -> Any:
    """A field after the processors."""
    if name in listed(PROCESSORS, "boolean"):
        words: dict[Any, bool] = {"true": True, "false": False}
        return words.get(value) if isinstance(value, str) else bool(value)
    if name in listed(PROCESSORS, "string"):
        text = json.dumps(value) if not isinstance(value, str) else value
        return text.replace("\0", text_of(PROCESSORS, "new"))
    return float(value)


def row(kind: str, message: Message, **changes: Any) -> Row:
    """A message of a box with another payload, on the topic of that payload."""
    payload = {**json.loads(message.payload), **changes}
    ids = {name: payload[name] for name in ("node", "zone", "window") if name in payload}
    return parsed(kind, TOPICS[kind].at(payload["store"], **ids), payload)


EPOCH: Final = datetime(2000, 1, 1, tzinfo=timezone.utc)
MICROSECOND: Final = timedelta(microseconds=1)

ENCODED: Final[dict[tuple[str, type], Callable[[Any], bytes]]] = {
    ("timestamptz", datetime): lambda at: struct.pack("!q", (at - EPOCH) // MICROSECOND),
    ("text", str): str.encode,
    ("double precision", float): lambda number: struct.pack("!d", number),
    ("boolean", bool): lambda truth: struct.pack("!?", truth),
}
"""How a value is sent for a column of a type; anything else the driver refuses."""


def binary(kind: str, rows: Iterable[Row]) -> tuple[list[str], bytes]:
    """The columns and the binary COPY of rows of one kind, as one batch.

    Raises:
        TypeError: a value is not of its column's type.
    """
    types = types_of(f"{kind}_landing")
    batch = [one.values for one in rows]
    columns = sorted({name for values in batch for name in values})
    sent = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
    for values in batch:
        sent += struct.pack("!h", len(columns))
        for name in columns:
            sent += field(types[name], values.get(name))
    return columns, sent + struct.pack("!h", -1)


def field(column: str, value: Any) -> bytes:
    if value is None:
        return struct.pack("!i", -1)
    if (column, type(value)) not in ENCODED:
        raise TypeError(f"cannot convert {value!r} to {column}")
    data = ENCODED[column, type(value)](value)
    return struct.pack("!i", len(data)) + data
