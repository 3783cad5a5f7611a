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

_TO_COORDINATES = np.array(
    [[0.5, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.5, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
)
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
        state: float64 ``[5, N, 4]``, one plane each: position (centre x, width, top, bottom) in
            pixels, velocity in pixels per second, and the variance of the position, its
            covariance with the velocity, and the variance of the velocity.
    """

    state: Float64

    @classmethod
    def start(cls, boxes_xyxy: Float64, is_entering: npt.NDArray[np.bool_]) -> Motion:
        """The filter at first sight: speed unknown.

        Args:
            boxes_xyxy: float64 ``[N, 4]``, pixels.
            is_entering: bool ``[N]``, boxes that the picture's lower edge cuts off.
        """
        state = np.zeros((5, len(boxes_xyxy), 4))
        state[0] = to_coordinates(boxes_xyxy)
        size = _size(state[0])
        state[2] = (size * _MEASURED_STD) ** 2
        state[4] = (size * _FIRST_SPEED_STD) ** 2
        state[4, is_entering, 2] = (size[is_entering, 0] * _ENTERING_SPEED_STD) ** 2
        return cls(state)

    def predict(self, elapsed_s: float, is_coasting: npt.NDArray[np.bool_]) -> Motion:
        """The state some time later.

        Args:
            elapsed_s: seconds since the last prediction, at least 0.
            is_coasting: bool ``[N]``, boxes that were not seen last time: they keep their shape
                (legs that vanish behind something do not make the person shrink) and slow down.
        """
        t = elapsed_s
        state = self.state
        if is_coasting.any():
            state = state.copy()
            velocity = state[1, is_coasting]
            velocity[:, 1] = 0.0
            velocity[:, 3] = velocity[:, 2]
            state[1, is_coasting] = velocity * np.exp(-t / _COASTING_FADE_S)
        change = np.array(
            [
                [1.0, t, 0.0, 0.0, 0.0],
                [0.0, 1.0, 0.0, 0.0, 0.0],
                [0.0, 0.0, 1.0, 2 * t, t * t],
                [0.0, 0.0, 0.0, 1.0, t],
                [0.0, 0.0, 0.0, 0.0, 1.0],
            ]
        )
        noise = _ACCELERATION * _size(state[0]) ** 2
        later = (change @ state.reshape(5, -1)).reshape(state.shape)
        later[2:] += np.array([t**3 / 3, t * t / 2, t])[:, None, None] * noise
        return Motion(_with_shape(later))

    def update(self, rows: npt.NDArray[np.intp], boxes_xyxy: Float64) -> Motion:
        """The state after some of the boxes were seen.

        Args:
            rows: int ``[M]``, which boxes.
            boxes_xyxy: float64 ``[M, 4]``, as what.
        """
        if len(rows) == 0:
            return self
        seen = self.state[:, rows]
        expected, _, pp, pv, _ = seen
        error = to_coordinates(boxes_xyxy) - expected
        total = pp + (_size(expected) * _MEASURED_STD) ** 2
        total = np.maximum(total, (error / _OUTLIER_STDS) ** 2)
        gain = seen[2:4] / total
        seen[:2] += gain * error
        seen[4] -= gain[1] * pv
        seen[2:4] -= gain[0] * seen[2:4]
        state = self.state.copy()
        state[:, rows] = seen
        return Motion(_with_shape(state))

    def take(self, rows: npt.NDArray[np.intp]) -> Motion:
        """Some of the boxes, in the order given."""
        return Motion(self.state[:, rows])

    def joined(self, other: Motion) -> Motion:
        """These boxes followed by others."""
        return Motion(np.concatenate([self.state, other.state], axis=1))

    @property
    def position(self) -> Float64:
        """float64 ``[N, 4]``: centre x, width, top, bottom; pixels."""
        return np.asarray(self.state[0])

    @property
    def velocity(self) -> Float64:
        """float64 ``[N, 4]``, pixels per second."""
        return np.asarray(self.state[1])

    @property
    def boxes_xyxy(self) -> Float64:
        """float64 ``[N, 4]``, pixels; may lie partly outside the picture."""
        boxes = self.state[0][:, [0, 2, 0, 3]]
        half = self.state[0, :, 1] / 2
        boxes[:, 0] -= half
        boxes[:, 2] += half
        return np.asarray(boxes)

    @property
    def position_std(self) -> Float64:
        """float64 ``[N, 4]``: how far off a measurement is to be expected, pixels."""
        return np.asarray(np.sqrt(self.state[2] + (_size(self.state[0]) * _MEASURED_STD) ** 2))

    @property
    def sizes(self) -> Float64:
        """float64 ``[N]``: the persons' sizes in pixels, about their height if all were seen."""
        return _size(self.state[0])[:, 0]


def to_coordinates(boxes_xyxy: Float64) -> Float64:
    """Boxes as the filter's coordinates, float64 ``[N, 4]`` both.

    >>> to_coordinates(np.array([[10.0, 20.0, 30.0, 80.0]])).tolist()
    [[20.0, 20.0, 20.0, 80.0]]
    """
    return np.asarray(boxes_xyxy @ _TO_COORDINATES)


def _with_shape(state: Float64) -> Float64:
    """The same state, its boxes at least a head where width or height would vanish."""
    width = state[0, :, 1]
    np.maximum(width, 2.0, out=width)
    np.maximum(state[0, :, 3], state[0, :, 2] + _LEAST_HEIGHT * width, out=state[0, :, 3])
    return state


def _size(position: Float64) -> Float64:
    """A person's size, float64 ``[N, 1]``: the height, or twice the width where little is seen."""
    height = position[:, 3:] - position[:, 2:3]
    return np.maximum(np.maximum(height, 2 * position[:, 1:2]), 4.0)
