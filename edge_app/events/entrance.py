"""Who comes in and who goes out: lines crossed, areas stepped into.

::

                 in  (left hand of who walks from start to end)
    ------------- depth > band -------------    far side: 0.3 s and two observations
    = = = = = =  hysteresis band  = = = = = =   neither side
    start ------------------------------> end
    = = = = = = = = = = = = = = = = = = = = =
    ------------- depth < -band ------------    near side: 0.3 s and two observations
                 out (right hand)

Only what was seen counts as an observation; a coasting track says nothing. Where the picture ends
there is no time to be seen for 0.3 s: who appears cut off by the picture's edge came from beyond
it, and who disappears there has gone beyond it, so two observations are enough for that side.
Who is first seen in a line's band, hidden by others until then, comes from the side of the line
itself; nobody is counted within the band. Who was hidden until beyond it: :mod:`.emerging`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edge_app.config.schema import TrackingSettings, ZoneSettings
from edge_app.events.emerging import Emerging
from edge_app.events.foot import Foot
from edge_app.events.sides import Change, Sides
from edge_app.events.zones import Zone
from edge_app.flow import Direction, Entry, Float32, Track, TrackedFrame

_INITIAL_S = 10.0
"""Live, people first seen inside an area this soon after a start were there before."""
_ALL_FOUND_S = 2.0
"""Nor does anybody come to light who is first seen so soon after it: nothing happened before it."""
_SURE_SCORE = 0.3
"""A weaker box goes on with a track, but does not tell where somebody stands: it is often a part of
them, or of somebody else."""
_LOST_S = 2.0
"""Who was lost at a line no longer ago than this may have crossed it unseen."""


@dataclass
class _Stay:
    """What is known of one person in one zone."""

    sides: Sides
    counted: Direction | None = None
    in_at_s: float | None = None


@dataclass
class _Visitor:
    """What is known of one person; deleted when the track ends."""

    emerging: Emerging
    foot: Foot = field(default_factory=Foot)
    stays: dict[str, _Stay] = field(default_factory=dict)


class Entrance:
    """The zones of one camera.

    Args:
        camera: id of the camera.
        zones: lines and areas by id.
        is_replay: a recording: people first seen inside an area are counted from the first frame
            on; live, those seen within 10 s of a start or reconnect only add to the occupancy.
        lost_s: a gap between two frames that is longer ends every track: a reconnect.
    """

    def __init__(
        self,
        camera: str,
        zones: Mapping[str, ZoneSettings],
        is_replay: bool,
        lost_s: float = TrackingSettings().lost_s,
    ) -> None:
        self._camera = camera
        self._settings = dict(zones)
        self._is_replay = is_replay
        self._lost_s = lost_s
        self._zones: dict[str, Zone] = {}
        self._size: tuple[int, int] | None = None
        self._visitors: dict[int, _Visitor] = {}
        self._started_at_s = 0.0
        self._changed_at_s: dict[str, float] = {}
        self._last_at_s: float | None = None
        self._last_index = 0

    def update(self, tracked: TrackedFrame) -> list[Entry]:
        """What one more frame decides, in the order of zones and tracks."""
        has_broken = self._note_time(tracked)
        self._last_index = tracked.index
        entries: list[Entry] = []
        for track_id in tracked.ended:
            gone = self._part(track_id, has_left=True)
            # Who is not followed over a break of the pictures may well be there still.
            entries += [self._unsaid(entry) for entry in gone] if has_broken else gone
        boxes = [track.box_xyxy for track in tracked.tracks]
        for track in tracked.tracks:
            if track.is_observed and track.score >= _SURE_SCORE:
                if tracked.is_past_first_sight(track):
                    entries += self._observe(track, tracked, boxes)
            elif track.track_id in self._visitors:
                self._visitors[track.track_id].emerging.miss()
        return entries

    @property
    def people(self) -> frozenset[int]:
        """Ids of the tracks that something is remembered of."""
        return frozenset(self._visitors)

    def change_zones(self, zones: Mapping[str, ZoneSettings]) -> None:
        """Watch other zones from the next frame on.

        A zone that stays the same remembers everything. One that was moved remembers who was
        counted, so that nobody is counted again for standing where they stood; in a moved or new
        area, whoever is seen inside first within 10 s was there before. Who is not inside a moved
        area is in it no more, without having gone out.
        """
        new = {key for key, zone in zones.items() if self._settings.get(key) != zone}
        self._settings = dict(zones)
        self._place_zones()
        for visitor in self._visitors.values():
            for key in [key for key in visitor.stays if key not in zones]:
                del visitor.stays[key]
            for key in visitor.stays.keys() & new:
                stay = visitor.stays[key]
                stay.sides = Sides(zones[key].hold_s, stay.sides.last_at_s, is_cut_off=False)
        self._changed_at_s = {
            **{key: at_s for key, at_s in self._changed_at_s.items() if key in zones},
            **dict.fromkeys(new, self._last_at_s or 0.0),
        }

    def finish(self) -> list[Entry]:
        """Decide what is pending, at the end of a recording.

        A far side seen for less than the hold counts only if the person was last seen cut off by
        the picture's edge there. Nobody is taken to leave an area because the recording ends.
        """
        entries: list[Entry] = []
        for track_id in list(self._visitors):
            entries += self._part(track_id, has_left=False)
        return entries

    def _note_time(self, tracked: TrackedFrame) -> bool:
        """Whether the camera has just started, or come back, perhaps with other pictures."""
        gone_s = None if self._last_at_s is None else tracked.taken_at_s - self._last_at_s
        is_resized = tracked.size != self._size
        has_broken = gone_s is None or gone_s > self._lost_s or is_resized
        if has_broken:
            self._started_at_s = tracked.taken_at_s
        self._last_at_s = tracked.taken_at_s
        if is_resized:
            self._size = tracked.size
            self._place_zones()
        return has_broken

    def _unsaid(self, entry: Entry) -> Entry:
        """Somebody who went out of an area only because the pictures broke off: no exit."""
        if self._is_replay or not self._zones[entry.zone].is_area:
            return entry
        return replace(entry, is_initial=True, dwell_s=None)

    def _place_zones(self) -> None:
        if self._size is not None:
            aspect = self._size[0] / self._size[1]
            self._zones = {key: Zone(zone, aspect) for key, zone in self._settings.items()}

    def _observe(self, track: Track, tracked: TrackedFrame, boxes: list[Float32]) -> list[Entry]:
        visitor = self._visitors.get(track.track_id)
        if visitor is None:
            visitor = self._visitors[track.track_id] = _Visitor(Emerging(track, tracked))
            visitor.emerging.is_open &= track.first_seen_at_s - self._started_at_s > _ALL_FOUND_S
        point = visitor.foot.locate(track.box_xyxy, tracked.size, tracked.taken_at_s, boxes)
        person_height = float(track.box_xyxy[3] - track.box_xyxy[1]) / tracked.size[1]
        entries = []
        for zone_id, zone in self._zones.items():
            stay = visitor.stays.get(zone_id)
            if stay is None:
                hold_s = zone.settings.hold_s
                stay = _Stay(Sides(hold_s, track.first_seen_at_s, visitor.foot.is_cut_off))
                visitor.stays[zone_id] = stay
            depth = zone.depth(point)
            side = zone.side(depth, person_height, stay.counted is not None)
            if side == 0 and not zone.is_area:
                side = stay.sides.origin(depth)
            change = stay.sides.observe(side, depth, point, tracked.taken_at_s)
            if change is not None:
                hidden = visitor.foot.at_first(tracked.size, tracked.taken_at_s)
                sides = {zone.side(zone.depth(at), person_height) for at in hidden}
                if sides == {change.side} and not zone.is_area:
                    # They came from nowhere else: at first, somebody hid their legs.
                    change = replace(change, is_first=True)
                entries += self._decide(zone_id, track.track_id, stay, change)
        if visitor.emerging.is_open and visitor.emerging.watch(track, point, tracked):
            entries += self._emerge(track.track_id, visitor)
        return entries

    def _emerge(self, track_id: int, visitor: _Visitor) -> list[Entry]:
        """Count who was hidden while they crossed a line."""
        entries, emerging = [], visitor.emerging
        lost = [self._visitors[other] for other in emerging.lost if other in self._visitors]
        for zone_id, stay in visitor.stays.items():
            zone, side = self._zones[zone_id], stay.sides.settled
            if zone.is_area or side == 0 or stay.counted is not None:
                continue
            near = [other for other in lost if zone_id in other.stays]
            change = None
            if all(other.stays[zone_id].sides.settled != side for other in near):
                change = emerging.passage(zone, side)
            if change is None and emerging.goes_on(zone, side):
                change = self._go_on(zone_id, visitor, near)
            if change is not None:
                entries += self._decide(zone_id, track_id, stay, change)
        return entries

    def _go_on(self, zone_id: str, visitor: _Visitor, lost: list[_Visitor]) -> Change | None:
        """Somebody just seen goes on for the latest who was lost on the other side of a line."""
        stay, since_s = visitor.stays[zone_id], visitor.emerging.since_s
        lost = [
            other
            for other in lost
            if other.stays[zone_id].sides.settled == -stay.sides.settled
            and since_s - other.stays[zone_id].sides.last_at_s <= _LOST_S
        ]
        if not lost:
            return None
        latest = max(lost, key=lambda other: other.stays[zone_id].sides.last_at_s)
        # If the lost track is seen again, it is of somebody else.
        before = latest.stays.pop(zone_id)
        stay.counted, stay.in_at_s = before.counted, before.in_at_s
        return stay.sides.passage_from(before.sides)

    def _part(self, track_id: int, has_left: bool) -> list[Entry]:
        """Forget a person, after deciding what the end of the track says."""
        visitor = self._visitors.pop(track_id, None)
        if visitor is None:
            return []
        entries = []
        for zone_id, stay in visitor.stays.items():
            if self._zones[zone_id].is_area:
                if has_left and stay.sides.settled >= 0:
                    is_first = stay.sides.settled == 0
                    gone = Change(-1, stay.sides.last_at_s, None, is_first)
                    entries += self._decide(zone_id, track_id, stay, gone)
            elif visitor.foot.is_cut_off:
                change = stay.sides.conclude()
                if change is not None:
                    entries += self._decide(zone_id, track_id, stay, change)
        return entries

    def _decide(self, zone_id: str, track_id: int, stay: _Stay, change: Change) -> list[Entry]:
        """The entry that a change of sides is, if it is one."""
        zone = self._zones[zone_id]
        direction: Direction = "in" if change.side > 0 else "out"
        entry = Entry(self._camera, zone_id, track_id, direction, self._last_index, change.at_s)
        if change.is_first and not zone.is_area:
            return []
        if change.is_first and direction == "out":
            if stay.counted != "in":
                return []
            # They were counted where the area was before it was moved.
            stay.counted, stay.in_at_s = "out", None
            return [replace(entry, is_initial=True)]
        if change.point is not None and not zone.is_passed_at(change.point):
            return []
        if stay.counted == direction:
            return []
        stay.counted = direction
        if direction == "in":
            began_s = max(self._started_at_s, self._changed_at_s.get(zone_id, 0.0))
            is_initial = (
                change.is_first and not self._is_replay and change.at_s - began_s <= _INITIAL_S
            )
            stay.in_at_s = None if is_initial else change.at_s
            return [replace(entry, is_initial=is_initial)]
        dwell_s = None if stay.in_at_s is None else change.at_s - stay.in_at_s
        is_uturn = not zone.is_area and dwell_s is not None and dwell_s <= zone.settings.uturn_s
        stay.in_at_s = None
        return [replace(entry, dwell_s=dwell_s, is_uturn=is_uturn)]
