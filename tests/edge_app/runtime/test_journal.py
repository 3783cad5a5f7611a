"""The journal's native protocol, against a real datagram socket; and the choice of where to log."""

from __future__ import annotations

import io
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_app.runtime.journal import is_journal
from edge_app.runtime.logs import configure
from tests.edge_app.runtime.test_logs import restored, stream_of

__all__ = ["restored"]


class Journal:
    """The journal's end: takes datagrams and reads their fields as journald does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(5.0)

    def read(self) -> dict[str, str]:
        data = self._socket.recv(1 << 20)
        fields = {}
        while data:
            line, _, rest = data.partition(b"\n")
            key, equals, value = line.partition(b"=")
            if not equals:
                (length,) = struct.unpack("<Q", rest[:8])
                value, rest = rest[8 : 8 + length], rest[9 + length :]
            assert key.decode() == key.decode().upper()
            fields[key.decode()] = value.decode()
            data = rest
        return fields

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    running = Journal(tmp_path / "journal")
    yield running
    running.close()


def test_a_record_has_its_fields(journal: Journal, tmp_path: Path) -> None:
    stream, environment = stream_of(tmp_path / "stderr")
    with stream:
        configure("info", stream, environment, journal.path)
        told = logging.LoggerAdapter(logging.getLogger("edge_app.capture"), {"camera": "door"})
        told.warning("camera %s: offline, %s", "door", "rtsp://admin:hunter2@10.0.0.11/1 is away")
        fields = journal.read()
    line = fields.pop("CODE_LINE")
    assert line.isdigit()
    assert fields == {
        "MESSAGE": "camera door: offline, rtsp://<hidden>@10.0.0.11/1 is away",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "dresscode",
        "LOGGER": "edge_app.capture",
        "THREAD_NAME": threading.current_thread().name,
        "CODE_FILE": __file__,
        "CODE_FUNC": "test_a_record_has_its_fields",
        "CAMERA": "door",
    }
    assert (tmp_path / "stderr").read_text() == ""


def test_a_traceback_is_one_message_of_several_lines(journal: Journal, tmp_path: Path) -> None:
    stream, environment = stream_of(tmp_path / "stderr")
    with stream:
        configure("info", stream, environment, journal.path)
        error = OSError("MESSAGE=forged\nPRIORITY=0")
        try:
            raise error
        except OSError:
            logging.getLogger("a").exception("failed")
        fields = journal.read()
    assert fields["PRIORITY"] == "3"
    assert fields["EXCEPTION"] == "OSError"
    assert fields["MESSAGE"].startswith("failed\nTraceback (most recent call last):\n")
    # What a record says cannot become a field of its own.
    assert fields["MESSAGE"].endswith("OSError: MESSAGE=forged\nPRIORITY=0")


def test_the_level_and_the_limit_of_repeats_hold(journal: Journal, tmp_path: Path) -> None:
    stream, environment = stream_of(tmp_path / "stderr")
    with stream:
        configure("warning", stream, environment, journal.path)
        log = logging.getLogger("a")
        log.info("not this")
        heard = []
        for camera in ("door", "back"):
            for i in range(100):
                log.warning("camera %s: %d", camera, i, extra={"camera": camera})
            log.error("the end of %s", camera, extra={"camera": camera})
            while not heard or heard[-1] != f"the end of {camera}":
                heard.append(journal.read()["MESSAGE"])
    assert heard == [
        *[f"camera door: {i}" for i in range(10)], "the end of door",
        *[f"camera back: {i}" for i in range(10)], "the end of back",
    ]  # fmt: skip


@pytest.mark.parametrize("length", [100_000, 10_000_000])
def test_what_is_too_long_is_cut(journal: Journal, tmp_path: Path, length: int) -> None:
    stream, environment = stream_of(tmp_path / "stderr")
    with stream:
        configure("info", stream, environment, journal.path)
        logging.getLogger("a").info("ü" * length)
        assert 10_000 < len(journal.read()["MESSAGE"]) < 100_000


def test_a_journal_that_is_gone_loses_no_line(journal: Journal, tmp_path: Path) -> None:
    stream, environment = stream_of(tmp_path / "stderr")
    with stream:
        configure("info", stream, environment, journal.path)
        journal.close()
        logging.getLogger("a").info("said")
    assert (tmp_path / "stderr").read_text() == "<6>a: said\n"


def test_a_journal_that_does_not_read_holds_nobody_up_for_long(
    journal: Journal, tmp_path: Path
) -> None:
    stream, environment = stream_of(tmp_path / "stderr")
    with stream:
        configure("info", stream, environment, journal.path)
        for i in range(2000):
            logging.getLogger("a").info(f"line {i}")
            if (tmp_path / "stderr").stat().st_size:
                break
        stream.flush()
    assert "line" in (tmp_path / "stderr").read_text()


@pytest.mark.parametrize("told", ["", "1:2", "nonsense", "1", ":"])
def test_another_stream_is_not_the_journal(tmp_path: Path, told: str) -> None:
    with (tmp_path / "stderr").open("w") as stream:
        assert not is_journal(stream, {"JOURNAL_STREAM": told})
        assert not is_journal(stream, {})
    assert not is_journal(io.StringIO(), {"JOURNAL_STREAM": told})


def test_a_redirected_stderr_is_not_the_journal_although_the_variable_is_set(
    tmp_path: Path,
) -> None:
    """A program started by the service with its stderr elsewhere inherits the variable."""
    stream, environment = stream_of(tmp_path / "journal-stream")
    stream.close()
    code = (
        "import logging; from edge_app.runtime.logs import configure; configure('info'); "
        "logging.getLogger('a').info('said')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stderr.endswith(" info a: said\n")
    assert not done.stderr.startswith("<")
