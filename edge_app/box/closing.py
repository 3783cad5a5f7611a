"""Stopping threads side by side: one that hangs must not make the others wait their turn."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

log = logging.getLogger(__name__)

CLOSE_S = 8.0
"""Most time that stopping takes; the service manager allows more."""


def close_together(parts: Iterable[AbstractContextManager[Any]]) -> None:
    """Leave the ``with`` of every part at once, and wait for all of them together."""
    closers = [threading.Thread(target=_close, args=(part,), daemon=True) for part in parts]
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join(CLOSE_S)


def _close(part: AbstractContextManager[Any]) -> None:
    try:
        part.__exit__(None, None, None)
    except Exception:
        # The top of a thread. One cause is harmless: a thread that was never started, since
        # another part failed to start, cannot be joined.
        log.warning("%s did not stop properly", type(part).__name__, exc_info=True)
