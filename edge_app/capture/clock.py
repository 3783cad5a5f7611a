"""The time of day for frames: never goes back, whatever the system's clock does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_SLEW = 0.01
_STEP_S = 1.0


class SteadyClock:
    """Seconds of Unix time that run on between corrections of the system's clock.

    A box without a battery starts in the past and jumps ahead when the network tells the time:
    forward steps of more than a second are followed at once. A clock that was set back is
    approached by running 1 % slower, so that durations stay true and nothing ever repeats.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._read_at = monotonic()
        self._now_s = wall()

    def now_s(self) -> float:
        """The time now; never less than what any thread was told before."""
        with self._lock:
            read_at, wall = self._monotonic(), self._wall()
            passed = max(read_at - self._read_at, 0.0)
            error = wall - (self._now_s + passed)
            correction = error if error > _STEP_S else _clamp(error, _SLEW * passed)
            self._read_at = read_at
            self._now_s += passed + correction
            return self._now_s


def _clamp(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)
