"""Can this camera be trusted? Pictures that are black, covered, frozen, or of another place.

Looked at about once a second, in small. What the place should look like is learnt from its edges
while the program runs, and kept in memory only; people and light come and go, edges of doors and
shelves stay. Something must hold for several seconds before it is told.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

import cv2
import numpy as np

from edge_app.capture.motion import coarse
from edge_app.flow import Float32, UInt8

Verdict = tuple[Literal["online", "obstructed", "moved"], str]

FINE: Verdict = ("online", "")
_FROZEN = "the picture is frozen"
_EVERY_S = 1.0
_HOLD_S = 5.0
_FROZEN_S = 60.0
_LEARN_S = 10
"""Looks before the place is known."""
_BLACK = 16.0
_FLAT = 3.0
"""Standard deviation of a picture in which there is nothing to see."""
_COVERED = 0.45
"""Edges, for their brightness, left of what the place has: under a hand or a bag, out of focus."""
_MOVED_CELLS = 2.0
"""The picture is shifted by a thirtieth of its height: zones lie somewhere else now."""
_SURE = 0.3
"""Response of the phase correlation, 0..1, that makes a shift believable."""
_OTHER_PLACE = 0.35
_SAME_PLACE = 0.7
"""Correlation of edges with the place, and with the picture some seconds ago."""
_LEARN = 0.02


class SceneWatch:
    """Judges the pictures of one camera."""

    def __init__(self) -> None:
        self._looked_at_s = float("-inf")
        self._verdict: Verdict = FINE
        self._suspicion: Verdict = FINE
        self._since_s = 0.0
        self._place: Float32 | None = None
        self._sharpness = 0.0
        self._looks = 0
        self._recent: deque[Float32] = deque(maxlen=3)
        self._last: UInt8 | None = None
        self._changed_at_s = 0.0

    def judge(self, frame_bgr: UInt8, taken_at_s: float) -> Verdict:
        """What is known after this picture: a state and its reason.

        Args:
            frame_bgr: uint8 ``[H, W, 3]``, BGR, with its privacy masks.
            taken_at_s: its time, never decreasing.
        """
        if 0.0 <= taken_at_s - self._looked_at_s < _EVERY_S:
            return self._verdict
        self._looked_at_s = taken_at_s
        suspicion = self._look(frame_bgr, taken_at_s)
        if suspicion != self._suspicion:
            self._suspicion, self._since_s = suspicion, taken_at_s
        # What is frozen has been so for a minute already.
        if taken_at_s - self._since_s >= _HOLD_S or suspicion[1] == _FROZEN:
            self._verdict = suspicion
        return self._verdict

    def _look(self, frame_bgr: UInt8, taken_at_s: float) -> Verdict:
        sample = np.ascontiguousarray(frame_bgr[::7, ::7])
        if self._last is None or not np.array_equal(sample, self._last):
            self._last, self._changed_at_s = sample, taken_at_s
        small = coarse(frame_bgr)
        if float(small.mean()) < _BLACK and float(small.std()) < 2 * _FLAT:
            return "obstructed", "the picture is black"
        edges = _edges(small)
        verdict = self._compare(small, edges)
        self._recent.append(edges)
        if verdict == FINE:
            if taken_at_s - self._changed_at_s >= _FROZEN_S:
                return "obstructed", _FROZEN
            place = self._place
            # Pictures of another shape are learnt anew, or nothing would be noticed in them.
            if (
                place is None
                or place.shape != edges.shape
                or _likeness(edges, place) > _OTHER_PLACE
            ):
                self._learn(small, edges)
        return verdict

    def _compare(self, small: Float32, edges: Float32) -> Verdict:
        place = self._place
        if place is None or place.shape != edges.shape or self._looks < _LEARN_S:
            is_flat = float(small.std()) < _FLAT
            return ("obstructed", "there is nothing to see") if is_flat else FINE
        if _sharpness(small, edges) < _COVERED * self._sharpness:
            return "obstructed", "the camera is covered, or out of focus"
        is_steady = len(self._recent) > 0 and _likeness(edges, self._recent[0]) > _SAME_PLACE
        if is_steady and _likeness(edges, place) < _OTHER_PLACE:
            return "moved", "the camera looks at another place than before"
        if is_steady and _shift_cells(place, edges) > _MOVED_CELLS:
            return "moved", "the camera was turned"
        return FINE

    def _learn(self, small: Float32, edges: Float32) -> None:
        sharpness = _sharpness(small, edges)
        if self._place is None or self._place.shape != edges.shape:
            self._place, self._sharpness, self._looks = edges, sharpness, 1
            return
        self._looks += 1
        # Fast at first, then slowly enough that a camera turned bit by bit is noticed.
        rate = max(1.0 / self._looks, _LEARN)
        self._place = self._place + rate * (edges - self._place)
        self._sharpness += rate * (sharpness - self._sharpness)


def _edges(small: Float32) -> Float32:
    """Strength of edges, float32 ``[h, w]``, slightly blurred, so that a pixel of sway is none."""
    across = cv2.Sobel(small, cv2.CV_32F, 1, 0)
    along = cv2.Sobel(small, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.GaussianBlur(cv2.magnitude(across, along), (0, 0), 1.0), np.float32)


def _shift_cells(place: Float32, edges: Float32) -> float:
    """By how many cells the picture is shifted; 0 where that cannot be told."""
    window = cv2.createHanningWindow((edges.shape[1], edges.shape[0]), cv2.CV_32F)
    (across, along), response = cv2.phaseCorrelate(place, edges, window)
    return float(np.hypot(across, along)) if response > _SURE else 0.0


def _sharpness(small: Float32, edges: Float32) -> float:
    """Edges in relation to light: a dimmed lamp takes both."""
    return float(edges.mean()) / max(float(small.mean()), 1.0)


def _likeness(one: Float32, other: Float32) -> float:
    """Correlation of two edge pictures, -1..1; brightness and contrast do not matter."""
    if one.shape != other.shape:
        return 0.0
    a, b = one - one.mean(), other - other.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0
