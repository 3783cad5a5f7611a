"""Where a person's box will be: a Kalman filter with constant velocity.

A track has four coordinates that move independently of each other: the centre's x, the box's
width, its top and its bottom. Top and bottom apart, and not centre and height, because they are
seen differently: the head is found reliably, the legs come late, hide behind others and are cut
off by the picture's edge. Independent coordinates make every step a few multiplications, which
plain floats do faster than arrays of so few.

The filter knows seconds, never frames: process noise is that of a white acceleration
(Bar-Shalom, Li, Kirubarajan: Estimation with Applications to Tracking and Navigation, 2001,
6.2.2), so that dropped frames and other frame rates need no other settings. All noise is
relative to the person's size in the picture.
"""

from __future__ import annotations

from math import exp, sqrt

from edge_app.geometry import Box

Four = tuple[float, float, float, float]
"""One value per coordinate: centre x, width, top, bottom."""

_MEASURED_STD = (0.03, 0.05, 0.03, 0.06)
"""Of a measurement, in units of the person's size."""
_ACCELERATION = (0.3, 0.15, 0.3, 0.5)
"""Power density of the acceleration: size^2 / s^3."""
_FIRST_SPEED_STD = (0.9, 0.5, 0.9, 0.9)
"""What is not known of the speed at first sight: size / s."""
_ENTERING_SPEED_STD = 3.5
"""The same of the top of who is seen as a head at the lower edge: little is in the picture yet to
tell the size by, and a step makes a head a bust."""
_LEAST_HEIGHT = 0.5
"""A person's box is at least this high, in widths."""
_COASTING_FADE_S = 2.0
"""While a person is not seen the speed fades with this time constant: people stop."""
_OUTLIER_STDS = 3.0
"""A measurement further off than this is trusted less, as much as brings it to this."""


class Motion:
    """What the filter knows of one box; changes with every prediction and update.

    Args:
        box_xyxy: the box at first sight, pixels; its speed is not known yet.
        is_entering: the picture's lower edge cuts the box off.

    Attributes:
        position: centre x, width, top and bottom in pixels.
        velocity: of the same, pixels per second.
        spread: per coordinate, the variance of the position, its covariance with the velocity,
            and the variance of the velocity.
        size: of the person in pixels, about the height if all were seen.
    """

    __slots__ = ("position", "size", "spread", "velocity")

    def __init__(self, box_xyxy: Box, is_entering: bool) -> None:
        self.position = list(to_coordinates(box_xyxy))
        self.velocity = [0.0, 0.0, 0.0, 0.0]
        self.size = _size(self.position)
        speed_std = list(_FIRST_SPEED_STD)
        if is_entering:
            speed_std[2] = _ENTERING_SPEED_STD
        self.spread = [
            ((self.size * measured) ** 2, 0.0, (self.size * speed) ** 2)
            for measured, speed in zip(_MEASURED_STD, speed_std, strict=True)
        ]

    def predict(self, elapsed_s: float, is_coasting: bool) -> None:
        """Go on to some time later.

        Args:
            elapsed_s: seconds since the last prediction, at least 0.
            is_coasting: the box was not seen last time: it keeps its shape (legs that vanish
                behind something do not make the person shrink) and slows down.
        """
        t, position, velocity = elapsed_s, self.position, self.velocity
        if is_coasting:
            velocity[1] = 0.0
            velocity[3] = velocity[2]
            fade = exp(-t / _COASTING_FADE_S)
            self.velocity = velocity = [speed * fade for speed in velocity]
        spread, gained = self.spread, self.size * self.size * t
        for index, density in enumerate(_ACCELERATION):
            position[index] += t * velocity[index]
            pp, pv, vv = spread[index]
            added, noise = t * vv, density * gained
            spread[index] = (
                pp + t * (2 * pv + added + noise * t / 3),
                pv + added + noise * t / 2,
                vv + noise,
            )
        self._keep_shape()

    def update(self, box_xyxy: Box) -> None:
        """Take note that the box was seen."""
        position, velocity, spread, size = self.position, self.velocity, self.spread, self.size
        for index, seen in enumerate(to_coordinates(box_xyxy)):
            pp, pv, vv = spread[index]
            error = seen - position[index]
            noise = size * _MEASURED_STD[index]
            total = pp + noise * noise
            if error * error > total * _OUTLIER_STDS**2:
                total = (error / _OUTLIER_STDS) ** 2
            gain, speed_gain = pp / total, pv / total
            position[index] += gain * error
            velocity[index] += speed_gain * error
            spread[index] = pp - gain * pp, pv - gain * pv, vv - speed_gain * pv
        self._keep_shape()

    def move(self, across: float, down: float) -> None:
        """Shift the box by so many pixels, for a reason that says nothing of its own speed."""
        position = self.position
        position[0] += across
        position[2] += down
        position[3] += down

    @property
    def box_xyxy(self) -> Box:
        """The box in pixels; may lie partly outside the picture."""
        x, width, top, bottom = self.position
        return x - width / 2, top, x + width / 2, bottom

    @property
    def expected_std(self) -> tuple[float, float]:
        """How far off the next centre x and top are to be expected, pixels."""
        across, down = self.size * _MEASURED_STD[0], self.size * _MEASURED_STD[2]
        return sqrt(self.spread[0][0] + across * across), sqrt(self.spread[2][0] + down * down)

    def _keep_shape(self) -> None:
        """A box is at least a head where width or height would vanish."""
        position = self.position
        if position[1] < 2.0:
            position[1] = 2.0
        least = position[2] + _LEAST_HEIGHT * position[1]
        if position[3] < least:
            position[3] = least
        self.size = _size(position)


def to_coordinates(box_xyxy: Box) -> Four:
    """A box as the filter's coordinates.

    >>> to_coordinates((10.0, 20.0, 30.0, 80.0))
    (20.0, 20.0, 20.0, 80.0)
    """
    x1, y1, x2, y2 = box_xyxy
    return (x1 + x2) / 2, x2 - x1, y1, y2


def _size(position: list[float]) -> float:
    """A person's size: the height, or twice the width where little is seen."""
    _, width, top, bottom = position
    size = bottom - top if bottom - top > 2 * width else 2 * width
    return size if size > 4.0 else 4.0
