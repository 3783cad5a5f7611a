"""Colours, weaves and folds: the surfaces that garments, skin and hair are painted from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
Bgr = tuple[float, float, float]

COLOURS: dict[str, tuple[Bgr, ...]] = {
    "black": ((22, 20, 20), (34, 30, 30), (40, 38, 42)),
    "white": ((236, 238, 240), (222, 228, 232), (244, 240, 236)),
    "grey": ((128, 126, 124), (92, 90, 90), (168, 168, 166), (70, 68, 66)),
    "red": ((38, 32, 170), (50, 40, 200), (40, 30, 120)),
    "orange": ((40, 110, 220), (50, 130, 210)),
    "yellow": ((60, 190, 225), (90, 200, 230), (50, 160, 200)),
    "green": ((70, 110, 50), (60, 86, 64), (96, 140, 80), (50, 70, 60)),
    "blue": ((150, 90, 40), (120, 60, 30), (190, 130, 70), (70, 40, 26), (210, 170, 120)),
    "purple": ((120, 50, 90), (150, 90, 130), (80, 40, 66)),
    "pink": ((170, 140, 220), (190, 170, 225), (140, 90, 210)),
    "brown": ((40, 62, 96), (50, 80, 120), (36, 48, 70)),
    "beige": ((150, 180, 205), (170, 195, 215), (130, 160, 185)),
}
"""Colour names and their shades, BGR."""

SKIN: tuple[Bgr, ...] = (
    (180, 200, 232),
    (158, 182, 222),
    (140, 166, 212),
    (118, 148, 198),
    (96, 128, 180),
    (72, 100, 150),
    (56, 78, 118),
    (44, 60, 90),
)
HAIR: tuple[Bgr, ...] = (
    (18, 18, 20),
    (24, 26, 34),
    (30, 40, 60),
    (40, 60, 92),
    (70, 110, 150),
    (110, 160, 195),
    (44, 66, 112),
    (130, 132, 136),
    (196, 198, 200),
)


@dataclass(frozen=True)
class Cloth:
    """What a garment is made of.

    Attributes:
        name: colour name.
        bgr: its shade.
        second_bgr: the other colour of a pattern.
        weave: "plain", "melange", "across", "upright", "check", "dots", "floral", "denim",
            "knit", "leather", "quilt" or "tweed".
        size_m: size of the pattern's repeat.
    """

    name: str
    bgr: Bgr
    second_bgr: Bgr
    weave: str
    size_m: float


def pick_shade(rng: np.random.Generator, name: str) -> Bgr:
    """One shade of a named colour, a little varied."""
    shades = COLOURS[name]
    blue, green, red = shades[int(rng.integers(len(shades)))]
    gain = rng.uniform(0.85, 1.12)
    tint = rng.normal(0, 4, 3)
    return (
        float(np.clip(blue * gain + tint[0], 8, 250)),
        float(np.clip(green * gain + tint[1], 8, 250)),
        float(np.clip(red * gain + tint[2], 8, 250)),
    )


def pick_cloth(rng: np.random.Generator, names: tuple[str, ...], weaves: tuple[str, ...]) -> Cloth:
    """A cloth in one of the colours and weaves; repeats in the tuples weigh more."""
    name = names[int(rng.integers(len(names)))]
    others = tuple(
        other for other in ("white", "black", "blue", "red", "beige", "grey") if other != name
    )
    weave = weaves[int(rng.integers(len(weaves)))]
    return Cloth(
        name,
        pick_shade(rng, name),
        pick_shade(rng, others[int(rng.integers(len(others)))]),
        weave,
        float(rng.uniform(0.025, 0.07)),
    )


def noise(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int]) -> Floats:
    """Smooth noise of about unit strength that closes round the columns, float32 [rows, cols]."""
    rows, columns = max(cells[0], 2), max(cells[1], 2)
    grid = rng.normal(0, 1, (rows, columns)).astype(np.float32)
    grid = np.concatenate([grid, grid[:, :2]], axis=1)
    wide = cv2.resize(
        grid, (shape[1] * (columns + 2) // columns + 2, shape[0]), interpolation=cv2.INTER_CUBIC
    )
    return np.ascontiguousarray(wide[:, : shape[1]])


def weave_cloth(
    rng: np.random.Generator, cloth: Cloth, rows: int, columns: int, px_m: float
) -> Floats:
    """A sheet of cloth.

    Args:
        rng: for its irregularities.
        cloth: colours and pattern.
        rows: height in px.
        columns: width in px; the sheet closes round.
        px_m: px per metre.

    Returns:
        float32 [rows, columns, 3] BGR, 0..255.
    """
    base = np.empty((rows, columns, 3), np.float32)
    base[:] = cloth.bgr
    amount = _pattern(rng, cloth, rows, columns, px_m)
    if amount is not None:
        base += (np.array(cloth.second_bgr, np.float32) - base) * amount[:, :, None]
    grain = {"melange": 0.13, "tweed": 0.14, "denim": 0.08, "knit": 0.07}.get(cloth.weave, 0.03)
    base *= (1 + grain * rng.normal(0, 1, (rows, columns, 1))).astype(np.float32)
    if cloth.weave == "knit":
        base *= (1 + 0.07 * np.sin(np.arange(columns) * 2.1))[None, :, None].astype(np.float32)
    if cloth.weave == "leather":
        shine = np.maximum(noise(rng, (rows, columns), (rows // 10, columns // 8)), 0)
        base += 26 * shine[:, :, None]
    if cloth.weave == "quilt":
        wave = np.abs(np.sin(np.arange(rows) / px_m * np.pi / 0.085))[:, None, None]
        base *= (0.62 + 0.5 * wave).astype(np.float32)
    return base


def _pattern(
    rng: np.random.Generator, cloth: Cloth, rows: int, columns: int, px_m: float
) -> Floats | None:
    found: NDArray[Any]
    period = max(cloth.size_m * px_m, 3.0)
    turns = max(round(columns / period), 4)
    across = np.sin(np.arange(rows) * (2 * np.pi / period))[:, None]
    upright = np.sin(np.arange(columns) * (2 * np.pi * turns / columns))[None, :]
    if cloth.weave == "across":
        found = np.broadcast_to(across > 0.1, (rows, columns)) * 0.9
    elif cloth.weave == "upright":
        found = np.broadcast_to(upright > 0.55, (rows, columns)) * 0.75
    elif cloth.weave == "check":
        found = 0.4 * (across > 0.2) + 0.4 * (upright > 0.2)
    elif cloth.weave == "dots":
        found = (across * upright > 0.45) * 0.9
    elif cloth.weave == "floral":
        blots = noise(rng, (rows, columns), (int(rows / period * 1.5), int(turns * 1.5)))
        found = (blots > 0.75) * 0.95
    elif cloth.weave == "tweed":
        found = (across * upright > 0) * 0.16
    else:
        return None
    soft = cv2.GaussianBlur(np.ascontiguousarray(found, np.float32), (3, 3), 0.6)
    return np.asarray(soft, np.float32)


def fold(rng: np.random.Generator, sheet: Floats, strength: float, upright: bool = False) -> None:
    """Shade a sheet in place as if it fell in folds; upright ones for skirts and coats."""
    shape = sheet.shape[:2]
    if upright:
        soft = noise(rng, shape, (2, 14)) * 0.9 + noise(rng, shape, (3, 26)) * 0.5
        soft *= np.linspace(0.25, 1.25, shape[0], dtype=np.float32)[:, None]
    else:
        soft = noise(rng, shape, (7, 5)) * 0.7 + noise(rng, shape, (16, 9)) * 0.45
        soft = soft + noise(rng, shape, (5, 16)) * 0.45
    sheet *= np.clip(1 + strength * soft, 0.45, 1.5)[:, :, None]


def to_texture(sheet: NDArray[Any]) -> UInt8:
    """Round a sheet to a texture, uint8 [rows, columns, 3]."""
    return np.ascontiguousarray(np.clip(sheet, 0, 255).astype(np.uint8))
