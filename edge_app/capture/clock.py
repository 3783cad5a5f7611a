"""The two clocks of a box: one that times pictures, and the time of day."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_SLEW = 0.01
_FAST_SLEW = 0.5
_STEP_S = 1.0
_FAR_S = 10.0
_WRONG_S = 25 * 3600.0


class SteadyClock:
    """A clock that runs evenly, and how far the time of day is ahead of it.

    Pictures are timed by :meth:`steady_s`: whoever is followed while the system's clock is set must
    not seem to have been away for an hour. What is told is stamped by :meth:`now_s`, the time of
    day. A box without a battery starts in the past and jumps ahead when the network tells the time:
    forward steps of more than a second are followed at once. A clock that was set back is
    approached by running slower, so that nothing ever repeats: at half speed while it is more than
    ten seconds off (an hour is made good in two), then by 1 %. One that was over 25 hours ahead
    was wrong, and would take as long again to be made good: it is followed at once, and counting
    begins again from there.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._steady_s = wall()
        self._began_s = self._steady_s - monotonic()
        self._ahead_s = 0.0

    def steady_s(self) -> float:
        """Seconds that pass evenly, whatever is set; at the start they were Unix time."""
        return self._read()[0]

    def ahead_s(self) -> float:
        """How far the time of day is ahead of the steady clock now; below 0 where it is behind."""
        return self._read()[1]

    def now_s(self) -> float:
        """The time of day, seconds of Unix time; goes back only from more than a day ahead."""
        steady_s, ahead_s = self._read()
        return steady_s + ahead_s

    def _read(self) -> tuple[float, float]:
        with self._lock:
            # A monotonic clock that goes back, as in some virtual machines, is held.
            steady_s = max(self._monotonic() + self._began_s, self._steady_s)
            error = self._wall() - (steady_s + self._ahead_s)
            slew_s = (_FAST_SLEW if error < -_FAR_S else _SLEW) * (steady_s - self._steady_s)
            is_step = error > _STEP_S or error < -_WRONG_S
            self._ahead_s += error if is_step else min(max(error, -slew_s), slew_s)
            self._steady_s = steady_s
            return steady_s, self._ahead_s
