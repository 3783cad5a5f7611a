"""``make idle``: what a camera costs while nobody comes, and whom the motion gate misses.

A day in small: without customers, with one now and then, and with many, on the simulated
entrance. Every picture goes through two pipelines, with the gate and without it; both must count
the same entries.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import cv2

from edge_app.app import build_pipeline, open_networks
from edge_app.capture.simulated import SimulatedEntrance
from edge_app.config.schema import MotionSettings
from edge_app.flow import Entry, Frame
from tests.acceptance.simulated_entrance import config_for

DAY = (("closed", 0.05), ("quiet", 3.0), ("busy", 12.0), ("quiet", 3.0), ("closed", 0.05))
"""Parts of the day and their customers per minute."""
FPS = 8
SAME_S = 0.5
"""A gate that opens late may see somebody this much later, but must see them."""


class Run:
    """One pipeline over the whole day."""

    def __init__(self, gate: str, url: str) -> None:
        config = config_for(url, None).model_copy(update={"motion": MotionSettings(gate=gate)})
        self._networks = open_networks(config.inference, config.detection, config.outfit)
        self._pipeline = build_pipeline(config, self._networks, 0.0, is_replay=True)
        self.entries: list[Entry] = []
        self.idle_s: list[float] = []
        self.busy_s: list[float] = []

    def step(self, frame: Frame) -> None:
        """One picture; the processor's time is kept apart by whether somebody was followed."""
        began_s = time.process_time()
        step = self._pipeline.step([frame], frame.taken_at_s)
        spent_s = time.process_time() - began_s
        is_idle = not any(people.tracks for people in step.tracked)
        (self.idle_s if is_idle else self.busy_s).append(spent_s)
        self.entries += step.entries

    def finish(self, at_s: float) -> None:
        """The end of the day."""
        self.entries += self._pipeline.finish(at_s, 0).entries
        self._networks.close()

    def figures(self) -> dict[str, Any]:
        """Milliseconds of one core per picture, and the share of a core that a camera takes."""
        idle_ms = 1000 * sum(self.idle_s) / max(len(self.idle_s), 1)
        return {
            "entries": len(self.entries),
            "idle_pictures": len(self.idle_s),
            "idle_ms_per_picture": round(idle_ms, 2),
            "busy_ms_per_picture": round(1000 * sum(self.busy_s) / max(len(self.busy_s), 1), 2),
            "idle_camera_core_percent": round(idle_ms * FPS / 10, 2),
            "networks_saw": len(self.idle_s) + len(self.busy_s) - self._pipeline.skipped["door"],
        }


def day(part_s: float, seed: int) -> dict[str, Any]:
    """Both runs over the same pictures."""
    parts = [
        f"sim://entrance?seed={seed + i}&fps={FPS}&duration_s={part_s}&people_per_min={rate}"
        for i, (_, rate) in enumerate(DAY)
    ]
    gated, whole = Run("always", parts[0]), Run("off", parts[0])
    index = 0
    for url in parts:
        entrance = SimulatedEntrance.from_url(url)
        for i in range(entrance.frame_count or 0):
            frame = Frame("door", index, index / FPS, entrance.frame_at(i))
            gated.step(frame)
            whole.step(frame)
            index += 1
    for run in (gated, whole):
        run.finish(index / FPS)
    missed = [entry.at_s for entry in whole.entries if not is_among(entry, gated.entries)]
    extra = [entry.at_s for entry in gated.entries if not is_among(entry, whole.entries)]
    return {"pictures": index, "gated": gated.figures(), "ungated": whole.figures(),
            "missed_at_s": missed, "extra_at_s": extra}  # fmt: skip


def is_among(entry: Entry, entries: list[Entry]) -> bool:
    """Whether the same crossing is among others."""
    return any(
        (entry.zone, entry.direction) == (other.zone, other.direction)
        and abs(entry.at_s - other.at_s) <= SAME_S
        for other in entries
    )


def main() -> int:
    """Print the figures as JSON; 1 where the gate missed somebody or made somebody up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part-s", type=float, default=150.0, help="seconds of each part")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    figures = day(arguments.part_s, arguments.seed)
    print(json.dumps(figures, indent=2))
    return 1 if figures["missed_at_s"] or figures["extra_at_s"] else 0


if __name__ == "__main__":
    sys.exit(main())
