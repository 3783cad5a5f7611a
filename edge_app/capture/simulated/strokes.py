"""Brush strokes for garment textures: necklines, seams, ribs, buttons, prints.

Places on a sheet are metres right of the front and metres down from the sheet's upper edge.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge_app.capture.simulated.cloth import Bgr, Cloth, Floats, noise

COLUMNS = 176
"""Texture px round the body."""
PX_M = 176.0
"""Texture px per metre down the body; round it, a circumference of a metre has as many."""
FRONT = COLUMNS // 2


def row_of(metres: float) -> int:
    """Metres down the body as texture rows."""
    return int(metres * PX_M)


def cut_neck(
    sheet: Floats, colour: Bgr, front_m: float, back_m: float, half_m: float, pointed: bool = False
) -> None:
    """Cut a neckline: bare skin (or what is worn below) above a curve round the neck."""
    away = np.abs(np.arange(sheet.shape[1]) - FRONT) / PX_M
    part = np.clip(1 - away / half_m, 0, 1)
    depth = back_m + (front_m - back_m) * (part if pointed else np.sqrt(part * (2 - part)))
    inside = np.arange(sheet.shape[0])[:, None] < depth[None, :] * PX_M
    sheet[inside] = colour
    rim = np.abs(np.arange(sheet.shape[0])[:, None] - depth[None, :] * PX_M) < 1.2
    sheet[rim] *= 0.72


def rib(sheet: Floats, first: int, last: int) -> None:
    """Knit ribs over some rows, in place."""
    wave = (0.84 + 0.1 * (np.arange(sheet.shape[1]) % 4 < 2)).astype(np.float32)
    sheet[max(first, 0) : max(last, 0)] *= wave[None, :, None]


def darker(colour: Bgr, factor: float) -> Bgr:
    """A colour times a factor."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def lighter(colour: Bgr) -> Bgr:
    """A colour as the facing side of a lapel shows it."""
    return tuple(min(value * 1.1 + 7, 252) for value in colour)  # type: ignore[return-value]


def draw_line(
    sheet: Floats, start: tuple[float, float], end: tuple[float, float], colour: Bgr, thick: int = 1
) -> None:
    """A line between (metres right of the front, metres down)."""
    cv2.line(
        sheet,
        (FRONT + row_of(start[0]), row_of(start[1])),
        (FRONT + row_of(end[0]), row_of(end[1])),
        colour,
        thick,
        cv2.LINE_AA,
    )


def draw_buttons(
    sheet: Floats, first_m: float, last_m: float, count: int, colour: Bgr, side_m: float = 0.0
) -> None:
    """Buttons one below the other, all places in metres."""
    for place in np.linspace(first_m, last_m, count):
        cv2.circle(
            sheet, (FRONT + row_of(side_m), row_of(float(place))), 1, colour, -1, cv2.LINE_AA
        )


def draw_print(rng: np.random.Generator, sheet: Floats, cloth: Cloth) -> None:
    """A print on the chest: a block of a few blots or bars."""
    colour = rng.uniform(20, 240, 3)
    middle, wide, tall = row_of(0.24), int(rng.integers(10, 22)), int(rng.integers(6, 20))
    patch = sheet[middle - tall // 2 : middle + tall // 2, FRONT - wide : FRONT + wide]
    if patch.shape[0] < 4:
        return
    if rng.random() < 0.5:
        mask = noise(rng, patch.shape[:2], (4, 6)) > rng.uniform(-0.5, 0.4)
    else:
        mask = (np.arange(patch.shape[0]) % 6 < 3)[:, None] & (
            rng.random((1, patch.shape[1])) < 0.75
        )
    patch[np.broadcast_to(mask, patch.shape[:2])] = colour * 0.8 + 0.2 * np.array(cloth.bgr)
