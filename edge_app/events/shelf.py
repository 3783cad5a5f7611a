"""What is kept of each window, by the hour, in a form that is cheap to store again and again.

The state of the counters is stored with every message, and most of it is a day of closed windows
that hardly ever change. Hours that are over are packed once, and again only after a late fact.
"""

from __future__ import annotations

import json
from base64 import b85decode, b85encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar
from zlib import compress, decompress

Key = tuple[str, str, int]
"""Zone, window and the window's start in seconds of Unix time."""
T = TypeVar("T")

_HOUR_S = 3600
_PLAIN_HOURS = 2
"""The newest hours still change every minute; packing them each time would be in vain."""


class Shelf(Generic[T]):
    """Values by window.

    Args:
        to_row: a value as JSON-able values in order.
        from_row: the reverse.

    >>> shelf = Shelf[int](lambda n: [n], lambda row: row[0])
    >>> shelf.put(("door", "pt1m", 60), 5)
    >>> again = Shelf[int](lambda n: [n], lambda row: row[0])
    >>> again.restore(shelf.state())
    >>> again.get(("door", "pt1m", 60))
    5
    """

    def __init__(
        self, to_row: Callable[[T], list[Any]], from_row: Callable[[Sequence[Any]], T]
    ) -> None:
        self._to_row = to_row
        self._from_row = from_row
        self._hours: dict[int, dict[Key, T]] = {}
        self._packed: dict[int, str] = {}

    def get(self, key: Key) -> T | None:
        """The value of a window, or None; not to be changed."""
        return self._hours.get(key[2] // _HOUR_S, {}).get(key)

    def put(self, key: Key, value: T) -> None:
        """Set the value of a window."""
        hour = key[2] // _HOUR_S
        self._hours.setdefault(hour, {})[key] = value
        self._packed.pop(hour, None)

    def since(self, start: int) -> Iterator[tuple[Key, T]]:
        """The windows that begin at a time or later, in no order."""
        for hour, values in self._hours.items():
            if hour >= start // _HOUR_S:
                yield from ((key, value) for key, value in values.items() if key[2] >= start)

    def forget(self, is_old: Callable[[Key], bool]) -> None:
        """Drop the windows that are old."""
        for hour, values in list(self._hours.items()):
            old = [key for key in values if is_old(key)]
            for key in old:
                del values[key]
            if old:
                self._packed.pop(hour, None)
            if not values:
                del self._hours[hour]

    def clear(self) -> None:
        """Drop everything."""
        self._hours.clear()
        self._packed.clear()

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able."""
        plain = sorted(self._hours)[-_PLAIN_HOURS:]
        for hour in self._hours.keys() - self._packed.keys() - set(plain):
            packed = compress(json.dumps(self._rows(hour), separators=(",", ":")).encode())
            self._packed[hour] = b85encode(packed).decode()
        return {
            "plain": [row for hour in plain for row in self._rows(hour)],
            "packed": [self._packed[hour] for hour in self._hours if hour not in plain],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        self.clear()
        for packed in state["packed"]:
            for row in json.loads(decompress(b85decode(packed))):
                self._put_row(row)
        for row in state["plain"]:
            self._put_row(row)

    def _rows(self, hour: int) -> list[list[Any]]:
        return [[*key, *self._to_row(value)] for key, value in self._hours[hour].items()]

    def _put_row(self, row: Sequence[Any]) -> None:
        zone, window, start, *values = row
        self.put((zone, window, start), self._from_row(values))
