"""The worst mistakes of a model on one contact sheet: look at it before the next experiment."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.inference.preprocess import letterbox

UInt8 = NDArray[np.uint8]

MISSED = (0, 160, 255)
"""BGR: what there is and was not found."""
FALSE = (60, 60, 255)
"""BGR: what was found and is not there."""
TRUE = (80, 200, 80)
"""BGR: what there is."""

_TILE_HW = (200, 160)
_CAPTION_PX = 15
_COLUMNS = 8
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class Outline:
    """A box to draw: xyxy in the picture's pixels, and a colour, BGR."""

    box: NDArray[np.float32]
    colour: tuple[int, int, int]


@dataclass
class Mistakes:
    """Keeps the worst `most` of any number of mistakes, as small pictures.

    Attributes:
        most: how many are kept.
    """

    most: int = 40
    _kept: list[tuple[float, int, UInt8]] = field(default_factory=list)
    _seen: int = 0

    def add(
        self,
        badness: float,
        picture: UInt8,
        captions: Sequence[str],
        outlines: Sequence[Outline] = (),
    ) -> None:
        """Keep a mistake if it is bad enough.

        Args:
            badness: larger is worse.
            picture: uint8 `[h,w,3]` BGR.
            captions: lines of text, the first one on top.
            outlines: boxes to draw; the tile shows their surroundings, or everything without any.
        """
        self._seen += 1
        if len(self._kept) == self.most and badness <= self._kept[0][0]:
            return
        entry = (badness, -self._seen, _tile(picture, captions, outlines))
        if len(self._kept) < self.most:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heappushpop(self._kept, entry)

    def sheet(self) -> UInt8 | None:
        """All that were kept, the worst one first; uint8 `[H,W,3]` BGR, None if there are none."""
        if not self._kept:
            return None
        tiles = [tile for _, _, tile in sorted(self._kept, key=lambda kept: kept[:2], reverse=True)]
        rows = []
        for start in range(0, len(tiles), _COLUMNS):
            row = tiles[start : start + _COLUMNS]
            height = max(len(tile) for tile in row)
            row += [np.full((height, _TILE_HW[1], 3), 255, np.uint8)] * (_COLUMNS - len(row))
            rows.append(np.hstack([_extended(tile, height) for tile in row]))
        return np.asarray(np.vstack(rows), np.uint8)


def _tile(picture: UInt8, captions: Sequence[str], outlines: Sequence[Outline]) -> UInt8:
    cut, origin = _surroundings(picture, outlines)
    canvas = np.empty((*_TILE_HW, 3), np.uint8)
    fit = letterbox(cut, canvas)
    for outline in outlines:
        corners = (outline.box - np.tile(origin, 2)) * np.array([fit.scale_x, fit.scale_y] * 2)
        x0, y0, x1, y1 = (int(value) for value in corners.round())
        cv2.rectangle(canvas, (x0, y0), (x1, y1), outline.colour, 2)
    text = np.full((_CAPTION_PX * len(captions) + 4, _TILE_HW[1], 3), 255, np.uint8)
    for number, caption in enumerate(captions):
        place = (2, _CAPTION_PX * (number + 1) - 3)
        cv2.putText(text, caption, place, _FONT, 0.38, (0, 0, 0), 1, cv2.LINE_AA)
    tile = np.vstack((canvas, text))
    tile[:, -2:] = 255
    return np.asarray(tile, np.uint8)


def _surroundings(picture: UInt8, outlines: Sequence[Outline]) -> tuple[UInt8, NDArray[np.float32]]:
    """The part around the outlines, with as much again around it, and its corner."""
    if not outlines:
        return picture, np.zeros(2, np.float32)
    boxes = np.stack([outline.box for outline in outlines])
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    around = 0.5 * (high - low) + 8
    size = np.array([picture.shape[1], picture.shape[0]])
    x0, y0 = np.clip(low - around, 0, size - 1).astype(int)
    x1, y1 = np.clip(high + around, 1, size).astype(int)
    return np.ascontiguousarray(picture[y0:y1, x0:x1]), np.array([x0, y0], np.float32)


def _extended(tile: UInt8, height: int) -> UInt8:
    below = height - len(tile)
    white = (255, 255, 255)
    return np.asarray(
        cv2.copyMakeBorder(tile, 0, below, 0, 0, cv2.BORDER_CONSTANT, value=white), np.uint8
    )
