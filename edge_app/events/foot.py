"""Where a person stands, although the box does not always show it.

The foot point is the middle of a box's lower edge. Five things make that edge lie about the feet:
legs that the detector finds only now and then, legs that hide behind somebody, somebody else's legs
below one's own head, shadows and trolleys that are taken for legs, and the picture's own edge.
What is known of the same person a moment ago repairs them; and whose head stays where it is has
not moved the feet either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np

from edge_app.flow import Float32
from edge_app.geometry import Point, foot_point, is_cut_off

_MEMORY_S = 1.0
_LEGS_MISSING = 0.93
"""A box lower than this share of the person's usual height misses the legs,"""
_LEGS_OF_OTHERS = 1.2
_SAME_FEET = 0.12
_BEFORE = 0.3
"""and one that is so many times as high at once has got the legs of somebody nearer, whose box ends
within this share of its height of where it ends, and covers this share of the width of one of them.
"""
_FIRST_S = 0.3
_RECENT_S = 1.5
_FROM_BELOW = 0.7
"""What was seen in the first moment is judged anew for so long, if the box then grew by legs: of
the largest step of its height, at least this share was at the lower edge.
"""
_USUAL_QUANTILE = 0.75
_SHRINKS_PER_S = 0.35
"""Who walks away from the camera becomes smaller by at most this share of the height."""
_LEAST_FOR_TREND = 4
_STANDING = 0.08
"""Who stands moves the head by less than this share of the height,"""
_STANDING_S = 8.0
"""and is remembered for this long."""
_GROWTH_S = 1.6
_LEAST_FOR_GROWTH = 8
_GROWS = 0.02
"""Whose height changes by more than this share from each quarter of that time to the next walks."""


class Foot:
    """The foot points of one person."""

    def __init__(self) -> None:
        self._whole: deque[tuple[float, float, float]] = deque()
        self._head: Point | None = None
        self._stood_since_s = 0.0
        self.is_cut_off = False
        """Whether the latest box was cut off by the picture's edge."""
        self._first: list[Float32] = []
        self._first_at_s: float | None = None
        self._before: Float32 | None = None
        self._grew = (0.0, 0.0)

    def locate(
        self,
        box: Float32,
        size: tuple[int, int],
        at_s: float,
        everybody: Sequence[Float32] = (),
    ) -> Point:
        """Where the person stands now.

        Args:
            box: float32 ``[4]``, xyxy, pixels; a detection, never a prediction.
            size: width and height of the picture in pixels.
            at_s: time of the frame.
            everybody: the boxes of all people, seen or expected; one's own may be among them.

        Returns:
            x and y as fractions of the picture's width and height, 0..1.
        """
        x1, y1, x2, y2 = (float(value) for value in box)
        at_left, at_top, at_right, at_bottom = is_cut_off((x1, y1, x2, y2), size)
        self.is_cut_off = at_left or at_top or at_right or at_bottom
        self._note_first(box, at_top or at_bottom, at_s)
        stood_s = self._stood_s((x1 + x2) / 2, y1, y2 - y1, at_s)
        if stood_s > _MEMORY_S and self._grows(at_s):
            self._stood_since_s, stood_s = at_s, 0.0
        since_s = at_s - min(max(stood_s, _MEMORY_S), _STANDING_S)
        while self._whole and self._whole[0][0] < since_s and len(self._whole) > 1:
            self._whole.popleft()
        is_standing = stood_s > _MEMORY_S
        usual_width, usual_height = self._usual(x2 - x1, y2 - y1, at_s, is_standing)
        has_others_legs = (
            len(self._whole) >= _LEAST_FOR_TREND
            and y2 - y1 > _LEGS_OF_OTHERS * usual_height
            and any(_ends_at_feet_of(other, box) for other in everybody)
        )
        if not (at_left or at_right or at_bottom):
            self._whole.append((at_s, x2 - x1, y2 - y1))
        if at_bottom:
            y2 = size[1]
        elif at_left or at_right:
            pass  # It is the head that has left the picture, rather than the legs.
        elif is_standing or has_others_legs or y2 - y1 < _LEGS_MISSING * usual_height:
            y2 = y1 + usual_height
        if at_left and x2 - x1 < usual_width:
            x1 = x2 - usual_width
        elif at_right and x2 - x1 < usual_width:
            x2 = x1 + usual_width
        return foot_point(np.array([x1, y1, x2, y2], np.float32), size)

    def at_first(self, size: tuple[int, int], at_s: float) -> list[Point]:
        """Where a person stood who was first seen without legs, which have come to light since.

        Args:
            size: width and height of the picture in pixels.
            at_s: the present.

        Returns:
            For each box of the first moment that was too low for the person, the foot point that
            was hidden then; none where no box was, where it was the head that came to light, or
            where the first moment is long ago.
        """
        if self._first_at_s is None or at_s - self._first_at_s > _RECENT_S:
            return []
        _, height = self._usual(0.0, 0.0, at_s, is_standing=False)
        grew, at_feet = self._grew
        if grew < (1.0 - _LEGS_MISSING) * height or at_feet < _FROM_BELOW * grew:
            return []
        return [
            foot_point(np.array([box[0], box[1], box[2], box[1] + height], np.float32), size)
            for box in self._first
            if box[3] - box[1] < _LEGS_MISSING * height
        ]

    def _note_first(self, box: Float32, is_cut_off: bool, at_s: float) -> None:
        """Keep the boxes of the first moment, and the largest step in which they grew after it."""
        if self._first_at_s is None:
            self._first_at_s = at_s
        since_s = at_s - self._first_at_s
        if since_s > _RECENT_S:
            return
        if since_s <= _FIRST_S and not is_cut_off:
            self._first.append(box)
        if self._before is not None and not is_cut_off:
            _, down_by, _, feet_by = (float(by) for by in box - self._before)
            self._grew = max(self._grew, (feet_by - down_by, feet_by))
        self._before = None if is_cut_off else box

    def _stood_s(self, x: float, y: float, height: float, at_s: float) -> float:
        """For how long the head has been where it is now."""
        head = self._head
        if head is None or max(abs(x - head[0]), abs(y - head[1])) > _STANDING * height:
            self._head, self._stood_since_s = (x, y), at_s
        return at_s - self._stood_since_s

    def _grows(self, at_s: float) -> bool:
        """Whether the person steadily becomes taller or smaller.

        Who walks towards the camera or away from it does, although far away the head stays where
        it is. Legs that appear or vanish do so at once: one of three changes at least is none.
        """
        heights = [height for seen_at_s, _, height in self._whole if seen_at_s >= at_s - _GROWTH_S]
        if len(heights) < _LEAST_FOR_GROWTH:
            return False
        ends = [len(heights) * quarter // 4 for quarter in range(5)]
        means = [median(heights[start:end]) for start, end in pairwise(ends)]
        changes = [after - before for before, after in pairwise(means)]
        least = _GROWS * means[0]
        return min(changes) > least or max(changes) < -least

    def _usual(
        self, width: float, height: float, at_s: float, is_standing: bool
    ) -> tuple[float, float]:
        """Width and height of the person when seen whole, or what is seen now."""
        if not self._whole:
            return width, height
        if is_standing:
            return median(w for _, w, _ in self._whole), median(h for _, _, h in self._whole)
        shrinks = self._shrinks_per_s()
        widths = sorted(width for _, width, _ in self._whole)
        heights = sorted(
            height - shrinks * (at_s - seen_at_s) for seen_at_s, _, height in self._whole
        )
        rank = int(_USUAL_QUANTILE * (len(heights) - 1) + 0.5)
        return widths[rank], heights[rank]

    def _shrinks_per_s(self) -> float:
        """How fast the person becomes smaller by walking away, pixels of height per second.

        From the medians of the earlier and the later half, which legs that are missed now and
        then do not move.
        """
        half = len(self._whole) // 2
        if len(self._whole) < _LEAST_FOR_TREND:
            return 0.0
        seen = list(self._whole)
        before, after = (
            median(height for _, _, height in part) for part in (seen[:half], seen[half:])
        )
        began_s, ended_s = (
            median(at_s for at_s, _, _ in part) for part in (seen[:half], seen[half:])
        )
        fastest = _SHRINKS_PER_S * before
        return min(max((before - after) / max(ended_s - began_s, 1e-6), 0.0), fastest)


def _ends_at_feet_of(other: Float32, box: Float32) -> bool:
    """Whether a box ends where that of somebody before it does, whose head is lower."""
    x1, y1, x2, y2 = (float(value) for value in box)
    left, top, right, bottom = (float(value) for value in other)
    shared = min(right, x2) - max(left, x1)
    return (
        top > y1
        and abs(bottom - y2) <= _SAME_FEET * (y2 - y1)
        and shared >= _BEFORE * min(x2 - x1, right - left)
    )
