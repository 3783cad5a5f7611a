"""Bodies: proportions, skin, hair, and the head's surface."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.capture.simulated.cloth import HAIR, SKIN, Bgr, Floats, UInt8, noise, to_texture

# Half-widths and half-depths of the trunk at heights, all as shares of the standing height.
_HEIGHTS = np.array(
    [0.44, 0.48, 0.53, 0.58, 0.63, 0.68, 0.74, 0.78, 0.80, 0.815, 0.828, 0.842, 0.87]
)
_SIDE_MAN = np.array(
    [0.09, 0.096, 0.094, 0.089, 0.087, 0.093, 0.102, 0.111, 0.117, 0.113, 0.09, 0.055, 0.034]
)
_SIDE_WOMAN = np.array(
    [0.092, 0.102, 0.1, 0.088, 0.075, 0.08, 0.088, 0.096, 0.102, 0.099, 0.078, 0.046, 0.03]
)
_FRONT_MAN = np.array(
    [0.06, 0.064, 0.064, 0.06, 0.06, 0.066, 0.07, 0.064, 0.056, 0.05, 0.045, 0.04, 0.034]
)
_FRONT_WOMAN = np.array(
    [0.062, 0.07, 0.068, 0.058, 0.054, 0.06, 0.069, 0.061, 0.053, 0.046, 0.041, 0.037, 0.03]
)
HAIR_STYLES = ("short", "bob", "long", "ponytail", "bun", "bald", "cap")


@dataclass(frozen=True)
class Body:
    """One person's body.

    Attributes:
        height_m: standing height.
        feminine: proportions of a woman.
        girth: factor on the trunk's radii, around 1.
        skin: BGR.
        hair: BGR.
        style: one of ``HAIR_STYLES``.
        cap: BGR of a cap or hat.
        beard: 0 to 1.
        arm_bend_rad: how far the elbows are bent while walking.
        holding: arm held in front ("left", "right", "both" or ""), as with a phone or a bag.
        stride: factor on the arm and leg swing.
    """

    height_m: float
    feminine: bool
    girth: float
    skin: Bgr
    hair: Bgr
    style: str
    cap: Bgr
    beard: float
    arm_bend_rad: float
    holding: str
    stride: float

    def trunk_m(self, heights: NDArray[np.floating]) -> tuple[Floats, Floats]:
        """Half-width and half-depth of the trunk at heights given as shares of the body's."""
        side = _SIDE_WOMAN if self.feminine else _SIDE_MAN
        front = _FRONT_WOMAN if self.feminine else _FRONT_MAN
        thick = np.where(heights < 0.8, self.girth, 0.5 + 0.5 * self.girth) * self.height_m
        return (
            (np.interp(heights, _HEIGHTS, side) * thick).astype(np.float32),
            (np.interp(heights, _HEIGHTS, front) * thick * self.girth).astype(np.float32),
        )


def draw_body(rng: np.random.Generator, feminine: bool) -> Body:
    """Draw a body."""
    tall = rng.normal(1.65, 0.06) if feminine else rng.normal(1.77, 0.065)
    skin = SKIN[int(rng.choice(len(SKIN), p=[0.16, 0.2, 0.2, 0.14, 0.1, 0.08, 0.07, 0.05]))]
    hair = HAIR[int(rng.choice(len(HAIR), p=[0.2, 0.18, 0.18, 0.14, 0.1, 0.07, 0.04, 0.06, 0.03]))]
    chances = (
        [0.12, 0.22, 0.36, 0.14, 0.1, 0.0, 0.06]
        if feminine
        else [0.72, 0.04, 0.02, 0.01, 0.01, 0.1, 0.1]
    )
    cap = [(30, 30, 30), (110, 70, 30), (60, 60, 150), (150, 180, 200), (60, 80, 50)]
    return Body(
        height_m=float(np.clip(tall, 1.48, 1.95)),
        feminine=feminine,
        girth=float(np.clip(rng.normal(1.03, 0.11), 0.85, 1.35)),
        skin=skin,
        hair=hair,
        style=str(rng.choice(HAIR_STYLES, p=chances)),
        cap=cap[int(rng.integers(len(cap)))],
        beard=float(rng.random()) if not feminine and rng.random() < 0.35 else 0.0,
        arm_bend_rad=float(rng.uniform(0.15, 0.5)),
        holding=str(rng.choice(["", "left", "right", "both"], p=[0.68, 0.11, 0.13, 0.08])),
        stride=float(rng.uniform(0.85, 1.15)),
    )


def skin_texture(rng: np.random.Generator, colour: Bgr) -> UInt8:
    """Bare skin, uint8 [64, 32, 3]."""
    sheet = np.empty((64, 32, 3), np.float32)
    sheet[:] = colour
    sheet *= (1 + 0.05 * noise(rng, (64, 32), (6, 5)))[:, :, None]
    return to_texture(sheet)


def hair_texture(rng: np.random.Generator, colour: Bgr) -> UInt8:
    """Strands of hair with a soft shine, uint8 [64, 96, 3]."""
    sheet = np.empty((64, 96, 3), np.float32)
    sheet[:] = colour
    strands = noise(rng, (64, 96), (3, 40)) * 0.16 + noise(rng, (64, 96), (4, 12)) * 0.14
    sheet *= np.clip(1 + strands, 0.5, 1.6)[:, :, None]
    shine = np.exp(-(((np.arange(64) - 16) / 9.0) ** 2)).astype(np.float32)
    sheet += 16 * shine[:, None, None] * np.clip(1 + strands, 0, 2)[:, :, None]
    return to_texture(sheet)


def head_texture(rng: np.random.Generator, body: Body) -> UInt8:
    """A head unrolled, uint8 [96, 128, 3]: crown above, chin below, face in the middle."""
    rows, columns = 96, 128
    sheet = np.empty((rows, columns, 3), np.float32)
    sheet[:] = body.skin
    sheet *= (1 + 0.03 * noise(rng, (rows, columns), (8, 10)))[:, :, None]
    _face(sheet, body)
    longitude = np.abs(np.linspace(-180, 180, columns))
    # Where the hair ends, in degrees above the ears' height: high over the face, low behind.
    edge = np.interp(longitude, [0, 28, 48, 66, 85, 110, 180], [38, 36, 22, 2, -12, -38, -48])
    if body.style == "bald":
        edge = np.interp(longitude, [0, 60, 85, 120, 180], [95, 95, 20, 14, 12])
    latitude = np.linspace(90, -90, rows)
    amount = np.clip((latitude[:, None] - edge[None, :]) / 5 + 0.5, 0, 1).astype(np.float32)
    if body.style == "bald":
        amount *= np.clip((42 - latitude) / 8, 0, 1).astype(np.float32)[:, None]
    hair = cv2.resize(
        hair_texture(rng, body.cap if body.style == "cap" else body.hair), (columns, rows)
    ).astype(np.float32)
    sheet += (hair - sheet) * amount[:, :, None]
    return to_texture(cv2.GaussianBlur(sheet, (3, 3), 0.7))


def _face(sheet: Floats, body: Body) -> None:
    dark = tuple(value * 0.32 for value in body.skin)
    shade = tuple(value * 0.72 for value in body.skin)
    red = (body.skin[0] * 0.62, body.skin[1] * 0.58, body.skin[2] * 0.88)
    brow = tuple(0.6 * one + 0.25 * two for one, two in zip(body.hair, body.skin, strict=True))
    for side in (-1, 1):
        column = 64 + side * 8
        cv2.ellipse(sheet, (column, 44), (5, 3), 0, 0, 360, shade, -1, cv2.LINE_AA)
        cv2.ellipse(sheet, (column, 45), (3, 1), 0, 0, 360, (205, 208, 212), -1, cv2.LINE_AA)
        cv2.circle(sheet, (column, 45), 1, dark, -1, cv2.LINE_AA)
        cv2.line(sheet, (column - 4, 39), (column + 4, 39), brow, 1, cv2.LINE_AA)
        cv2.ellipse(sheet, (64 + side * 32, 49), (3, 7), 0, 0, 360, shade, 1, cv2.LINE_AA)
    cv2.ellipse(sheet, (64, 57), (4, 2), 0, 0, 360, shade, -1, cv2.LINE_AA)
    light = tuple(min(value * 1.12, 255) for value in body.skin)
    cv2.line(sheet, (64, 46), (64, 55), light, 2, cv2.LINE_AA)
    cv2.ellipse(sheet, (64, 65), (6, 1), 0, 0, 360, red, -1, cv2.LINE_AA)
    cv2.ellipse(sheet, (64, 74), (14, 3), 0, 0, 360, shade, -1, cv2.LINE_AA)
    if body.beard > 0:
        below = np.zeros(sheet.shape[:2], np.float32)
        cv2.ellipse(below, (64, 72), (24, 15), 0, 0, 360, 1.0, -1)
        cv2.ellipse(below, (64, 60), (14, 8), 0, 0, 360, 0.0, -1)
        below = cv2.GaussianBlur(below, (7, 7), 2) * (0.35 + 0.5 * body.beard)
        sheet += (np.array(body.hair, np.float32) - sheet) * below[:, :, None]
