"""An RTSP stream decoded by the video unit of an NVIDIA card, through PyNvVideoCodec."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Generator
from itertools import count
from typing import Any

import cv2
import numpy as np

from edge_app.capture.decoder import import_pynvvideocodec
from edge_app.config.secrets import redact, with_credentials
from edge_app.errors import SourceError
from edge_app.flow import Frame, UInt8


class NvVideoCamera:
    """One connection. Its frames' times are those of their arrival (monotonic clock).

    Raises:
        SourceError: it cannot be opened, or the card cannot decode it.
    """

    def __init__(
        self, camera_id: str, url: str, username: str | None = None, password: str | None = None
    ) -> None:
        self._camera_id = camera_id
        self._shown = redact(url)
        self._numbers = count()
        whole = with_credentials(url, username, password) if username else url
        try:
            codec = import_pynvvideocodec()
            self._demuxer: Any = codec.CreateDemuxer(filename=_over_tcp(whole))
            self._decoder: Any = codec.CreateDecoder(
                gpuid=0, codec=self._demuxer.GetNvCodecId(), usedevicememory=False
            )
        # The library's own exceptions have no base but Exception.
        except Exception as error:
            raise self._failure("cannot be opened by PyNvVideoCodec", error, password) from error
        self._password = password
        self._frames = self._decoded()

    def __repr__(self) -> str:
        return f"NvVideoCamera({self._camera_id!r}, {self._shown!r})"

    def read(self) -> Frame:
        """The next picture.

        Raises:
            SourceError: the stream ended or cannot be decoded.
        """
        try:
            picture = next(self._frames, None)
        except Exception as error:
            raise self._failure("cannot be decoded", error, self._password) from error
        if picture is None:
            raise SourceError(f"{self._shown}: the stream ended")
        return Frame(self._camera_id, next(self._numbers), time.monotonic(), picture)

    def close(self) -> None:
        """Hang up; the library closes with its last reference."""
        self._frames.close()
        self._decoder = self._demuxer = None

    def _decoded(self) -> Generator[UInt8, None, None]:
        for packet in self._demuxer:
            for frame in self._decoder.Decode(packet):
                yield self._as_bgr(frame)

    def _as_bgr(self, frame: Any) -> UInt8:
        width, height = int(self._demuxer.Width()), int(self._demuxer.Height())
        size = int(frame.framesize())
        if size != width * height * 3 // 2:
            raise SourceError(
                f"{self._shown}: {size} bytes are no NV12 picture of {width} x {height}; set the "
                "camera to 8 bits, 4:2:0, or decoder: ffmpeg"
            )
        memory = (ctypes.c_ubyte * size).from_address(int(frame.GetPtrToPlane(0)))
        planes = np.ctypeslib.as_array(memory).reshape(height * 3 // 2, width)
        return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_NV12), np.uint8)

    def _failure(self, what: str, error: Exception, password: str | None) -> SourceError:
        if isinstance(error, SourceError):
            return error
        reason = redact((str(error).strip().splitlines() or [type(error).__name__])[0])
        if password:
            reason = reason.replace(password, "<hidden>")
        return SourceError(f"{self._shown}: {what}: {reason}")


def _over_tcp(url: str) -> str:
    """FFmpeg's reader takes the transport from the address; over UDP pictures tear.

    >>> _over_tcp("rtsp://10.0.0.11/stream1"), _over_tcp("rtsp://10.0.0.11/s?channel=2")
    ('rtsp://10.0.0.11/stream1?tcp', 'rtsp://10.0.0.11/s?channel=2&tcp')
    """
    return f"{url}{'&' if '?' in url else '?'}tcp"
