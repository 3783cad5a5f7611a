"""A live camera against a real RTSP server that misbehaves, as does the network in between."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_app.capture.clock import SteadyClock
from edge_app.capture.latest import FrameSlots
from edge_app.capture.source import open_live
from edge_app.capture.stream import NetworkCamera
from edge_app.config.schema import CameraSettings
from edge_app.errors import SourceError
from edge_app.flow import CameraState, Frame
from tests.edge_app.capture.bad_network import BadNetwork

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("rtsp_server.py")
NEEDED = "import gi; gi.require_version('GstRtspServer', '1.0')"


def has_server() -> bool:
    try:
        return subprocess.run([PYTHON, "-c", NEEDED], capture_output=True).returncode == 0
    except OSError:
        return False


pytestmark = [
    pytest.mark.skipif(not has_server(), reason="gir1.2-gst-rtsp-server-1.0 is not installed"),
    pytest.mark.timeout(120),
]


class Server:
    """The server on a free port; a camera with a power switch and settings."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"rtsp://127.0.0.1:{self.port}/stream1"
        self.switch_on()

    def switch_on(self) -> None:
        self.process = subprocess.Popen(
            [PYTHON, str(SCRIPT), str(self.port)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("the RTSP server does not start")

    def change(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def switch_off(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.switch_off()


class Watcher:
    """Somebody who takes frames and supervises, as the pipeline does."""

    def __init__(self, port: int, folder: Path) -> None:
        password = folder / "password"
        password.write_text("p@ss/word:1\n")
        settings = CameraSettings(
            source=f"rtsp://127.0.0.1:{port}/stream1", username="viewer", password_file=password
        )
        self.slots = FrameSlots(["door"], SteadyClock().steady_s)
        self.states: list[CameraState] = []
        self.frames: list[Frame] = []
        self.camera = open_live("door", settings, self.slots, self.states.append)

    def until(self, done: Callable[[], bool], timeout_s: float = 30.0) -> float:
        began = time.monotonic()
        while not done():
            assert time.monotonic() - began < timeout_s, self.states
            self.frames.extend(self.slots.take(0.1))
            self.camera.supervise()
        return time.monotonic() - began

    def until_it_sees(self, frames: int = 10, size: tuple[int, int] | None = None) -> None:
        """Until the camera is online and so many new frames came, of a size."""
        seen = len(self.frames)

        def is_seen() -> bool:
            new = [f for f in self.frames[seen:] if size is None or f.size == size]
            return self.state == "online" and len(new) >= frames

        self.until(is_seen)

    @property
    def state(self) -> str:
        return self.states[-1].state if self.states else ""


@contextmanager
def watching(port: int, folder: Path) -> Iterator[Watcher]:
    watcher = Watcher(port, folder)
    with watcher.camera:
        yield watcher
    times = [frame.taken_at_s for frame in watcher.frames]
    assert times == sorted(times)
    assert not [s for s in watcher.states if "p@ss" in s.reason or "p%40ss" in s.reason]


def test_a_camera_that_is_paused_killed_and_started_again(server: Server, tmp_path: Path) -> None:
    with watching(server.port, tmp_path) as watcher:
        watcher.until_it_sees()
        # Held up for less than a stall: what was under way meanwhile is old, and dropped.
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(2.0)
        server.process.send_signal(signal.SIGCONT)
        watcher.until_it_sees()
        assert [state.state for state in watcher.states] == ["online"]
        assert watcher.slots.drops()["door"]["late"] > 10

        server.process.send_signal(signal.SIGSTOP)
        assert watcher.until(lambda: watcher.state == "offline") < 5.5
        server.process.send_signal(signal.SIGCONT)
        watcher.until_it_sees()

        server.switch_off()
        assert watcher.until(lambda: watcher.state == "offline") < 5.5
        server.switch_on()
        watcher.until_it_sees()
    assert {frame.size for frame in watcher.frames} == {(320, 240)}


def test_a_camera_whose_resolution_and_codec_change(server: Server, tmp_path: Path) -> None:
    with watching(server.port, tmp_path) as watcher:
        watcher.until_it_sees(size=(320, 240))
        server.change("size 640 360")
        watcher.until_it_sees(size=(640, 360))
        # Within one stream: nothing was lost, and no new connection was needed.
        assert [state.state for state in watcher.states] == ["online"]

        server.change("codec vp8")
        watcher.until(lambda: watcher.state == "offline")
        watcher.until_it_sees(size=(640, 360))
        server.change("size 320 240")
        watcher.until_it_sees(30)
        server.change("codec jpeg")
        watcher.until(lambda: watcher.state == "offline")
        watcher.until_it_sees(size=(320, 240))
        assert [state.state for state in watcher.states].count("offline") == 2


def test_a_network_that_garbles_swallows_and_cuts(server: Server, tmp_path: Path) -> None:
    with BadNetwork(server.port) as network, watching(network.port, tmp_path) as watcher:
        watcher.until_it_sees()
        threads = threading.active_count()
        network.mode = "garbage"
        watcher.until(lambda: network.spoilt > 25 or watcher.state == "offline")
        network.mode = "clean"
        watcher.until_it_sees()
        network.mode = "silent"
        assert watcher.until(lambda: watcher.state == "offline") < 5.5
        network.mode = "clean"
        watcher.until_it_sees()
        network.mode = "cut"
        assert watcher.until(lambda: watcher.state == "offline") < 5.5
        network.mode = "clean"
        watcher.until_it_sees()
        # One relay per connection that ended may still be closing.
        assert threading.active_count() <= threads + 2


def test_a_wrong_password_is_told_without_showing_it(server: Server) -> None:
    with pytest.raises(SourceError, match="check the path, the user name and the password") as told:
        NetworkCamera("door", server.url, "viewer", "wrong-one")
    assert "wrong-one" not in str(told.value)
