"""The simulated entrance: any frame of it, what is in the frame, and the truth of the run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property, lru_cache

import numpy as np

from edge_app.capture.simulated.background import Background, build_background
from edge_app.capture.simulated.cloth import UInt8
from edge_app.capture.simulated.layout import Layout, Line, draw_layout
from edge_app.capture.simulated.optics import Optics, draw_look
from edge_app.capture.simulated.person import Person
from edge_app.capture.simulated.settings import SimulationSettings
from edge_app.capture.simulated.stage import Stage
from edge_app.capture.simulated.truth import (
    SimulationTruth,
    TruthPerson,
    crossings_of,
    person_truth,
)
from edge_app.capture.simulated.views import Rendered
from edge_app.capture.simulated.walk import MINUTE_S, Place, Timetable, Walker
from edge_app.errors import SourceError


class SimulatedEntrance:
    """A rendered store entrance; see the package's docstring.

    Frames are pure functions of the settings and their number: they can be asked for in any order.

    Attributes:
        settings: what was asked for.
    """

    def __init__(self, settings: SimulationSettings) -> None:
        self.settings = settings
        rng = np.random.default_rng([settings.seed, 10])
        self._layout: Layout = draw_layout(settings, rng)
        self._timetable = Timetable(settings, self._layout)
        self._optics_seed = int(rng.integers(2**31))
        # Bounded: a run of months keeps only the people of the last minutes.
        self._person = lru_cache(maxsize=64)(self._make_person)

    @classmethod
    def from_url(cls, url: str) -> SimulatedEntrance:
        """Open a ``sim://entrance?…`` address.

        Raises:
            SourceError: not such an address; the message names the key and what was expected.
        """
        return cls(SimulationSettings.from_url(url))

    @property
    def line(self) -> Line:
        """The entrance line, fractions of width and height; "in" is on the left hand."""
        return self._layout.line

    @property
    def view(self) -> str:
        """Where the camera hangs: "door" or "facing"."""
        return self._layout.view

    @property
    def frame_count(self) -> int | None:
        """Number of frames, None if endless."""
        duration_s = self.settings.duration_s
        return None if duration_s is None else max(int(duration_s * self.settings.fps + 1e-9), 1)

    def frame_at(self, index: int) -> UInt8:
        """One frame, uint8 [height, width, 3], BGR; the caller's to keep.

        Raises:
            SourceError: the number is negative or past the end.
        """
        return self._draw(index, annotate=False).frame_bgr

    def render(self, index: int) -> Rendered:
        """One frame with annotations; the frame is the same as that of :meth:`frame_at`.

        Raises:
            SourceError: the number is negative or past the end.
        """
        return self._draw(index, annotate=True)

    def truth(self, duration_s: float) -> SimulationTruth:
        """What happens in the first ``duration_s`` seconds."""
        settings = self.settings
        if settings.duration_s is not None:
            duration_s = min(duration_s, settings.duration_s)
        frames = max(int(duration_s * settings.fps + 1e-9), 1)
        people: list[TruthPerson] = []
        crossings = []
        for walker in self.walkers(duration_s):
            line = person_truth(walker, self._person(walker.person), self._layout, settings, frames)
            if line is None:
                continue
            people.append(line)
            crossings += [
                crossing
                for crossing in crossings_of(walker, self._layout)
                if crossing.time_s < duration_s
            ]
        return SimulationTruth(
            fps=settings.fps,
            frames=frames,
            size=(settings.width, settings.height),
            line=self.line,
            people=tuple(sorted(people, key=lambda one: one.first_frame)),
            crossings=tuple(sorted(crossings, key=lambda one: one.time_s)),
        )

    def walkers(self, duration_s: float) -> Iterator[Walker]:
        """Everybody who starts within the first ``duration_s`` seconds."""
        for block in range(math.ceil(duration_s / MINUTE_S)):
            yield from (
                walker for walker in self._timetable.minute(block) if walker.start_s < duration_s
            )

    def _make_person(self, person: int) -> Person:
        return Person((self.settings.seed, 12, person))

    @cached_property
    def _scene(self) -> tuple[UInt8, Background, Optics]:
        """The lit empty store, made at the first frame: the truth alone needs none of it."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, 14])
        background = build_background(self._layout, rng)
        optics = Optics(
            draw_look(rng, settings.style, settings.height), self._layout, rng, self._optics_seed
        )
        lit = optics.light_scene(background.colours)
        return np.clip(lit, 0, 255).astype(np.uint8), background, optics

    def _draw(self, index: int, annotate: bool) -> Rendered:
        count = self.frame_count
        if index < 0 or (count is not None and index >= count):
            raise SourceError(
                f"sim://entrance: expected a frame number from 0 to {count or 'any'}, got {index}"
            )
        empty, background, optics = self._scene
        time_s = index / self.settings.fps
        frame = empty.copy()
        stage = Stage(frame, background, optics, self._layout, annotate)
        present = [(walker, walker.at(time_s)) for walker in self._timetable.present(time_s)]
        present.sort(key=lambda pair: -self._range_m(pair[1]))
        for walker, place in present:
            person = self._person(walker.person)
            stage.add(
                walker.person,
                person,
                place,
                umbrella=person.umbrella_draw < self.settings.umbrella_share,
                trolley=person.trolley_draw < self.settings.trolley_share,
            )
        return Rendered(index, time_s, optics.expose(frame, index), stage.views())

    def _range_m(self, place: Place) -> float:
        """Distance over the ground from the camera."""
        camera = self._layout.camera
        return math.hypot(place.x_m - camera.x_m, place.z_m - camera.z_m)
