"""Is this a crash loop? Starts that were not followed by a proper stop, remembered on the disk."""

from __future__ import annotations

import json
import logging
from pathlib import Path

log = logging.getLogger(__name__)

MANY = 5
WITHIN_S = 600.0
"""So many crashes in so short a time: starting once more will not help."""


class Starts:
    """Remembers starts in a small file.

    Args:
        path: the file; one that cannot be read or written is logged and taken for empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, now_s: float) -> int:
        """Note a start; how many starts of the last ten minutes have crashed before it.

        Args:
            now_s: seconds of Unix time; a start that lies in the future, by a wrong clock, counts.
        """
        before = [at_s for at_s in self._read() if now_s - at_s < WITHIN_S]
        self._write([*before, now_s][-2 * MANY :])
        return len(before)

    def end(self) -> None:
        """This run ended as it should, or has held for long: all is forgiven."""
        self._write([])

    def _read(self) -> list[float]:
        try:
            found = json.loads(self._path.read_text(encoding="ascii"))
            return [float(at_s) for at_s in found]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            log.warning("%s cannot be read: %s; taken for empty", self._path, error)
            return []

    def _write(self, starts: list[float]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_suffix(".new")
            draft.write_text(json.dumps(starts), encoding="ascii")
            draft.replace(self._path)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error)
