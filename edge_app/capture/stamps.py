"""When the pictures of a recording were taken, by the time stamps of its container."""

from __future__ import annotations

_ROUNDED_S = 0.01
"""Containers round their time stamps, to a hundredth of a second at worst."""
_LEAST_STEP_S = 0.002
"""No camera takes pictures that are nearer to each other,"""
_LONGEST_STEP_S = 86_400.0
"""nor is a longer step time that passed."""
_ASTRAY_S = 1.0
"""Time stamps that are wrong by more have begun again; by less, they are waited for."""


class Stamps:
    """Times of pictures that are read one after the other.

    A picture that was taken at a constant rate is timed by its number, exactly; what its container
    rounded off does not count. Any other is timed by its time stamp. One whose time stamp is
    missing, stands still or goes back is a period of the rate later than the one before. Times
    always grow.

    Args:
        fps: the rate, frames per second.
    """

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._stamp_s = 0.0
        self._shift_s = 0.0
        self._taken_s = 0.0
        self.first_without: int | None = None
        """The first picture that had no time stamp, or none that can follow the one before."""

    def taken_s(self, index: int, stamp_s: float) -> float:
        """Seconds from the first picture to this one.

        Args:
            index: of the picture, from 0; every one is told, in order.
            stamp_s: its time stamp, from any origin, seconds; 0 after the first is none.
        """
        if index == 0:
            self._stamp_s, self._shift_s = stamp_s, -stamp_s
            return 0.0
        even_s = index / self._fps
        step_s = stamp_s - self._stamp_s
        if stamp_s != 0 and _LEAST_STEP_S <= step_s <= _LONGEST_STEP_S:
            taken_s = stamp_s + self._shift_s
            if taken_s < self._taken_s + _LEAST_STEP_S:  # it was put ahead
                taken_s = self._taken_s + step_s / 2
        else:
            self.first_without = self.first_without or index
            taken_s = self._taken_s + 1 / self._fps
            if stamp_s != 0 and abs(stamp_s + self._shift_s - taken_s) > _ASTRAY_S:
                self._shift_s = taken_s - stamp_s
        if stamp_s != 0:
            self._stamp_s = stamp_s
        is_even = abs(taken_s - even_s) <= min(_ROUNDED_S, 0.25 / self._fps)
        self._taken_s = even_s if is_even and even_s > self._taken_s else taken_s
        return self._taken_s
