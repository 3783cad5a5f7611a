"""Logs: readable on a terminal, with fields in the journal; no secrets, no floods."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from edge_app.config.secrets import redact
from edge_app.runtime.journal import SOCKET, JournalHandler, is_journal, priority_of

DATE_AND_TIME = "%Y-%m-%dT%H:%M:%S%z"
"""Of lines that are read later, perhaps elsewhere."""

_MAX_KINDS = 1000


def configure(
    level: str,
    stream: TextIO | None = None,
    environment: Mapping[str, str] | None = None,
    journal: Path = SOCKET,
) -> None:
    """Send everything logged from here on, and Python's warnings, to one place.

    A terminal gets readable lines, a file or a pipe the same with the date; the journal, where the
    stream leads to it, gets records with their fields. Should it not take them, the stream gets
    lines that begin with ``<N>``, which systemd takes for their priority (sd-daemon(3)).

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        stream: None for stderr.
        environment: with ``JOURNAL_STREAM``; None for ours.
        journal: path of the journal's socket.
    """
    stream = stream or sys.stderr
    handler: logging.Handler = logging.StreamHandler(stream)
    handler.setFormatter(ReadableFormatter("%H:%M:%S" if stream.isatty() else DATE_AND_TIME))
    if is_journal(stream, os.environ if environment is None else environment):
        handler.setFormatter(PriorityFormatter())
        handler = JournalHandler(handler, journal)
        handler.setFormatter(RedactingFormatter("%(message)s"))
    handler.addFilter(RepeatLimit())
    logging.captureWarnings(True)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class RedactingFormatter(logging.Formatter):
    """Formats a record, traceback included, without user names and passwords of URLs."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        text = redact(super().format(record))
        hidden = getattr(record, "hidden_repeats", 0)
        return f"{text} ({hidden} more like this were not shown)" if hidden else text


class ReadableFormatter(RedactingFormatter):
    """``14:03:07 warning edge_app.capture.camera: camera door: offline``."""

    def __init__(self, time_format: str) -> None:
        super().__init__("%(asctime)s %(level)s %(name)s: %(message)s", time_format)

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        record.level = record.levelname.lower()
        return super().format(record)


class PriorityFormatter(RedactingFormatter):
    """``<4>edge_app.capture.camera: camera door: offline``, the priority before every line."""

    def __init__(self) -> None:
        super().__init__("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        text = super().format(record)
        priority = priority_of(record.levelno)
        return "\n".join(f"<{priority}>{line}" for line in text.splitlines() or [""])


@dataclass
class _Kind:
    began_s: float
    shown: int = 0
    hidden: int = 0


class RepeatLimit(logging.Filter):
    """Lets a few records of one kind pass a minute.

    A kind is a logger, a level, a message before its arguments, and the camera that it is about.
    The first one of the next minute says how many were held back.

    Args:
        most: records of one kind that pass within
        per_s: so many seconds.
    """

    def __init__(self, most: int = 10, per_s: float = 60.0) -> None:
        super().__init__()
        self._most = most
        self._per_s = per_s
        self._kinds: dict[tuple[str, int, str, str], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown."""
        about = str(getattr(record, "camera", ""))
        key = (record.name, record.levelno, str(record.msg), about)
        kind = self._kinds.get(key)
        if kind is None or not 0 <= record.created - kind.began_s < self._per_s:
            if len(self._kinds) >= _MAX_KINDS:
                # Messages that are never alike, such as f-strings of a library, must not pile up.
                self._kinds.clear()
            record.hidden_repeats = kind.hidden if kind else 0
            kind = self._kinds[key] = _Kind(record.created)
        if kind.shown >= self._most:
            kind.hidden += 1
            return False
        kind.shown += 1
        return True
