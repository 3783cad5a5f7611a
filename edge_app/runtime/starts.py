"""Is this a crash loop? Starts that were not followed by a proper stop, remembered on the disk."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from edge_app.config.secrets import redact
from edge_app.whole_file import write_whole

log = logging.getLogger(__name__)

MANY = 5
WITHIN_S = 600.0
"""So many crashes in so short a time: starting once more will not help."""


class Starts:
    """Remembers starts in a small file.

    Args:
        path: the file; one that cannot be read or written is logged and taken for empty.
        within_s: so old, or so long, a start or a run is no part of a loop.

    Attributes:
        error: what the run before this one failed with; None where it could not say so.
    """

    def __init__(self, path: Path, within_s: float = WITHIN_S) -> None:
        self._path = path
        self._within_s = within_s
        self._began_s: list[float] = []
        self.error: str | None = None

    def begin(self, now_s: float) -> int:
        """Note a start; how many starts of the last ten minutes have crashed before it.

        Args:
            now_s: seconds of Unix time; a start that lies in the future, by a wrong clock, counts.
        """
        found, self.error = self._read()
        before = [at_s for at_s in found if now_s - at_s < self._within_s]
        self._began_s = [*before, now_s][-2 * MANY :]
        self._write(self._began_s, None)
        return len(before)

    def held(self, for_s: float) -> None:
        """This run works since so many seconds, which never jump: long enough, it is no crash.

        The times of starts alone do not tell: a box whose clock starts in the past, and whose
        power is cut every evening, starts at the same time again and again.
        """
        if self._began_s and for_s >= self._within_s:
            self.end()

    def fail(self, error: str) -> None:
        """This run ends by an error, which the next one may tell, to the brokers too."""
        self._write(self._began_s, redact(error))

    def end(self) -> None:
        """This run ended as it should, or has held for long: all is forgiven."""
        self._began_s = []
        self._write([], None)

    def _read(self) -> tuple[list[float], str | None]:
        try:
            found = json.loads(self._path.read_text(encoding="ascii"))
            return [float(at_s) for at_s in found["began_s"]], found["error"]
        except FileNotFoundError:
            return [], None
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s cannot be read: %s; taken for empty", self._path, error)
            return [], None

    def _write(self, began_s: list[float], error: str | None) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, json.dumps({"began_s": began_s, "error": error}).encode())
        except OSError as refusal:
            log.warning("%s cannot be written: %s", self._path, refusal)
