"""A camera that comes and goes all the time leaves nothing behind: no thread, file or memory."""

from __future__ import annotations

import gc
import logging
import threading
import time
import tracemalloc
from collections import Counter, deque
from pathlib import Path

import pytest

from edge_app.capture.camera import LiveCamera, Timing
from edge_app.capture.clock import SteadyClock
from edge_app.capture.latest import FrameSlots
from edge_app.capture.stream import NetworkCamera
from edge_app.config.schema import CameraSettings
from edge_app.errors import SourceError
from edge_app.flow import CameraState
from edge_app.ports import Camera
from tests.edge_app.capture.test_camera import FakeCamera
from tests.edge_app.capture.test_stream import motion_jpeg, server

AT_ONCE = Timing(first_retry_s=0.0, last_retry_s=0.0)
AN_HOUR = 3600


class Flapping:
    """One live camera, how often it was online, and what it holds of this process."""

    def __init__(self, opener: object) -> None:
        self.slots = FrameSlots(["door"], SteadyClock().steady_s)
        self.states: deque[CameraState] = deque(maxlen=10)
        self.times: Counter[str] = Counter()
        settings = CameraSettings.model_validate({"source": "x", "fps": 100.0})
        self.camera = LiveCamera("door", settings, opener, self.slots, self._note, AT_ONCE)

    def _note(self, state: CameraState) -> None:
        self.states.append(state)
        self.times[state.state] += 1

    def run_until(self, times: int, timeout_s: float = 50.0) -> None:
        deadline = time.monotonic() + timeout_s
        while self.times["offline"] < times:
            assert time.monotonic() < deadline, self.states
            self.slots.take(0.01)
            self.camera.supervise()

    def grown_in_half_an_hour(self) -> int:
        """Bytes held after the hour that were not after its first half; one thread works on it."""
        threads = threading.active_count()
        held_bytes = []
        with self.camera:
            tracemalloc.start()
            for times in (AN_HOUR // 2, AN_HOUR):
                self.run_until(times)
                gc.collect()
                held_bytes.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()
            assert threading.active_count() == threads + 1
        return held_bytes[1] - held_bytes[0]


def test_an_hour_of_a_camera_that_is_lost_every_second(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)  # or every line would be kept by the test itself
    opened: deque[FakeCamera] = deque(maxlen=5)

    def open_next() -> Camera:
        opened.append(FakeCamera([0.0, SourceError("lost")]))
        return opened[-1]

    flapping = Flapping(open_next)
    threads = threading.active_count()
    assert flapping.grown_in_half_an_hour() < 40_000
    assert threading.active_count() == threads
    assert all(camera.is_closed for camera in opened)
    assert abs(flapping.times["online"] - flapping.times["offline"]) <= 1


def test_an_hour_of_a_camera_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    tries = 0

    def open_next() -> Camera:
        nonlocal tries
        tries += 1
        raise SourceError(f"not there, {tries % 2}")

    grown = Flapping(open_next).grown_in_half_an_hour()
    assert tries >= AN_HOUR
    assert grown < 40_000


def held() -> tuple[int, int]:
    """Threads, of FFmpeg too, and open files of this process."""
    return len(list(Path("/proc/self/task").iterdir())), len(list(Path("/proc/self/fd").iterdir()))


def test_a_real_stream_that_ends_again_and_again() -> None:
    with server(motion_jpeg(5)) as address:
        flapping = Flapping(lambda: NetworkCamera("door", f"http://{address}/"))
        with flapping.camera:
            flapping.run_until(10)
            seen = [held()]
            flapping.run_until(60)
            seen.append(held())
    assert flapping.times["online"] >= 50
    for before, after in zip(*seen, strict=True):
        assert after <= before + 4  # one connection more may be open at the moment
