"""The empty store: a room of flat surfaces, seen once per run through the simulated camera."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from edge_app.capture.simulated import surfaces
from edge_app.capture.simulated.camera import Camera
from edge_app.capture.simulated.cloth import Floats, UInt8
from edge_app.capture.simulated.layout import Layout

_FAR_M = np.float32(1e6)


@dataclass(frozen=True)
class Block:
    """An axis-parallel box: low and high corner in world metres, and its surface."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    texture: UInt8
    span_m: float


@dataclass(frozen=True, eq=False)
class _Plane:
    """An axis-parallel plane, or a rectangle of it.

    Attributes:
        axis: 0, 1 or 2: the axis that the plane is across.
        at_m: where on that axis.
        texture: its surface, repeated.
        span_m: how many metres the texture covers.
        gain: brightness.
        limits: low and high of the other two axes, in order; None for an endless plane.
        hides: whether people behind it are hidden.
        hole: low x, high x and height of an opening (a door) in a plane across z.
    """

    axis: int
    at_m: float
    texture: UInt8
    span_m: float
    gain: float = 1.0
    limits: tuple[float, float, float, float] | None = None
    hides: bool = False
    hole: tuple[float, float, float] | None = None


@dataclass(frozen=True, eq=False)
class Background:
    """The empty scene.

    Attributes:
        colours: float32 [H, W, 3] BGR, 0..255, before light and tone.
        cover_range_m: float32 [H, W]: distance over the ground from the camera to furniture and to
            the door's wall, which hide people behind them; very far elsewhere.
    """

    colours: Floats
    cover_range_m: Floats


def build_background(layout: Layout, rng: np.random.Generator) -> Background:
    """Furnish the store and look at it; twice as fine, then halved, against jagged edges."""
    camera = layout.camera
    fine = 2 if camera.width * camera.height <= 700_000 else 1
    caster = _Caster(replace(camera, width=camera.width * fine, height=camera.height * fine))
    back_z = _shell(caster, layout, rng)
    for block in _furniture(layout, rng, back_z):
        caster.block(block)
    size = (camera.width, camera.height)
    colours = cv2.resize(caster.colours, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(caster.cover, size, interpolation=cv2.INTER_NEAREST)
    return Background(np.asarray(colours, np.float32), np.asarray(cover, np.float32))


class _Caster:
    """Finds what each pixel's ray meets first."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._rays = camera.rays()
        shape = self._rays.shape[:2]
        self._depth = np.full(shape, _FAR_M, np.float32)
        self.cover = np.full(shape, _FAR_M, np.float32)
        self.colours = np.full((*shape, 3), 120, np.float32)

    def paint(self, plane: _Plane) -> None:
        """Paint a plane where it is nearer than what was painted before."""
        part = self._window(plane)
        if part is None:
            return
        rays, nearest = self._rays[part], self._depth[part]
        first, second = [axis for axis in range(3) if axis != plane.axis]
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = (np.float32(plane.at_m) - self._camera.position[plane.axis]) / rays[
                :, :, plane.axis
            ]
            one = self._camera.position[first] + depth * rays[:, :, first]
            two = self._camera.position[second] + depth * rays[:, :, second]
        hit = (depth > 0.05) & (depth < nearest)
        if plane.limits is not None:
            low_1, high_1, low_2, high_2 = plane.limits
            hit &= (one >= low_1) & (one <= high_1) & (two >= low_2) & (two <= high_2)
        if plane.hole is not None:
            low_x, high_x, high_y = plane.hole
            hit &= ~((one > low_x) & (one < high_x) & (two < high_y))
        if not hit.any():
            return
        across, down = (one, two) if plane.axis != 0 else (two, one)
        scale = np.float32(plane.texture.shape[0] / plane.span_m)
        sign = np.float32(1 if plane.axis == 1 else -1)
        map_x = np.where(hit, across * scale, 0) % plane.texture.shape[1]
        map_y = np.where(hit, sign * down * scale, 0) % plane.texture.shape[0]
        seen = cv2.remap(plane.texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        self.colours[part][hit] = seen[hit] * np.float32(plane.gain)
        nearest[hit] = depth[hit]
        level = np.hypot(rays[:, :, 0][hit], rays[:, :, 2][hit])
        self.cover[part][hit] = depth[hit] * level if plane.hides else _FAR_M

    def _window(self, plane: _Plane) -> tuple[slice, slice] | None:
        """Rows and columns that a rectangle can be seen in; None if in none."""
        height, width = self._camera.height, self._camera.width
        if plane.limits is None:
            return slice(0, height), slice(0, width)
        first, second = [axis for axis in range(3) if axis != plane.axis]
        corners = np.empty((4, 3))
        corners[:, plane.axis] = plane.at_m
        corners[:, first] = np.repeat(plane.limits[:2], 2)
        corners[:, second] = np.tile(plane.limits[2:], 2)
        seen = self._camera.project(corners)
        if float(seen[:, 2].min()) < 0.1:
            return slice(0, height), slice(0, width)
        low, high = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
        left, top = max(int(low[0]) - 1, 0), max(int(low[1]) - 1, 0)
        right, bottom = min(int(high[0]) + 2, width), min(int(high[1]) + 2, height)
        return (slice(top, bottom), slice(left, right)) if right > left and bottom > top else None

    def block(self, block: Block) -> None:
        """Paint the sides of a box that can face the camera."""
        (x0, y0, z0), (x1, y1, z1) = block.low, block.high
        for axis, at_m, limits, gain in (
            (2, z0, (x0, x1, y0, y1), 1.0),
            (0, x0, (y0, y1, z0, z1), 0.78),
            (0, x1, (y0, y1, z0, z1), 0.78),
            (1, y1, (x0, x1, z0, z1), 1.15),
        ):
            self.paint(_Plane(axis, at_m, block.texture, block.span_m, gain, limits, hides=True))


def _shell(caster: _Caster, layout: Layout, rng: np.random.Generator) -> float:
    """Floor, ceiling and walls; returns where the wall opposite the camera stands."""
    floor, span_m = surfaces.floor_texture(rng)
    ceiling_m = max(layout.camera.height_m + 0.25, rng.uniform(2.7, 3.8))
    back_z = layout.aisles_z_m[-1] + rng.uniform(1.3, 3.0)
    if layout.view == "facing":
        back_z = layout.door_z_m
    wide = rng.uniform(9.0, 12.0)
    wall = surfaces.wall_texture(rng)
    caster.paint(_Plane(1, 0.0, floor, span_m))
    caster.paint(_Plane(1, ceiling_m, surfaces.box_texture(rng), 6.0, 0.95))
    caster.paint(_Plane(0, -wide, wall, 4.0, 0.9))
    caster.paint(_Plane(0, wide, wall, 4.0, 0.9))
    if rng.random() < 0.5:
        half = layout.lane_half_width_m + 0.2
        near, far = sorted((layout.line_z_m - 1.2 * layout.inward, layout.line_z_m))
        mat = (surfaces.box_texture(rng) * 0.45).astype(np.uint8)
        caster.paint(_Plane(1, 0.006, mat, 3.0, 1.0, (-half, half, near - 0.2, far - 0.2)))
    hole = None
    if layout.view == "facing":
        half = layout.lane_half_width_m + 0.45
        hole = (-half, half, rng.uniform(2.15, 2.5))
        caster.paint(
            _Plane(2, back_z + 9.0, surfaces.street_texture(rng), 7.0, 1.1, (-30.0, 30.0, 0.0, 9.0))
        )
        pavement, pavement_m = surfaces.floor_texture(rng)
        caster.paint(
            _Plane(1, 0.004, pavement, pavement_m, 1.1, (-30.0, 30.0, back_z, back_z + 20.0))
        )
    caster.paint(
        _Plane(
            2,
            back_z,
            wall if rng.random() < 0.7 else surfaces.wall_texture(rng),
            4.0,
            1.0,
            hides=layout.view == "facing",
            hole=hole,
        )
    )
    return back_z


def _furniture(layout: Layout, rng: np.random.Generator, back_z: float) -> list[Block]:
    """Shelves along the far wall, beside the way in and at the sides; never in the way."""
    found: list[Block] = []
    shelves = [
        surfaces.rail_texture(rng) if rng.random() < 0.4 else surfaces.shelf_texture(rng)
        for _ in range(4)
    ]

    def shelf(low_x: float, high_x: float, near_z: float, far_z: float, tall: float) -> None:
        texture = shelves[int(rng.integers(4))]
        found.append(Block((low_x, 0.0, near_z), (high_x, tall, far_z), texture, 2.0))

    if layout.view == "facing":
        half = layout.lane_half_width_m + 0.45
        frame = surfaces.box_texture(rng)
        for side in (-1, 1):
            post = sorted((side * half, side * (half + 0.12)))
            found.append(Block((post[0], 0, back_z - 0.08), (post[1], 2.4, back_z), frame, 3.0))
            if rng.random() < 0.8:
                ends = sorted((side * (half + rng.uniform(0.3, 1.2)), side * (half + 4.5)))
                shelf(ends[0], ends[1], back_z - 0.55, back_z - 0.02, rng.uniform(1.0, 2.2))
        return found
    start = -10.0
    while start < 9.0:
        wide = float(rng.uniform(0.8, 3.0))
        if rng.random() < 0.6:
            shelf(start, start + wide, back_z - 0.5, back_z - 0.02, rng.uniform(0.9, 2.3))
        start += wide + float(rng.uniform(0.0, 1.2))
    for near, far in zip(layout.aisles_z_m[:-1], layout.aisles_z_m[1:], strict=True):
        if far - near < 1.9:
            continue
        for side in (-1, 1):
            if rng.random() < 0.6:
                ends = sorted((side * rng.uniform(2.2, 3.2), side * rng.uniform(4.5, 7.0)))
                shelf(ends[0], ends[1], near + 0.75, far - 0.75, rng.uniform(0.8, 1.5))
    return found
