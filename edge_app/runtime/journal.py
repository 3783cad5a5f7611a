"""systemd's journal in its native protocol: a datagram of fields, so that logs can be asked for.

``journalctl -u dresscode CAMERA=door PRIORITY=4`` needs no search in texts. The protocol:
https://systemd.io/JOURNAL_NATIVE_PROTOCOL.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

SOCKET = Path("/run/systemd/journal/socket")
PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (logging.NOTSET, 7),
)
FIELDS = ("camera", "network")
"""What records may carry in ``extra``; becomes the fields ``CAMERA`` and ``NETWORK``."""

_MAX_MESSAGE = 48 * 1024
"""Far below what a datagram may carry; longer ones would need a file."""
_PATIENCE_S = 0.5


def priority_of(level: int) -> int:
    """The journal's priority (syslog(3)) of a level of :mod:`logging`."""
    return next(n for least, n in PRIORITIES if level >= least)


def is_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a stream leads to the journal, as ``JOURNAL_STREAM`` says (systemd.exec(5))."""
    told = environment.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):  # a stream without a descriptor, or a closed one
        return False
    return told == f"{found.st_dev}:{found.st_ino}"


class JournalHandler(logging.Handler):
    """Sends records with their fields; what cannot be sent goes to another handler.

    Args:
        otherwise: gets a record when the journal does not take it.
        path: of the journal's socket.
    """

    def __init__(self, otherwise: logging.Handler, path: Path) -> None:
        super().__init__()
        self._otherwise = otherwise
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        # A journal that does not read must not hold up a capture thread.
        self._socket.settimeout(_PATIENCE_S)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        try:
            self._socket.sendto(_encoded(self._fields(record)), self._path)
        except OSError:
            self._otherwise.handle(record)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        super().close()

    def _fields(self, record: logging.LogRecord) -> dict[str, str]:
        fields = {
            "MESSAGE": self.format(record)[:_MAX_MESSAGE],
            "PRIORITY": str(priority_of(record.levelno)),
            "SYSLOG_IDENTIFIER": "dresscode",
            "LOGGER": record.name,
            "THREAD_NAME": record.threadName or "",
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "CODE_FUNC": record.funcName,
        }
        if record.exc_info and record.exc_info[0] is not None:
            fields["EXCEPTION"] = record.exc_info[0].__name__
        for name in FIELDS:
            with contextlib.suppress(AttributeError):
                fields[name.upper()] = str(getattr(record, name))
        return fields


def _encoded(fields: Mapping[str, str]) -> bytes:
    r"""Fields as a datagram: ``KEY=value``, or with the value's length where it has several lines.

    >>> _encoded({"PRIORITY": "6"})
    b'PRIORITY=6\n'
    """
    parts = []
    for key, text in fields.items():
        value = text.encode(errors="replace")
        if b"\n" in value:
            parts.append(key.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n")
        else:
            parts.append(key.encode() + b"=" + value + b"\n")
    return b"".join(parts)
