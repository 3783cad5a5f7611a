"""Draw textured, shaded tubes and ellipsoids, from which simulated people are made.

A tube is a straight axis with elliptic cross-sections whose radii change along it (a trunk, a
skirt, a shin). Its picture is computed per pixel: position along and across the projected axis give
the place on the surface, hence its texture and its normal. This needs no meshes and no z-buffer:
the caller draws from back to front. All on small windows of float32 numbers, since this runs for
some twenty solids per person and frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.capture.simulated.camera import Camera

Floats = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

STEPS = 128
"""Samples of a tube's radii along its axis."""

_ACROSS = np.linspace(-1, 1, 257, dtype=np.float32)
_ANGLE = np.arcsin(_ACROSS).astype(np.float32)
_FACING = np.sqrt(np.maximum(1 - _ACROSS**2, 0)).astype(np.float32)
_ALONG = np.linspace(0, 1, STEPS, dtype=np.float32)


@dataclass(frozen=True)
class Light:
    """How surfaces are lit.

    Attributes:
        direction: float32 [3], unit, world: where the strongest light comes from.
        ambient: light that reaches every surface, 0..1.
        gain_bgr: float32 [3]: brightness and tint at the person's place.
        veil_bgr: float32 [3]: haze between camera and person, already multiplied by its share.
    """

    direction: Floats
    ambient: float
    gain_bgr: Floats
    veil_bgr: Floats


@dataclass(frozen=True, eq=False)
class Skin:
    """The surface of a solid: one texture wrapped round it.

    Attributes:
        texture: uint8 [h, w, 3] BGR; columns go round from the back (0) over the left side, the
            front (middle) and the right side to the back again, rows from the first end to the
            second.
        label: what the annotation says where this surface is seen; 0 for nothing.
    """

    texture: UInt8
    label: int = 0


@dataclass(frozen=True, eq=False)
class Tube:
    """Radii of a tube.

    Attributes:
        side_m: float32 [STEPS], half-width towards the wearer's right, along the axis.
        front_m: float32 [STEPS], half-depth towards the wearer's front.
        skin: the surface.
        rows: the part of the texture's rows that this tube shows, as fractions.
        round_ends: how far the two ends bulge out, as shares of the radius there.
    """

    side_m: Floats
    front_m: Floats
    skin: Skin
    rows: tuple[float, float] = (0.0, 1.0)
    round_ends: tuple[float, float] = (0.0, 0.0)
    slope: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Surfaces that widen downwards look up and are brighter."""
        object.__setattr__(self, "slope", np.gradient(self.side_m + self.front_m) * STEPS)


@dataclass(eq=False)
class Canvas:
    """A window of the picture that is being drawn on.

    Attributes:
        colours: float32 [h, w, 3] BGR, 0..255; changed in place.
        labels: uint8 [h, w] or None; set to a surface's label where it covers most of a pixel.
        left: x of the window in the picture, px.
        top: y of the window in the picture, px.
    """

    colours: Floats
    labels: UInt8 | None
    left: int
    top: int

    def window(self, box: tuple[float, float, float, float]) -> tuple[int, int, int, int] | None:
        """The part of a picture box inside this window, in its own pixels; None if there is none."""
        height, width = self.colours.shape[:2]
        x1 = max(int(box[0]) - self.left - 1, 0)
        y1 = max(int(box[1]) - self.top - 1, 0)
        x2 = min(int(box[2]) - self.left + 2, width)
        y2 = min(int(box[3]) - self.top + 2, height)
        return (x1, y1, x2, y2) if x2 > x1 and y2 > y1 else None

    def blend(
        self, window: tuple[int, int, int, int], cover: Floats, colours: Floats, label: int
    ) -> None:
        """Lay colours over the window by how much of each pixel they cover.

        Args:
            window: x1, y1, x2, y2 in this canvas.
            cover: float32 [h, w], 0..1.
            colours: float32 [h, w, 3]; used up.
            label: see :class:`Skin`.
        """
        x1, y1, x2, y2 = window
        below = self.colours[y1:y2, x1:x2]
        colours -= below
        colours *= cover[:, :, None]
        below += colours
        if self.labels is not None:
            self.labels[y1:y2, x1:x2][cover > 0.5] = label


def draw_tube(
    canvas: Canvas, camera: Camera, light: Light, tube: Tube, ends: Floats, axes: Floats
) -> None:
    """Draw one tube.

    Args:
        canvas: what to draw on.
        camera: the camera.
        light: how it is lit.
        tube: radii and surface.
        ends: float32 [2, 3], first and second end of the axis, world metres.
        axes: float32 [2, 3], unit: towards the wearer's right and front.
    """
    flat = camera.project(ends)
    if flat[:, 2].min() < 0.3:
        return
    (x0, y0, z0), (x1, y1, z1) = flat.tolist()
    length = max(math.hypot(x1 - x0, y1 - y0), 0.7)
    down = ((x1 - x0) / length, (y1 - y0) / length)
    axis = ends[1] - ends[0]
    axis /= max(float(np.linalg.norm(axis)), 1e-6)
    view = camera.position - (ends[0] + ends[1]) * np.float32(0.5)
    near = view - axis * float(view @ axis)
    near /= max(float(np.linalg.norm(near)), 1e-6)
    turn = math.atan2(float(view @ axes[0]), float(view @ axes[1]))
    cos_t, sin_t = math.cos(turn), math.sin(turn)
    across = axes[0] * cos_t - axes[1] * sin_t
    seen_near = camera.rotation @ near
    seen_across = camera.rotation @ across
    side_sign = (
        1.0 if float(seen_across[1]) * down[0] - float(seen_across[0]) * down[1] > 0 else -1.0
    )

    scale = camera.focal_px / (z0 + (z1 - z0) * _ALONG)
    widths = np.hypot(tube.side_m * cos_t, tube.front_m * sin_t) * scale
    drop = float(seen_near[0]) * down[0] + float(seen_near[1]) * down[1]
    rims = np.hypot(tube.side_m * sin_t, tube.front_m * cos_t) * scale * drop
    first = max(abs(float(rims[0])), tube.round_ends[0] * float(widths[0]))
    last = max(abs(float(rims[-1])), tube.round_ends[1] * float(widths[-1]))
    reach = float(widths.max()) + 1
    window = canvas.window(
        (
            min(x0 - first * abs(down[0]), x1 - last * abs(down[0])) - reach * abs(down[1]),
            min(y0 - first * abs(down[1]), y1 - last * abs(down[1])) - reach * abs(down[0]),
            max(x0 + first * abs(down[0]), x1 + last * abs(down[0])) + reach * abs(down[1]),
            max(y0 + first * abs(down[1]), y1 + last * abs(down[1])) + reach * abs(down[0]),
        )
    )
    if window is None:
        return
    left, top = canvas.left + window[0] + 0.5 - x0, canvas.top + window[1] + 0.5 - y0
    dx = np.arange(window[2] - window[0], dtype=np.float32) + np.float32(left)
    dy = (np.arange(window[3] - window[1], dtype=np.float32) + np.float32(top))[:, None]
    along = dx * np.float32(down[0]) + dy * np.float32(down[1])
    sideways = dy * np.float32(down[0]) - dx * np.float32(down[1])
    sideways *= np.float32(side_sign)

    step = np.float32((STEPS - 1) / length)
    rough = np.clip(along * step, 0, STEPS - 1).astype(np.int16)
    width = widths[rough]
    rim = rims[rough]
    column = np.clip(sideways / width * 128 + 128.5, 0, 256).astype(np.int16)
    facing = _FACING[column]
    cover = width - np.abs(sideways)
    np.minimum(cover, along + facing * np.float32(first), out=cover)
    np.minimum(cover, facing * np.float32(last) + np.float32(length) - along, out=cover)
    cover += np.float32(0.5)
    np.clip(cover, 0, 1, out=cover)

    along -= rim * facing
    along *= np.float32(1 / length)
    np.clip(along, 0, 1, out=along)
    texture = tube.skin.texture
    rows, columns = texture.shape[:2]
    low, high = tube.rows
    # Angle round the body of what is seen in the middle: see the module's notes on ellipses.
    middle = -math.atan2(-float(tube.front_m.mean()) * sin_t, float(tube.side_m.mean()) * cos_t)
    map_x = _ANGLE[column]
    map_x += np.float32(middle + math.pi)
    map_x *= np.float32(columns / (2 * math.pi))
    map_x -= np.float32(0.5)
    map_y = along * np.float32((high - low) * (rows - 1)) + np.float32(low * (rows - 1))
    colours = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)

    towards_light = float(light.direction @ near)
    beside_light = float(light.direction @ across)
    rest = 1 - light.ambient
    shade = light.ambient + rest * np.maximum(
        beside_light * _ACROSS + towards_light * _FACING + 0.35, 0
    )
    shade *= 0.72 + 0.28 * np.sqrt(_FACING)
    lit = shade.astype(np.float32)[column]
    lit *= (1 + 0.22 * np.clip(tube.slope, -1.0, 1.6)).astype(np.float32)[rough]
    _finish(canvas, window, cover, colours, lit, light, tube.skin.label)


def _finish(
    canvas: Canvas,
    window: tuple[int, int, int, int],
    cover: Floats,
    texture: UInt8,
    lit: Floats,
    light: Light,
    label: int,
) -> None:
    colours = texture.astype(np.float32)
    colours *= light.gain_bgr
    colours *= lit[:, :, None]
    colours += light.veil_bgr
    canvas.blend(window, cover, colours, label)


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
    (x0, y0, depth) = camera.project(centre[None])[0].tolist()
    if depth < 0.3:
        return
    frame = (camera.rotation @ half_axes.T) * np.float32(camera.focal_px / depth)
    left_vectors, sizes, right_vectors = np.linalg.svd(frame[:2])
    toward = right_vectors[2]
    if float(frame[2] @ toward) > 0:
        toward = -toward
    reach_x = float(np.hypot.reduce(frame[0])) + 1
    reach_y = float(np.hypot.reduce(frame[1])) + 1
    window = canvas.window((x0 - reach_x, y0 - reach_y, x0 + reach_x, y0 + reach_y))
    if window is None or sizes[1] < 0.3:
        return
    dx = np.arange(window[2] - window[0], dtype=np.float32) + np.float32(
        canvas.left + window[0] + 0.5 - x0
    )
    dy = (
        np.arange(window[3] - window[1], dtype=np.float32)
        + np.float32(canvas.top + window[1] + 0.5 - y0)
    )[:, None]
    inverse = left_vectors.T / sizes[:, None]
    first = dx * np.float32(inverse[0, 0]) + dy * np.float32(inverse[0, 1])
    second = dx * np.float32(inverse[1, 0]) + dy * np.float32(inverse[1, 1])
    radius2 = first * first + second * second
    facing = np.sqrt(np.maximum(1 - radius2, 0))
    normal = [
        first * right_vectors[0, axis] + second * right_vectors[1, axis] + facing * toward[axis]
        for axis in range(3)
    ]
    cover = np.clip((1 - np.sqrt(radius2)) * np.float32(sizes[1]) + 0.5, 0, 1)
    if lowest > -1:
        cover *= np.clip((normal[1] - lowest) * np.float32(sizes[1]) + 0.5, 0, 1)
    rows, columns = skin.texture.shape[:2]
    map_x = cv2.phase(normal[2], normal[0])
    map_x = (map_x * np.float32(columns / (2 * math.pi)) + np.float32(columns / 2)) % columns
    map_y = np.arccos(np.clip(normal[1], -1, 1)) * np.float32((rows - 1) / math.pi)
    colours = cv2.remap(
        skin.texture, map_x - np.float32(0.5), map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    world = half_axes / np.maximum(np.linalg.norm(half_axes, axis=1, keepdims=True), 1e-6)
    weights = world @ light.direction
    lit = normal[0] * weights[0] + normal[1] * weights[1] + normal[2] * weights[2]
    lit = light.ambient + (1 - light.ambient) * np.maximum(lit + np.float32(0.35), 0)
    lit *= np.float32(0.75) + np.float32(0.25) * facing
    _finish(canvas, window, cover, colours, lit.astype(np.float32), light, skin.label)
