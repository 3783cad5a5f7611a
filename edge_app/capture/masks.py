"""Privacy masks: polygons blacked out before anything looks at a frame."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge_app.flow import UInt8
from edge_app.geometry import Point


class PrivacyMasks:
    """Polygons in fractions of the picture, drawn once per picture size.

    Every pixel that a polygon touches is black; a shape that leaves the picture is cut off.
    """

    def __init__(self, polygons: Sequence[Sequence[Point]] = ()) -> None:
        self._polygons = [np.array(polygon, np.float64) for polygon in polygons]
        self._size = (0, 0)
        self._hidden: UInt8 = np.zeros((0, 0), np.uint8)

    def apply(self, picture_bgr: UInt8) -> UInt8:
        """Black out the masked parts, in place.

        Args:
            picture_bgr: uint8 ``[H, W, 3]``, owned by the caller.

        Returns:
            The same array.
        """
        if not self._polygons:
            return picture_bgr
        height, width = picture_bgr.shape[:2]
        if self._size != (width, height):
            self._hidden = self._draw(width, height)
            self._size = (width, height)
        picture_bgr[self._hidden != 0] = 0
        return picture_bgr

    def _draw(self, width: int, height: int) -> UInt8:
        """uint8 ``[H, W]``, not 0 where hidden."""
        hidden: UInt8 = np.zeros((height, width), np.uint8)
        for polygon in self._polygons:
            # Pixel (0, 0) covers the fractions from 0 to 1/width: its number is the floor.
            corners = np.floor(polygon * (width, height)).astype(np.int32)
            cv2.fillPoly(hidden, [corners], 255)
        return hidden
