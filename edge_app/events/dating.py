"""Event time of a box that may have started with its clock in the past.

A box without a battery starts days or years back, until the network tells the time. What happens by
then must not be counted in windows that were published long ago, nor be lost: time goes on from the
last that is known, as if the box had been off for no time at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)

_BEHIND_S = 24 * 3600.0
"""By so much, a clock that nobody has set is wrong."""


class Dating:
    """Dates what happens, by the clock, or from the last known time on while it is behind.

    Args:
        is_clock_ok: whether to go by the clock; asked only while it seems to be behind.

    >>> dating = Dating(lambda: False)
    >>> dating.begin(now_s=100.0, last_s=900_000.0)
    >>> dating.date(107.0)
    900007.0
    >>> dating.is_set(900_500.0), dating.date(900_500.0), dating.date(107.0)
    (True, 900500.0, 900007.0)
    """

    def __init__(self, is_clock_ok: Callable[[], bool]) -> None:
        self._is_clock_ok = is_clock_ok
        self._is_behind = False
        self._by_s = 0.0
        self._until_s = float("-inf")

    def begin(self, now_s: float, last_s: float) -> None:
        """Start again.

        Args:
            now_s: by the clock, seconds of Unix time.
            last_s: the last known time.
        """
        if now_s < last_s - _BEHIND_S and not self._is_clock_ok():
            logger.warning(
                "counts: the clock is %.0f s behind the last known time; counting goes on from "
                "there until the clock is set",
                last_s - now_s,
            )
            self._is_behind = True
            self._by_s, self._until_s = last_s - now_s, last_s - _BEHIND_S

    def date(self, at_s: float) -> float:
        """When something happened of which the clock says this."""
        return at_s + self._by_s if at_s < self._until_s else at_s

    def is_set(self, now_s: float) -> bool:
        """Whether a clock that was behind has just been set; it is believed from now on."""
        if not self._is_behind or (now_s < self._until_s and not self._is_clock_ok()):
            return False
        self._is_behind, self._until_s = False, min(now_s, self._until_s)
        return True
