"""The outbox's SQLite database: opened, checked, set aside when damaged, kept going in memory.

A disk that is full, read-only or failing must not stop the counting: the work then goes on in a
database in memory that starts with what the disk still gives, and goes back to the disk as soon as
that takes writes again. Until then a power cut loses what is in memory, and the box is degraded.
A file that could not even be read at first is taken over as soon as it can be, and kept aside.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from edge_app.delivery.recovery import Recovery
from edge_app.delivery.tables import SCHEMA, VERSION

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_S: Final = 30.0
"""How often the disk is tried again while the work goes on in memory."""

CACHE_KIB: Final = 512
"""Memory for pages, which would grow with the file to 2 MB; the system has a cache of its own."""

KEPT_ASIDE: Final = 2
"""Databases set aside that are kept for whoever wants to look, older ones are deleted."""


class DamagedError(Exception):
    """The file is not a database of ours, or is corrupt; caught within this module."""


class Database:
    """One SQLite database, used by several threads one at a time.

    Args:
        path: the file; its folder is made if missing.
        recovery: begins the work in memory where the file cannot be read.
        monotonic: seconds that never jump.
    """

    def __init__(
        self, path: Path, recovery: Recovery, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._recovery = recovery
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._trouble: str | None = None
        self._is_unread = False
        self._retry_at_s = 0.0
        self._connection = self._open()

    @property
    def trouble(self) -> str | None:
        """Why the work goes on in memory; None while it is on the disk."""
        return self._trouble

    def transact(self, work: Callable[[sqlite3.Connection], T], is_durable: bool = False) -> T:
        """Do something in one transaction, all or nothing.

        Args:
            work: what to do; it may run twice, if the disk fails under it.
            is_durable: on return it survives a power cut, not only the end of the process.
        """
        with self._lock:
            if self._trouble and self._monotonic() >= self._retry_at_s:
                self._return_to_disk()
            try:
                return self._run(work, is_durable)
            except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
                raise
            except sqlite3.DatabaseError as error:
                if self._trouble:
                    raise
                self._leave_disk(error)
                return self._run(work, is_durable)

    def close(self) -> None:
        """Write everything back to the file and close it."""
        with self._lock:
            if self._trouble:
                self._return_to_disk()
            self._connection.close()

    def _run(self, work: Callable[[sqlite3.Connection], T], is_durable: bool) -> T:
        connection = self._connection
        connection.execute(f"PRAGMA synchronous = {'FULL' if is_durable else 'NORMAL'}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # the first error tells what went wrong
                connection.execute("ROLLBACK")
            raise
        return result

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return _open_checked(self._path)
            except DamagedError as damage:
                aside = _set_aside(self._path)
                log.warning(
                    "%s is damaged (%s): set aside as %s; starting with an empty outbox",
                    self._path, damage, aside.name,
                )  # fmt: skip
                return _open_checked(self._path)
        except (OSError, sqlite3.DatabaseError) as error:
            return self._open_in_memory(error, _open_read_only(self._path))

    def _leave_disk(self, error: Exception) -> None:
        disk = self._connection
        self._connection = self._open_in_memory(error, disk)

    def _open_in_memory(
        self, error: Exception, source: sqlite3.Connection | None
    ) -> sqlite3.Connection:
        """A database in memory with what ``source`` still gives; closes ``source``."""
        log.warning(
            "the outbox %s cannot be written (%s): counting goes on in memory, and a power cut "
            "would lose what is not delivered; %s", self._path, error, _advice(self._path),
        )  # fmt: skip
        self._trouble = f"outbox in memory: {error}"
        self._retry_at_s = self._monotonic() + RETRY_S
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._is_unread = True
        if source is not None:
            try:
                source.backup(memory)
                _check(memory)
                self._is_unread = False
            except (sqlite3.Error, DamagedError) as unreadable:
                log.warning("nor can it be read (%s): starting with an empty outbox", unreadable)
                memory.close()
                memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            source.close()
        memory.executescript(SCHEMA)
        memory.execute(f"PRAGMA user_version = {VERSION}")
        if self._is_unread:
            self._recovery.begin(memory)
        return memory

    def _return_to_disk(self) -> None:
        """Bring the work back to the file, if it takes writes again."""
        self._retry_at_s = self._monotonic() + RETRY_S
        disk = None
        try:
            self._check_room()
            has_unread = self._is_unread and self._path.exists()
            try:
                disk = _open_checked(self._path)
                if has_unread:
                    disk.close()
                    self._take_over(_set_aside(self._path, "unread"))
                    disk = _open_checked(self._path)
            except DamagedError:
                _set_aside(self._path)
                disk = _open_checked(self._path)
            self._is_unread = False
            self._connection.backup(disk)
            disk.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (OSError, sqlite3.DatabaseError) as error:
            log.debug("%s still cannot be written: %s", self._path, error)
            if disk is not None:
                disk.close()
            return
        self._connection.close()
        self._connection, self._trouble = disk, None
        log.info("the outbox is on the disk again: %s", self._path)

    def _check_room(self) -> None:
        """Refuse a disk that cannot take all that is in memory: trying would wear it out.

        Raises:
            OSError: it is too full; all of it goes through the write-ahead log first.
        """
        (size,) = self._connection.execute(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ).fetchone()
        there = self._path.stat().st_size if self._path.exists() else 0
        if shutil.disk_usage(self._path.parent).free < size + max(0, size - there):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _take_over(self, aside: Path) -> None:
        """Add what a file holds that could not be read when the work in memory began."""
        memory = self._connection
        try:
            memory.execute("ATTACH DATABASE ? AS file", (str(aside),))
            try:
                self._run(self._recovery.take_over, is_durable=False)
            finally:
                memory.execute("DETACH DATABASE file")
        except sqlite3.Error as error:
            log.warning("%s could not be taken over (%s): it is kept", aside, error)
        else:
            log.warning("what the outbox held was taken over; its file is kept as %s", aside.name)


def _advice(path: Path) -> str:
    """What may help; SQLite has the same words for a sick disk and for one that is not ours."""
    there = next(place for place in (path, *path.parents) if os.path.lexists(place))
    if os.access(there, os.W_OK):
        return "free the disk or repair it"
    return (
        f"the service's user or its sandbox may not write to {there}: leave state_dir at its "
        "default, or repair the disk if it was writable before"
    )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA journal_size_limit = {4 << 20}")
    connection.execute(f"PRAGMA cache_size = {-CACHE_KIB}")
    return connection


def _open_checked(path: Path) -> sqlite3.Connection:
    """Open a file that is sound and takes writes.

    Raises:
        DamagedError: it is not a database, is corrupt, or of another version.
        sqlite3.OperationalError: it cannot be written.
    """
    connection = None
    try:
        connection = _connect(path)
        _check(connection)
        connection.executescript(SCHEMA)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException as error:
        if connection is not None:
            connection.close()
        # A damaged file is a plain DatabaseError; what the disk refuses is an OperationalError.
        if type(error) is sqlite3.DatabaseError:
            raise DamagedError(str(error)) from error
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise DamagedError(verdict)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in (0, VERSION):
        raise DamagedError(f"version {version}, expected {VERSION}")


def _open_read_only(path: Path) -> sqlite3.Connection | None:
    """What can be read of a file on a disk that takes no writes."""
    return _try_reading(path, "mode=ro") or _try_reading(path, "mode=ro&immutable=1")


def _try_reading(path: Path, how: str) -> sqlite3.Connection | None:
    try:
        connection = sqlite3.connect(f"file:{path}?{how}", uri=True, check_same_thread=False)
        connection.execute("SELECT count(*) FROM message")
    except sqlite3.Error as error:
        log.debug("%s cannot be opened with %s: %s", path, how, error)
        return None
    return connection


def _set_aside(path: Path, why: str = "damaged") -> Path:
    """Move a database out of the way, for whoever wants to look at it."""
    for old in sorted(path.parent.glob(f"{path.name}.{why}-*"))[: -3 * KEPT_ASIDE]:
        old.unlink()
    aside = path.with_name(f"{path.name}.{why}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}")
    for ending in ("", "-wal", "-shm"):
        file = path.with_name(path.name + ending)
        if file.exists():
            file.replace(aside.with_name(aside.name + ending))
    return aside
