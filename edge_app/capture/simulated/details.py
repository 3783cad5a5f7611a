"""What tells the trunk garments apart: necklines, lapels, buttons, zips, pockets, hems."""

from __future__ import annotations

import cv2
import numpy as np

from edge_app.capture.simulated.body import Body
from edge_app.capture.simulated.cloth import Floats, weave_cloth
from edge_app.capture.simulated.strokes import (
    COLUMNS,
    FRONT,
    PX_M,
    cut_neck,
    darker,
    draw_buttons,
    draw_line,
    draw_print,
    lighter,
    rib,
    row_of,
)
from edge_app.capture.simulated.wardrobe import Outfit


def add_details(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    """Paint what makes the category onto a sheet of its cloth, in place.

    Args:
        rng: for prints and the like.
        sheet: float32 [rows, COLUMNS, 3] BGR, from the neck to the hem.
        outfit: whose trunk garment it is.
        body: whose skin shows at the neck.
    """
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


def _tshirt(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    if outfit.cut > 0.75:  # a polo shirt
        draw_line(sheet, (0, 0.03), (0, 0.2), darker(outfit.cloth.bgr, 0.7))
        draw_buttons(sheet, 0.07, 0.18, 3, (225, 225, 225))
        return
    if rng.random() < 0.4:
        draw_print(rng, sheet, outfit.cloth)
    cut_neck(sheet, body.skin, 0.065 + 0.05 * outfit.cut, 0.03, 0.13, pointed=outfit.cut > 0.6)


def _shirt(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    open_m = 0.05 + 0.06 * outfit.cut
    cut_neck(sheet, body.skin, open_m, 0.0, 0.05, pointed=True)
    for side in (-0.011, 0.011):
        draw_line(
            sheet, (side, open_m), (side, sheet.shape[0] / PX_M), darker(outfit.cloth.bgr, 0.8)
        )
    draw_buttons(
        sheet,
        open_m + 0.03,
        sheet.shape[0] / PX_M - 0.06,
        6,
        darker(outfit.cloth.bgr, 0.5) if sum(outfit.cloth.bgr) > 380 else (220, 220, 220),
    )
    seam = darker(outfit.cloth.bgr, 0.78)
    for shift in (-COLUMNS // 2, COLUMNS // 2):
        cv2.line(
            sheet, (FRONT + shift - 40, row_of(0.11)), (FRONT + shift + 40, row_of(0.11)), seam, 1
        )
    if outfit.length > 0.4:
        cv2.rectangle(
            sheet,
            (FRONT + row_of(0.06), row_of(0.2)),
            (FRONT + row_of(0.14), row_of(0.3)),
            seam,
            1,
            cv2.LINE_AA,
        )
    if rng.random() < 0.5 and not outfit.feminine:
        draw_line(sheet, (-0.05, 0.02), (0.0, open_m + 0.02), darker(outfit.cloth.bgr, 0.7))


def _top(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    straps = outfit.cut < 0.6
    bare = 0.115 if straps else 0.07
    cut_neck(sheet, body.skin, bare + 0.08, bare + (0.06 if straps else 0.0), 0.2)
    columns = np.abs(np.abs(np.arange(COLUMNS) - FRONT) - COLUMNS * 0.13)
    behind = np.abs(np.abs(np.arange(COLUMNS) - FRONT) - COLUMNS * 0.37)
    half = 2.2 if straps else 7.0
    strap = (columns < half) | (behind < half)
    sheet[: row_of(bare + 0.08), strap] = outfit.cloth.bgr
    if rng.random() < 0.3:
        draw_print(rng, sheet, outfit.cloth)


def _sweater(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    rib(sheet, sheet.shape[0] - row_of(0.055), sheet.shape[0])
    if outfit.cut >= 0.72:  # a cardigan, open or buttoned
        half = row_of(0.015 + 0.05 * (outfit.cut - 0.72) / 0.28)
        inner = weave_cloth(rng, outfit.inner_cloth, sheet.shape[0], COLUMNS, PX_M)
        sheet[:, FRONT - half : FRONT + half] = inner[:, FRONT - half : FRONT + half]
        for edge in (FRONT - half, FRONT + half):
            sheet[:, edge - 2 : edge + 2] *= 0.75
        cut_neck(sheet, body.skin, 0.09, 0.02, 0.07, pointed=True)
    elif outfit.cut < 0.5 or outfit.cut > 0.66:
        cut_neck(sheet, body.skin, 0.05, 0.025, 0.1, pointed=outfit.cut < 0.2)
        rib(sheet, row_of(0.03), row_of(0.05))


def _hoodie(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    seam = darker(outfit.cloth.bgr, 0.62)
    low = sheet.shape[0] / PX_M - 0.06
    rib(sheet, row_of(low), sheet.shape[0])
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
        draw_line(sheet, (0, 0.04), (0, low + 0.06), (170, 170, 170))
    elif rng.random() < 0.5:
        draw_print(rng, sheet, outfit.cloth)
    cut_neck(sheet, darker(outfit.cloth.bgr, 0.5), 0.06, 0.0, 0.09)
    string = (225, 225, 225) if sum(outfit.cloth.bgr) < 420 else (90, 90, 90)
    for side in (-0.035, 0.035):
        draw_line(sheet, (side, 0.05), (side * 1.1, 0.2), string)
    cut_neck(sheet, body.skin, 0.035, 0.0, 0.06)


def _tailored(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    """Blazer, suit jacket or coat: lapels, buttons, pocket flaps, vent and back seam."""
    coat = outfit.upper == "coat"
    end = sheet.shape[0] / PX_M
    button = (0.2 if coat else 0.3) + 0.08 * outfit.cut
    seam = darker(outfit.cloth.bgr, 0.6)
    opened = coat and outfit.inner is not None and outfit.cut > 0.5
    draw_line(sheet, (0, button), (0, end), seam)
    _show_inside(rng, sheet, outfit, body, (end if opened else button, opened))
    corners = [[0.065, 0.01], [0.115, 0.12], [0.1, 0.15], [0.115, 0.165]]
    for side in (-1, 1):
        lapel = np.array([*corners, [0.012, button], [0.035, button * 0.5]])
        lapel = lapel * (side, 1) * PX_M + (FRONT, 0)
        if not opened:
            cv2.fillPoly(sheet, [lapel.astype(np.int32)], lighter(outfit.cloth.bgr), cv2.LINE_AA)
        cv2.polylines(sheet, [lapel.astype(np.int32)], True, seam, 1, cv2.LINE_AA)
        flap = end * 0.62 if coat else end - 0.2
        draw_line(sheet, (side * 0.09, flap), (side * 0.19, flap), seam, 2)
    double = coat and outfit.cut < 0.5
    for across_m in (-0.05, 0.05) if double else (0.015,):
        draw_buttons(
            sheet,
            button + 0.01,
            button + (0.3 if coat else 0.11),
            4 if coat else 2,
            darker(outfit.cloth.bgr, 0.4),
            across_m,
        )
    if coat and 0.25 < outfit.cut < 0.45:
        belt = row_of(0.42)
        sheet[belt : belt + 7] *= 0.62
    sheet[row_of(end - 0.22) :, :2] *= 0.35
    sheet[row_of(end - 0.22) :, -2:] *= 0.35
    sheet[:, :1] *= 0.8


def _show_inside(
    rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body, opening: tuple[float, bool]
) -> None:
    """Shirt and tie, or neck, in the opening of a tailored garment: its depth in m, and if open."""
    depth, opened = opening
    corners = [
        [-0.065, 0.0],
        [0.065, 0.0],
        [0.035, depth * 0.5],
        [0.0, depth],
        [-0.035, depth * 0.5],
    ]
    if opened:
        corners = [[-0.06, 0.0], [0.06, 0.0], [0.05, depth], [-0.05, depth]]
    hole = np.zeros(sheet.shape[:2], np.uint8)
    cv2.fillPoly(hole, [(np.array(corners) * PX_M + (FRONT, 0)).astype(np.int32)], 255)
    inner = weave_cloth(rng, outfit.inner_cloth, sheet.shape[0], COLUMNS, PX_M)
    wears_tie = outfit.upper == "suit" or (outfit.upper == "blazer" and outfit.cut > 0.75)
    if wears_tie and not outfit.feminine:
        colour = rng.uniform(20, 160, 3)
        button = (0.2 if outfit.upper == "coat" else 0.3) + 0.08 * outfit.cut
        tie = np.array([[-0.012, 0.02], [0.012, 0.02], [0.024, button], [-0.024, button]])
        cv2.fillPoly(inner, [(tie * PX_M + (FRONT, 0)).astype(np.int32)], colour.tolist())
    else:
        cut_neck(inner, body.skin, 0.1, 0.0, 0.06, pointed=True)
    sheet[hole > 0] = inner[hole > 0] * 0.95


def _jacket(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    end = sheet.shape[0] / PX_M
    seam = darker(outfit.cloth.bgr, 0.55)
    metal = (165, 165, 165) if sum(outfit.cloth.bgr) < 400 else seam
    if outfit.inner is not None:
        half = row_of(0.03 + 0.05 * outfit.cut)
        inner = weave_cloth(rng, outfit.inner_cloth, sheet.shape[0], COLUMNS, PX_M)
        cut_neck(inner, body.skin, 0.07, 0.02, 0.1)
        sheet[:, FRONT - half : FRONT + half] = inner[:, FRONT - half : FRONT + half] * 0.9
        for edge in (FRONT - half, FRONT + half):
            sheet[:, edge - 1 : edge + 1] = metal
    else:
        draw_line(sheet, (0, 0.0), (0, end), metal, 2)
    for side in (-1, 1):
        draw_line(sheet, (side * 0.1, end - 0.22), (side * 0.15, end - 0.08), seam, 2)
    if outfit.cloth.weave == "denim":
        for side in (-1, 1):
            cv2.rectangle(
                sheet,
                (FRONT + row_of(side * 0.1) - 9, row_of(0.16)),
                (FRONT + row_of(side * 0.1) + 9, row_of(0.27)),
                seam,
                1,
                cv2.LINE_AA,
            )
    if outfit.cut < 0.5:
        rib(sheet, sheet.shape[0] - row_of(0.05), sheet.shape[0])
    if outfit.cloth.weave != "quilt":
        sheet[row_of(0.12) : row_of(0.12) + 1] *= 0.75


def _dress(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    waist = row_of(0.225 * body.height_m)
    if outfit.cut > 0.35:
        sheet[waist - 3 : waist + 3] *= 0.62 if outfit.cut > 0.7 else 0.82
    deep = 0.09 + 0.09 * outfit.length
    if outfit.sleeve == 0.0:
        _top(rng, sheet, outfit, body)
    else:
        cut_neck(sheet, body.skin, deep, 0.035, 0.13, pointed=outfit.cut > 0.5)


def _jumpsuit(rng: np.random.Generator, sheet: Floats, outfit: Outfit, body: Body) -> None:
    waist = row_of(0.225 * body.height_m)
    sheet[waist - 3 : waist + 4] *= 0.6
    if outfit.sleeve == 0.0:
        _top(rng, sheet, outfit, body)
    else:
        cut_neck(sheet, body.skin, 0.11, 0.01, 0.08, pointed=True)
    draw_line(sheet, (0, 0.12), (0, sheet.shape[0] / PX_M), darker(outfit.cloth.bgr, 0.6))
    if rng.random() < 0.5:
        draw_buttons(sheet, 0.15, 0.36, 4, (200, 200, 200))
