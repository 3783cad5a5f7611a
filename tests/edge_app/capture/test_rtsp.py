"""A live camera against a real RTSP server that is paused, killed and started again."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_app.capture.clock import SteadyClock
from edge_app.capture.latest import FrameSlots
from edge_app.capture.source import open_live
from edge_app.capture.stream import NetworkCamera
from edge_app.config.schema import CameraSettings
from edge_app.errors import SourceError
from edge_app.flow import CameraState, Frame

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("rtsp_server.py")
NEEDED = "import gi; gi.require_version('GstRtspServer', '1.0')"


def has_server() -> bool:
    try:
        return subprocess.run([PYTHON, "-c", NEEDED], capture_output=True).returncode == 0
    except OSError:
        return False


pytestmark = pytest.mark.skipif(
    not has_server(), reason="gir1.2-gst-rtsp-server-1.0 is not installed"
)


class Server:
    """The server on a free port; a camera with a power switch."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"rtsp://127.0.0.1:{self.port}/stream1"
        self.switch_on()

    def switch_on(self) -> None:
        self.process = subprocess.Popen(
            [PYTHON, str(SCRIPT), str(self.port)], stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("the RTSP server does not start")

    def switch_off(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.switch_off()


def test_a_camera_that_is_paused_killed_and_started_again(server: Server, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("p@ss/word:1\n")
    settings = CameraSettings(source=server.url, username="viewer", password_file=password)
    clock = SteadyClock()
    slots = FrameSlots(["door"], clock.now_s)
    states: list[CameraState] = []
    frames: list[Frame] = []

    with open_live("door", settings, slots, states.append) as camera:

        def watch_until(done: Callable[[], bool], timeout_s: float = 30.0) -> float:
            began = time.monotonic()
            while not done():
                assert time.monotonic() - began < timeout_s, states
                frames.extend(slots.take(0.1))
                camera.supervise()
            return time.monotonic() - began

        def is_back() -> bool:
            return states[-1:] != [] and states[-1].state == "online" and len(frames) > seen + 10

        seen = 0
        watch_until(is_back)
        # Held up for less than a stall: what was under way meanwhile is old, and dropped.
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(2.0)
        server.process.send_signal(signal.SIGCONT)
        seen = len(frames)
        watch_until(is_back)
        assert [state.state for state in states] == ["online"]
        assert slots.drops()["door"]["late"] > 10

        server.process.send_signal(signal.SIGSTOP)
        assert watch_until(lambda: states[-1].state == "offline") < 5.0
        server.process.send_signal(signal.SIGCONT)
        seen = len(frames)
        watch_until(is_back)

        server.switch_off()
        assert watch_until(lambda: states[-1].state == "offline") < 5.0
        server.switch_on()
        seen = len(frames)
        watch_until(is_back)

    times = [frame.taken_at_s for frame in frames]
    assert times == sorted(times)
    assert {frame.size for frame in frames} == {(320, 240)}
    assert not [state for state in states if "p@ss" in state.reason or "p%40ss" in state.reason]


def test_a_wrong_password_is_told_without_showing_it(server: Server) -> None:
    with pytest.raises(SourceError, match="check the path, the user name and the password") as told:
        NetworkCamera("door", server.url, "viewer", "wrong-one")
    assert "wrong-one" not in str(told.value)
