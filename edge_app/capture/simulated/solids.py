"""What simulated people are made of: textured, shaded tubes and ellipsoids, and where they go.

A tube is a straight axis with elliptic cross-sections whose radii change along it (a trunk, a
skirt, a shin). Its picture is computed per pixel: position along and across the projected axis give
the place on the surface, hence its texture and its normal. This needs no meshes and no z-buffer:
the caller draws from back to front. All on small windows of float32 numbers, since this runs for
some twenty solids per person and frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.capture.simulated.cloth import Floats, UInt8

Vector = tuple[float, float, float]
Window = tuple[int, int, int, int]
"""x1, y1, x2, y2 within a canvas, px; x2 and y2 exclusive."""

STEPS = 128
"""Samples of a tube's radii along its axis."""


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

    @cached_property
    def is_veiled(self) -> bool:
        """Whether there is any haze."""
        return bool(self.veil_bgr.any())

    @cached_property
    def towards(self) -> Vector:
        """``direction`` as plain numbers."""
        x, y, z = self.direction.tolist()
        return x, y, z


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
        is_open: the first end has no lid, because something else goes through it.
    """

    side_m: Floats
    front_m: Floats
    skin: Skin
    rows: tuple[float, float] = (0.0, 1.0)
    round_ends: tuple[float, float] = (0.0, 0.0)
    is_open: bool = False
    mean_side_m: float = field(init=False)
    mean_front_m: float = field(init=False)
    glow: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Work out once what every frame needs."""
        object.__setattr__(self, "mean_side_m", float(self.side_m.mean()))
        object.__setattr__(self, "mean_front_m", float(self.front_m.mean()))
        # Surfaces that widen downwards look up and are brighter.
        slope = np.clip(np.gradient(self.side_m + self.front_m) * STEPS, -1.0, 1.6)
        object.__setattr__(self, "glow", (1 + 0.22 * slope).astype(np.float32))


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

    def window(self, box: tuple[float, float, float, float]) -> Window | None:
        """The part of a picture box inside this window, in its own pixels; None if empty."""
        height, width = self.colours.shape[:2]
        x1 = max(int(box[0]) - self.left - 1, 0)
        y1 = max(int(box[1]) - self.top - 1, 0)
        x2 = min(int(box[2]) - self.left + 2, width)
        y2 = min(int(box[3]) - self.top + 2, height)
        return (x1, y1, x2, y2) if x2 > x1 and y2 > y1 else None

    def blend(self, window: Window, cover: Floats, colours: Floats, label: int) -> None:
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
        # Merged, since NumPy is slow at broadcasting over an innermost axis of three.
        colours *= cv2.merge((cover, cover, cover))
        below += colours
        if self.labels is not None:
            self.labels[y1:y2, x1:x2][cover > 0.5] = label


def dot(one: Vector, two: Vector) -> float:
    """Scalar product."""
    return one[0] * two[0] + one[1] * two[1] + one[2] * two[2]


def unit(vector: Vector) -> Vector:
    """The vector scaled to length 1."""
    size = max(math.sqrt(dot(vector, vector)), 1e-6)
    return vector[0] / size, vector[1] / size, vector[2] / size


def paint(
    canvas: Canvas,
    window: Window,
    cover: Floats,
    texture: NDArray[Any],
    lit: Floats,
    light: Light,
    label: int,
) -> None:
    """Light a surface and lay it over a canvas.

    Args:
        canvas: what to draw on.
        window: where.
        cover: float32 [h, w], share of each pixel that the surface covers.
        texture: uint8 [h, w, 3], the unlit surface.
        lit: float32 [h, w], how much light it gets.
        light: brightness, tint and haze at this place.
        label: see :class:`Skin`.
    """
    blue, green, red = (lit * gain for gain in light.gain_bgr)
    colours = np.asarray(
        cv2.multiply(texture, cv2.merge((blue, green, red)), dtype=cv2.CV_32F), np.float32
    )
    if light.is_veiled:
        colours += light.veil_bgr
    canvas.blend(window, cover, colours, label)
