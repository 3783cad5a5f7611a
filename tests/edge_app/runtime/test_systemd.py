"""sd_notify against a real socket."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from edge_app.runtime.systemd import Notifier
from tests.edge_app.runtime.notify_socket import NotifySocket


def test_every_word_arrives(manager: NotifySocket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(manager.path)})
    notifier.extend(1.5)
    notifier.ready("two lines\nin one")
    notifier.alive()
    notifier.reloading()
    notifier.stopping("bye")
    told = [manager.listen(1.0) for _ in range(5)]
    assert told[0] == {"EXTEND_TIMEOUT_USEC": "1500000"}
    assert told[1] == {"READY": "1", "STATUS": "two lines in one"}
    assert told[2] == {"WATCHDOG": "1"}
    assert told[3] is not None
    assert told[3]["RELOADING"] == "1"
    assert int(told[3]["MONOTONIC_USEC"]) > 0
    assert told[4] == {"STOPPING": "1", "STATUS": "bye"}


def test_a_status_is_told_when_it_changes(manager: NotifySocket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(manager.path)})
    for status in ("a", "a", "b"):
        notifier.status(status)
    assert [manager.listen(0.2) for _ in range(3)] == [{"STATUS": "a"}, {"STATUS": "b"}, None]


def test_an_abstract_address_is_understood() -> None:
    name = f"dresscode-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        listening.settimeout(1.0)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).alive()
        assert listening.recv(100) == b"WATCHDOG=1"


def test_without_a_manager_nothing_happens(caplog: pytest.LogCaptureFixture) -> None:
    Notifier({}).ready("nobody hears it")
    assert caplog.text == ""


def test_a_manager_that_has_gone_disturbs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()
    assert "the service manager cannot be reached" in caplog.text
