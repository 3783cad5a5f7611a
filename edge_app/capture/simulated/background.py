"""The empty store: a room of flat surfaces, seen once per run through the simulated camera."""

from __future__ import annotations

from dataclasses import dataclass

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
    big = Camera(
        camera.width * fine,
        camera.height * fine,
        camera.x_m,
        camera.height_m,
        camera.z_m,
        camera.tilt_rad,
        camera.yaw_rad,
        camera.roll_rad,
        camera.vertical_view_rad,
    )
    caster = _Caster(big)
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

    def plane(
        self,
        axis: int,
        at_m: float,
        texture: UInt8,
        span_m: float,
        gain: float = 1.0,
        limits: tuple[float, float, float, float] | None = None,
        hides: bool = False,
        hole: tuple[float, float, float] | None = None,
    ) -> None:
        """Paint an axis-parallel plane, or a rectangle of it, where it is nearest.

        Args:
            axis: 0, 1 or 2: the axis that the plane is across.
            at_m: where on that axis.
            texture: its surface, repeated.
            span_m: how many metres the texture covers.
            gain: brightness.
            limits: low and high of the other two axes, in order; None for an endless plane.
            hides: whether people behind it are hidden.
            hole: low x, high x and height of an opening (a door) in a plane across z.
        """
        ray = self._rays[:, :, axis]
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = (np.float32(at_m) - self._camera.position[axis]) / ray
        first, second = [other for other in range(3) if other != axis]
        one = self._camera.position[first] + depth * self._rays[:, :, first]
        two = self._camera.position[second] + depth * self._rays[:, :, second]
        hit = (depth > 0.05) & (depth < self._depth)
        if limits is not None:
            hit &= (one >= limits[0]) & (one <= limits[1]) & (two >= limits[2]) & (two <= limits[3])
        if hole is not None:
            hit &= ~((one > hole[0]) & (one < hole[1]) & (two < hole[2]))
        rows = np.flatnonzero(hit.any(axis=1))
        if rows.size == 0:
            return
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        hit, one, two = hit[part], one[part], two[part]
        across, down = (one, two) if axis != 0 else (two, one)
        scale = np.float32(texture.shape[0] / span_m)
        sign = np.float32(1 if axis == 1 else -1)
        map_x = np.where(hit, across * scale, 0) % texture.shape[1]
        map_y = np.where(hit, sign * down * scale, 0) % texture.shape[0]
        seen = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        self.colours[part][hit] = seen[hit] * np.float32(gain)
        self._depth[part][hit] = depth[part][hit]
        level = np.hypot(self._rays[part][hit][:, 0], self._rays[part][hit][:, 2])
        self.cover[part][hit] = depth[part][hit] * level if hides else _FAR_M

    def block(self, block: Block) -> None:
        """Paint the sides of a box that can face the camera."""
        (x0, y0, z0), (x1, y1, z1) = block.low, block.high
        for axis, at_m, limits, gain in (
            (2, z0, (x0, x1, y0, y1), 1.0),
            (0, x0, (y0, y1, z0, z1), 0.78),
            (0, x1, (y0, y1, z0, z1), 0.78),
            (1, y1, (x0, x1, z0, z1), 1.15),
        ):
            self.plane(axis, at_m, block.texture, block.span_m, gain, limits, hides=True)


def _shell(caster: _Caster, layout: Layout, rng: np.random.Generator) -> float:
    """Floor, ceiling and walls; returns where the wall opposite the camera stands."""
    floor, span_m = surfaces.floor_texture(rng)
    ceiling_m = max(layout.camera.height_m + 0.25, rng.uniform(2.7, 3.8))
    back_z = layout.aisles_z_m[-1] + rng.uniform(1.3, 3.0)
    if layout.view == "facing":
        back_z = layout.door_z_m
    wide = rng.uniform(9.0, 12.0)
    wall = surfaces.wall_texture(rng)
    caster.plane(1, 0.0, floor, span_m)
    caster.plane(1, ceiling_m, surfaces.box_texture(rng), 6.0, 0.95)
    caster.plane(0, -wide, wall, 4.0, 0.9)
    caster.plane(0, wide, wall, 4.0, 0.9)
    if rng.random() < 0.5:
        half = layout.lane_half_width_m + 0.2
        near, far = sorted((layout.line_z_m - 1.2 * layout.inward, layout.line_z_m))
        mat = (surfaces.box_texture(rng) * 0.45).astype(np.uint8)
        caster.plane(1, 0.006, mat, 3.0, 1.0, (-half, half, near - 0.2, far - 0.2))
    hole = None
    if layout.view == "facing":
        half = layout.lane_half_width_m + 0.45
        hole = (-half, half, rng.uniform(2.15, 2.5))
        caster.plane(
            2, back_z + 9.0, surfaces.street_texture(rng), 7.0, 1.1, (-30.0, 30.0, 0.0, 9.0)
        )
        pavement, pavement_m = surfaces.floor_texture(rng)
        caster.plane(1, 0.004, pavement, pavement_m, 1.1, (-30.0, 30.0, back_z, back_z + 20.0))
    caster.plane(
        2,
        back_z,
        wall if rng.random() < 0.7 else surfaces.wall_texture(rng),
        4.0,
        1.0,
        hides=layout.view == "facing",
        hole=hole,
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
