"""How much of the time the cameras were really watching, and how far event time has come.

Coverage is kept as one bit per camera and second: merging is idempotent, so frames may come twice,
out of order, or after the clock was set back, and coverage never passes 1. Time between two frames
that are close together counts as watched; nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MINUTE_S = 60
_WHOLE_MINUTE = (1 << MINUTE_S) - 1
_NEXT_FRAME_S = 2.0
"""Frames at most this far apart are one uninterrupted view."""
_LAG_S = 2.0
"""An event may be decided this long after the frame that it happened on."""
_IDLE_S = 10.0
"""A camera silent for longer no longer holds up the others."""


class Coverage:
    """Which seconds each camera was seen in, for the minutes that are not closed yet."""

    def __init__(self, cameras: Iterable[str]) -> None:
        self._seconds: dict[str, dict[int, int]] = {camera: {} for camera in cameras}
        self._last_s: dict[str, float] = {}

    def seen(self, camera: str, at_s: float) -> None:
        """A frame of a camera, taken at a time, was processed."""
        if camera not in self._seconds:
            return
        last_s = self._last_s.get(camera)
        self._last_s[camera] = at_s
        first = second = int(at_s)
        if last_s is not None and 0.0 <= at_s - last_s <= _NEXT_FRAME_S:
            first = int(last_s)
        minutes = self._seconds[camera]
        for watched in range(first, second + 1):
            minute, bit = divmod(watched, MINUTE_S)
            minutes[minute] = minutes.get(minute, 0) | 1 << bit

    def watermark(self, now_s: float) -> float:
        """No event earlier than this is expected any more; see DESIGN "Windows"."""
        active = [at_s for at_s in self._last_s.values() if now_s - at_s <= _IDLE_S]
        return min(active, default=now_s) - _LAG_S

    def watched_s(self, cameras: Iterable[str], minute_start_s: int) -> int:
        """Seconds of a minute in which every one of some cameras was seen, 0..60."""
        minute = minute_start_s // MINUTE_S
        seconds = _WHOLE_MINUTE
        for camera in cameras:
            seconds &= self._seconds[camera].get(minute, 0)
        return seconds.bit_count()

    def forget(self, before_s: float) -> None:
        """Drop the minutes that ended before a time: they are closed."""
        for minutes in self._seconds.values():
            for minute in [m for m in minutes if m * MINUTE_S < before_s]:
                del minutes[minute]

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able."""
        return {
            "seconds": {c: [[m, s] for m, s in kept.items()] for c, kept in self._seconds.items()},
            "last_s": dict(self._last_s),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave; cameras that are gone go."""
        for camera, kept in state["seconds"].items():
            if camera in self._seconds:
                self._seconds[camera] = dict(kept)
        self._last_s = {c: at_s for c, at_s in state["last_s"].items() if c in self._seconds}
