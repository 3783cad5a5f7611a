"""Any frame of a recording as a JPEG in memory, numbered exactly as a replay numbers them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import cv2

from edge_app.capture.source import Recording
from edge_app.commands.frame_times import FrameTimes
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
        self._times = FrameTimes(self.fps)
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

    def near(self, index: int, by_s: float) -> tuple[int, float] | None:
        """The frame so many seconds after another one, or before it, and its time.

        Args:
            index: of the other frame.
            by_s: before it, if negative; unless it is 0, the frame is another one if there is one.

        Returns:
            Its number, and seconds from frame 0 to it; None if there is no such other frame.

        Raises:
            SourceError: the recording cannot be decoded.
        """
        seconds = self._times.seconds
        with self._lock:
            self._read_times_to(index)
            if index >= len(seconds):
                return None
            wanted_s = seconds[index] + by_s
            while seconds[-1] < wanted_s and self._read_times_to(len(seconds)):
                pass
            last, near = len(seconds) - 1, self._times.frame_of(wanted_s)
            if by_s > 0:
                index = min(max(near, index + 1), last)
            elif by_s < 0:
                index = max(min(near, index - 1), 0)
            return index, seconds[index]

    def _read_times_to(self, index: int) -> bool:
        """Read until the time of a frame is known; whether there is such a frame."""
        if index >= len(self._times.seconds):
            self._read_to(index)
        return index < len(self._times.seconds)

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
            if self._next == len(self._times.seconds):
                self._times.note(frame)
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
