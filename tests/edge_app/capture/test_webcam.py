"""A webcam that is pulled out and put back; OpenCV's reader is stood in for, since no test has one.

The stand-in behaves as V4L2 does: it opens while the device node is there, and a picture that is
waited for when the plug is pulled never comes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_app.capture import stream
from edge_app.capture.camera import Timing
from edge_app.capture.clock import SteadyClock
from edge_app.capture.latest import FrameSlots
from edge_app.capture.source import open_live
from edge_app.config.schema import CameraSettings
from edge_app.flow import CameraState

FAST = Timing(stall_s=0.4, open_s=1.0, first_retry_s=0.02, last_retry_s=0.1, close_s=2.0)


class Webcam:
    """What OpenCV gives for a device node: pictures at 50 a second while the node is there."""

    def __init__(self, node: Path, hangs: bool) -> None:
        self._node = node
        self._hangs = hangs
        self.is_released = False

    def isOpened(self) -> bool:  # noqa: N802  # OpenCV's name
        return self._node.exists()

    def read(self) -> tuple[bool, Any]:
        time.sleep(0.02)
        if self._node.exists():
            return True, np.full((24, 32, 3), 90, np.uint8)
        # Some drivers never return from the wait for the next picture.
        deadline = time.monotonic() + 3.0
        while self._hangs and not self.is_released and time.monotonic() < deadline:
            time.sleep(0.02)
        return False, None

    def release(self) -> None:
        self.is_released = True


@pytest.mark.parametrize("hangs", [False, True], ids=["an error", "a hang"])
def test_a_webcam_that_is_pulled_out_and_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    node = tmp_path / "video0"
    opened: list[Webcam] = []

    def open_webcam(device: int | str, _fps: float) -> Webcam:
        opened.append(Webcam(Path(str(device)), hangs))
        return opened[-1]

    monkeypatch.setattr(stream, "open_device", open_webcam)
    monkeypatch.setattr("edge_app.capture.source.source_kind", lambda _source: "device")
    slots = FrameSlots(["door"], SteadyClock().steady_s)
    states: list[CameraState] = []
    settings = CameraSettings(source=str(node), fps=30.0)
    seen = 0

    def until(done: Callable[[], bool]) -> None:
        nonlocal seen
        deadline = time.monotonic() + 15.0
        while not done():
            assert time.monotonic() < deadline, states
            seen += len(slots.take(0.02))
            camera.supervise()

    threads = threading.active_count()
    with open_live("door", settings, slots, states.append, FAST) as camera:
        until(lambda: states[-1:] != [] and states[-1].state == "offline")
        assert "is it plugged in" in states[-1].reason
        for _ in range(3):
            node.touch()
            before = seen
            until(lambda: states[-1].state == "online" and seen > before + 5)  # noqa: B023
            node.unlink()
            until(lambda: states[-1].state == "offline")
            assert threading.active_count() <= threads + 2
        until(lambda: "is it plugged in" in states[-1].reason)
    deadline = time.monotonic() + 5.0
    while threading.active_count() > threads:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert hangs or any("sends no pictures any more" in state.reason for state in states)
    # Every device that was opened was let go of, or the next attempt would find it busy.
    assert all(webcam.is_released for webcam in opened)
