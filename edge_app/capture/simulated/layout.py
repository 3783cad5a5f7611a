"""Where things are: camera, door, entrance line and aisles of one simulated store."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge_app.capture.simulated.camera import Camera
from edge_app.capture.simulated.settings import SimulationSettings

Line = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Layout:
    """The ground plan. People come in along the z axis (see :mod:`camera` for the axes).

    Attributes:
        view: "door" or "facing".
        camera: the camera.
        line_z_m: where the entrance line lies on the ground; it runs across the whole picture.
        inward: +1 if coming in means growing z (door view), -1 if shrinking z (facing view).
        outside_z_m: where people appear who come in, and vanish who leave; out of sight.
        door_z_m: the wall with the door in the facing view; infinite in the door view.
        lane_half_width_m: how far from the middle people cross the line.
        aisles_z_m: where people turn to the side once inside, nearest to the line first.
        line: two points as fractions of width and height; walking from the first to the second,
            "in" is on the left hand.
    """

    view: str
    camera: Camera
    line_z_m: float
    inward: int
    outside_z_m: float
    door_z_m: float
    lane_half_width_m: float
    aisles_z_m: tuple[float, ...]
    line: Line

    def side_exit_x_m(self, z_m: float, to_right: bool) -> float:
        """World x just outside the picture's left or right edge on the ground at ``z_m``."""
        camera, beyond_m = self.camera, 0.8 if to_right else -0.8
        xs = np.linspace(-14.0, 14.0, 281)
        feet = np.stack([xs, np.full_like(xs, 1.2), np.full_like(xs, z_m)], axis=-1)
        across = camera.project(feet)[:, 0]
        inside = np.flatnonzero((across > 0) & (across < camera.width))
        if inside.size == 0:
            return beyond_m + (1.5 if to_right else -1.5)
        edge = float(xs[inside[-1]] if to_right else xs[inside[0]])
        return float(np.clip(edge + beyond_m, -13.0, 13.0))


def draw_layout(settings: SimulationSettings, rng: np.random.Generator) -> Layout:
    """Draw camera and ground plan from the seed."""
    drawn = "door" if rng.random() < 0.5 else "facing"
    view = drawn if settings.view == "any" else settings.view
    return _door_view(settings, rng) if view == "door" else _facing_view(settings, rng)


def _door_view(settings: SimulationSettings, rng: np.random.Generator) -> Layout:
    height_m = rng.uniform(2.4, 3.3)
    view_rad = math.radians(rng.uniform(44, 60))
    bottom_rad = math.radians(rng.uniform(48, 66))
    camera = Camera(
        width=settings.width,
        height=settings.height,
        x_m=rng.uniform(-0.5, 0.5),
        height_m=height_m,
        z_m=0.0,
        tilt_rad=bottom_rad - view_rad / 2,
        yaw_rad=math.radians(rng.uniform(-12, 12)),
        roll_rad=math.radians(rng.normal(0, 0.7)),
        vertical_view_rad=view_rad,
    )
    line_z = _ground_z(camera, rng.uniform(0.72, 0.84))
    far = 1.65 * camera.focal_px * math.cos(camera.tilt_rad) / (0.17 * settings.height)
    top_rad = camera.tilt_rad - view_rad / 2
    if top_rad > 0.02:  # keep heads in the picture
        far = min(far, (height_m - 1.8) / math.tan(top_rad))
    first = line_z + rng.uniform(1.6, 2.4)
    last = max(first + 0.6, min(first + 5.0, far))
    aisles = tuple(float(z) for z in np.linspace(first, last, 3 if last - first > 2.4 else 2))
    lane = min(1.5, 0.42 * settings.width / camera.focal_px * (line_z + 1.0))
    line = _line(camera, line_z, left_to_right=True)
    return Layout("door", camera, line_z, 1, -1.3, math.inf, lane, aisles, line)


def _facing_view(settings: SimulationSettings, rng: np.random.Generator) -> Layout:
    height_m = rng.uniform(2.3, 3.2)
    view_rad = math.radians(rng.uniform(40, 56))
    door_z = rng.uniform(6.2, 9.0)
    door_down = rng.uniform(0.36, 0.46)
    angle = math.atan(height_m / door_z)
    camera = Camera(
        width=settings.width,
        height=settings.height,
        x_m=rng.uniform(-1.0, 1.0),
        height_m=height_m,
        z_m=0.0,
        tilt_rad=angle - math.atan((door_down - 0.5) * 2 * math.tan(view_rad / 2)),
        yaw_rad=math.radians(rng.uniform(-9, 9)),
        roll_rad=math.radians(rng.normal(0, 0.7)),
        vertical_view_rad=view_rad,
    )
    line_z = door_z - rng.uniform(1.2, 1.9)
    nearest = max(_ground_z(camera, 0.97), 1.6)
    aisles = tuple(float(z) for z in np.linspace(line_z - 1.2, min(nearest, line_z - 1.8), 3))
    line = _line(camera, line_z, left_to_right=False)
    return Layout(
        "facing", camera, line_z, -1, door_z + 2.2, door_z, rng.uniform(0.9, 1.25), aisles, line
    )


def _ground_z(camera: Camera, down: float) -> float:
    """World z of the ground in the middle of the picture, at a fraction of its height."""
    below = math.atan((down - 0.5) * 2 * math.tan(camera.vertical_view_rad / 2))
    return camera.height_m / math.tan(camera.tilt_rad + below)


def _line(camera: Camera, line_z_m: float, left_to_right: bool) -> Line:
    """The picture of the ground line z = ``line_z_m``, from 2 % to 98 % of the width."""
    ends = camera.project(np.array([[-0.5, 0.0, line_z_m], [0.5, 0.0, line_z_m]]))
    slope = float((ends[1, 1] - ends[0, 1]) / (ends[1, 0] - ends[0, 0]))

    def point(across: float) -> tuple[float, float]:
        y_px = float(ends[0, 1]) + slope * (across * camera.width - float(ends[0, 0]))
        return across, y_px / camera.height

    return (point(0.02), point(0.98)) if left_to_right else (point(0.98), point(0.02))
