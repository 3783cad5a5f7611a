"""Lines and areas as one thing: a boundary that says how far inside it a point lies.

Depths are in heights of the picture, so that a step to the side and a step forward count the
same whatever the picture's proportions. Positive is inside: the left hand of a line, the inside
of an area.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from edge_app.config.schema import ZoneSettings
from edge_app.geometry import (
    Point,
    distance_to_polygon,
    is_inside,
    position_along,
    side_of_line,
)

_BEYOND_END = 0.05
"""Who passes a line this far beyond its end still passes it; picture heights."""
_BAND_PER_PERSON = 0.05
"""A band is at least this share of the person's height: boxes of near people move more."""
_BAND_AFTER_COUNT = 2.0
"""Whoever was counted already is counted back only from further away: people who stand on the line
sway, and so do their boxes."""
_BAND_OF_REACH = 0.5
"""A band takes at most this share of the room between a line and the picture's edge."""


@dataclass(frozen=True)
class Zone:
    """One zone of a camera, for pictures of one shape.

    Attributes:
        settings: as configured, points as fractions of the picture.
        aspect: width of the picture divided by its height.
    """

    settings: ZoneSettings
    aspect: float

    @property
    def is_area(self) -> bool:
        """Whether this is an area and not a line."""
        return self.settings.area is not None

    def depth(self, point: Point) -> float:
        """How far inside a point lies, in picture heights; negative outside.

        Args:
            point: x and y as fractions of the picture's width and height.
        """
        at = self._scaled(point)
        if self.settings.area is not None:
            distance = distance_to_polygon(at, self._corners)
            return distance if is_inside(point, self.settings.area) else -distance
        return side_of_line(at, *self._line)

    def side(self, depth: float, person_height: float, is_counted: bool = False) -> int:
        """Which side a depth speaks for: 1 inside, -1 outside, 0 the hysteresis band.

        The band lies on both sides of a line, and outside of an area, whose boundary belongs to
        the inside. Between a line and a near edge of the picture the band is narrower, so that
        there is a side to be seen on.

        Args:
            depth: of the foot point, picture heights.
            person_height: of the person's box, picture heights.
            is_counted: the person was counted in this zone before.
        """
        band = max(self.settings.hysteresis, _BAND_PER_PERSON * person_height)
        if is_counted:
            band *= _BAND_AFTER_COUNT
        if self.is_area:
            return 1 if depth >= 0 else -1 if depth < -2 * band else 0
        inside, outside = self._reach
        if depth > min(band, _BAND_OF_REACH * inside):
            return 1
        return -1 if depth < -min(band, _BAND_OF_REACH * outside) else 0

    def is_passed_at(self, point: Point) -> bool:
        """Whether a crossing at this point passes between the ends of the line."""
        if self.is_area:
            return True
        start, end = self._line
        beyond = _BEYOND_END / math.dist(start, end)
        return -beyond <= position_along(self._scaled(point), start, end) <= 1 + beyond

    @cached_property
    def _corners(self) -> tuple[Point, ...]:
        return tuple(self._scaled(corner) for corner in self.settings.area or ())

    @cached_property
    def _line(self) -> tuple[Point, Point]:
        if self.settings.line is None:
            raise ValueError("an area has no line")
        return self._scaled(self.settings.line[0]), self._scaled(self.settings.line[1])

    @cached_property
    def _reach(self) -> tuple[float, float]:
        """How deep inside and outside of the line a point of the picture can lie."""
        corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
        depths = [side_of_line(self._scaled(corner), *self._line) for corner in corners]
        return max(*depths, 0.0), max(-min(depths), 0.0)

    def _scaled(self, point: Point) -> Point:
        return point[0] * self.aspect, point[1]
