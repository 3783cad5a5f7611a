"""The evidence for the side of a boundary that one person is on.

A side is settled when it was seen for long enough without a glimpse of the other. Observations
in the hysteresis band speak for neither side; those that lie beyond the boundary, even within the
band, end the other side's run.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from edge_app.events.way import Sight, Way, between
from edge_app.flow import ROUNDING_S
from edge_app.geometry import Point

_LEAST_SEEN = 2

_WAY_S = 1.5
_LEAST_FOR_WAY = 4
_KEPT_S = 4.0
"""The way since somebody turned towards a boundary, no longer before and after it than the first,
tells when it was crossed, if they were seen so often."""


@dataclass(frozen=True)
class Change:
    """A side that was settled.

    Attributes:
        side: 1 inside, -1 outside.
        at_s: when the person came to it: the time at which the boundary was crossed, between the
            last observation before and the first one beyond it; at first, the first sight.
        point: where the boundary was crossed; None at first.
        is_first: it is the first side that the person is known to be on.
    """

    side: int
    at_s: float
    point: Point | None
    is_first: bool = False


class Sides:
    """One person and one boundary.

    Args:
        hold_s: for how long a side must be seen.
        first_seen_at_s: when the person was first detected, which is before the track was
            confirmed: the first side has been seen since then.
        is_cut_off: the person was first seen cut off by the picture's edge, and so came from
            beyond it: the first side needs no hold.
    """

    def __init__(self, hold_s: float, first_seen_at_s: float, is_cut_off: bool) -> None:
        self.settled = 0
        """The side that the person is known to be on: 1 inside, -1 outside, 0 not known."""
        self.last_at_s = first_seen_at_s
        """When the person was last seen."""
        self._settled_at_s = first_seen_at_s
        self._hold_s = hold_s
        self._first_seen_at_s = first_seen_at_s
        self._is_cut_off = is_cut_off
        self._run_side = 0
        self._run_since_s = 0.0
        self._run_seen = 0
        self._is_first_run = True
        self._first: Sight | None = None
        self._seen: deque[Sight] = deque()
        self._crossed: tuple[float, Point] | None = None

    def observe(self, side: int, depth: float, point: Point, at_s: float) -> Change | None:
        """One more observation.

        Args:
            side: 1 inside, -1 outside, 0 the hysteresis band.
            depth: how far inside, negative outside.
            point: the foot point, fractions of the picture.
            at_s: time of the frame.

        Returns:
            The side that is now settled, if it was not before.
        """
        self._note_crossing(depth, point, at_s)
        self.last_at_s = at_s
        if side == 0:
            if depth * self._run_side < 0:
                self._run_side = 0
            return None
        if side != self._run_side:
            self._begin(side, at_s)
        else:
            self._run_seen += 1
        held_s = at_s - self._run_since_s
        is_free = self._is_first_run and self._is_cut_off
        if self._run_seen < _LEAST_SEEN or not (is_free or held_s >= self._hold_s - ROUNDING_S):
            return None
        return self._settle()

    def origin(self, depth: float) -> int:
        """Where a person comes from who is in the band, hidden by others until then.

        Args:
            depth: how far inside, negative outside.

        Returns:
            The side, 1 or -1, while no other was seen; 0 once it is settled, and for who came over
            the picture's edge, where a foot point is a guess.
        """
        side = 1 if depth >= 0 else -1
        is_open = self.settled == 0 and self._is_first_run and not self._is_cut_off
        return side if is_open and (self._run_seen == 0 or side == self._run_side) else 0

    def conclude(self) -> Change | None:
        """The person disappeared over the picture's edge: the side seen last needs no hold."""
        if self._run_side == 0 or self._run_seen < _LEAST_SEEN:
            return None
        return self._settle()

    def passage_from(self, lost: Sides) -> Change | None:
        """The crossing between where somebody was lost on the other side and the first sight here.

        Args:
            lost: what is known of who was lost.
        """
        if self._first is None or not lost._seen:
            return None
        return Change(self.settled, *between(lost._seen[-1], self._first))

    def _begin(self, side: int, at_s: float) -> None:
        is_first = self._is_first_run = self._run_seen == 0
        self._run_side = side
        self._run_since_s = self._first_seen_at_s if is_first else at_s
        # A confirmed track was detected at least twice: the first sight is an observation too.
        self._run_seen = 2 if is_first and self._first_seen_at_s < at_s else 1

    def _settle(self) -> Change | None:
        if self._run_side == self.settled:
            return None
        if self.settled == 0 or self._crossed is None:
            change = Change(self._run_side, self._run_since_s, None, is_first=True)
        else:
            change = Change(self._run_side, *self._passed(*self._crossed))
        self.settled, self._settled_at_s = self._run_side, self.last_at_s
        return change

    def _passed(self, at_s: float, point: Point) -> tuple[float, Point]:
        """When and where the boundary was crossed about then, by all of the way there.

        Args:
            at_s: when the person was last seen to come to the other side of it.
            point: where.
        """
        since_s = max(self._settled_at_s, at_s - _WAY_S)
        near = [sight for sight in self._seen if since_s <= sight.at_s <= at_s + _WAY_S]
        depths = [sight.depth * self._run_side for sight in near]
        farthest = min(depths, default=0.0)
        near = near[max((i for i, depth in enumerate(depths) if depth == farthest), default=0) :]
        if len(near) >= _LEAST_FOR_WAY:
            way = Way.through(near)
            if way.speed * self._run_side > 0:
                crossing = way.crossing()
                if near[0].at_s <= crossing[0] <= near[-1].at_s:
                    return crossing
        return at_s, point

    def _note_crossing(self, depth: float, point: Point, at_s: float) -> None:
        """Remember where and when the boundary itself was last crossed, interpolated."""
        now = Sight(at_s, depth, point)
        if self._seen and (self._seen[-1].depth >= 0) != (depth >= 0):
            self._crossed = between(self._seen[-1], now)
        while self._seen and at_s - self._seen[0].at_s > _KEPT_S:
            self._seen.popleft()
        self._seen.append(now)
        self._first = self._first or now
