"""GStreamer pipelines as cameras, run for real."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.capture.gstreamer import GStreamerCamera, command_line, picture_size
from edge_app.errors import SourceError
from tests.edge_app.capture.pictures import read_until_it_fails

needs_gstreamer = pytest.mark.skipif(
    shutil.which("gst-launch-1.0") is None, reason="gst-launch-1.0 is not installed"
)
TEST_CARD = "gst://videotestsrc num-buffers=5 ! video/x-raw,framerate=30/1"


def children() -> set[str]:
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return set(listed.split())


@needs_gstreamer
@pytest.mark.parametrize("size", [(320, 240), (640, 360), (64, 50)])
def test_pictures_come_in_their_size_until_the_end(size: tuple[int, int]) -> None:
    camera = GStreamerCamera("door", f"{TEST_CARD},width={size[0]},height={size[1]}")
    frames, said = read_until_it_fails(camera)
    assert "the pipeline ended" in said
    assert 1 <= len(frames) <= 5
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert {frame.size for frame in frames} == {size}


@needs_gstreamer
def test_a_width_that_gstreamer_pads_is_scaled_to_the_next_one() -> None:
    camera = GStreamerCamera("door", f"{TEST_CARD},width=322,height=241")
    assert camera.read().size == (320, 240)
    camera.close()


@needs_gstreamer
@pytest.mark.parametrize(
    "bgr", [(250, 20, 10), (20, 250, 10), (10, 20, 250), (255, 255, 255), (0, 0, 0)]
)
def test_colours_are_those_of_the_picture(tmp_path: Path, bgr: tuple[int, int, int]) -> None:
    path = tmp_path / "colour.png"
    cv2.imwrite(str(path), np.full((720, 1280, 3), bgr, np.uint8))
    camera = GStreamerCamera(
        "door", f"gst://filesrc location={path} ! pngdec ! imagefreeze num-buffers=2"
    )
    picture = camera.read().frame_bgr
    camera.close()
    assert np.abs(picture.astype(int) - bgr).max() <= 4


@needs_gstreamer
@pytest.mark.parametrize(
    "password",
    ["simple", "a b", 'a"b', 'a"b c" d', "x!y ! z", "a\\b", "€ü", "a,b;c(d)[e]{f}$g%h'i", "=: #&?"],
)
def test_any_password_reaches_the_pipeline(tmp_path: Path, password: str) -> None:
    # A file of that name can only be opened if every character arrives.
    cv2.imwrite(str(tmp_path / "p.png"), np.zeros((48, 64, 3), np.uint8))
    (tmp_path / "p.png").rename(tmp_path / password)
    source = f"gst://filesrc location={tmp_path}/{{password}} ! pngdec ! imagefreeze num-buffers=2"
    camera = GStreamerCamera("door", source, "me", password)
    assert camera.read().size == (64, 48)
    assert password not in repr(camera)
    camera.close()


@needs_gstreamer
@pytest.mark.parametrize(
    ("pipeline", "said"),
    [
        ("nosuchelement", "no element"),
        ("filesrc location=/nowhere/at/all ! decodebin", "Resource not found"),
        ("videotestsrc ! (", "the pipeline ended"),
        ("audiotestsrc num-buffers=1", "the pipeline ended"),
    ],
)
def test_a_pipeline_that_fails_is_told_in_gstreamers_words(pipeline: str, said: str) -> None:
    before = children()
    with pytest.raises(SourceError, match=said):
        GStreamerCamera("door", f"gst://{pipeline}")
    assert children() == before


@needs_gstreamer
def test_a_password_does_not_show_in_gstreamers_complaints() -> None:
    source = "gst://filesrc location=/nowhere/{password} ! decodebin"
    with pytest.raises(SourceError, match=r"Resource not found") as caught:
        GStreamerCamera("door", source, "me", "hunter2")
    assert "hunter2" not in str(caught.value)


@needs_gstreamer
def test_a_pipeline_that_dies_is_noticed_at_once() -> None:
    before = children()
    camera = GStreamerCamera("door", "gst://videotestsrc is-live=true")
    camera.read()
    (pid,) = children() - before
    os.kill(int(pid), signal.SIGKILL)
    began = time.monotonic()
    _, said = read_until_it_fails(camera)
    assert time.monotonic() - began < 2.0
    assert "the pipeline ended" in said


@needs_gstreamer
def test_a_pipeline_that_stalls_is_noticed_in_time() -> None:
    before = children()
    camera = GStreamerCamera("door", "gst://videotestsrc is-live=true", read_timeout_s=0.5)
    camera.read()
    (pid,) = children() - before
    os.kill(int(pid), signal.SIGSTOP)
    _, said = read_until_it_fails(camera)
    assert "sends no pictures" in said
    # Even a process that does not answer is gone after closing.
    assert children() == before


def test_without_gstreamer_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="apt-get install"):
        GStreamerCamera("door", TEST_CARD)


@pytest.mark.parametrize("source", ["gst://", "gst://   ", "gst://filesrc location='open"])
def test_what_is_no_pipeline_is_refused(source: str) -> None:
    with pytest.raises(SourceError):
        command_line(source, None, None)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"RIFF",
        b"YUV4MPEG2 C420 W0 H240",
        b"YUV4MPEG2 C420 W99999 H240",
        b"YUV4MPEG2 W322 H240",
    ],
)
def test_what_is_no_header_is_refused(header: bytes) -> None:
    with pytest.raises(SourceError, match="expected a YUV4MPEG2 header"):
        picture_size(header)
