"""Staff in uniform at the simulated entrance: how many are known, and how many customers are not.

``make staff`` gives every third person one and the same outfit, cuts example pictures of it out of
the first minute, and replays the minutes after it with these as ``staff.uniform``: for a uniform
that hardly any customer wears, and for some that many do. Nothing was ever trained on these seeds.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from edge_app.app import build_pipeline, open_networks
from edge_app.capture.simulated import SimulatedEntrance
from edge_app.capture.simulated.garments import cut_of
from edge_app.capture.simulated.person import Person
from edge_app.capture.simulated.settings import SimulationSettings
from edge_app.capture.simulated.wardrobe import Outfit, draw_outfit
from edge_app.commands.compare import compare
from edge_app.commands.frame_times import FrameTimes
from edge_app.commands.intervals import share
from edge_app.commands.replay import ReplayResult, replay
from edge_app.commands.truth import truth_of
from edge_app.config.schema import Config
from edge_app.flow import Frame

UNIFORMS = {
    "red T-shirt": ("tshirt", "trousers", "red"),
    "yellow T-shirt": ("tshirt", "trousers", "yellow"),
    "white shirt": ("shirt", "trousers", "white"),
    "green jacket": ("jacket", "jeans", "green"),
    "black suit": ("suit", None, "black"),
}
EXAMPLES_S = 60.0
EXAMPLES = 12


def uniform_outfit(upper: str, lower: str | None, colour: str) -> Outfit:
    """The first outfit drawn that is plain, of these garments, and of this colour."""
    for seed in range(20_000):
        outfit = draw_outfit(np.random.default_rng(seed), upper)
        is_it = outfit.lower == lower and outfit.cloth.name == colour
        if is_it and outfit.cloth.weave == "plain":
            return outfit
    raise LookupError(f"nobody wears {upper} in {colour}")


class StaffedEntrance(SimulatedEntrance):
    """A simulated entrance where every third person works."""

    def __init__(self, settings: SimulationSettings, uniform: Outfit) -> None:
        super().__init__(settings)
        self._uniform = uniform

    def _make_person(self, person: int) -> Person:
        made = super()._make_person(person)
        if is_staff(person):
            made.outfit, made.cut = self._uniform, cut_of(self._uniform)
        return made

    def described(self) -> dict[str, Any]:
        """The truth after the examples' time, as a truth file has it."""
        truth = self.truth(self.settings.duration_s or 0.0)
        described = truth.document()
        for person, told in zip(truth.people, described["people"], strict=True):
            told["staff"] = is_staff(person.person)
            told["entries"] = [
                {**entry, "frame": entry["frame"] - self.first} for entry in told["entries"]
                if entry["frame"] >= self.first
            ]  # fmt: skip
        return described

    @property
    def first(self) -> int:
        """The first frame that is measured."""
        return round(EXAMPLES_S * self.settings.fps)

    def save_examples(self, folder: Path) -> None:
        """Cut people in uniform out of the first minute, as an installer would."""
        saved = 0
        for index in range(20, self.first, 15):
            rendered = self.render(index)
            for person in rendered.people:
                x1, y1, x2, y2 = (max(round(v), 0) for v in person.box_xyxy)
                is_good = person.visible_share > 0.8 and person.in_picture_share > 0.8
                if is_staff(person.person) and is_good and y2 - y1 > 90 and saved < EXAMPLES:
                    saved += cv2.imwrite(
                        str(folder / f"{index}-{person.person}.png"),
                        rendered.frame_bgr[y1:y2, x1:x2],
                    )


def is_staff(person: int) -> bool:
    """Every third person."""
    return person % 3 == 0


class Played:
    """The measured part of an entrance as a recording."""

    def __init__(self, entrance: StaffedEntrance) -> None:
        self._entrance = entrance
        self._index = 0
        self.fps = entrance.settings.fps
        self.frame_count = (entrance.frame_count or 0) - entrance.first

    def read(self) -> Frame | None:
        """The next frame; None after the last."""
        if self._index >= self.frame_count:
            return None
        picture = self._entrance.frame_at(self._entrance.first + self._index)
        frame = Frame("door", self._index, self._index / self.fps, picture)
        self._index += 1
        return frame


def measure(name: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """One uniform at one entrance: how the replay agrees with the truth."""
    settings = SimulationSettings(
        people_per_min=15.0,
        seed=seed,
        duration_s=EXAMPLES_S + 60.0 * arguments.minutes,
        exit_share=0.1,
    )
    entrance = StaffedEntrance(settings, uniform_outfit(*UNIFORMS[name]))
    with tempfile.TemporaryDirectory() as folder:
        entrance.save_examples(Path(folder))
        line = [[float(v) for v in point] for point in entrance.line]
        config = Config.model_validate(
            {
                "store": "staff",
                "node": "edge-1",
                "timezone": "UTC",
                "mqtt": {"url": "mqtt://127.0.0.1:1883"},
                "inference": {"threads": 1},
                "cameras": {"door": {"source": "none", "zones": {"entrance": {"line": line}}}},
                "staff": {"uniform": folder, "min_similarity": arguments.min_similarity},
            }
        )
        networks = open_networks(config.inference, config.detection, config.outfit)
        pipeline = build_pipeline(config, networks, 0.0, is_replay=True)
    recording: Any = Played(entrance)
    result = ReplayResult(name, recording.fps, zones=("entrance",))
    replay(pipeline, recording, result, FrameTimes(recording.fps), lambda _frame, _step: None)
    networks.close()
    truth = truth_of(entrance.described(), name)
    return compare(truth, result.entries, [], {}, result.frames / result.fps)["staff"]


def main(names: Sequence[str] = tuple(UNIFORMS)) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uniforms", nargs="+", choices=list(UNIFORMS), default=list(names))
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--min-similarity", type=float, default=0.92)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    table = Table("uniform", "staff known (95 %, Wilson)", "customers taken for staff")
    for name in arguments.uniforms:
        rows = [measure(name, seed, arguments) for seed in arguments.seeds]
        table.add_row(name, *(_pooled([row[key] for row in rows]) for key in rows[0]))
        Console().print(name, *rows[-1].values())
    Console().print(table)


def _pooled(estimates: Sequence[dict[str, Any]]) -> str:
    n = sum(one["n"] for one in estimates)
    told = share(sum(round((one["value"] or 0.0) * one["n"]) for one in estimates), n)
    if told.value is None or told.low is None or told.high is None:
        return "nobody"
    return f"{told.value:.3f} ({told.low:.3f} .. {told.high:.3f}) of {n}"


if __name__ == "__main__":
    main()
