"""Where a person's box will be: a Kalman filter with constant velocity, for all tracks at once.

Each track has four coordinates that move independently of each other: the centre's x, the box's
width, its top and its bottom. Top and bottom apart, and not centre and height, because they are
seen differently: the head is found reliably, the legs come late, hide behind others and are cut
off by the picture's edge. Independent coordinates make every step a few element-wise operations.

The filter knows seconds, never frames: process noise is that of a white acceleration
(Bar-Shalom, Li, Kirubarajan: Estimation with Applications to Tracking and Navigation, 2001,
6.2.2), so that dropped frames and other frame rates need no other settings. All noise is
relative to the person's size in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

# Per coordinate: centre x, width, top, bottom. In units of the person's size.
_MEASURED_STD = np.array([0.03, 0.05, 0.03, 0.06])
_ACCELERATION = np.array([0.3, 0.15, 0.3, 0.5])
"""Power density of the acceleration: size^2 / s^3."""
_FIRST_SPEED_STD = np.array([0.9, 0.5, 0.9, 0.9])
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


@dataclass(frozen=True)
class Motion:
    """What the filter knows of ``N`` boxes.

    Attributes:
        position: float64 ``[N, 4]``: centre x, width, top, bottom; pixels.
        velocity: float64 ``[N, 4]``: pixels per second.
        variance: float64 ``[3, N, 4]``: of the position, its covariance with the velocity, of the
            velocity.
    """

    position: Float64
    velocity: Float64
    variance: Float64

    @classmethod
    def start(cls, boxes_xyxy: Float64, is_entering: npt.NDArray[np.bool_]) -> Motion:
        """The filter at first sight: speed unknown.

        Args:
            boxes_xyxy: float64 ``[N, 4]``, pixels.
            is_entering: bool ``[N]``, boxes that the picture's lower edge cuts off.
        """
        position = to_coordinates(boxes_xyxy)
        size = _size(position)
        first = (size * _MEASURED_STD) ** 2
        speed_std = np.tile(_FIRST_SPEED_STD, (len(position), 1))
        speed_std[is_entering, 2] = _ENTERING_SPEED_STD
        speed = (size * speed_std) ** 2
        variance = np.stack([first, np.zeros_like(first), speed])
        return cls(position, np.zeros_like(position), variance)

    def predict(self, elapsed_s: float, is_coasting: npt.NDArray[np.bool_]) -> Motion:
        """The state some time later.

        Args:
            elapsed_s: seconds since the last prediction, at least 0.
            is_coasting: bool ``[N]``, boxes that were not seen last time: they keep their shape
                (legs that vanish behind something do not make the person shrink) and slow down.
        """
        t = elapsed_s
        noise = _ACCELERATION * _size(self.position) ** 2
        velocity = self.velocity
        if is_coasting.any():
            velocity = velocity.copy()
            velocity[is_coasting, 1] = 0.0
            velocity[is_coasting, 3] = velocity[is_coasting, 2]
            velocity[is_coasting] *= np.exp(-t / _COASTING_FADE_S)
        pp, pv, vv = self.variance
        variance = np.stack(
            [
                pp + 2 * t * pv + t * t * vv + noise * t**3 / 3,
                pv + t * vv + noise * t**2 / 2,
                vv + noise * t,
            ]
        )
        return Motion(_with_shape(self.position + velocity * t), velocity, variance)

    def update(self, rows: npt.NDArray[np.intp], boxes_xyxy: Float64) -> Motion:
        """The state after some of the boxes were seen.

        Args:
            rows: int ``[M]``, which boxes.
            boxes_xyxy: float64 ``[M, 4]``, as what.
        """
        if len(rows) == 0:
            return self
        expected = self.position[rows]
        error = to_coordinates(boxes_xyxy) - expected
        pp, pv, vv = self.variance[:, rows]
        total = pp + (_size(expected) * _MEASURED_STD) ** 2
        total = np.maximum(total, (error / _OUTLIER_STDS) ** 2)
        position, velocity, variance = (
            self.position.copy(),
            self.velocity.copy(),
            self.variance.copy(),
        )
        position[rows] = expected + pp / total * error
        velocity[rows] += pv / total * error
        variance[:, rows] = [pp - pp * pp / total, pv - pp * pv / total, vv - pv * pv / total]
        return Motion(_with_shape(position), velocity, variance)

    def take(self, rows: npt.NDArray[np.intp]) -> Motion:
        """Some of the boxes, in the order given."""
        return Motion(self.position[rows], self.velocity[rows], self.variance[:, rows])

    def joined(self, other: Motion) -> Motion:
        """These boxes followed by others."""
        return Motion(
            np.concatenate([self.position, other.position]),
            np.concatenate([self.velocity, other.velocity]),
            np.concatenate([self.variance, other.variance], axis=1),
        )

    @property
    def boxes_xyxy(self) -> Float64:
        """float64 ``[N, 4]``, pixels; may lie partly outside the picture."""
        x, width, top, bottom = self.position.T
        return np.stack([x - width / 2, top, x + width / 2, bottom], axis=1)

    @property
    def position_std(self) -> Float64:
        """float64 ``[N, 4]``: how far off a measurement is to be expected, pixels."""
        size = _size(self.position)
        return np.asarray(np.sqrt(self.variance[0] + (size * _MEASURED_STD) ** 2))

    @property
    def sizes(self) -> Float64:
        """float64 ``[N]``: the persons' sizes in pixels, about their height if all were seen."""
        return _size(self.position)[:, 0]


def to_coordinates(boxes_xyxy: Float64) -> Float64:
    """Boxes as the filter's coordinates, float64 ``[N, 4]`` both.

    >>> to_coordinates(np.array([[10.0, 20.0, 30.0, 80.0]])).tolist()
    [[20.0, 20.0, 20.0, 80.0]]
    """
    x1, y1, x2, y2 = boxes_xyxy.T
    return np.stack([(x1 + x2) / 2, x2 - x1, y1, y2], axis=1)


def _with_shape(position: Float64) -> Float64:
    """Positions that are boxes: at least a head, where width or height would vanish."""
    x, width, top, bottom = position.T
    width = np.maximum(width, 2.0)
    return np.stack([x, width, top, np.maximum(bottom, top + _LEAST_HEIGHT * width)], axis=1)


def _size(position: Float64) -> Float64:
    """A person's size, float64 ``[N, 1]``: the height, or twice the width where little is seen."""
    width, top, bottom = position[:, 1], position[:, 2], position[:, 3]
    return np.maximum(np.maximum(bottom - top, 2 * width), 4.0)[:, None]
