"""Where capture meets the pipeline: one slot per camera that holds its newest frame only.

A pipeline that is busy never finds a backlog, and one slow camera never holds up another. What is
overwritten or too old is counted.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal

from edge_app.flow import Frame

DropReason = Literal["replaced", "old", "late", "rate"]
"""Why a frame was not looked at: a newer one came, it waited too long, it arrived too late, or the
camera sends more than the configured frames per second."""

MAX_AGE_S = 0.5


class FrameSlots:
    """The newest frame of every camera; filled by capture threads, emptied by the pipeline.

    Args:
        cameras: ids; the order in which :meth:`take` returns frames.
        clock: seconds that pass evenly, the clock that frames are stamped with.
        max_age_s: older frames are dropped when they are taken.
    """

    def __init__(
        self, cameras: Iterable[str], clock: Callable[[], float], max_age_s: float = MAX_AGE_S
    ) -> None:
        self.clock = clock
        self._max_age_s = max_age_s
        self._slots: dict[str, Frame | None] = dict.fromkeys(cameras)
        self._drops: dict[str, Counter[str]] = {camera: Counter() for camera in self._slots}
        self._changed = threading.Condition()

    def put(self, frame: Frame) -> None:
        """Make a frame the newest of its camera."""
        with self._changed:
            if self._slots[frame.camera] is not None:
                self._drops[frame.camera]["replaced"] += 1
            self._slots[frame.camera] = frame
            self._changed.notify_all()

    def count_drop(self, camera: str, reason: DropReason) -> None:
        """Count a frame that capture itself dropped."""
        with self._changed:
            self._drops[camera][reason] += 1

    def take(self, timeout_s: float) -> list[Frame]:
        """The newest frame of each camera that has a new one, in the order of the cameras.

        Waits for the first one; returns an empty list after ``timeout_s``.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                frames = self._take_fresh()
                left_s = deadline - time.monotonic()
                if frames or left_s <= 0:
                    return frames
                self._changed.wait(left_s)

    def drops(self) -> dict[str, dict[str, int]]:
        """Frames dropped so far, per camera and reason."""
        with self._changed:
            return {camera: dict(counts) for camera, counts in self._drops.items()}

    def _take_fresh(self) -> list[Frame]:
        now_s = self.clock()
        fresh = []
        for camera, frame in self._slots.items():
            if frame is None:
                continue
            self._slots[camera] = None
            if now_s - frame.taken_at_s > self._max_age_s:
                self._drops[camera]["old"] += 1
            else:
                fresh.append(frame)
        return fresh
