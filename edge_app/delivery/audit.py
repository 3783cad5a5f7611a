"""What was done to the box from outside: an append-only log whose lines hang together by hashes.

One JSON object per line: ``n``, ``at``, ``event``, ``details``, ``prev`` (the hash of the line
before) and ``hash`` (SHA-256 of all the others, in canonical JSON). A line that was changed, taken
out or put in breaks the chain. What the file alone cannot show is that its newest lines were cut
off; whoever needs that compares with the head that :func:`verify` printed earlier.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edge_app.delivery.kinds import rfc3339

log = logging.getLogger(__name__)

GENESIS: Final = "0" * 64
MAX_BYTES: Final = 8 << 20
"""Then a new file is begun, whose chain goes on from the old one; one old file is kept."""


@dataclass(frozen=True)
class Verdict:
    """What :func:`verify` found.

    Attributes:
        entries: sound lines from the start.
        head: hash of the last of them.
        problem: the first thing wrong, with its file and line; None if all is sound.
    """

    entries: int
    head: str
    problem: str | None


class Audit:
    """Appends to the log; several threads may.

    Args:
        path: the file; a torn last line, of a power cut, is left and said in the next one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._n, self._head = 0, GENESIS
        self._is_torn = False
        self._resume()

    def note(self, event: str, details: Mapping[str, Any], now_s: float) -> None:
        """Append one line, on the disk when this returns; a sick disk is logged, not raised."""
        with self._lock:
            said = [(event, dict(details))]
            if self._is_torn:
                said.insert(0, ("torn", {}))
            self._append(said, rfc3339(now_s))

    def _append(self, said: Sequence[tuple[str, dict[str, Any]]], at: str) -> None:
        n, head, lines = self._n, self._head, "\n" if self._is_torn else ""
        for event, details in said:
            n += 1
            entry = {"n": n, "at": at, "event": event, "details": details, "prev": head}
            entry["hash"] = head = _hash(entry)
            lines += json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > MAX_BYTES:
                self._path.replace(_older(self._path))
            with self._path.open("a", encoding="utf-8") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            log.warning(
                "the audit log %s cannot be written: %s; lost: %s", self._path, error, lines
            )
            # A full disk may have taken a part of it, or all: the file itself says how it ends.
            self._is_torn = True
            self._resume()
            return
        self._n, self._head, self._is_torn = n, head, False

    def _resume(self) -> None:
        for file in (_older(self._path), self._path):
            try:
                if not file.exists():
                    continue
                lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
            except OSError as error:
                # The log is not worth a store's counts; what it misses, the journal has.
                log.warning("the audit log %s cannot be read: %s", file, error)
                continue
            self._is_torn = lines[-1] != ""
            for line in reversed(lines):
                entry = _parsed(line)
                if entry is not None:
                    self._n, self._head = entry["n"], entry["hash"]
                    break


def verify(path: Path) -> Verdict:
    """Check a log from its first line to its last.

    Args:
        path: the file; the older one beside it is checked first, if there is one.
    """
    # Where a file older than the older one was dropped, the chain begins in its middle.
    entries, head = 0, None if _older(path).exists() else GENESIS
    for file in (_older(path), path):
        if not file.exists():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        torn = ""
        for number, line in enumerate(text.split("\n"), 1):
            if not line:
                continue
            entry = _parsed(line)
            if entry is None:
                torn = f"{file}:{number}: not an entry"
                continue
            problem = _wrong(entry, head, entry["n"] - 1 if head is None else entries)
            if torn and entry["event"] != "torn":
                problem = torn
            if problem:
                return Verdict(entries, head or GENESIS, f"{file}:{number}: {problem}")
            torn, entries, head = "", entry["n"], entry["hash"]
        if torn:
            return Verdict(entries, head or GENESIS, torn)
    return Verdict(entries, head or GENESIS, None)


def _wrong(entry: Mapping[str, Any], head: str | None, entries: int) -> str | None:
    if entry["hash"] != _hash({key: entry[key] for key in entry if key != "hash"}):
        return "the line was changed"
    if (head is not None and entry["prev"] != head) or entry["n"] != entries + 1:
        return "lines are missing, or were put in, before this one"
    return None


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    keys = {"n", "at", "event", "details", "prev", "hash"}
    return entry if isinstance(entry, dict) and set(entry) == keys else None


def _hash(entry: Mapping[str, Any]) -> str:
    canonical = json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _older(path: Path) -> Path:
    return path.with_name(f"{path.stem}.1{path.suffix}")
