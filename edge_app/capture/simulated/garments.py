"""What each category looks like, unrolled: trunk, sleeves, hips and legs as textures.

Sheets go round the body as described by :class:`~edge_app.capture.simulated.solids.Skin`: the
front is the middle column. Lengths are in metres from the neck (trunk), the waist (hips) or the
hip joint (legs).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge_app.capture.simulated.body import Body
from edge_app.capture.simulated.cloth import (
    Bgr,
    Cloth,
    Floats,
    UInt8,
    fold,
    noise,
    to_texture,
    weave_cloth,
)
from edge_app.capture.simulated.wardrobe import Outfit

COLUMNS = 176
PX_M = 176.0
"""Texture px per metre down the body; round it, a circumference of a metre has as many."""
FRONT = COLUMNS // 2


@dataclass(frozen=True)
class Cut:
    """The trunk garment's geometry, heights as shares of the body's.

    Attributes:
        hem: height of its lower edge.
        flare_m: how much wider than the hips the hem is, per side.
        collar_m: height of a collar that stands round the neck; 0 for none.
    """

    hem: float
    flare_m: float
    collar_m: float


def cut_of(outfit: Outfit) -> Cut:
    """Where the garment on the trunk ends and how it falls."""
    length, cut = outfit.length, outfit.cut
    return {
        "tshirt": Cut(0.5 - 0.04 * length, 0.012, 0.025 if cut > 0.75 else 0.0),
        "shirt": Cut(0.52 - 0.07 * length, 0.015, 0.035),
        "top": Cut(0.6 - 0.09 * length, 0.006, 0.0),
        "sweater": Cut(
            0.5 - (0.05 if cut < 0.72 else 0.13) * length, 0.012, 0.06 if 0.5 < cut < 0.66 else 0.0
        ),
        "hoodie": Cut(0.49 - 0.03 * length, 0.006, 0.035),
        "blazer": Cut(0.47 - 0.03 * length, 0.022, 0.03),
        "jacket": Cut(0.52 - 0.06 * length, 0.008, 0.045),
        "coat": Cut(0.4 - 0.14 * length, 0.05, 0.045),
        "suit": Cut(0.46 - 0.02 * length, 0.022, 0.032),
        "dress": Cut(0.36 - 0.18 * length, 0.05 + 0.16 * cut, 0.0),
        "jumpsuit": Cut(0.47, 0.0, 0.03 if cut > 0.6 else 0.0),
    }[outfit.upper]


def trunk_texture(
    rng: np.random.Generator, outfit: Outfit, body: Body, top: float, cut: Cut
) -> UInt8:
    """The garment on the trunk, from the neck (height ``top``) to its hem."""
    length_m = (top - cut.hem) * body.height_m
    rows = max(int(length_m * PX_M), 24)
    sheet = weave_cloth(rng, outfit.cloth, rows, COLUMNS, PX_M)
    waist = int((top - 0.62) * body.height_m * PX_M)
    upright = outfit.upper in ("dress", "coat")
    if upright and waist < rows - 8:
        fold(rng, sheet[:waist], 0.08)
        fold(rng, sheet[waist:], 0.13 if outfit.upper == "dress" else 0.07, upright=True)
    else:
        fold(rng, sheet, 0.055 if outfit.upper in ("blazer", "suit") else 0.1)
    sheet[int(rows * 0.75) :] *= np.linspace(1, 0.9, rows - int(rows * 0.75), dtype=np.float32)[
        :, None, None
    ]
    painter = {
        "tshirt": _tshirt,
        "shirt": _shirt,
        "top": _top,
        "sweater": _sweater,
        "hoodie": _hoodie,
        "blazer": _tailored,
        "suit": _tailored,
        "coat": _tailored,
        "jacket": _jacket,
        "dress": _dress,
        "jumpsuit": _jumpsuit,
    }[outfit.upper]
    painter(rng, sheet, outfit, body)
    sheet[-2:] *= 0.72
    return to_texture(sheet)


def _row(metres: float) -> int:
    return int(metres * PX_M)


def _neck(
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


def _rib(sheet: Floats, first: int, last: int) -> None:
    wave = (0.84 + 0.1 * (np.arange(sheet.shape[1]) % 4 < 2)).astype(np.float32)
    sheet[max(first, 0) : max(last, 0)] *= wave[None, :, None]


def _darker(colour: Bgr, factor: float) -> Bgr:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _line(
    sheet: Floats, start: tuple[float, float], end: tuple[float, float], colour: Bgr, thick: int = 1
) -> None:
    """A line between (metres right of the front, metres down)."""
    cv2.line(
        sheet,
        (FRONT + _row(start[0]), _row(start[1])),
        (FRONT + _row(end[0]), _row(end[1])),
        colour,
        thick,
        cv2.LINE_AA,
    )


def _buttons(
    sheet: Floats, first_m: float, last_m: float, count: int, colour: Bgr, side_m: float = 0.0
) -> None:
    for place in np.linspace(first_m, last_m, count):
        cv2.circle(sheet, (FRONT + _row(side_m), _row(float(place))), 1, colour, -1, cv2.LINE_AA)


def _print(rng: np.random.Generator, sheet: Floats, cloth: Cloth) -> None:
    """A print on the chest: a block of a few blots or bars."""
    colour = rng.uniform(20, 240, 3)
    middle, wide, tall = _row(0.24), int(rng.integers(10, 22)), int(rng.integers(6, 20))
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


def _tshirt(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    if outfit.cut > 0.75:  # a polo shirt
        _line(sheet, (0, 0.03), (0, 0.2), _darker(outfit.cloth.bgr, 0.7))
        _buttons(sheet, 0.07, 0.18, 3, (225, 225, 225))
        return
    if rng.random() < 0.4:
        _print(rng, sheet, outfit.cloth)
    _neck(sheet, body.skin, 0.065 + 0.05 * outfit.cut, 0.03, 0.13, pointed=outfit.cut > 0.6)


def _shirt(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    open_m = 0.05 + 0.06 * outfit.cut
    _neck(sheet, body.skin, open_m, 0.0, 0.05, pointed=True)
    for side in (-0.011, 0.011):
        _line(sheet, (side, open_m), (side, sheet.shape[0] / PX_M), _darker(outfit.cloth.bgr, 0.8))
    _buttons(
        sheet,
        open_m + 0.03,
        sheet.shape[0] / PX_M - 0.06,
        6,
        _darker(outfit.cloth.bgr, 0.5) if sum(outfit.cloth.bgr) > 380 else (220, 220, 220),
    )
    seam = _darker(outfit.cloth.bgr, 0.78)
    for shift in (-COLUMNS // 2, COLUMNS // 2):
        cv2.line(sheet, (FRONT + shift - 40, _row(0.11)), (FRONT + shift + 40, _row(0.11)), seam, 1)
    if outfit.length > 0.4:
        cv2.rectangle(
            sheet,
            (FRONT + _row(0.06), _row(0.2)),
            (FRONT + _row(0.14), _row(0.3)),
            seam,
            1,
            cv2.LINE_AA,
        )
    if rng.random() < 0.5 and not outfit.feminine:
        _line(sheet, (-0.05, 0.02), (0.0, open_m + 0.02), _darker(outfit.cloth.bgr, 0.7))


def _top(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    straps = outfit.cut < 0.6
    bare = 0.115 if straps else 0.07
    _neck(sheet, body.skin, bare + 0.08, bare + (0.06 if straps else 0.0), 0.2)
    columns = np.abs(np.abs(np.arange(COLUMNS) - FRONT) - COLUMNS * 0.13)
    behind = np.abs(np.abs(np.arange(COLUMNS) - FRONT) - COLUMNS * 0.37)
    half = 2.2 if straps else 7.0
    strap = (columns < half) | (behind < half)
    sheet[: _row(bare + 0.08), strap] = outfit.cloth.bgr
    if rng.random() < 0.3:
        _print(rng, sheet, outfit.cloth)


def _sweater(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    _rib(sheet, sheet.shape[0] - _row(0.055), sheet.shape[0])
    if outfit.cut >= 0.72:  # a cardigan, open or buttoned
        half = _row(0.015 + 0.05 * (outfit.cut - 0.72) / 0.28)
        inner = weave_cloth(rng, outfit.inner_cloth, sheet.shape[0], COLUMNS, PX_M)
        sheet[:, FRONT - half : FRONT + half] = inner[:, FRONT - half : FRONT + half]
        for edge in (FRONT - half, FRONT + half):
            sheet[:, edge - 2 : edge + 2] *= 0.75
        _neck(sheet, body.skin, 0.09, 0.02, 0.07, pointed=True)
    elif outfit.cut < 0.5 or outfit.cut > 0.66:
        _neck(sheet, body.skin, 0.05, 0.025, 0.1, pointed=outfit.cut < 0.2)
        _rib(sheet, _row(0.03), _row(0.05))


def _hoodie(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    seam = _darker(outfit.cloth.bgr, 0.62)
    low = sheet.shape[0] / PX_M - 0.06
    _rib(sheet, _row(low), sheet.shape[0])
    points = np.array(
        [
            [-0.15, low],
            [-0.15, low - 0.1],
            [-0.09, low - 0.2],
            [0.09, low - 0.2],
            [0.15, low - 0.1],
            [0.15, low],
        ]
    ) * PX_M + (FRONT, 0)
    cv2.polylines(sheet, [points.astype(np.int32)], True, seam, 1, cv2.LINE_AA)
    if outfit.cut > 0.6:
        _line(sheet, (0, 0.04), (0, low + 0.06), (170, 170, 170))
    elif rng.random() < 0.5:
        _print(rng, sheet, outfit.cloth)
    _neck(sheet, _darker(outfit.cloth.bgr, 0.5), 0.06, 0.0, 0.09)
    string = (225, 225, 225) if sum(outfit.cloth.bgr) < 420 else (90, 90, 90)
    for side in (-0.035, 0.035):
        _line(sheet, (side, 0.05), (side * 1.1, 0.2), string)
    _neck(sheet, body.skin, 0.035, 0.0, 0.06)


def _tailored(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    """Blazer, suit jacket or coat: lapels, buttons, pocket flaps, vent and back seam."""
    coat = outfit.upper == "coat"
    end = sheet.shape[0] / PX_M
    button = (0.2 if coat else 0.3) + 0.08 * outfit.cut
    seam = _darker(outfit.cloth.bgr, 0.6)
    opened = coat and outfit.inner is not None and outfit.cut > 0.5
    _line(sheet, (0, button), (0, end), seam)
    inside = np.array(
        [[-0.065, 0.0], [0.065, 0.0], [0.035, button * 0.5], [0.0, button], [-0.035, button * 0.5]]
    ) * PX_M + (FRONT, 0)
    if opened:
        inside = np.array([[-0.06, 0.0], [0.06, 0.0], [0.05, end], [-0.05, end]]) * PX_M
        inside += (FRONT, 0)
    hole = np.zeros(sheet.shape[:2], np.uint8)
    cv2.fillPoly(hole, [inside.astype(np.int32)], 255)
    inner = weave_cloth(rng, outfit.inner_cloth, sheet.shape[0], COLUMNS, PX_M)
    if (outfit.upper == "suit" and not outfit.feminine) or (
        outfit.upper == "blazer" and outfit.cut > 0.75 and not outfit.feminine
    ):
        tie = rng.uniform(20, 160, 3)
        cv2.fillPoly(
            inner,
            [
                (
                    np.array([[-0.012, 0.02], [0.012, 0.02], [0.024, button], [-0.024, button]])
                    * PX_M
                    + (FRONT, 0)
                ).astype(np.int32)
            ],
            tie.tolist(),
        )
    else:
        _neck(inner, body.skin, 0.1, 0.0, 0.06, pointed=True)
    sheet[hole > 0] = inner[hole > 0] * 0.95
    for side in (-1, 1):
        lapel = np.array(
            [
                [0.065, 0.01],
                [0.115, 0.12],
                [0.1, 0.15],
                [0.115, 0.165],
                [0.012, button],
                [0.035, button * 0.5],
            ]
        ) * (side, 1) * PX_M + (FRONT, 0)
        if not opened:
            cv2.fillPoly(sheet, [lapel.astype(np.int32)], _lit(outfit.cloth.bgr), cv2.LINE_AA)
        cv2.polylines(sheet, [lapel.astype(np.int32)], True, seam, 1, cv2.LINE_AA)
        flap = end * 0.62 if coat else end - 0.2
        _line(sheet, (side * 0.09, flap), (side * 0.19, flap), seam, 2)
    double = coat and outfit.cut < 0.5
    for side in (-0.05, 0.05) if double else (0.015,):
        _buttons(
            sheet,
            button + 0.01,
            button + (0.3 if coat else 0.11),
            4 if coat else 2,
            _darker(outfit.cloth.bgr, 0.4),
            side,
        )
    if coat and 0.25 < outfit.cut < 0.45:
        belt = _row(0.42)
        sheet[belt : belt + 7] *= 0.62
    sheet[_row(end - 0.22) :, :2] *= 0.35
    sheet[_row(end - 0.22) :, -2:] *= 0.35
    sheet[:, :1] *= 0.8


def _lit(colour: Bgr) -> Bgr:
    return tuple(min(value * 1.1 + 7, 252) for value in colour)  # type: ignore[return-value]


def _jacket(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    end = sheet.shape[0] / PX_M
    seam = _darker(outfit.cloth.bgr, 0.55)
    metal = (165, 165, 165) if sum(outfit.cloth.bgr) < 400 else seam
    if outfit.inner is not None:
        half = _row(0.03 + 0.05 * outfit.cut)
        inner = weave_cloth(rng, outfit.inner_cloth, sheet.shape[0], COLUMNS, PX_M)
        _neck(inner, body.skin, 0.07, 0.02, 0.1)
        sheet[:, FRONT - half : FRONT + half] = inner[:, FRONT - half : FRONT + half] * 0.9
        for edge in (FRONT - half, FRONT + half):
            sheet[:, edge - 1 : edge + 1] = metal
    else:
        _line(sheet, (0, 0.0), (0, end), metal, 2)
    for side in (-1, 1):
        _line(sheet, (side * 0.1, end - 0.22), (side * 0.15, end - 0.08), seam, 2)
    if outfit.cloth.weave == "denim":
        for side in (-1, 1):
            cv2.rectangle(
                sheet,
                (FRONT + _row(side * 0.1) - 9, _row(0.16)),
                (FRONT + _row(side * 0.1) + 9, _row(0.27)),
                seam,
                1,
                cv2.LINE_AA,
            )
    if outfit.cut < 0.5:
        _rib(sheet, sheet.shape[0] - _row(0.05), sheet.shape[0])
    if outfit.cloth.weave != "quilt":
        sheet[_row(0.12) : _row(0.12) + 1] *= 0.75


def _dress(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    waist = _row(0.225 * body.height_m)
    if outfit.cut > 0.35:
        sheet[waist - 3 : waist + 3] *= 0.62 if outfit.cut > 0.7 else 0.82
    deep = 0.09 + 0.09 * outfit.length
    if outfit.sleeve == 0.0:
        _top(rng, sheet, outfit, body)
    else:
        _neck(sheet, body.skin, deep, 0.035, 0.13, pointed=outfit.cut > 0.5)


def _jumpsuit(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    waist = _row(0.225 * body.height_m)
    sheet[waist - 3 : waist + 4] *= 0.6
    if outfit.sleeve == 0.0:
        _top(rng, sheet, outfit, body)
    else:
        _neck(sheet, body.skin, 0.11, 0.01, 0.08, pointed=True)
    _line(sheet, (0, 0.12), (0, sheet.shape[0] / PX_M), _darker(outfit.cloth.bgr, 0.6))
    if rng.random() < 0.5:
        _buttons(sheet, 0.15, 0.36, 4, (200, 200, 200))


def sleeve_texture(rng: np.random.Generator, outfit: Outfit) -> UInt8:
    """A sleeve from the shoulder to its end, uint8 [96, 48, 3]."""
    sheet = weave_cloth(rng, outfit.cloth, 96, 48, 150.0)
    fold(rng, sheet, 0.11)
    if outfit.upper in ("sweater", "hoodie", "jacket"):
        _rib(sheet, 88, 96)
    sheet[-3:] *= 0.7
    return to_texture(sheet)


def leg_texture(rng: np.random.Generator, outfit: Outfit) -> UInt8:
    """A trouser leg from the hip joint to its end, uint8 [128, 64, 3]."""
    cloth = outfit.lower_cloth
    sheet = weave_cloth(rng, cloth, 128, 64, 150.0)
    fold(rng, sheet, 0.07 if outfit.upper == "suit" else 0.11)
    if outfit.lower == "jeans":
        rows, columns = np.mgrid[0:128, 0:64].astype(np.float32)
        worn = np.exp(-(((rows - 34) / 26) ** 2) - ((columns - 32) / 11) ** 2)
        sheet += (38 * worn * float(rng.uniform(0.2, 1.0)))[:, :, None]
        sheet[:, (15, 16, 48, 49)] *= 0.75
    elif outfit.upper in ("suit", "jumpsuit") or rng.random() < 0.5:
        sheet[:, 31:33] *= 1.12
        sheet[:, :1] *= 1.1
    sheet[-3:] *= 0.72
    return to_texture(sheet)


def hip_texture(rng: np.random.Generator, outfit: Outfit) -> UInt8:
    """The hip part of trousers or the upper part of a skirt, uint8 [64, 176, 3]."""
    cloth = outfit.lower_cloth
    sheet = weave_cloth(rng, cloth, 64, COLUMNS, PX_M)
    fold(rng, sheet, 0.06)
    sheet[:6] *= 0.75
    if outfit.lower in ("jeans", "shorts", "trousers"):
        seam = _darker(cloth.bgr, 0.6)
        for column in (18, COLUMNS - 18):
            cv2.rectangle(sheet, (column - 11, 20), (column + 11, 46), seam, 1, cv2.LINE_AA)
        cv2.line(sheet, (FRONT, 6), (FRONT, 60), seam, 1)
        sheet[6:, :1] *= 0.7
    return to_texture(sheet)


def skirt_texture(rng: np.random.Generator, outfit: Outfit, length_m: float) -> UInt8:
    """A skirt from the waist to its hem."""
    rows = max(int(length_m * PX_M), 24)
    sheet = weave_cloth(rng, outfit.lower_cloth, rows, COLUMNS, PX_M)
    fold(rng, sheet, 0.14 if outfit.cut > 0.4 else 0.06, upright=True)
    if outfit.cut > 0.75:  # pleats
        sheet *= (0.86 + 0.2 * (np.arange(COLUMNS) % 8 < 5)).astype(np.float32)[None, :, None]
    sheet[:6] *= 0.74
    sheet[-2:] *= 0.72
    return to_texture(sheet)
