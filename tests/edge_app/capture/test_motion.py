"""The motion gate: quiet costs nothing, and nobody is missed for it."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np
import pytest

from edge_app.app import build_pipeline, open_networks
from edge_app.capture.motion import MotionGate, coarse
from edge_app.capture.simulated import SimulatedEntrance
from edge_app.config.schema import MotionSettings
from edge_app.flow import Entry, Frame, UInt8
from tests.acceptance.simulated_entrance import config_for

SIZE = (360, 640)


def scene(seed: int = 0) -> UInt8:
    """A still place with furniture."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(30, 220, (9, 16, 3), np.uint8)
    return np.repeat(np.repeat(blocks, 40, 0), 40, 1)


def grainy(picture: UInt8, i: int, sigma: float = 6.0) -> UInt8:
    noise = np.random.default_rng(1000 + i).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def play(gate: MotionGate, pictures: list[UInt8], fps: float = 10.0) -> list[bool]:
    """Which pictures are wanted, when a network finds nobody in any."""
    wanted = []
    for i, picture in enumerate(pictures):
        wanted.append(gate.wants(picture, i / fps))
        if wanted[-1]:
            gate.found(False, i / fps)
    return wanted


def test_a_quiet_place_is_looked_at_once_a_second() -> None:
    wanted = play(MotionGate(MotionSettings()), [grainy(scene(), i) for i in range(100)])
    assert sum(wanted[20:]) == pytest.approx(8, abs=1)


def test_light_that_changes_everywhere_is_no_motion() -> None:
    flat = [np.clip(scene().astype(int) + 8 * (i % 20 < 10), 0, 255).astype(np.uint8)
            for i in range(100)]  # fmt: skip
    assert sum(play(MotionGate(MotionSettings()), flat)[20:]) <= 10


def test_a_flickering_screen_is_got_used_to() -> None:
    pictures = []
    for i in range(300):
        picture = grainy(scene(), i)
        picture[40:120, 40:120] = 90 if i % 4 < 2 else 105
        pictures.append(picture)
    wanted = play(MotionGate(MotionSettings()), pictures)
    assert sum(wanted[:15]) > 10
    assert sum(wanted[200:]) < 30


@pytest.mark.parametrize("height_px", [40, 120, 300])
def test_who_walks_in_opens_the_gate_at_once(height_px: int) -> None:
    gate = MotionGate(MotionSettings())
    play(gate, [grainy(scene(), i) for i in range(50)])
    picture = grainy(scene(), 51)
    top, left, width = 30, 300, max(height_px // 3, 1)
    picture[top : top + height_px, left : left + width] //= 2
    assert gate.wants(picture, 5.05)


def test_the_gate_stays_open_for_who_stands_still() -> None:
    gate = MotionGate(MotionSettings())
    picture = scene()
    for i in range(50):
        assert gate.wants(picture, i / 10)
        gate.found(i > 0, i / 10)
    still = [gate.wants(picture, 5.0 + i / 10) for i in range(20)]
    assert still[0]
    assert sum(still) < 20


@pytest.mark.parametrize("size", [(72, 96), (480, 640), (1080, 1920)])
def test_any_size_of_picture(size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 77, np.uint8)
    small = coarse(picture)
    assert small.shape[0] == 60
    assert (small == 77).all()


class Watched:
    """A pipeline at the simulated entrance, what it found and its seconds of CPU."""

    def __init__(self, url: str, gate: Literal["always", "off"]) -> None:
        config = config_for(url, None)
        config = config.model_copy(update={"motion": MotionSettings(gate=gate)})
        self.networks = open_networks(config.inference, config.detection, config.outfit)
        self.pipeline = build_pipeline(config, self.networks, 0.0, is_replay=True)
        self.found: list[Entry] = []
        self.spent_s = 0.0

    def see(self, frame: Frame) -> None:
        began_s = time.thread_time()
        self.found += self.pipeline.step([frame], frame.taken_at_s).entries
        self.spent_s += time.thread_time() - began_s

    def finish(self, now_s: float) -> list[tuple[str, str]]:
        """Zones and directions of all entries."""
        self.found += self.pipeline.finish(now_s, 0).entries
        self.networks.close()
        return [(entry.zone, entry.direction) for entry in self.found]


def test_no_entry_of_the_simulated_entrance_is_missed() -> None:
    url = "sim://entrance?seed=5&fps=8&duration_s=30&people_per_min=4"
    entrance = SimulatedEntrance.from_url(url)
    gated, every = Watched(url, "always"), Watched(url, "off")
    for i in range(240):  # two people, and a quiet time before each
        frame = Frame("door", i, i / 8, entrance.frame_at(i))
        gated.see(frame)
        every.see(frame)
    assert gated.finish(30.0) == every.finish(30.0)
    assert [e.at_s for e in gated.found] == pytest.approx([e.at_s for e in every.found], abs=0.5)
    assert len(every.found) == 2
    skipped = gated.pipeline.skipped["door"]
    print(f"skipped {skipped} of 240 pictures; {gated.spent_s:.1f} s against {every.spent_s:.1f} s")
    assert every.pipeline.skipped["door"] == 0
    assert skipped > 50
