"""Draw an ellipsoid: see :mod:`edge_app.capture.simulated.solids`."""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge_app.capture.simulated.camera import Camera
from edge_app.capture.simulated.cloth import Floats
from edge_app.capture.simulated.solids import Canvas, Light, Skin, Vector, dot, paint, unit


def draw_ellipsoid(
    canvas: Canvas,
    camera: Camera,
    light: Light,
    skin: Skin,
    centre: Floats,
    half_axes: Floats,
    lowest: float = -1.0,
) -> None:
    """Draw one ellipsoid.

    Args:
        canvas: what to draw on.
        camera: the camera.
        light: how it is lit.
        skin: the surface; the texture's rows go from the top (crown) to the bottom.
        centre: float32 [3], world metres.
        half_axes: float32 [3, 3]: half-axes towards the wearer's right, up and front, in metres.
        lowest: nothing below this height is drawn, as a share of the upward half-axis; 0 leaves a
            dome.
    """
    x0, y0, depth = camera.project(centre[None])[0].tolist()
    if depth < 0.3:
        return
    # A point n of the unit sphere is drawn at M n.
    matrix = (camera.rotation @ half_axes.T) * np.float32(camera.focal_px / depth)
    row_x, row_y, row_z = matrix.tolist()
    xx, yy, xy = dot(row_x, row_x), dot(row_y, row_y), dot(row_x, row_y)
    smallest = math.sqrt(max((xx + yy) / 2 - math.hypot((xx - yy) / 2, xy), 0.0))
    reach_x, reach_y = math.sqrt(xx) + 1, math.sqrt(yy) + 1
    window = canvas.window((x0 - reach_x, y0 - reach_y, x0 + reach_x, y0 + reach_y))
    if window is None or smallest < 0.3:
        return
    dx = np.arange(window[2] - window[0], dtype=np.float32)
    dx += np.float32(canvas.left + window[0] + 0.5 - x0)
    dy = np.arange(window[3] - window[1], dtype=np.float32)[:, None]
    dy += np.float32(canvas.top + window[1] + 0.5 - y0)
    # Of a pixel d, n is the shortest solution of M n = d plus the part along M's null direction
    # that lies on the sphere, on the camera's side.
    per_x, per_y = _shortest(row_x, row_y, xx, yy, xy)
    normal = [dx * per_x[axis] + dy * per_y[axis] for axis in range(3)]
    radius2 = normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]
    facing = np.sqrt(np.maximum(1 - radius2, 0))
    toward = _toward(row_x, row_y, row_z)
    for axis in range(3):
        normal[axis] += facing * np.float32(toward[axis])
    edge = np.float32(smallest)
    cover = np.clip((1 - np.sqrt(radius2)) * edge + np.float32(0.5), 0, 1)
    if lowest > -1:
        cover *= np.clip((normal[1] - np.float32(lowest)) * edge + np.float32(0.5), 0, 1)
    rows, columns = skin.texture.shape[:2]
    map_x = np.asarray(cv2.phase(normal[2], normal[0]), np.float32)
    map_x *= np.float32(columns / (2 * math.pi))
    map_x += np.float32(columns / 2 - 0.5)
    map_y = np.arccos(np.clip(normal[1], -1, 1)) * np.float32((rows - 1) / math.pi)
    seen = cv2.remap(skin.texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    paint(canvas, window, cover, seen, _lit(light, half_axes, normal, facing), light, skin.label)


def _shortest(
    row_x: Vector, row_y: Vector, xx: float, yy: float, xy: float
) -> tuple[list[np.float32], list[np.float32]]:
    """Columns of the pseudo-inverse of the two rows."""
    area2 = max(xx * yy - xy * xy, 1e-9)
    return (
        [np.float32((yy * row_x[axis] - xy * row_y[axis]) / area2) for axis in range(3)],
        [np.float32((xx * row_y[axis] - xy * row_x[axis]) / area2) for axis in range(3)],
    )


def _toward(row_x: Vector, row_y: Vector, row_z: Vector) -> Vector:
    """Unit vector that projects to nothing and comes nearer to the camera."""
    x, y, z = unit(
        (
            row_x[1] * row_y[2] - row_x[2] * row_y[1],
            row_x[2] * row_y[0] - row_x[0] * row_y[2],
            row_x[0] * row_y[1] - row_x[1] * row_y[0],
        )
    )
    return (-x, -y, -z) if dot(row_z, (x, y, z)) > 0 else (x, y, z)


def _lit(light: Light, half_axes: Floats, normal: list[Floats], facing: Floats) -> Floats:
    lit = np.full_like(facing, 0.35)
    for axis in range(3):
        right_up_front = unit(tuple(half_axes[axis].tolist()))
        lit += normal[axis] * np.float32(dot(right_up_front, light.towards))
    np.maximum(lit, 0, out=lit)
    lit *= np.float32(1 - light.ambient)
    lit += np.float32(light.ambient)
    lit *= np.float32(0.75) + np.float32(0.25) * facing
    return lit
