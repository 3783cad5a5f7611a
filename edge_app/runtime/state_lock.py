"""One box per state folder: two would spoil the outbox and the audit log that lie in it."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_app.errors import ServiceError

log = logging.getLogger(__name__)

NAME = "run.lock"
"""Of the file; the number of the process that holds it is in it."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a state folder; the kernel lets go of it however the process ends.

    Children do not inherit the lock: the file is closed where another program is executed. A folder
    that cannot be written is not locked, which is logged: there the box counts in memory.

    Raises:
        ServiceError: another process holds it.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        log.warning("%s cannot be written: %s; a second box on it is not noticed", path, error)
        yield
        return
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace") or "unknown"
        raise ServiceError(
            f"{folder} is in use by another dresscode, process {holder}; stop that first "
            "(`systemctl stop dresscode`), or give this one another state_dir and node"
        ) from None
    except OSError as error:
        # A file system without locks, or a full one; neither is worth a store's counts.
        log.warning("%s: a second box on it may not be noticed: %s", folder, error)
