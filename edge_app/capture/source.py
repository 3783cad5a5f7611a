"""From a camera's ``source`` in the configuration to the camera that reads it."""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from edge_app.capture.camera import LiveCamera, Timing
from edge_app.capture.decoder import FFMPEG, Decoder, choose_decoder, jetson_pipeline
from edge_app.capture.gstreamer import GStreamerCamera
from edge_app.capture.latest import FrameSlots
from edge_app.capture.masks import PrivacyMasks
from edge_app.capture.nvvideo import NvVideoCamera
from edge_app.capture.pace import LONGEST_WAIT_S, PacedCamera
from edge_app.capture.replay import REPLAY_START_S, ReplayCamera
from edge_app.capture.simulation import SimulatedCamera
from edge_app.capture.stream import DeviceCamera, NetworkCamera
from edge_app.config.schema import CameraSettings
from edge_app.config.secrets import read_password
from edge_app.errors import ConfigError, SourceError
from edge_app.flow import CameraState
from edge_app.ports import Camera

log = logging.getLogger(__name__)

SourceKind = Literal["network", "device", "recording", "simulated", "gstreamer"]
Recording = ReplayCamera | SimulatedCamera


def source_kind(source: str | int) -> SourceKind:
    """What a source is; whatever is not a URL or a device is a file or a folder.

    >>> source_kind("rtsp://10.0.0.11/stream1"), source_kind(0), source_kind("door.mp4")
    ('network', 'device', 'recording')
    """
    if isinstance(source, int):
        return "device"
    scheme = source.partition("://")[0] if "://" in source else ""
    if scheme in ("rtsp", "rtsps", "http", "https"):
        return "network"
    if scheme == "sim":
        return "simulated"
    if scheme == "gst":
        return "gstreamer"
    if scheme:
        raise SourceError(
            f"expected rtsp://, rtsps://, http://, https://, sim:// or gst://, got {scheme}://"
        )
    try:
        is_device = stat.S_ISCHR(Path(source).stat().st_mode)
    except OSError:  # whoever opens it says why it cannot be seen
        is_device = False
    return "device" if is_device or source.startswith("/dev/video") else "recording"


def open_replay(
    camera_id: str, settings: CameraSettings, start_s: float = REPLAY_START_S
) -> Recording:
    """A camera's source as a recording: every frame, at exact times.

    Args:
        camera_id: id of the camera.
        settings: its source, masks, and the time base of sources without one.
        start_s: when frame 0 was taken, seconds of Unix time.

    Raises:
        SourceError: it cannot be read, or is not something that ends.
    """
    masks = PrivacyMasks(settings.privacy_masks)
    kind = source_kind(settings.source)
    if kind == "recording":
        return ReplayCamera(camera_id, Path(str(settings.source)), settings.fps, start_s, masks)
    if kind == "simulated":
        camera = SimulatedCamera(camera_id, str(settings.source), start_s, masks)
        if camera.frame_count is None:
            raise SourceError(f"{settings.source}: has no end; add duration_s=60 to the address")
        return camera
    raise SourceError(
        f"camera {camera_id}: expected a recording (a file, a folder of pictures or sim://), got a "
        f"live source; name a recording"
    )


def open_live(
    camera_id: str,
    settings: CameraSettings,
    slots: FrameSlots,
    on_state: Callable[[CameraState], None],
    timing: Timing | None = None,
) -> LiveCamera:
    """A camera's source as a live camera; it connects when ``with`` starts it.

    Files, folders and the simulated entrance are played at their own rate, once.
    """
    return LiveCamera(camera_id, settings, Connector(camera_id, settings), slots, on_state, timing)


class Connector:
    """Connects to one live source, again and again; says what decodes it where that changes.

    Where ``auto`` chose a hardware decoder and it does not open the stream, the next attempt is
    FFmpeg's, and the one after that the hardware's again: either may have met a camera that was
    just away.

    Args:
        camera_id: id of the camera.
        settings: its source and decoder.
        choose: the best decoder at hand.
    """

    def __init__(
        self,
        camera_id: str,
        settings: CameraSettings,
        choose: Callable[[], Decoder] = choose_decoder,
    ) -> None:
        self._camera_id = camera_id
        self._settings = settings
        self._choose = choose
        self._is_refused = False
        self._told: Decoder | None = None

    def __call__(self) -> Camera:
        """Connect once.

        Raises:
            SourceError: it cannot be opened.
        """
        decoder = self._next()
        try:
            camera = connect(self._camera_id, self._settings, decoder)
        except SourceError:
            self._is_refused = decoder.name != FFMPEG and self._settings.decoder == "auto"
            raise
        if is_rtsp(self._settings.source) and decoder != self._told:
            log.info("camera %s: decoded by %s", self._camera_id, decoder)
            self._told = decoder
        return camera

    def _next(self) -> Decoder:
        if self._is_refused:
            self._is_refused = False
            return Decoder(FFMPEG, f"{self._choose()} did not open the stream")
        return decoder_of(self._settings, self._choose)


def decoder_of(settings: CameraSettings, choose: Callable[[], Decoder] = choose_decoder) -> Decoder:
    """What decodes a camera's stream, by the configuration or by what is at hand."""
    if settings.decoder != "auto":
        return Decoder(settings.decoder, "the configuration says so")
    if not is_rtsp(settings.source):
        return Decoder(FFMPEG, "only RTSP is decoded in hardware")
    return choose()


def is_rtsp(source: str | int) -> bool:
    """Whether a source is a stream that hardware can decode."""
    return str(source).startswith(("rtsp://", "rtsps://"))


def connect(camera_id: str, settings: CameraSettings, decoder: Decoder | None = None) -> Camera:
    """Open a source once, as if live, without masks.

    Args:
        camera_id: id of the camera.
        settings: of it.
        decoder: of an RTSP stream; None to choose.

    Raises:
        SourceError: it cannot be opened, or its password cannot be read.
    """
    source, username = settings.source, settings.username
    kind = source_kind(source)
    if kind == "device":
        return DeviceCamera(camera_id, source, settings.fps)
    if kind == "recording":
        # A folder of pictures may well have one every ten seconds.
        longest_s = max(LONGEST_WAIT_S, 2 / settings.fps)
        return PacedCamera(ReplayCamera(camera_id, Path(str(source)), settings.fps, 0.0), longest_s)
    if kind == "simulated":
        return PacedCamera(SimulatedCamera(camera_id, str(source), 0.0))
    password = _password(settings)
    if kind == "gstreamer":
        return GStreamerCamera(camera_id, str(source), username, password)
    url, name = str(source), (decoder or decoder_of(settings)).name
    if is_rtsp(url) and name == "gstreamer":
        pipeline = jetson_pipeline(url, has_login=username is not None)
        return GStreamerCamera(camera_id, pipeline, username, password)
    if is_rtsp(url) and name == "pynvvideocodec":
        return NvVideoCamera(camera_id, url, username, password)
    return NetworkCamera(camera_id, url, username, password)


def _password(settings: CameraSettings) -> str | None:
    if settings.password_file is None:
        return None
    try:
        return read_password(settings.password_file)
    except ConfigError as error:
        raise SourceError(str(error)) from error
