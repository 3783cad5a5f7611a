"""The properties of a PUBLISH packet of MQTT 5, written straight into bytes.

paho's own ``Properties`` looks names up in lists for every value that is set: it takes most of the
time of sending a message. These are its ``pack`` for the four properties that we send, as section
2.2.2 of the MQTT 5.0 specification lays them out.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

EXPIRY: Final = b"\x02"
CONTENT_TYPE: Final = b"\x03"
CORRELATION: Final = b"\x09"
USER: Final = b"\x26"
LONGEST: Final = 0xFFFF


class PublishProperties:
    """Ready to be sent; ``pack`` is what paho asks for.

    Args:
        expiry_s: seconds, at least 1 is sent; None for no expiry.
        user: pairs of text.
        correlation: of the answer to a request.
    """

    def __init__(
        self,
        expiry_s: float | None = None,
        user: Mapping[str, str] | None = None,
        correlation: bytes | None = None,
    ) -> None:
        parts = [_JSON]
        if expiry_s is not None:
            parts.append(EXPIRY + struct.pack(">I", min(0xFFFFFFFF, max(1, round(expiry_s)))))
        if correlation is not None:
            parts.append(CORRELATION + _sized(correlation))
        if user:
            parts.extend(map(_pair, user, user.values()))
        body = b"".join(parts)
        self._packed = _length(len(body)) + body

    def pack(self) -> bytes:
        """Length and properties."""
        return self._packed


@lru_cache(maxsize=256)
def _pair(name: str, value: str) -> bytes:
    """A user property; but for ids and times they are the same in one message after the other."""
    return USER + _sized(name.encode()) + _sized(value.encode())


def _sized(data: bytes) -> bytes:
    if len(data) > LONGEST:
        raise ValueError(f"expected at most {LONGEST} bytes in a property, got {len(data)}")
    return len(data).to_bytes(2, "big") + data


def _length(n: int) -> bytes:
    """A variable byte integer.

    >>> _length(127).hex(), _length(128).hex()
    ('7f', '8001')
    """
    encoded = bytearray()
    while True:
        n, digit = divmod(n, 128)
        encoded.append(digit | (0x80 if n else 0))
        if not n:
            return bytes(encoded)


_JSON: Final = CONTENT_TYPE + _sized(b"application/json")
