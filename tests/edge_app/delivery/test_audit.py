"""The audit log: a chain that shows every change."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_app.delivery import audit as audit_module
from edge_app.delivery.audit import Audit, verify

Lines = list[str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    log = tmp_path / "audit.jsonl"
    for n in range(5):
        Audit(log).note("command ping", {"n": n}, 1000.0 + n)
    return log


def test_a_log_over_several_starts_is_sound(file: Path) -> None:
    verdict = verify(file)
    assert (verdict.entries, verdict.problem) == (5, None)


def swap(lines: Lines) -> Lines:
    return [lines[0], lines[2], lines[1], *lines[3:]]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        pytest.param(lambda ls: [ls[0], ls[1].replace('"n":1', '"n":9'), *ls[2:]], 2, id="changed"),
        pytest.param(lambda ls: [ls[0], *ls[2:]], 2, id="taken out"),
        pytest.param(lambda ls: ls[1:], None, id="cut off at the start"),
        pytest.param(swap, 2, id="swapped"),
        pytest.param(lambda ls: [*ls[:3], ls[2], *ls[3:]], 4, id="doubled"),
        pytest.param(lambda ls: [*ls[:3], "nonsense", *ls[3:]], 4, id="put in"),
        pytest.param(lambda ls: [*ls, "nonsense"], 6, id="put at the end"),
    ],
)
def test_every_change_is_found(
    file: Path, change: Callable[[Lines], Lines], place: int | None
) -> None:
    lines = file.read_text().splitlines()
    file.write_text("\n".join(change(lines)) + "\n")
    problem = verify(file).problem
    assert problem is not None
    assert place is None or f":{place}:" in problem


def test_a_torn_line_of_a_power_cut_is_said_and_forgiven(file: Path) -> None:
    with file.open("a") as log:
        log.write('{"n":6,"at":"20')
    Audit(file).note("command pause", {}, 2000.0)
    verdict = verify(file)
    assert (verdict.entries, verdict.problem) == (7, None)
    assert '"event":"torn"' in file.read_text()


@pytest.mark.parametrize("room", [0, 1, 100, 10_000], ids=lambda room: f"room for {room} bytes")
def test_a_full_disk_in_the_middle_of_a_line_breaks_no_chain(file: Path, room: int) -> None:
    log = Audit(file)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + room, hard))
    try:
        for n in range(200):
            log.note("command pause", {"n": n}, 2000.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    log.note("command resume", {}, 3000.0)
    assert verify(file).problem is None
    Audit(file).note("command ping", {}, 4000.0)
    assert verify(file).problem is None
    text = file.read_text()
    assert "command resume" in text
    assert ('"event":"torn"' in text) == (room > 0)


def test_a_line_that_was_written_although_the_disk_says_otherwise_is_known(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_fd: int) -> None:
        raise OSError(errno.EIO, "sick")

    log = Audit(file)
    with monkeypatch.context() as sick:
        sick.setattr(os, "fsync", fails)
        log.note("command pause", {}, 2000.0)
    log.note("command resume", {}, 3000.0)
    verdict = verify(file)
    assert (verdict.entries, verdict.problem) == (7, None)


def test_a_chain_goes_on_in_the_next_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "MAX_BYTES", 1000)
    log = tmp_path / "audit.jsonl"
    for n in range(12):
        Audit(log).note("command ping", {"n": n}, 1000.0)
    assert (tmp_path / "audit.1.jsonl").exists()
    verdict = verify(log)
    assert (verdict.entries, verdict.problem) == (12, None)


def test_a_sick_disk_is_logged_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    Audit(tmp_path / "file" / "audit.jsonl").note("command ping", {}, 1.0)
    assert "cannot be written" in caplog.text


def test_no_log_is_sound_and_empty(tmp_path: Path) -> None:
    assert verify(tmp_path / "none.jsonl").entries == 0


def test_a_log_that_cannot_be_read_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    Audit(tmp_path / "audit.jsonl").note("started", {}, 1000.0)
    assert "cannot be read" in caplog.text
    assert "cannot be written" in caplog.text
