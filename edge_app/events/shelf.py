"""What is kept of each window, in little memory and in a form that takes little room on the disk.

Most of it is a day of closed windows that hardly ever change, and the state is stored every minute.
Windows are therefore kept in chunks, and only the newest two chunks of each kind as objects; the
others are packed, unpacked for as long as somebody looks at them, and stored apart from what
changes with every minute, which is packed only on its way to the disk.
"""

from __future__ import annotations

import json
from base64 import b85decode, b85encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar
from zlib import compress, decompress

WindowKey = tuple[str, str, int]
"""Zone, window and the window's start in seconds of Unix time."""
Chunk = tuple[str, int]
"""Window, and which of its chunks since 1970."""
T = TypeVar("T")

_SPAN_S: Final = {"pt1m": 1800, "pt15m": 3600, "pt1h": 4 * 3600}
_LONGEST_SPAN_S: Final = 48 * 3600
_FRESH: Final = 2
"""So many chunks of a kind still change often; packing them each time would be in vain."""


class Shelf(Generic[T]):
    """Values by window.

    Args:
        to_row: a value as JSON-able values in order.
        from_row: the reverse.

    >>> shelf = Shelf[int](lambda n: [n], lambda row: row[0])
    >>> for start in range(0, 7200, 60):
    ...     shelf.put(("door", "pt1m", start), start)
    >>> again = Shelf[int](lambda n: [n], lambda row: row[0])
    >>> again.restore(shelf.state())
    >>> again.get(("door", "pt1m", 7140)), again.get(("door", "pt1m", 60))
    (7140, None)
    >>> again.add(shelf.packed())
    >>> again.get(("door", "pt1m", 60))
    60
    """

    def __init__(
        self, to_row: Callable[[T], list[Any]], from_row: Callable[[Sequence[Any]], T]
    ) -> None:
        self._to_row = to_row
        self._from_row = from_row
        self._fresh: dict[Chunk, dict[WindowKey, T]] = {}
        self._packed: dict[Chunk, str] = {}

    def get(self, key: WindowKey) -> T | None:
        """The value of a window, or None; not to be changed."""
        return self._values(_chunk(key)).get(key)

    def put(self, key: WindowKey, value: T) -> None:
        """Set the value of a window."""
        self._put_all(_chunk(key), {key: value})

    def since(self, start: int) -> Iterator[tuple[WindowKey, T]]:
        """The windows that begin at a time or later, in no order."""
        for chunk in [c for c in (*self._fresh, *self._packed) if _end(c) > start]:
            yield from (item for item in self._values(chunk).items() if item[0][2] >= start)

    def forget(self, window: str, before_s: float) -> None:
        """Drop the windows of a kind that began before a time, a chunk at once."""
        for kept in (self._fresh, self._packed):
            for chunk in [c for c in kept if c[0] == window and _end(c) <= before_s]:
                del kept[chunk]

    def forget_from(self, start: int) -> None:
        """Drop the windows that begin at a time or later."""
        for chunk in [c for c in (*self._fresh, *self._packed) if _end(c) > start]:
            kept = {key: value for key, value in self._values(chunk).items() if key[2] < start}
            self._fresh.pop(chunk, None)
            self._packed.pop(chunk, None)
            if kept:
                self._put_all(chunk, kept)

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able, but for what stays packed."""
        fresh = [row for chunk in sorted(self._fresh) for row in self._rows(self._fresh[chunk])]
        return {"plain": [], "packed": [pack(fresh)] if fresh else []}

    def packed(self) -> list[str]:
        """The rest of it; mostly the same from one hour to the next."""
        return [self._packed[chunk] for chunk in sorted(self._packed)]

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        self._fresh.clear()
        self._packed.clear()
        self._add_rows(state["plain"])  # what earlier versions did not pack
        self.add(state["packed"])

    def add(self, packed: Iterable[str]) -> None:
        """Take windows that are not there yet from what :meth:`packed` gave."""
        for each in packed:
            self._add_rows(unpack(each))

    def _values(self, chunk: Chunk) -> dict[WindowKey, T]:
        if chunk in self._fresh:
            return self._fresh[chunk]
        packed = self._packed.get(chunk)
        return {} if packed is None else dict(map(self._item, unpack(packed)))

    def _put_all(self, chunk: Chunk, values: Mapping[WindowKey, T]) -> None:
        """Set values of one chunk; of what is fresh, the oldest makes room for a newer one."""
        if chunk not in self._fresh:
            rivals = sorted(c for c in self._fresh if c[0] == chunk[0])
            if len(rivals) == _FRESH and chunk < rivals[0]:
                self._packed[chunk] = pack(self._rows({**self._values(chunk), **values}))
                return
            self._fresh[chunk] = self._values(chunk)
            self._packed.pop(chunk, None)
            if len(rivals) == _FRESH:
                self._packed[rivals[0]] = pack(self._rows(self._fresh.pop(rivals[0])))
        self._fresh[chunk].update(values)

    def _rows(self, values: Mapping[WindowKey, T]) -> list[list[Any]]:
        return [[*key, *self._to_row(value)] for key, value in values.items()]

    def _item(self, row: Sequence[Any]) -> tuple[WindowKey, T]:
        zone, window, start, *values = row
        return (zone, window, start), self._from_row(values)

    def _add_rows(self, rows: Iterable[Sequence[Any]]) -> None:
        chunks: dict[Chunk, dict[WindowKey, T]] = {}
        for key, value in map(self._item, rows):
            chunks.setdefault(_chunk(key), {})[key] = value
        for chunk, values in sorted(chunks.items()):
            self._put_all(chunk, {**values, **self._values(chunk)})


def _chunk(key: WindowKey) -> Chunk:
    return key[1], key[2] // _SPAN_S.get(key[1], _LONGEST_SPAN_S)


def _end(chunk: Chunk) -> int:
    return (chunk[1] + 1) * _SPAN_S.get(chunk[0], _LONGEST_SPAN_S)


def pack(rows: Sequence[Any]) -> str:
    """JSON-able rows in little space, as text.

    >>> unpack(pack([["door", 12.5], ["back", {}]]))
    [['door', 12.5], ['back', {}]]
    """
    text = json.dumps(rows, separators=(",", ":"))
    return b85encode(compress(text.encode())).decode()


def unpack(packed: str) -> list[Any]:
    """The rows again."""
    rows: list[Any] = json.loads(decompress(b85decode(packed)))
    return rows
