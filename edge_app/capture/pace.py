"""When frames come: how late they are, how many are wanted, and files played at their own rate."""

from __future__ import annotations

import time

from edge_app.flow import Frame
from edge_app.ports import Camera

_DRIFT = 0.005
_GIVE_IN_S = 2.0
_SLOW_S = 1.0
LONGEST_WAIT_S = 3.0
"""Longer than people are waited for who are lost, shorter than a camera is that hangs."""


class LatenessMeter:
    """How much later than the stream's best frame another one arrives.

    A stream's own time says when a picture was taken, but not in our time; the smallest difference
    between the two clocks seen so far is taken for a picture without delay. The difference may
    grow by 0.5 %, so that two clocks may drift apart. A stream without a sensible clock (it stands
    still or goes back) is never late.

    Args:
        limit_s: what counts as late. A stream that has been late for two seconds on end is not
            working off a backlog, its clock runs slow: it is taken for punctual again.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._position_s: float | None = None
        self._arrived_s = 0.0
        self._least_s = 0.0
        self._late_since_s: float | None = None

    def measure(self, arrived_s: float, position_s: float) -> float:
        """Seconds that a frame is late, at least 0.

        Args:
            arrived_s: when it was read, on any clock of ours that never goes back.
            position_s: its time in the stream.
        """
        offset_s = arrived_s - position_s
        if self._position_s is None or position_s <= self._position_s:
            self._least_s = offset_s
        else:
            drifted_s = self._least_s + _DRIFT * (arrived_s - self._arrived_s)
            self._least_s = min(drifted_s, offset_s)
        self._position_s, self._arrived_s = position_s, arrived_s
        if offset_s - self._least_s <= self._limit_s:
            self._late_since_s = None
        elif self._late_since_s is None:
            self._late_since_s = arrived_s
        elif arrived_s - self._late_since_s > _GIVE_IN_S:
            self._least_s, self._late_since_s = offset_s, None
        return offset_s - self._least_s


class RateLimit:
    """Thins frames out to a mean rate; a camera that is slower passes whole."""

    def __init__(self, fps: float) -> None:
        self._period_s = 1.0 / fps
        self._due_s: float | None = None

    def wants(self, taken_at_s: float) -> bool:
        """Whether the frame taken at this time is one of those to be used."""
        # Half a period early is close enough: a camera that jitters around the target rate would
        # otherwise lose every other frame. The mean rate is exact, since the due times are.
        if self._due_s is None:
            self._due_s = taken_at_s
        if taken_at_s < self._due_s - self._period_s / 2:
            return False
        self._due_s += self._period_s
        if taken_at_s > self._due_s:
            self._due_s = taken_at_s + self._period_s
        return True


class PacedCamera:
    """A recording as if live: each frame comes when its time has come.

    Its frames carry the time at which they came, on the monotonic clock. A recording that cannot
    be decoded fast enough is played slower, frames are not skipped. Nobody waits for hours that
    were cut out.

    Args:
        recording: whose frames' times say when each has to come.
        longest_s: the longest wait for a frame.
    """

    def __init__(self, recording: Camera, longest_s: float = LONGEST_WAIT_S) -> None:
        self._recording = recording
        self._longest_s = longest_s
        self._offset_s: float | None = None

    def read(self) -> Frame | None:
        """The next frame, once it is due; None after the last one."""
        frame = self._recording.read()
        if frame is None:
            return None
        now_s = time.monotonic()
        wait_s = 0.0 if self._offset_s is None else frame.taken_at_s + self._offset_s - now_s
        if self._offset_s is None or not -_SLOW_S <= wait_s <= self._longest_s:
            wait_s = min(max(wait_s, 0.0), self._longest_s)
            self._offset_s = now_s + wait_s - frame.taken_at_s
        time.sleep(max(wait_s, 0.0))
        return Frame(frame.camera, frame.index, time.monotonic(), frame.frame_bgr)

    def close(self) -> None:
        """Release the recording."""
        self._recording.close()
