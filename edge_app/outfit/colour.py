"""Colour names of garments, for the sentence that staff read."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np

from edge_app.flow import Float32, UInt8

# Representative colours of clothes, sRGB; the name is the nearest one's in CIE Lab.
_NAMED_RGB = {
    "black": [(12, 12, 12), (30, 30, 34), (45, 45, 48)],
    "grey": [(90, 90, 92), (130, 130, 130), (168, 168, 168)],
    "white": [(215, 215, 215), (245, 245, 245)],
    "red": [(170, 25, 30), (215, 45, 45), (120, 20, 30)],
    "orange": [(225, 120, 35), (235, 150, 70)],
    "yellow": [(225, 195, 50), (240, 220, 120)],
    "green": [(45, 110, 55), (90, 150, 80), (75, 85, 45), (25, 65, 45)],
    "blue": [(35, 60, 130), (70, 110, 180), (120, 165, 215), (22, 30, 60)],
    "purple": [(95, 50, 120), (140, 95, 165)],
    "pink": [(220, 120, 160), (235, 180, 195)],
    "brown": [(95, 60, 40), (130, 90, 60), (65, 42, 32)],
    "beige": [(205, 185, 150), (180, 160, 130)],
}
COLOURS = (*_NAMED_RGB, "unknown")
"""Every colour that a message may name."""

_NAMES = [name for name, tones in _NAMED_RGB.items() for _ in tones]


def _lab(rgb: list[tuple[int, int, int]]) -> Float32:
    pixels = np.array([rgb], np.float32) / 255
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0], np.float32)


_TONES = _lab([tone for tones in _NAMED_RGB.values() for tone in tones])


def colour_name(crop_bgr: UInt8) -> str:
    """Name the colour that most of the middle of a crop has.

    Args:
        crop_bgr: uint8 ``[h, w, 3]``, a garment's box.

    Returns:
        One of :data:`COLOURS`.

    >>> colour_name(np.full((40, 20, 3), (60, 30, 200), np.uint8))
    'red'
    """
    height, width = crop_bgr.shape[:2]
    middle = crop_bgr[height // 5 : max(height * 4 // 5, 1), width // 4 : max(width * 3 // 4, 1)]
    if middle.size == 0:
        return "unknown"
    small = cv2.resize(middle, (8, 12), interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_BGR2LAB), np.float32)
    nearest = _squares(lab.reshape(-1, 3)).argmin(axis=1)
    votes = Counter[str](_NAMES[tone] for tone in nearest.tolist())
    return max(votes, key=lambda name: votes[name])


def _squares(pixels: Float32) -> Float32:
    """Squared distances of pixels from the named tones, both Lab: float32 ``[N, tones]``."""
    lightness, a, b = (pixels[:, i, None] - _TONES[:, i] for i in range(3))
    return np.asarray(lightness**2 + a**2 + b**2)
