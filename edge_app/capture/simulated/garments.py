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
from edge_app.capture.simulated.cloth import UInt8, fold, to_texture, weave_cloth
from edge_app.capture.simulated.details import add_details
from edge_app.capture.simulated.strokes import COLUMNS, FRONT, PX_M, darker, rib
from edge_app.capture.simulated.wardrobe import Outfit


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
    add_details(rng, sheet, outfit, body)
    sheet[-2:] *= 0.72
    return to_texture(sheet)


def sleeve_texture(rng: np.random.Generator, outfit: Outfit) -> UInt8:
    """A sleeve from the shoulder to its end, uint8 [96, 48, 3]."""
    sheet = weave_cloth(rng, outfit.cloth, 96, 48, 150.0)
    fold(rng, sheet, 0.11)
    if outfit.upper in ("sweater", "hoodie", "jacket"):
        rib(sheet, 88, 96)
    sheet[-3:] *= 0.7
    return to_texture(sheet)


def leg_texture(rng: np.random.Generator, outfit: Outfit) -> UInt8:
    """A trouser leg from the hip joint to its end, uint8 [128, 64, 3]."""
    cloth = outfit.lower_cloth
    sheet = weave_cloth(rng, cloth, 128, 64, 150.0)
    fold(rng, sheet, 0.045 if outfit.upper == "suit" else 0.06)
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
        seam = darker(cloth.bgr, 0.6)
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
