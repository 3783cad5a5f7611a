"""Logs: three formats, no secrets, no floods."""

from __future__ import annotations

import io
import logging
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_app.runtime.logs import PriorityFormatter, RepeatLimit, configure


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def stream_of(path: Path) -> tuple[io.TextIOWrapper, dict[str, str]]:
    """A stream that leads nowhere, and an environment that calls it the journal."""
    stream = path.open("w")
    found = os.fstat(stream.fileno())
    return stream, {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}


def record(message: str = "camera %s: offline", at_s: float = 0.0) -> logging.LogRecord:
    made = logging.LogRecord("a.b", logging.WARNING, __file__, 1, message, ("door",), None)
    made.created = at_s
    return made


def test_a_terminal_gets_readable_lines() -> None:
    stream = Terminal()
    configure("info", stream)
    logging.getLogger("edge_app.capture").warning("camera %s: offline", "door")
    time_of_day, text = stream.getvalue().split(" ", 1)
    assert len(time_of_day) == len("14:03:07")
    assert text == "warning edge_app.capture: camera door: offline\n"


def test_a_file_or_a_container_gets_date_and_time_and_no_priority() -> None:
    stream = io.StringIO()
    # Inherited from a desktop's terminal, whose streams were the journal's.
    configure("info", stream, {"JOURNAL_STREAM": "1:2", "INVOCATION_ID": "0123456789abcdef"})
    logging.getLogger("edge_app.capture").warning("camera %s: offline", "door")
    assert re.fullmatch(
        r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} warning edge_app.capture: "
        r"camera door: offline\n",
        stream.getvalue(),
    )


@pytest.mark.parametrize(
    ("level", "prefix"),
    [("debug", "<7>"), ("info", "<6>"), ("warning", "<4>"), ("error", "<3>"), ("critical", "<2>")],
)
def test_the_journals_stream_gets_priorities(tmp_path: Path, level: str, prefix: str) -> None:
    stream, environment = stream_of(tmp_path / "stderr")
    with stream:
        configure("debug", stream, environment, tmp_path / "no-journal")
        getattr(logging.getLogger("a"), level)("said")
    assert (tmp_path / "stderr").read_text() == f"{prefix}a: said\n"


def test_every_line_of_a_traceback_has_its_priority(tmp_path: Path) -> None:
    stream, environment = stream_of(tmp_path / "stderr")
    error = OSError("cannot open rtsp://admin:hunter2@10.0.0.11/1")
    with stream:
        configure("info", stream, environment, tmp_path / "no-journal")
        try:
            raise error
        except OSError:
            logging.getLogger("a").exception("failed")
    lines = (tmp_path / "stderr").read_text().splitlines()
    assert len(lines) > 3
    assert all(line.startswith("<3>") for line in lines)
    assert lines[-1] == "<3>OSError: cannot open rtsp://<hidden>@10.0.0.11/1"


def test_the_level_holds() -> None:
    stream = io.StringIO()
    configure("warning", stream)
    logging.getLogger("a").info("said")
    assert stream.getvalue() == ""


def test_configuring_again_does_not_say_everything_twice() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure("info", first)
    configure("info", second)
    logging.getLogger("a").info("said")
    assert first.getvalue() == ""
    assert second.getvalue().count("said") == 1


def test_warnings_of_python_are_logged() -> None:
    stream = io.StringIO()
    configure("info", stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("this will go away", stacklevel=1)
    assert "this will go away" in stream.getvalue()


def test_repeats_are_held_back_and_counted() -> None:
    limit = RepeatLimit(most=2, per_s=60.0)
    assert [limit.filter(record(at_s=i)) for i in range(5)] == [True, True, False, False, False]
    later = record(at_s=61.0)
    assert limit.filter(later)
    assert PriorityFormatter().format(later) == (
        "<4>a.b: camera door: offline (3 more like this were not shown)"
    )
    assert limit.filter(record(at_s=62.0))


def test_other_messages_pass_meanwhile() -> None:
    limit = RepeatLimit(most=1)
    assert limit.filter(record("camera %s: offline"))
    assert limit.filter(record("camera %s: online"))


def test_a_clock_that_is_set_back_does_not_silence() -> None:
    limit = RepeatLimit(most=1)
    assert limit.filter(record(at_s=5000.0))
    assert limit.filter(record(at_s=10.0))


def test_messages_that_are_never_alike_do_not_pile_up() -> None:
    limit = RepeatLimit()
    for i in range(3000):
        limit.filter(record(f"{i} of %s"))
    assert len(limit._kinds) <= 1000
