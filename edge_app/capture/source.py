"""From a camera's ``source`` in the configuration to the camera that reads it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from edge_app.capture.camera import LiveCamera, Timing
from edge_app.capture.gstreamer import GStreamerCamera
from edge_app.capture.latest import FrameSlots
from edge_app.capture.masks import PrivacyMasks
from edge_app.capture.pace import PacedCamera
from edge_app.capture.replay import REPLAY_START_S, ReplayCamera
from edge_app.capture.simulation import SimulatedCamera
from edge_app.capture.stream import DeviceCamera, NetworkCamera
from edge_app.config.schema import CameraSettings
from edge_app.config.secrets import read_password
from edge_app.errors import ConfigError, SourceError
from edge_app.flow import CameraState
from edge_app.ports import Camera

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
    path = Path(source)
    is_device = path.exists() and stat.S_ISCHR(path.stat().st_mode)
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
    return LiveCamera(
        camera_id, settings, lambda: connect(camera_id, settings), slots, on_state, timing
    )


def connect(camera_id: str, settings: CameraSettings) -> Camera:
    """Open a source once, as if live, without masks.

    Raises:
        SourceError: it cannot be opened, or its password cannot be read.
    """
    source, username = settings.source, settings.username
    kind = source_kind(source)
    if kind == "device":
        return DeviceCamera(camera_id, source, settings.fps)
    if kind == "recording":
        return PacedCamera(ReplayCamera(camera_id, Path(str(source)), settings.fps, 0.0))
    if kind == "simulated":
        return PacedCamera(SimulatedCamera(camera_id, str(source), 0.0))
    password = _password(settings)
    if kind == "gstreamer":
        return GStreamerCamera(camera_id, str(source), username, password)
    return NetworkCamera(camera_id, str(source), username, password)


def _password(settings: CameraSettings) -> str | None:
    if settings.password_file is None:
        return None
    try:
        return read_password(settings.password_file)
    except ConfigError as error:
        raise SourceError(str(error)) from error
