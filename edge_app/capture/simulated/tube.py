"""Draw a tube: see :mod:`edge_app.capture.simulated.solids`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from edge_app.capture.simulated.camera import Camera
from edge_app.capture.simulated.cloth import Floats
from edge_app.capture.simulated.solids import (
    STEPS,
    Canvas,
    Light,
    Tube,
    Vector,
    Window,
    dot,
    paint,
    unit,
)

_ACROSS = np.linspace(-1, 1, 257, dtype=np.float32)
_ANGLE = np.arcsin(_ACROSS).astype(np.float32)
_FACING = np.sqrt(np.maximum(1 - _ACROSS**2, 0)).astype(np.float32)
_LIMB = (0.72 + 0.28 * np.sqrt(_FACING)).astype(np.float32)
_ALONG = np.linspace(0, 1, STEPS, dtype=np.float32)
_ZERO, _ONE, _LAST_STEP = np.float32(0), np.float32(1), np.float32(STEPS - 1)


@dataclass(frozen=True)
class _Facing:
    """How a tube is turned to the camera.

    Attributes:
        turn: angle from the wearer's front to the camera, towards the wearer's right.
        near: unit, world: across the axis, towards the camera.
        across: unit, world: across the axis, along the picture.
        seen_near: ``near`` in camera coordinates.
        seen_across: ``across`` in camera coordinates.
    """

    turn: float
    near: Vector
    across: Vector
    seen_near: Vector
    seen_across: Vector


@dataclass(frozen=True, eq=False)
class _Outline:
    """A tube's picture.

    Attributes:
        start: where the axis begins, px.
        down: unit, along the axis in the picture.
        length: of the axis in the picture, px.
        widths: float32 [STEPS], half-widths along the axis, px.
        rims: float32 [STEPS], how far the near side of each cross-section is seen further down
            the axis than its middle, px; negative if further up.
        ends: how far the first and last cross-section reach beyond the axis, px.
        side_sign: 1 if the wearer's side axis runs along the picture's, else -1.
    """

    start: tuple[float, float]
    down: tuple[float, float]
    length: float
    widths: Floats
    rims: Floats
    ends: tuple[float, float]
    side_sign: float

    def window(self, canvas: Canvas) -> Window | None:
        """The part of a canvas that the tube can touch."""
        (x0, y0), (dx, dy), (first, last) = self.start, self.down, self.ends
        x1, y1 = x0 + dx * self.length, y0 + dy * self.length
        reach = float(self.widths.max()) + 1
        wide, tall = reach * abs(dy), reach * abs(dx)
        return canvas.window(
            (
                min(x0 - first * abs(dx), x1 - last * abs(dx)) - wide,
                min(y0 - first * abs(dy), y1 - last * abs(dy)) - tall,
                max(x0 + first * abs(dx), x1 + last * abs(dx)) + wide,
                max(y0 + first * abs(dy), y1 + last * abs(dy)) + tall,
            )
        )


def _cut_ends(
    cover: Floats, along: Floats, towards: Floats, outline: _Outline, is_open: bool
) -> None:
    """Limit the covered share of pixels, 0..1 in place, to what lies between a tube's two ends."""
    np.minimum(cover, along + towards * np.float32(outline.ends[0]), out=cover)
    if is_open:
        np.minimum(cover, along - towards * outline.rims[0], out=cover)
    length = np.float32(outline.length)
    np.minimum(cover, towards * np.float32(outline.ends[1]) + length - along, out=cover)
    cover += np.float32(0.5)
    np.maximum(cover, _ZERO, out=cover)
    np.minimum(cover, _ONE, out=cover)


def draw_tube(
    canvas: Canvas,
    camera: Camera,
    light: Light,
    tube: Tube,
    ends: tuple[Vector, Vector],
    axes: tuple[Vector, Vector],
) -> None:
    """Draw one tube.

    Args:
        canvas: what to draw on.
        camera: the camera.
        light: how it is lit.
        tube: radii and surface.
        ends: first and second end of the axis, world metres.
        axes: unit vectors towards the wearer's right and front.
    """
    facing = _facing_of(camera, ends, axes)
    outline = _outline_of(camera, tube, ends, facing)
    window = None if outline is None else outline.window(canvas)
    if outline is None or window is None:
        return
    dx = np.arange(window[2] - window[0], dtype=np.float32)
    dx += np.float32(canvas.left + window[0] + 0.5 - outline.start[0])
    dy = np.arange(window[3] - window[1], dtype=np.float32)[:, None]
    dy += np.float32(canvas.top + window[1] + 0.5 - outline.start[1])
    down_x, down_y = np.float32(outline.down[0]), np.float32(outline.down[1])
    sign, length = np.float32(outline.side_sign), np.float32(outline.length)
    along = dx * down_x + dy * down_y
    sideways = dy * (down_x * sign) - dx * (down_y * sign)

    place = along * np.float32((STEPS - 1) / outline.length)
    np.maximum(place, _ZERO, out=place)
    rough = np.minimum(place, _LAST_STEP, out=place).astype(np.intp)
    width = outline.widths.take(rough)
    column = sideways / width
    column *= np.float32(128)
    column += np.float32(128.5)
    np.maximum(column, _ZERO, out=column)
    across = np.minimum(column, np.float32(256), out=column).astype(np.intp)
    towards = _FACING.take(across)

    cover = np.subtract(width, np.abs(sideways, out=sideways), out=width)
    _cut_ends(cover, along, towards, outline, tube.is_open)

    # The near side of a cross-section is seen at another height than its middle.
    along -= outline.rims.take(rough) * towards
    along /= length
    np.maximum(along, _ZERO, out=along)
    np.minimum(along, _ONE, out=along)
    rows, columns = tube.skin.texture.shape[:2]
    low, high = tube.rows
    along *= np.float32((high - low) * (rows - 1))
    along += np.float32(low * (rows - 1))
    angles = _ANGLE + np.float32(math.pi + _middle_angle(tube, facing.turn))
    angles *= np.float32(columns / (2 * math.pi))
    angles -= np.float32(0.5)
    seen = cv2.remap(
        tube.skin.texture,
        angles.take(across),
        along,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    lit = _shade(light, facing).take(across)
    lit *= tube.glow.take(rough)
    paint(canvas, window, cover, seen, lit, light, tube.skin.label)


def _facing_of(camera: Camera, ends: tuple[Vector, Vector], axes: tuple[Vector, Vector]) -> _Facing:
    a, b, c, d, e, f, g, h, i, x0, y0, z0 = camera.numbers
    first, last = ends
    right, front = axes
    axis = unit((last[0] - first[0], last[1] - first[1], last[2] - first[2]))
    view = (
        x0 - (first[0] + last[0]) / 2,
        y0 - (first[1] + last[1]) / 2,
        z0 - (first[2] + last[2]) / 2,
    )
    along = dot(view, axis)
    near = unit((view[0] - axis[0] * along, view[1] - axis[1] * along, view[2] - axis[2] * along))
    turn = math.atan2(dot(view, right), dot(view, front))
    cos_t, sin_t = math.cos(turn), math.sin(turn)
    across = (
        right[0] * cos_t - front[0] * sin_t,
        right[1] * cos_t - front[1] * sin_t,
        right[2] * cos_t - front[2] * sin_t,
    )

    def rotated(v: Vector) -> Vector:
        return dot((a, b, c), v), dot((d, e, f), v), dot((g, h, i), v)

    return _Facing(turn, near, across, rotated(near), rotated(across))


def _outline_of(
    camera: Camera, tube: Tube, ends: tuple[Vector, Vector], facing: _Facing
) -> _Outline | None:
    """A tube's picture; None if it reaches too close to the camera."""
    sx0, sy0, z0 = camera.seen(ends[0])
    sx1, sy1, z1 = camera.seen(ends[1])
    if min(z0, z1) < 0.3:
        return None
    focal, middle_x, middle_y = camera.focal_px, camera.width / 2, camera.height / 2
    x0, y0 = sx0 * focal / z0 + middle_x, sy0 * focal / z0 + middle_y
    x1, y1 = sx1 * focal / z1 + middle_x, sy1 * focal / z1 + middle_y
    length = max(math.hypot(x1 - x0, y1 - y0), 0.7)
    down = ((x1 - x0) / length, (y1 - y0) / length)
    scale = np.float32(focal) / (np.float32(z0) + np.float32(z1 - z0) * _ALONG)
    cos_t, sin_t = np.float32(math.cos(facing.turn)), np.float32(math.sin(facing.turn))
    widths = np.hypot(tube.side_m * cos_t, tube.front_m * sin_t)
    widths *= scale
    scale *= np.float32(facing.seen_near[0] * down[0] + facing.seen_near[1] * down[1])
    rims = np.hypot(tube.side_m * sin_t, tube.front_m * cos_t)
    rims *= scale
    seen_across = facing.seen_across
    return _Outline(
        (x0, y0),
        down,
        length,
        widths,
        rims,
        (
            max(abs(float(rims[0])), tube.round_ends[0] * float(widths[0])),
            max(abs(float(rims[-1])), tube.round_ends[1] * float(widths[-1])),
        ),
        1.0 if seen_across[1] * down[0] > seen_across[0] * down[1] else -1.0,
    )


def _middle_angle(tube: Tube, turn: float) -> float:
    """Angle round the body, from the front, of what is seen in the middle of the tube.

    The point at angle u of an ellipse with half-axes s and f is seen at
    s sin(u) cos(turn) - f cos(u) sin(turn), which is a sine of u + delta.
    """
    return -math.atan2(-tube.mean_front_m * math.sin(turn), tube.mean_side_m * math.cos(turn))


def _shade(light: Light, facing: _Facing) -> Floats:
    """Light over the 257 places across a tube, float32; darker towards the edges."""
    shade = np.float32(dot(light.towards, facing.across)) * _ACROSS
    shade += np.float32(dot(light.towards, facing.near)) * _FACING
    shade += np.float32(0.35)
    np.maximum(shade, _ZERO, out=shade)
    shade *= np.float32(1 - light.ambient)
    shade += np.float32(light.ambient)
    return np.asarray(shade * _LIMB, np.float32)
