"""Who comes to light just beyond a line, hidden by others while they crossed it.

In a crowd somebody may be hidden for the last step before a line and the first ones beyond it. What
is seen of them is a new track that begins beyond the line, beside somebody else, and leads away
from it. Either it goes on for somebody who was lost on the other side a moment ago, or it is of
somebody who was hidden all the time: who walks away from a line surely, in plain view and from so
near has just crossed it, when and where their way leads back to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

from edge_app.events.sides import Change
from edge_app.events.way import Sight, Way
from edge_app.events.zones import Zone
from edge_app.flow import ROUNDING_S, Track, TrackedFrame
from edge_app.geometry import Box, Point, is_cut_off, shared_area

_WATCHED_S = 0.8
_LEAST_SEEN = 3
_SEEN_SHARE = 0.5
"""For so long somebody is watched, from the first sight on, and found so often and in this share of
the frames: what is seen less is a part of somebody else, or a trolley."""
_BESIDE = 0.5
"""Whoever hides them is within this share of their width."""
_LOST_NEAR = 1.0
"""Somebody lost so near, in heights of the person, may be who comes to light."""
_GOES_ON_SPEED, _HIDDEN_SPEED = 0.05, 0.25
"""They walk away from the line so fast, in their heights a second: who goes on for somebody lost,
and who was hidden all the time;"""
_GOES_ON_NEAR, _HIDDEN_NEAR = 0.8, 0.4
"""and come from no farther than this, in their heights."""
_COVERED = 0.5
"""If one of two boxes covers this share of the other, both may be of one person."""


@dataclass(frozen=True)
class _Seen:
    at_s: float
    point: Point
    height: float


class Emerging:
    """One person from the first sight on, until it is known where they came from.

    Args:
        track: the person at first sight.
        tracked: everybody in that frame.

    Attributes:
        is_open: they may have been hidden, and it is not decided yet where they came from.
        lost: ids of the people who were lost near them before they were seen, and still are.
    """

    def __init__(self, track: Track, tracked: TrackedFrame) -> None:
        box = _box(track)
        others = [other for other in tracked.tracks if other.track_id != track.track_id]
        self.is_open = not any(is_cut_off(box, tracked.size)) and any(
            shared_area(_widened(box), _box(other)) > 0 for other in others
        )
        self.lost = {o.track_id for o in others if not o.is_observed and _is_near(o, track)}
        self._frames = 0
        self._seen: list[_Seen] = []
        self._is_alone = False

    @property
    def since_s(self) -> float:
        """Time of the first sight."""
        return self._seen[0].at_s

    def miss(self) -> None:
        """Take in a frame in which they are not seen."""
        self._frames += 1

    def watch(self, track: Track, point: Point, tracked: TrackedFrame) -> bool:
        """Take in a frame in which they are seen.

        Args:
            track: the person.
            point: the foot point, fractions of the picture.
            tracked: everybody in the frame.

        Returns:
            Whether to ask now where they came from.
        """
        self._frames += 1
        height = float(track.box_xyxy[3] - track.box_xyxy[1]) / tracked.size[1]
        self._seen.append(_Seen(tracked.taken_at_s, point, height))
        if tracked.taken_at_s - self._seen[0].at_s < _WATCHED_S - ROUNDING_S:
            return False
        self.is_open = False
        self.lost &= {other.track_id for other in tracked.tracks if not other.is_observed}
        self._is_alone = not any(_is_covered(track, other) for other in tracked.tracks)
        return len(self._seen) >= max(_LEAST_SEEN, _SEEN_SHARE * self._frames)

    def goes_on(self, zone: Zone, side: int) -> bool:
        """Whether this can be somebody who was lost on the other side of a line.

        Args:
            zone: the line.
            side: of it where the person is: 1 inside, -1 outside.
        """
        _, speed, depth = self._way(zone, side)
        return speed >= _GOES_ON_SPEED and depth <= _GOES_ON_NEAR

    def passage(self, zone: Zone, side: int) -> Change | None:
        """The crossing of somebody who was hidden until then, if the way they walk tells of one.

        Args:
            zone: the line.
            side: of it where the person is: 1 inside, -1 outside.
        """
        way, speed, depth = self._way(zone, side)
        if not self._is_alone or speed < _HIDDEN_SPEED or depth > _HIDDEN_NEAR:
            return None
        at_s, point = way.crossing()
        return Change(side, min(at_s, self.since_s), point)

    def _way(self, zone: Zone, side: int) -> tuple[Way, float, float]:
        """How they walk, how fast away from the line and from how far, in their heights."""
        height = median(seen.height for seen in self._seen) or math.inf
        way = Way.through([Sight(s.at_s, zone.depth(s.point), s.point) for s in self._seen])
        return way, side * way.speed / height, side * way.depth / height


def _box(track: Track) -> Box:
    x1, y1, x2, y2 = (float(value) for value in track.box_xyxy)
    return x1, y1, x2, y2


def _widened(box: Box) -> Box:
    x1, y1, x2, y2 = box
    by = _BESIDE * (x2 - x1)
    return x1 - by, y1 - by, x2 + by, y2 + by


def _is_near(other: Track, track: Track) -> bool:
    """Whether two people stand near each other, in heights of the second."""
    x1, y1, x2, y2 = _box(track)
    left, _, right, bottom = _box(other)
    return math.hypot((left + right - x1 - x2) / 2, bottom - y2) <= _LOST_NEAR * (y2 - y1)


def _is_covered(track: Track, other: Track) -> bool:
    """Whether two boxes lie over each other so far that they may be of one person."""
    if other.track_id == track.track_id:
        return False
    boxes = _box(track), _box(other)
    smaller = min((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in boxes)
    return shared_area(*boxes) > _COVERED * smaller
