"""A network camera or a USB camera, from opening to the first failure; see ``camera`` for more."""

from __future__ import annotations

import socket
import time
from itertools import count
from urllib.parse import urlsplit

import cv2

from edge_app.capture.video import READ_TIMEOUT_S, next_picture, open_device, open_network
from edge_app.config.secrets import redact, with_credentials
from edge_app.errors import SourceError
from edge_app.flow import Frame

_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_MOTION_JPEG = int.from_bytes(b"MJPG", "little")


class NetworkCamera:
    """An RTSP or HTTP stream. Its frames' times are the stream's own clock.

    Motion JPEG over HTTP has none: the reader makes one up, of 25 frames a second whatever the
    camera sends, by which a slower camera would be later and later. Its times are those of arrival.

    Raises:
        SourceError: it cannot be opened; the message says how far the connection came.
    """

    def __init__(
        self, camera_id: str, url: str, username: str | None = None, password: str | None = None
    ) -> None:
        self._camera_id = camera_id
        self._shown = redact(url)
        whole = with_credentials(url, username, password) if username else url
        self._capture = open_network(whole)
        self._numbers = count()
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceError(f"{self._shown}: {_why_not(url)}")
        is_motion_jpeg = int(self._capture.get(cv2.CAP_PROP_FOURCC)) == _MOTION_JPEG
        self._has_clock = not (is_motion_jpeg and url.startswith("http"))

    def __repr__(self) -> str:
        return f"NetworkCamera({self._camera_id!r}, {self._shown!r})"

    def read(self) -> Frame:
        """The next picture.

        Raises:
            SourceError: the stream ended, or sent nothing for some seconds.
        """
        asked_s = time.monotonic()
        picture = next_picture(self._capture)
        if picture is None:
            waited_s = time.monotonic() - asked_s
            said = (
                f"sent nothing for {waited_s:.0f} s" if waited_s > READ_TIMEOUT_S / 2 else "ended"
            )
            raise SourceError(f"{self._shown}: the stream {said}")
        at_s = time.monotonic()
        if self._has_clock:
            at_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        return Frame(self._camera_id, next(self._numbers), at_s, picture)

    def close(self) -> None:
        """Hang up."""
        self._capture.release()


class DeviceCamera:
    """A USB camera. Its frames' times are those of their arrival, on the monotonic clock.

    Raises:
        SourceError: there is none, it is busy, or it may not be used.
    """

    def __init__(self, camera_id: str, device: int | str, fps: float) -> None:
        self._camera_id = camera_id
        self._shown = f"/dev/video{device}" if isinstance(device, int) else device
        self._capture = open_device(device, fps)
        self._numbers = count()
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceError(
                f"{self._shown}: expected a camera, got none that can be opened; is it plugged in, "
                "in use by another program, or is the user not in the group 'video'?"
            )

    def read(self) -> Frame:
        """The next picture.

        Raises:
            SourceError: the device is gone or sends nothing.
        """
        picture = next_picture(self._capture)
        if picture is None:
            raise SourceError(f"{self._shown}: the camera sends no pictures any more")
        return Frame(self._camera_id, next(self._numbers), time.monotonic(), picture)

    def close(self) -> None:
        """Release the device."""
        self._capture.release()


def _why_not(url: str) -> str:
    """FFmpeg's reader says only that it failed; a connection of our own tells more."""
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS[parts.scheme]
        with socket.create_connection((parts.hostname or "", port), timeout=3.0):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return f"cannot connect: {reason}; is the camera on, and the address right?"
    return (
        f"port {port} answers, but there is no stream; check the path, the user name and the "
        "password, and that the camera sends H.264, H.265 or MJPEG"
    )
