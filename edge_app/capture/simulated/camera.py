"""The simulated camera: a pinhole over flat ground, and where it hangs for each view.

World coordinates in metres: x to the right, y up, z forward; the ground is y = 0. Camera
coordinates: x to the right, y down, z (depth) forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge_app.capture.simulated.cloth import Floats


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Attributes:
        width: picture width in px.
        height: picture height in px.
        x_m: position to the right of the entrance's middle.
        height_m: height above the ground.
        z_m: position along the entrance's axis.
        tilt_rad: angle below the horizontal.
        yaw_rad: rotation about the vertical, positive to the right.
        roll_rad: rotation about the optical axis.
        vertical_view_rad: vertical field of view.
    """

    width: int
    height: int
    x_m: float
    height_m: float
    z_m: float
    tilt_rad: float
    yaw_rad: float
    roll_rad: float
    vertical_view_rad: float

    @cached_property
    def focal_px(self) -> float:
        """Focal length in px."""
        return self.height / (2.0 * math.tan(self.vertical_view_rad / 2.0))

    @cached_property
    def position(self) -> Floats:
        """Where the camera hangs, float32 [3], world metres."""
        return np.array([self.x_m, self.height_m, self.z_m], np.float32)

    @cached_property
    def rotation(self) -> Floats:
        """World to camera rotation, float32 [3, 3]."""
        cos_y, sin_y = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        yaw = np.array([[cos_y, 0, -sin_y], [0, 1, 0], [sin_y, 0, cos_y]])
        cos_t, sin_t = math.cos(self.tilt_rad), math.sin(self.tilt_rad)
        tilt = np.array([[1, 0, 0], [0, -cos_t, -sin_t], [0, -sin_t, cos_t]])
        cos_r, sin_r = math.cos(self.roll_rad), math.sin(self.roll_rad)
        roll = np.array([[cos_r, -sin_r, 0], [sin_r, cos_r, 0], [0, 0, 1]])
        return np.asarray(roll @ tilt @ yaw, np.float32)

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The nine numbers of ``rotation`` row by row, then the position: for plain arithmetic."""
        return (*self.rotation.ravel().tolist(), *self.position.tolist())

    def seen(self, point: tuple[float, float, float]) -> tuple[float, float, float]:
        """One world point in camera coordinates; far cheaper than arrays for a single point."""
        a, b, c, d, e, f, g, h, i, x0, y0, z0 = self.numbers
        x, y, z = point[0] - x0, point[1] - y0, point[2] - z0
        return a * x + b * y + c * z, d * x + e * y + f * z, g * x + h * y + i * z

    def project(self, points: NDArray[np.floating]) -> Floats:
        """Project world points.

        Args:
            points: [..., 3] in metres.

        Returns:
            float32 [..., 3]: x and y in px and depth in metres. A depth below 5 cm is lifted to
            5 cm, so that points behind the camera land far outside the picture.
        """
        seen = (np.asarray(points, np.float32) - self.position) @ self.rotation.T
        depth = np.maximum(seen[..., 2:3], np.float32(0.05))
        centre = np.array([self.width / 2.0, self.height / 2.0], np.float32)
        flat = seen[..., :2] * (np.float32(self.focal_px) / depth) + centre
        return np.concatenate([flat, depth], axis=-1)

    def rays(self) -> Floats:
        """Directions of all pixels in world coordinates, float32 [height, width, 3]."""
        across = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.focal_px
        down = (np.arange(self.height, dtype=np.float32) + 0.5 - self.height / 2) / self.focal_px
        grid = np.stack(np.broadcast_arrays(across[None, :], down[:, None], np.float32(1.0)), -1)
        return (grid.astype(np.float32) @ self.rotation).astype(np.float32)
