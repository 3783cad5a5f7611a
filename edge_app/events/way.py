"""The straight way that somebody walked through some observations.

Feet are found a little too far up or down the picture, now for one frame and now for several. Where
a line through all of a way meets a boundary is right more often than where two of them lie on its
two sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from edge_app.geometry import Point


class Sight(NamedTuple):
    """One observation of a person beside a boundary.

    Attributes:
        at_s: time of the frame.
        depth: of the foot point inside the boundary, picture heights; negative outside.
        point: the foot point, fractions of the picture.
    """

    at_s: float
    depth: float
    point: Point


@dataclass(frozen=True)
class Way:
    """A straight way at a constant speed.

    Attributes:
        at_s: when it begins.
        depth: how far inside the boundary it begins, picture heights.
        speed: how fast it leads inwards, picture heights a second.
        point: where it begins, fractions of the picture.
        velocity: how fast it leads across and down the picture, fractions of it a second.
    """

    at_s: float
    depth: float
    speed: float
    point: Point
    velocity: Point

    @classmethod
    def through(cls, sights: Sequence[Sight]) -> Way:
        """The way that fits some observations best (least squares); still, if all are of one time.

        >>> seen = [Sight(t, 0.2 * t - 0.1, (0.5, 0.6 - 0.2 * t)) for t in (0.0, 0.5, 1.0)]
        >>> at_s, (x, y) = Way.through(seen).crossing()
        >>> round(at_s, 6), round(x, 6), round(y, 6)
        (0.5, 0.5, 0.5)
        """
        times = np.array([sight.at_s - sights[0].at_s for sight in sights])
        seen = np.array([(sight.depth, *sight.point) for sight in sights])
        off = times - times.mean()
        spread = float(off @ off)
        slope = off @ seen / spread if spread else np.zeros(3)
        depth, x, y = (seen.mean(0) - times.mean() * slope).tolist()
        speed, across, down = slope.tolist()
        return cls(sights[0].at_s, depth, speed, (x, y), (across, down))

    def crossing(self) -> tuple[float, Point]:
        """When and where it leads over the boundary; its speed must not be 0."""
        after_s = -self.depth / self.speed
        x, y = (p + after_s * v for p, v in zip(self.point, self.velocity, strict=True))
        return self.at_s + after_s, (x, y)


def between(before: Sight, after: Sight) -> tuple[float, Point]:
    """When and where a boundary was crossed between two observations.

    >>> between(Sight(1.0, -0.1, (0.5, 0.6)), Sight(2.0, 0.3, (0.5, 0.2)))
    (1.25, (0.5, 0.5))
    """
    apart = before.depth - after.depth
    share = min(max(before.depth / apart, 0.0), 1.0) if apart else 0.0
    x, y = (p + share * (q - p) for p, q in zip(before.point, after.point, strict=True))
    return before.at_s + share * (after.at_s - before.at_s), (x, y)
