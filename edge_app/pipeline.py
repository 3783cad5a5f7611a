"""The flow of Dresscode on one screen.

::

    capture -> detection -> tracking -> outfit -> events -> delivery
    Frame   -> Detections -> Track   -> Outfit -> Entry/Alert/CountWindow -> outbox -> MQTT

One call of :meth:`Pipeline.step` takes the newest frame of each camera through all of it. All
frames go into one detector call, all person crops into one garment call, all garment crops into
one classifier call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from edge_app.capture.motion import MotionGate
from edge_app.config.schema import Config
from edge_app.detection.detector import Detector
from edge_app.errors import EngineError
from edge_app.events.alerts import Alerts
from edge_app.events.books import Books
from edge_app.events.counts import Counts
from edge_app.events.entrance import Entrance
from edge_app.flow import (
    Alert,
    CountWindow,
    Detections,
    Entry,
    Frame,
    Outfit,
    TrackedFrame,
    TrackKey,
)
from edge_app.outfit.outfits import Outfits
from edge_app.tracking.appearance import look_at
from edge_app.tracking.tracker import Tracker


@dataclass(frozen=True)
class Step:
    """What one step gave.

    Attributes:
        tracked: the people in each of the step's frames.
        entries: crossings decided in this step.
        outfits: outfits that changed or settled in this step.
        alerts: alerts to be sent.
        windows: count windows that closed, or changed.
        trouble: a network failed to look at clothes; who came in was counted all the same.
    """

    tracked: tuple[TrackedFrame, ...] = ()
    entries: tuple[Entry, ...] = ()
    outfits: Mapping[TrackKey, Outfit] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
    windows: tuple[CountWindow, ...] = ()
    trouble: EngineError | None = None


class Pipeline:
    """All stages between capture and delivery, for all cameras of one box.

    Args:
        config: the store's configuration.
        detector: finds people in frames.
        outfits: settles what they wear.
        started_at_s: when counting begins, seconds of Unix time.
        is_replay: a recording, whose first people count as entries.
        honours_hours: the rules' hours are honoured.
        is_clock_ok: whether to go by the clock even where a restart finds it far behind.
    """

    def __init__(
        self,
        config: Config,
        detector: Detector,
        outfits: Outfits,
        started_at_s: float,
        is_replay: bool,
        honours_hours: bool,
        is_clock_ok: Callable[[], bool],
    ) -> None:
        self._detector = detector
        self._outfits = outfits
        self._trackers = {name: Tracker(name, config.tracking) for name in config.cameras}
        self._has_appearance = config.tracking.appearance
        self._entrances = {
            name: Entrance(name, camera.zones, is_replay, config.tracking.lost_s)
            for name, camera in config.cameras.items()
        }
        is_gated = config.motion.gate == "always" or (
            config.motion.gate == "live" and not is_replay
        )
        self._gates = {name: MotionGate(config.motion) for name in config.cameras if is_gated}
        self._hint_score = config.tracking.hint_score
        self.skipped = dict.fromkeys(config.cameras, 0)
        """Pictures that no network had to see, by camera."""
        self._honours_hours = honours_hours
        self._is_clock_ok = is_clock_ok
        self._is_replay = is_replay
        self._books = Books(
            _alerts(config, honours_hours),
            _counts(config, started_at_s, is_clock_ok),
            config.staff.zones,
        )
        lacks_uniform = config.staff.uniform is not None and outfits.uniform is None
        self.lacks = "no picture of the staff's uniform can be used" if lacks_uniform else None
        """What it does without for as long as it runs; None for nothing."""
        self._areas = _areas(config)
        self._ahead_s = 0.0
        self.stage_s: dict[str, float] = {}

    def step(self, frames: Sequence[Frame], now_s: float, ahead_s: float = 0.0) -> Step:
        """Take frames, at most one of each camera, from pixels to events.

        People are followed by the frames' even clock, and counted by the time of day: nobody is
        lost, and counted again, because somebody sets a clock.

        Args:
            frames: BGR pictures with their cameras and times.
            now_s: the present, seconds of Unix time; in a replay the frames' own time.
            ahead_s: how far the time of day is ahead of the frames' clock.

        Raises:
            EngineError: the detector failed, or in a replay any network: the frames are lost,
                nothing counted is.
        """
        self._ahead_s = ahead_s
        with self._timed("detection"):
            wanted = [frame for frame in frames if self._wants(frame)]
            found = self._detector.detect([frame.frame_bgr for frame in wanted])
            detections = self._of_all(frames, wanted, found)
        with self._timed("tracking"):
            tracked = tuple(
                self._follow(frame, people)
                for frame, people in zip(frames, detections, strict=True)
            )
            self._tell_gates(wanted, found, tracked)
        with self._timed("events"):
            entries = tuple(
                entry
                for people in tracked
                for entry in self._entrances[people.camera].update(people)
            )
        with self._timed("outfit"):
            outfits, trouble = self._look(frames, tracked)
            told_s = {people.camera: people.taken_at_s for people in tracked}
            # Going out forgets the clothes; the same step may lead into the next zone, in them.
            for entry in sorted(entries, key=lambda entry: entry.direction == "out"):
                has_left = entry.direction == "out" and entry.zone not in self._areas
                key = (entry.camera, entry.track_id)
                outfits[key] = self._outfits.entered(entry, told_s[entry.camera], has_left)
            for people in tracked:
                for track_id in people.ended:
                    key = (people.camera, track_id)
                    outfits[key] = self._outfits.settle(key)
        with self._timed("events"):
            for people in tracked:
                self.counts.seen(people.camera, people.taken_at_s + ahead_s)
                self.alerts.seen(people.camera, [track.track_id for track in people.tracks])
            index = max((frame.index for frame in frames), default=0)
            return self._events(Step(tracked, entries, outfits, trouble=trouble), now_s, index)

    def finish(self, now_s: float, index: int) -> Step:
        """The end of a recording, or of the day: settle and close everything that is pending."""
        entries = tuple(
            entry for entrance in self._entrances.values() for entry in entrance.finish()
        )
        for entry in entries:
            self._outfits.entered(entry)
        alive = [(name, i) for name, tracker in self._trackers.items() for i in tracker.finish()]
        entered = [(entry.camera, entry.track_id) for entry in entries]
        keys = dict.fromkeys((*alive, *self._books.open, *entered))
        outfits = {key: self._outfits.settle(key) for key in keys}
        step = self._events(Step((), entries, outfits), now_s, index)
        return Step(
            entries=step.entries,
            outfits=outfits,
            alerts=(*step.alerts, *self.alerts.flush(now_s, index)),
            windows=(*step.windows, *self.counts.finish(now_s)),
        )

    def _follow(self, frame: Frame, people: Detections) -> TrackedFrame:
        """Everybody followed into one more frame."""
        looks = look_at(frame.frame_bgr, people.boxes_xyxy) if self._has_appearance else None
        return self._trackers[frame.camera].update(
            people, frame.index, frame.taken_at_s, frame.size, looks
        )

    def _wants(self, frame: Frame) -> bool:
        gate = self._gates.get(frame.camera)
        is_wanted = gate is None or gate.wants(frame.frame_bgr, frame.taken_at_s)
        self.skipped[frame.camera] += not is_wanted
        return is_wanted

    def _look(
        self, frames: Sequence[Frame], tracked: Sequence[TrackedFrame]
    ) -> tuple[dict[TrackKey, Outfit], EngineError | None]:
        """Look at clothes; a failure must not lose the entries of this step."""
        try:
            return self._outfits.look(frames, tracked), None
        except EngineError as error:
            if self._is_replay:
                raise
            return self._outfits.due(tracked), error

    def _of_all(
        self, frames: Sequence[Frame], wanted: Sequence[Frame], found: Sequence[Detections]
    ) -> list[Detections]:
        """What was found in each frame; in those that nobody had to see, nobody."""
        by_camera = {frame.camera: people for frame, people in zip(wanted, found, strict=True)}
        return [by_camera.get(frame.camera, Detections.empty()) for frame in frames]

    def _tell_gates(
        self,
        wanted: Sequence[Frame],
        found: Sequence[Detections],
        tracked: Sequence[TrackedFrame],
    ) -> None:
        """Gates stay open while somebody is followed, or may be about to be."""
        followed = {people.camera for people in tracked if people.tracks}
        for frame, people in zip(wanted, found, strict=True):
            if frame.camera in self._gates:
                is_anybody = bool((people.scores >= self._hint_score).any())
                is_anybody |= frame.camera in followed
                self._gates[frame.camera].found(is_anybody, frame.taken_at_s)

    def _events(self, step: Step, now_s: float, index: int) -> Step:
        """What follows from this step's entries and outfits."""
        entries = tuple(replace(e, at_s=e.at_s + self._ahead_s) for e in step.entries)
        # What pictures decide is decided when they were taken, however long looking took.
        taken_s = [people.taken_at_s + self._ahead_s for people in step.tracked]
        decided_s = max(taken_s, default=now_s)
        alerts = tuple(self._books.book(entries, step.outfits, decided_s, index))
        for people in step.tracked:
            for track_id in people.ended:
                self._books.forget((people.camera, track_id))
        windows = tuple(self.counts.advance(now_s))
        return replace(step, entries=entries, alerts=alerts, windows=windows)

    def reconfigure(self, config: Config, now_s: float) -> None:
        """Apply other rules and zones; who is followed, and what was counted, stays.

        Args:
            config: differs from the running one in rules, zones and masks only.
            now_s: the present, seconds of Unix time.
        """
        alerts = _alerts(config, self._honours_hours)
        alerts.restore(self.alerts.state(), keeps_tracks=True)
        counts = _counts(config, now_s, self._is_clock_ok)
        kept, areas = self.counts.state(), _areas(config)
        # Nobody is seen to leave an area that goes, or goes to another camera; in the new one they
        # are told of anew.
        changed = dict(self._areas.items() ^ areas.items())
        counts.restore(kept, emptied=sorted(changed))
        self._books.renew(alerts, counts)
        self._areas = areas
        for name, camera in config.cameras.items():
            self._entrances[name].change_zones(camera.zones)

    @property
    def alerts(self) -> Alerts:
        """The alert rules."""
        return self._books.alerts

    @property
    def counts(self) -> Counts:
        """The counters."""
        return self._books.counts

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able; goes into the outbox with the messages."""
        return self._books.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave before the restart.

        People inside areas are seen again, and told of as having been there; those inside lines
        are not.
        """
        self._books.restore(state, emptied=list(self._areas))

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = perf_counter()
        yield
        self.stage_s[stage] = self.stage_s.get(stage, 0.0) + perf_counter() - started


def _alerts(config: Config, honours_hours: bool) -> Alerts:
    return Alerts(config.alerts, config.timezone, list(config.zones), honours_hours)


def _counts(config: Config, started_at_s: float, is_clock_ok: Callable[[], bool]) -> Counts:
    return Counts(
        {zone: camera for zone, (camera, _) in config.zones.items()},
        config.timezone,
        config.business_day_start,
        started_at_s,
        config.privacy.min_cell,
        is_clock_ok,
    )


def _areas(config: Config) -> dict[str, str]:
    """The camera of each zone that is an area."""
    return {name: camera for name, (camera, zone) in config.zones.items() if zone.area is not None}
