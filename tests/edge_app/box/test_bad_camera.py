"""One camera that hangs, and the others do not notice."""

from __future__ import annotations

import socket
import time
from collections import Counter
from pathlib import Path

import pytest

from edge_app.app import Networks
from edge_app.flow import Frame
from edge_app.pipeline import Step
from tests.edge_app.box.test_live import CONFIG, box_of, networks, store

__all__ = ["networks", "store"]

pytestmark = pytest.mark.timeout(60)

SECONDS = 4.0


def test_a_camera_that_accepts_and_says_nothing_slows_nobody(
    store: Path, networks: Networks
) -> None:
    looked_at: Counter[str] = Counter()
    longest_s = 0.0

    def watch(frames: list[Frame], _step: Step) -> None:
        looked_at.update(frame.camera for frame in frames)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        bad = f"  back: {{source: 'rtsp://127.0.0.1:{silent.getsockname()[1]}/x'}}\n  door:"
        config = CONFIG.replace("  door:", bad).replace("fps: 20", "fps: 10")
        (store / "store.yaml").write_text(config)
        with box_of(store, networks) as live:
            until_s = time.monotonic() + SECONDS
            while (began_s := time.monotonic()) < until_s:
                live.turn(watch)
                longest_s = max(longest_s, time.monotonic() - began_s)
    # Of ten a second; how many it can be on a busy machine is not the bad camera's doing.
    assert looked_at["door"] >= SECONDS
    assert looked_at["back"] == 0
    assert longest_s < 1.0
