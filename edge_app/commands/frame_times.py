"""When the frames of a recording were taken, and which frame a time is that of."""

from __future__ import annotations

from array import array
from bisect import bisect

from edge_app.flow import Frame


class FrameTimes:
    """Notes when each frame was taken, as a recording is read.

    Args:
        fps: the recording's rate, frames per second.
        start_s: when frame 0 was taken.

    Attributes:
        seconds: from frame 0 to each frame that was noted.
        is_even: so far all of them came at the rate, to the last bit.

    >>> times = FrameTimes(10.0, 100.0)
    >>> times.frame_of(102.5)
    25
    """

    def __init__(self, fps: float, start_s: float = 0.0) -> None:
        self._fps = fps
        self._start_s = start_s
        self.seconds = array("d")
        self.is_even = True

    def note(self, frame: Frame) -> None:
        """Note one more frame; each is told, in order."""
        self.seconds.append(frame.taken_at_s - self._start_s)
        self.is_even &= frame.taken_at_s == self._start_s + frame.index / self._fps

    def frame_of(self, at_s: float) -> int:
        """Number of the frame that was taken next to a time, from 0."""
        since_s = at_s - self._start_s
        if self.is_even:
            return max(round(since_s * self._fps), 0)
        after = bisect(self.seconds, since_s)
        near = range(max(after - 1, 0), min(after + 1, len(self.seconds)))
        return min(near, key=lambda index: abs(self.seconds[index] - since_s))

    def share(self, frame: int) -> float:
        """How far into all of the recording a frame is, from 0 to 1."""
        if self.is_even:
            return frame / max(len(self.seconds), 1)
        return self.seconds[min(frame, len(self.seconds) - 1)] / self.length_s

    @property
    def length_s(self) -> float:
        """How long the frames last, in seconds; the last one for a period of the rate."""
        if self.is_even:
            return len(self.seconds) / self._fps
        return self.seconds[-1] + 1 / self._fps
