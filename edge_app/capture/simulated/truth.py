"""The exact truth of a simulated run: who is seen when, wearing what, and who crosses the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_app.capture.simulated.layout import Layout, Line
from edge_app.capture.simulated.person import Person
from edge_app.capture.simulated.settings import SimulationSettings
from edge_app.capture.simulated.walk import STEP_S, Walker
from edge_app.flow import Direction


@dataclass(frozen=True)
class TruthPerson:
    """One person of a run.

    Attributes:
        person: id, as in the annotations of frames.
        kind: "enter", "exit", "u-turn" or "linger".
        garments: category per region, the outer layers only.
        colours: colour name per region.
        wears: the categories of ``garments``.
        first_frame: first frame in which any part of the person is in the picture.
        last_frame: last such frame.
    """

    person: int
    kind: str
    garments: Mapping[str, str]
    colours: Mapping[str, str]
    wears: frozenset[str]
    first_frame: int
    last_frame: int


@dataclass(frozen=True)
class TruthCrossing:
    """One crossing of the entrance line by a person's ground point.

    Attributes:
        time_s: seconds from the start of the run.
        person: who.
        direction: "in" or "out".
    """

    time_s: float
    person: int
    direction: Direction


@dataclass(frozen=True)
class SimulationTruth:
    """Everything that happens within a duration.

    Attributes:
        fps: frames per second.
        frames: number of frames.
        size: width and height in px.
        line: the entrance line as fractions of the size; "in" is on the left hand.
        people: in the order of their appearance.
        crossings: in the order of their times.
    """

    fps: float
    frames: int
    size: tuple[int, int]
    line: Line
    people: tuple[TruthPerson, ...]
    crossings: tuple[TruthCrossing, ...]

    def document(self, zone: str = "entrance") -> dict[str, Any]:
        """The truth as a truth file for replays holds it of one clip.

        Args:
            zone: the line's id.
        """
        crossings: dict[int, list[dict[str, Any]]] = {}
        for crossing in self.crossings:
            crossings.setdefault(crossing.person, []).append(
                {
                    "frame": round(crossing.time_s * self.fps),
                    "zone": zone,
                    "direction": crossing.direction,
                }
            )
        people = []
        for person in self.people:
            entries = crossings.get(person.person, [])
            came_in = any(entry["direction"] == "in" for entry in entries)
            alerts = sorted(person.wears & {"dress", "suit"}) if came_in else []
            people.append(
                {
                    "frames": [person.first_frame, person.last_frame],
                    "entries": entries,
                    "garments": list(person.garments.values()),
                    "clothes": ", ".join(
                        f"{person.colours[region]} {category}"
                        for region, category in person.garments.items()
                    ),
                    "alert": alerts[0] if alerts else None,
                }
            )
        return {
            "fps": self.fps,
            "frames": self.frames,
            "size": list(self.size),
            "scene": "A simulated store entrance.",
            "zones": {zone: {"line": [list(point) for point in self.line]}},
            "people": people,
        }


def signed_distance_m(walker: Walker, layout: Layout) -> NDArray[np.float64]:
    """How far inside the line a walker's ground point is, float64 [N], m; below 0 outside."""
    return (walker.ground_m[:, 1] - layout.line_z_m) * layout.inward


def crossings_of(walker: Walker, layout: Layout) -> list[TruthCrossing]:
    """Where a walker's ground point passes the line, between samples by straight lines."""
    ahead = signed_distance_m(walker, layout)
    found = []
    for step in np.flatnonzero((ahead[:-1] < 0) != (ahead[1:] < 0)):
        before, after = float(ahead[step]), float(ahead[step + 1])
        time_s = walker.start_s + (float(step) + before / (before - after)) * STEP_S
        found.append(TruthCrossing(time_s, walker.person, "in" if after > before else "out"))
    return found


def seen_steps(walker: Walker, layout: Layout, height_m: float) -> tuple[int, int] | None:
    """First and last sample at which the person's axis, head to foot, is in the picture."""
    camera = layout.camera
    heights = np.linspace(0.02, 0.97, 8) * height_m
    count = len(walker.ground_m)
    points = np.empty((count, len(heights), 3))
    points[:, :, 0] = walker.ground_m[:, :1]
    points[:, :, 1] = heights
    points[:, :, 2] = walker.ground_m[:, 1:]
    seen = camera.project(points)
    inside = (seen[..., 2] > 0.35) & (seen[..., 0] > 0) & (seen[..., 0] < camera.width)
    inside &= (seen[..., 1] > 0) & (seen[..., 1] < camera.height)
    steps = np.flatnonzero(inside.any(axis=1))
    return (int(steps[0]), int(steps[-1])) if steps.size else None


def person_truth(
    walker: Walker, person: Person, layout: Layout, settings: SimulationSettings, frames: int
) -> TruthPerson | None:
    """One person's line of the truth; None if never in the picture within the frames."""
    steps = seen_steps(walker, layout, person.body.height_m)
    if steps is None:
        return None
    first = int(np.ceil((walker.start_s + steps[0] * STEP_S) * settings.fps))
    last = int(np.floor((walker.start_s + steps[1] * STEP_S) * settings.fps))
    if first >= frames or last < first:
        return None
    garments = person.outfit.garments
    return TruthPerson(
        person=walker.person,
        kind=walker.kind,
        garments={garment.region: garment.category for garment in garments},
        colours={garment.region: garment.colour for garment in garments},
        wears=person.outfit.wears,
        first_frame=first,
        last_frame=min(last, frames - 1),
    )
