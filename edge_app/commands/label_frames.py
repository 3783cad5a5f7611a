"""Any frame of a recording as a JPEG in memory, numbered exactly as a replay numbers them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import cv2

from edge_app.capture.source import Recording
from edge_app.errors import SourceError

KEPT_BYTES = 256 << 20
"""Pictures that are kept, so that stepping back is quick."""

_QUALITY = 85


class FramePictures:
    """Frames by number.

    Recordings are decoded in order, as replays do: seeking lands on other frames in many files. A
    jump ahead decodes what lies between; a jump back to what is no longer kept begins again.

    Args:
        open_recording: opens the recording at its first frame.
    """

    def __init__(self, open_recording: Callable[[], Recording]) -> None:
        self._open = open_recording
        self._recording = open_recording()
        self._next = 0
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._lock = Lock()
        self.fps = self._recording.fps
        self.frame_count = self._recording.frame_count
        """As the file says, until its end was reached or passed; None where nobody knows."""

    def close(self) -> None:
        """Release the file and every picture."""
        with self._lock:
            self._recording.close()
            self._kept.clear()

    def jpeg(self, index: int) -> bytes | None:
        """One frame; None after the last one.

        Raises:
            SourceError: the recording cannot be decoded.
        """
        with self._lock:
            if index not in self._kept:
                self._read_to(index)
            return self._kept.get(index)

    def _read_to(self, index: int) -> None:
        if index < self._next:
            self._recording.close()
            self._recording, self._next = self._open(), 0
        # Behind what the file calls its last frame there may be more, and the page must know.
        while self._next <= index or self._next == self.frame_count:
            frame = self._recording.read()
            if frame is None:
                self.frame_count = self._next
                return
            if self._next == self.frame_count:
                self.frame_count = None
            self._next += 1
            if index - self._next < 2 * self.fps:
                is_coded, coded = cv2.imencode(
                    ".jpg", frame.frame_bgr, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY)
                )
                if not is_coded:
                    raise SourceError(f"frame {frame.index} cannot be shown: no JPEG encoder")
                self._keep(frame.index, coded.tobytes())

    def _keep(self, index: int, jpeg: bytes) -> None:
        before = self._kept.pop(index, b"")
        self._kept[index] = jpeg
        self._kept_bytes += len(jpeg) - len(before)
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest)
