"""A box whose disk refuses everything counts on, and says that it is degraded."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_app.app import Networks
from edge_app.runtime.starts import Starts
from tests.edge_app.box.test_live import Watcher, box_of, networks, store, turn_until

__all__ = ["networks", "store"]

pytestmark = pytest.mark.timeout(60)


def test_a_state_folder_that_cannot_be_made(
    store: Path, networks: Networks, caplog: pytest.LogCaptureFixture
) -> None:
    (store / "state").write_text("a file where the folder should be")
    starts = Starts(store / "state" / "starts.json")
    assert starts.begin(0.0) == 0
    watch = Watcher()
    with box_of(store, networks) as live:
        turn_until(live, watch, lambda: watch.entries > 0)
        assert "outbox in memory" in (live._outbox.trouble or "")
        live.finish()
        assert live.waiting > 0, "no window was told"
    starts.end()
    assert "counting goes on in memory" in caplog.text
    assert (store / "state").read_text() == "a file where the folder should be"


def test_files_of_the_state_that_cannot_be_read(
    store: Path, networks: Networks, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("audit.jsonl", "outbox.sqlite", "starts.json"):
        (store / "state" / name).mkdir(parents=True)
    starts = Starts(store / "state" / "starts.json")
    assert starts.begin(0.0) == 0
    watch = Watcher()
    with box_of(store, networks) as live:
        turn_until(live, watch, lambda: watch.entries > 0)
        assert live._outbox.trouble is not None
    starts.end()
    assert "audit log" in caplog.text
