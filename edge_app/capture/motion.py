"""The motion gate: no network looks at a camera while nothing moves and nobody is there.

A coarse picture of mean brightness is compared with what the place looks like when a network has
found nobody in it. Whatever differs by more than that spot is used to (sensor noise, a screen that
flickers) opens the gate, and so does a person who is followed. Once a second a look is forced, so
that whoever stands still, or came in unnoticed, is found late but found.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge_app.config.schema import MotionSettings
from edge_app.flow import Float32, UInt8

_ROWS = 60
"""Height of the coarse picture, in cells; a person of a twelfth of the picture covers five."""
_BLUR = (3, 3)
"""Cells that are averaged: a grainy camera changes single cells, a person changes neighbours."""
_NOISE_FACTOR = 6.0
_LEARN = 0.1
_HOLD_S = 1.0
"""The gate stays open for so long after the last reason."""
_MOST_NOISE = 15.0


class MotionGate:
    """Decides, for one camera, which pictures a network must see.

    Args:
        settings: sensitivity and the interval of forced looks.
    """

    def __init__(self, settings: MotionSettings) -> None:
        self._settings = settings
        self._empty: Float32 | None = None
        self._noise: Float32 = np.zeros((0, 0), np.float32)
        self._now: Float32 = np.zeros((0, 0), np.float32)
        self._open_until_s = float("-inf")
        self._looked_at_s = float("-inf")

    def wants(self, frame_bgr: UInt8, taken_at_s: float) -> bool:
        """Whether a network must see this picture.

        Args:
            frame_bgr: uint8 ``[H, W, 3]``, BGR.
            taken_at_s: its time, never decreasing.
        """
        self._now = coarse(frame_bgr)
        if self._is_moving():
            self._open_until_s = taken_at_s + _HOLD_S
        waited_s = taken_at_s - self._looked_at_s
        is_forced = not 0.0 <= waited_s < self._settings.look_every_s
        if taken_at_s <= self._open_until_s or is_forced:
            self._looked_at_s = taken_at_s
            return True
        return False

    def found(self, is_anybody: bool, taken_at_s: float) -> None:
        """What the network said of the picture that was wanted last.

        Args:
            is_anybody: somebody was found in it, or is still followed.
            taken_at_s: its time.
        """
        if is_anybody:
            self._open_until_s = taken_at_s + _HOLD_S
        elif self._empty is None or self._empty.shape != self._now.shape:
            self._empty = self._now
            self._noise = np.zeros_like(self._now)
        else:
            # What was looked at and found empty is what the place looks like, furniture moved
            # or not; how much a cell usually changes is learnt with it.
            change = np.minimum(self._changes(self._empty), _MOST_NOISE)
            self._noise += _LEARN * (change - self._noise)
            self._empty = self._empty + 3 * _LEARN * (self._now - self._empty)

    def _is_moving(self) -> bool:
        if self._empty is None or self._empty.shape != self._now.shape:
            return True
        limit = np.maximum(self._settings.threshold, _NOISE_FACTOR * self._noise)
        return bool((self._changes(self._empty) > limit).any())

    def _changes(self, before: Float32) -> Float32:
        """By how much each cell differs, float32 ``[h, w]``; light that changes everywhere not."""
        difference = cv2.blur(self._now - before, _BLUR)
        return np.asarray(np.abs(difference - np.median(difference)), np.float32)


def coarse(frame_bgr: UInt8) -> Float32:
    """Mean brightness in cells, float32 ``[60, w]``, 0..255, from the green channel.

    Args:
        frame_bgr: uint8 ``[H, W, 3]``, BGR.
    """
    height, width = frame_bgr.shape[:2]
    step = max(height // (4 * _ROWS), 1)
    green = np.ascontiguousarray(frame_bgr[::step, ::step, 1])
    columns = max(round(_ROWS * width / height), 1)
    return cv2.resize(green, (columns, _ROWS), interpolation=cv2.INTER_AREA).astype(np.float32)
