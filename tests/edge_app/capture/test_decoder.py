"""Which decoder is chosen, and what happens when it does not open the stream."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from edge_app.capture import nvvideo, source
from edge_app.capture.decoder import (
    Decoder,
    choose_decoder,
    has_gstreamer_element,
    jetson_pipeline,
)
from edge_app.capture.gstreamer import command_line
from edge_app.capture.nvvideo import NvVideoCamera
from edge_app.capture.source import Connector, connect, decoder_of
from edge_app.config.schema import CameraSettings
from edge_app.errors import SourceError

URL = "rtsp://10.0.0.11/stream1"
NVIDIA = Decoder("pynvvideocodec", "a test says so")


def raising(error: Exception) -> Any:
    def import_codec() -> None:
        raise error

    return import_codec


@pytest.mark.parametrize(
    ("elements", "import_codec", "name", "why"),
    [
        ({"nvv4l2decoder"}, lambda: None, "gstreamer", "Jetson"),
        (set(), lambda: None, "pynvvideocodec", "its driver answers"),
        (
            set(),
            raising(ModuleNotFoundError("no", name="PyNvVideoCodec")),
            "ffmpeg",
            "PyNvVideoCodec is not installed",
        ),
        (set(), raising(ImportError("libnvcuvid.so.1")), "ffmpeg", "cannot be loaded"),
        (
            set(),
            raising(RuntimeError("driver 470 is too old\nTroubleshooting")),
            "ffmpeg",
            "does not work here: driver 470 is too old",
        ),
        (set(), raising(RuntimeError()), "ffmpeg", "does not work here: RuntimeError"),
    ],
    ids=["jetson", "card", "nothing", "no library", "no driver", "no words"],
)
def test_the_best_decoder_at_hand(
    elements: set[str], import_codec: Any, name: str, why: str
) -> None:
    decoder = choose_decoder(elements.__contains__, import_codec)
    assert decoder.name == name
    assert why in str(decoder)
    assert "Troubleshooting" not in str(decoder)


@pytest.mark.parametrize(
    ("script", "is_there"),
    [("exit 0", True), ("exit 1", False), ("exec sleep 5", False)],
    ids=["known", "unknown", "still loading its plug-ins"],
)
def test_gstreamer_is_asked_and_not_waited_for_for_ever(
    script: str, is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gst-inspect-1.0", "gst-launch-1.0"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert has_gstreamer_element(f"element of {tmp_path}", 3.0) is is_there


def test_without_gstreamer_there_is_no_element_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not has_gstreamer_element(f"nothing in {tmp_path}")
    (tmp_path / "gst-inspect-1.0").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "gst-inspect-1.0").chmod(0o755)
    assert not has_gstreamer_element(f"no launcher in {tmp_path}")


def test_the_configuration_overrules_and_only_rtsp_is_asked_about() -> None:
    wanted = CameraSettings(source=URL, decoder="ffmpeg")
    assert decoder_of(wanted, lambda: NVIDIA).name == "ffmpeg"
    assert decoder_of(CameraSettings(source=URL), lambda: NVIDIA) == NVIDIA
    assert decoder_of(CameraSettings(source="http://10.0.0.11/video"), pytest.fail).name == "ffmpeg"


def test_each_decoder_opens_its_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("GStreamerCamera", "NvVideoCamera", "NetworkCamera"):
        monkeypatch.setattr(source, kind, lambda *told, kind=kind: (kind, told[1]))
    opened = {
        name: connect("door", CameraSettings(source=URL, decoder=name))
        for name in ("gstreamer", "pynvvideocodec", "ffmpeg")
    }
    assert opened["gstreamer"][0] == "GStreamerCamera"  # type: ignore[index]
    assert "nvv4l2decoder" in opened["gstreamer"][1]  # type: ignore[index]
    assert opened["pynvvideocodec"] == ("NvVideoCamera", URL)
    assert opened["ffmpeg"] == ("NetworkCamera", URL)
    page = CameraSettings(source="http://10.0.0.11/video", decoder="gstreamer")
    assert connect("door", page) == ("NetworkCamera", "http://10.0.0.11/video")


def test_a_stream_that_the_hardware_refuses_is_tried_in_turns(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    opens = iter([False, False, False, True, True])
    tried = []

    def opener(name: str) -> Any:
        def open_one(*_: Any) -> Any:
            tried.append(name)
            if not next(opens):
                raise SourceError("not this one")
            return name

        return open_one

    monkeypatch.setattr(source, "NvVideoCamera", opener("card"))
    monkeypatch.setattr(source, "NetworkCamera", opener("processor"))
    connector = Connector("door", CameraSettings(source=URL), lambda: NVIDIA)
    for _ in range(3):
        with pytest.raises(SourceError):
            connector()
    connector()
    connector()
    assert tried == ["card", "processor", "card", "processor", "card"]
    told = [record.message for record in caplog.records]
    assert told == [
        "camera door: decoded by FFmpeg on the processor "
        "(PyNvVideoCodec (a test says so) did not open the stream)",
        "camera door: decoded by PyNvVideoCodec (a test says so)",
    ]


def test_a_jetsons_pipeline_is_one_command_without_a_shell() -> None:
    pipeline = jetson_pipeline("rtsp://10.0.0.11/a b?x=1&y=2", has_login=True)
    words = command_line(pipeline, "viewer", 'se"cret')
    assert "location=rtsp://10.0.0.11/a b?x=1&y=2" in words
    assert "user-id=viewer" in words
    assert words[words.index("nvv4l2decoder") - 2] == "parsebin"


class Codec:
    """PyNvVideoCodec as far as it is used: the same names, pictures in host memory."""

    def __init__(self, pictures: list[np.ndarray], size: tuple[int, int]) -> None:
        self._planes = [cv2.cvtColor(p, cv2.COLOR_BGR2YUV_I420) for p in pictures]
        self._size = size
        self.opened = ""

    def CreateDemuxer(self, filename: str) -> Any:  # noqa: N802
        self.opened = filename
        demuxer = SimpleNamespace(
            GetNvCodecId=lambda: 4, Width=lambda: self._size[0], Height=lambda: self._size[1]
        )

        class Packets:
            def __iter__(self) -> Iterator[int]:
                # The first packets of a stream give no picture yet.
                return iter(range(3))

            def __getattr__(self, name: str) -> Any:
                return getattr(demuxer, name)

        return Packets()

    def CreateDecoder(self, gpuid: int, codec: int, usedevicememory: bool) -> Any:  # noqa: N802
        assert (gpuid, codec, usedevicememory) == (0, 4, False)
        return SimpleNamespace(Decode=self._decode)

    def _decode(self, packet: int) -> list[Any]:
        if packet == 0:
            return []
        i420 = self._planes[packet - 1]
        width, height = self._size
        chroma = i420[height:].reshape(2, -1).T.reshape(height // 2, width)
        self._kept = np.ascontiguousarray(np.concatenate([i420[:height], chroma]))
        address = self._kept.ctypes.data_as(ctypes.c_void_p).value
        return [
            SimpleNamespace(framesize=lambda: self._kept.nbytes, GetPtrToPlane=lambda _: address)
        ]


def grey(level: int) -> np.ndarray:
    return np.full((32, 64, 3), level, np.uint8)


def test_pictures_of_the_card_are_bgr_and_the_callers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = Codec([grey(200), grey(60)], (64, 32))
    monkeypatch.setattr(nvvideo, "import_pynvvideocodec", lambda: codec)
    camera = NvVideoCamera("door", URL, "viewer", "secret")
    assert codec.opened == "rtsp://viewer:secret@10.0.0.11/stream1?tcp"
    frames = [camera.read(), camera.read()]
    assert [frame.index for frame in frames] == [0, 1]
    assert frames[0].taken_at_s <= frames[1].taken_at_s
    for frame, level in zip(frames, (200, 60), strict=True):
        assert frame.frame_bgr.shape == (32, 64, 3)
        assert np.abs(frame.frame_bgr.astype(int) - level).max() <= 2
    with pytest.raises(SourceError, match="the stream ended"):
        camera.read()
    camera.close()


def test_a_picture_in_another_format_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = Codec([grey(1), grey(2)], (64, 32))
    monkeypatch.setattr(nvvideo, "import_pynvvideocodec", lambda: codec)
    camera = NvVideoCamera("door", URL)
    codec._size = (64, 64)
    codec._decode = lambda _: [SimpleNamespace(framesize=lambda: 64 * 64 * 3)]  # type: ignore[method-assign]
    camera._decoder = SimpleNamespace(Decode=codec._decode)
    with pytest.raises(SourceError, match="no NV12 picture of 64 x 64; set the camera to 8 bits"):
        camera.read()


def test_passwords_in_the_librarys_errors_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def CreateDemuxer(self, filename: str) -> Any:  # noqa: N802
            raise RuntimeError(f"cannot open {filename} with secret\nstack")

    monkeypatch.setattr(nvvideo, "import_pynvvideocodec", Refusing)
    with pytest.raises(SourceError) as told:
        NvVideoCamera("door", URL, "viewer", "secret")
    assert "cannot be opened by PyNvVideoCodec: cannot open" in str(told.value)
    assert "secret" not in str(told.value)
    assert "stack" not in str(told.value)
