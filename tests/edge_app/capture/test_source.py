"""From `source` in the configuration to frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_app.capture.clock import SteadyClock
from edge_app.capture.gstreamer import GStreamerCamera
from edge_app.capture.latest import FrameSlots
from edge_app.capture.pace import PacedCamera
from edge_app.capture.replay import REPLAY_START_S
from edge_app.capture.source import SourceKind, connect, open_live, open_replay, source_kind
from edge_app.config.schema import CameraSettings
from edge_app.errors import SourceError
from edge_app.flow import CameraState, Frame
from tests.edge_app.capture.pictures import number_of, write_pictures, write_video
from tests.edge_app.capture.test_gstreamer import needs_gstreamer

SMALL_SIM = "sim://entrance?seed=3&width=160&height=96&fps=5&duration_s=1"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (0, "device"),
        ("/dev/video7", "device"),
        ("/dev/null", "device"),
        ("rtsp://10.0.0.11/stream1", "network"),
        ("https://10.0.0.11/video.mjpg", "network"),
        ("sim://entrance", "simulated"),
        ("gst://videotestsrc", "gstreamer"),
        ("recordings/door.mp4", "recording"),
        ("/var/pictures", "recording"),
    ],
)
def test_kinds_of_sources(source: str | int, kind: SourceKind) -> None:
    assert source_kind(source) == kind


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(SourceError, match="got ftp://"):
        source_kind("ftp://10.0.0.11/door.mp4")


def read_all(camera: object) -> list[Frame]:
    frames = []
    while (frame := camera.read()) is not None:  # type: ignore[attr-defined]
        frames.append(frame)
    return frames


def test_a_replay_of_a_folder_takes_its_time_base_and_masks_from_the_settings(
    tmp_path: Path,
) -> None:
    folder = write_pictures(tmp_path / "p", ["1.png", "2.png", "3.png"])
    settings = CameraSettings.model_validate(
        {"source": str(folder), "fps": 5.0, "privacy_masks": [[[0, 0], [0.5, 0], [0, 1]]]}
    )
    frames = read_all(open_replay("door", settings, start_s=10.0))
    assert [frame.taken_at_s for frame in frames] == pytest.approx([10.0, 10.2, 10.4])
    assert all(frame.frame_bgr[0, 0].max() == 0 for frame in frames)


def test_a_replay_of_the_simulated_entrance_is_exact() -> None:
    settings = CameraSettings(source=SMALL_SIM)
    first, second = (read_all(open_replay("door", settings)) for _ in range(2))
    assert [frame.index for frame in first] == list(range(5))
    assert [f.taken_at_s - REPLAY_START_S for f in first] == pytest.approx(
        [0.0, 0.2, 0.4, 0.6, 0.8], abs=1e-6
    )
    for a, b in zip(first, second, strict=True):
        assert a.size == (160, 96)
        np.testing.assert_array_equal(a.frame_bgr, b.frame_bgr)


def test_masks_cover_the_simulated_entrance_too() -> None:
    settings = CameraSettings.model_validate(
        {"source": SMALL_SIM, "privacy_masks": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}
    )
    assert read_all(open_replay("door", settings))[0].frame_bgr.max() == 0


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("rtsp://10.0.0.11/1", "camera door: expected a recording"),
        (0, "camera door: expected a recording"),
        ("gst://videotestsrc", "camera door: expected a recording"),
        ("sim://entrance?seed=1", "has no end; add duration_s=60"),
        ("sim://entrance?sed=1", "unknown key 'sed'"),
        ("nowhere.mp4", "got nothing that can be read"),
    ],
)
def test_what_cannot_be_replayed_is_told(source: str | int, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        open_replay("door", CameraSettings(source=source))


def test_a_recording_as_if_live_gives_frames_of_now(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", 8, fps=20.0)
    clock = SteadyClock()
    slots = FrameSlots(["door"], clock.now_s)
    states: list[CameraState] = []
    settings = CameraSettings(source=str(path), fps=20.0)
    frames: list[Frame] = []
    began = clock.now_s()
    with open_live("door", settings, slots, states.append) as camera:
        while not camera.has_ended:
            frames += slots.take(0.05)
    assert [number_of(frame.frame_bgr) for frame in frames] == [frame.index for frame in frames]
    assert len(frames) > 4
    assert all(began <= frame.taken_at_s <= clock.now_s() for frame in frames)
    assert [state.state for state in states] == ["online", "offline"]


def test_a_missing_password_file_is_the_cameras_problem(tmp_path: Path) -> None:
    settings = CameraSettings(
        source="rtsp://127.0.0.1:9/1", username="viewer", password_file=tmp_path / "nowhere"
    )
    with pytest.raises(SourceError, match="nowhere: expected a file with a password"):
        connect("door", settings)


def test_the_simulated_entrance_as_if_live() -> None:
    camera = connect("door", CameraSettings(source=SMALL_SIM))
    assert isinstance(camera, PacedCamera)
    assert len(read_all(camera)) == 5


@needs_gstreamer
def test_a_pipeline_as_a_camera() -> None:
    camera = connect("door", CameraSettings(source="gst://videotestsrc num-buffers=3"))
    assert isinstance(camera, GStreamerCamera)
    assert camera.read().index == 0
    camera.close()
