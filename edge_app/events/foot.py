"""Where a person stands, although the box does not always show it.

The foot point is the middle of a box's lower edge. Three things make that edge lie about the feet:
legs that the detector finds only now and then, legs that hide behind somebody, and the picture's
own edge. What is known of the same person a moment ago repairs all three.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from edge_app.flow import Float32
from edge_app.geometry import Point, foot_point

_MEMORY_S = 1.0
_LEGS_MISSING = 0.93
"""A box lower than this share of the person's usual height misses the legs."""
_EDGE_SHARE = 0.02
"""A box that ends this close to the picture's edge is cut off by it."""
_USUAL_QUANTILE = 0.75


class Foot:
    """The foot points of one person."""

    def __init__(self) -> None:
        self._whole: deque[tuple[float, float, float]] = deque()
        self.is_cut_off = False
        """Whether the latest box was cut off by the picture's edge."""

    def locate(self, box: Float32, size: tuple[int, int], at_s: float) -> Point:
        """Where the person stands now.

        Args:
            box: float32 ``[4]``, xyxy, pixels; a detection, never a prediction.
            size: width and height of the picture in pixels.
            at_s: time of the frame.

        Returns:
            x and y as fractions of the picture's width and height, 0..1.
        """
        x1, y1, x2, y2 = (float(value) for value in box)
        width, height = size
        at_left, at_right = x1 <= _EDGE_SHARE * width, x2 >= (1 - _EDGE_SHARE) * width
        at_bottom = y2 >= (1 - _EDGE_SHARE) * height
        self.is_cut_off = at_left or at_right or at_bottom or y1 <= _EDGE_SHARE * height
        while self._whole and self._whole[0][0] < at_s - _MEMORY_S and len(self._whole) > 1:
            self._whole.popleft()
        usual_width, usual_height = self._usual(x2 - x1, y2 - y1)
        if not (at_left or at_right or at_bottom):
            self._whole.append((at_s, x2 - x1, y2 - y1))
        if at_bottom:
            y2 = height
        elif y2 - y1 < _LEGS_MISSING * usual_height:
            y2 = y1 + usual_height
        if at_left and x2 - x1 < usual_width:
            x1 = x2 - usual_width
        elif at_right and x2 - x1 < usual_width:
            x2 = x1 + usual_width
        return foot_point(np.array([x1, y1, x2, y2], np.float32), size)

    def _usual(self, width: float, height: float) -> tuple[float, float]:
        """Width and height of the person when seen whole, or what is seen now."""
        if not self._whole:
            return width, height
        widths = sorted(width for _, width, _ in self._whole)
        heights = sorted(height for _, _, height in self._whole)
        rank = int(_USUAL_QUANTILE * (len(heights) - 1) + 0.5)
        return widths[rank], heights[rank]
