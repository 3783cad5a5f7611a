"""Cameras and pipeline at work with nothing delivered, for whoever wants to look at them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from threading import Lock
from typing import Any

import cv2
import numpy as np

from edge_app.app import Networks, build_pipeline
from edge_app.box.closing import close_together
from edge_app.box.live import SUPERVISE_S, TICK_S
from edge_app.capture.camera import LiveCamera
from edge_app.capture.clock import SteadyClock
from edge_app.capture.latest import FrameSlots
from edge_app.capture.source import open_live
from edge_app.commands.annotate import alert_in_words, draw_people, entry_in_words
from edge_app.config.schema import Config
from edge_app.errors import EngineError, SourceError
from edge_app.flow import CameraState, Frame, Outfit, TrackedFrame, TrackKey, UInt8
from edge_app.pipeline import Step

NEWS = 8
"""How much of what happened last is remembered, by camera."""
_RATE_S = 3.0
_QUALITY = 80


class Watching:
    """Cameras from start to stop; ``with`` starts their threads and stops them.

    :meth:`turn` is called by one thread again and again, everything else by any.

    Args:
        config: of the store; neither its brokers nor its state folder are touched.
        networks: loaded and ready.
    """

    def __init__(self, config: Config, networks: Networks) -> None:
        self._config = self._running = config
        self._clock = SteadyClock()
        self._slots = FrameSlots(config.cameras, self._clock.steady_s)
        self._pipeline = build_pipeline(config, networks, self._clock.now_s())
        self._cameras: list[LiveCamera] = [
            open_live(name, camera, self._slots, self._heard)
            for name, camera in config.cameras.items()
        ]
        self._supervised_at_s = float("-inf")
        self._states = dict.fromkeys(config.cameras, ("connecting", ""))
        self._seen: dict[str, tuple[Frame, TrackedFrame]] = {}
        self._taken_s = {name: deque[float]() for name in config.cameras}
        self._outfits: dict[TrackKey, Outfit] = {}
        self._counts = {zone: {"in": 0, "out": 0} for zone in config.zones}
        self._news = {name: deque[str](maxlen=NEWS) for name in config.cameras}
        self._trouble: str | None = None
        self._lock = Lock()

    def __enter__(self) -> Watching:
        for camera in self._cameras:
            camera.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        close_together(self._cameras)

    @property
    def config(self) -> Config:
        """What is looked by, or will be from the next turn on."""
        with self._lock:
            return self._config

    def change(self, config: Config) -> None:
        """Look by other zones and masks from the next turn on; who is followed stays.

        Args:
            config: differs from the last in zones and masks only. What a zone has counted stays if
                nothing of it changes.
        """
        with self._lock:
            self._config = config

    def turn(self) -> None:
        """The newest frame of each camera through the pipeline, or none within a tick."""
        config = self.config
        if config is not self._running:
            self._apply(config)
        frames = self._slots.take(TICK_S)
        try:
            step = self._pipeline.step(frames, self._clock.now_s(), self._clock.ahead_s())
            trouble = step.trouble
        except EngineError as error:
            step, trouble, frames = Step(), error, []
        with self._lock:
            self._trouble = None if trouble is None else str(trouble)
            self._note(frames, step)
        if self._clock.steady_s() - self._supervised_at_s >= SUPERVISE_S:
            self._supervised_at_s = self._clock.steady_s()
            for camera in self._cameras:
                camera.supervise()

    def jpeg(self, camera: str) -> bytes | None:
        """The newest picture, masked, with its people and what they seem to wear; None without one.

        Raises:
            SourceError: it cannot be made a JPEG.
        """
        with self._lock:
            seen = self._seen.get(camera)
            outfits = dict(self._outfits)
        if seen is None:
            return None
        frame, people = seen
        drawn: UInt8 = np.array(frame.frame_bgr)
        draw_people(drawn, people, outfits)
        is_coded, coded = cv2.imencode(".jpg", drawn, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
        if not is_coded:
            raise SourceError(f"{camera}: the picture cannot be shown: no JPEG encoder")
        return coded.tobytes()

    def told(self, camera: str) -> Mapping[str, Any]:
        """What is known of a camera, JSON-able.

        Returns:
            ``state`` and ``reason``; ``size``, width and height in pixels, or None; ``fps``,
            lately, or None at first; ``counts``, ``in`` and ``out`` by zone; ``news``, the newest
            first; ``trouble``, why the networks do not work, or None.
        """
        with self._lock:
            seen = self._seen.get(camera)
            state, reason = self._states[camera]
            zones = self._running.cameras[camera].zones
            taken_s, now_s = self._taken_s[camera], self._clock.steady_s()
            lately = [at_s for at_s in taken_s if at_s > now_s - _RATE_S]
            fps = (len(lately) - 1) / (now_s - lately[0]) if len(lately) > 1 else 0.0
            return {
                "state": state,
                "reason": reason,
                "size": None if seen is None else list(seen[0].size),
                "fps": round(fps, 1) if len(taken_s) > 1 else None,
                "counts": {zone: dict(self._counts[zone]) for zone in zones},
                "news": list(reversed(self._news[camera])),
                "trouble": self._trouble,
            }

    def _apply(self, config: Config) -> None:
        before = self._running.zones
        for camera in self._cameras:
            camera.change(config.cameras[camera.camera_id])
        self._slots.take(0.0)  # these were masked as before
        self._pipeline.reconfigure(config, self._clock.now_s())
        with self._lock:
            self._running = config
            self._counts = {
                zone: self._counts[zone] if before.get(zone) == placed else {"in": 0, "out": 0}
                for zone, placed in config.zones.items()
            }

    def _heard(self, state: CameraState) -> None:
        with self._lock:
            self._states[state.camera] = (state.state, state.reason)

    def _note(self, frames: list[Frame], step: Step) -> None:
        self._outfits.update(step.outfits)
        for frame, people in zip(frames, step.tracked, strict=True):
            self._seen[frame.camera] = frame, people
            taken_s = self._taken_s[frame.camera]
            taken_s.append(frame.taken_at_s)
            while taken_s[0] < frame.taken_at_s - _RATE_S:
                taken_s.popleft()
            for track_id in people.ended:
                self._outfits.pop((frame.camera, track_id), None)
        for entry in step.entries:
            if not entry.is_initial:
                self._counts[entry.zone][entry.direction] += 1
                self._news[entry.camera].append(entry_in_words(entry))
        for alert in step.alerts:
            camera, _ = self._running.zones[alert.zone]
            self._news[camera].append(alert_in_words(alert))
