"""Somebody sets the clock while a person is in the shop: the same person, counted once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edge_app.app import Networks, build_pipeline, open_networks
from edge_app.box.live import Live
from edge_app.capture.clock import SteadyClock
from edge_app.config.load import load
from edge_app.config.schema import Config
from edge_app.flow import Entry, Frame
from edge_app.pipeline import Step
from tests.edge_app.delivery.samples import MESSAGES, alert
from tests.edge_app.tiny_store import write_clip
from tests.tiny_models import save_all

CONFIG = """
store: acme-1
node: edge-1
timezone: UTC
state_dir: state
mqtt: {url: "mqtt://127.0.0.1:1"}
inference: {models: models, threads: 1}
motion: {gate: "off"}
metrics: {port: 0}
cameras:
  door:
    source: clip
    fps: 20
    zones: {shop: {area: [[0, 0], [1, 0], [1, 1], [0, 1]]}}
"""
STEPS_S = [3600.0, -3600.0, 90.0, -90.0, 4.0]

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    save_all(tmp_path / "models")
    (tmp_path / "store.yaml").write_text(CONFIG)
    return load(tmp_path / "store.yaml")


@pytest.fixture
def networks(config: Config) -> Iterator[Networks]:
    opened = open_networks(config.inference, config.detection, config.outfit)
    yield opened
    opened.close()


def picture(is_anybody: bool, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 255, (128, 256, 3), np.uint8)
    return noise if is_anybody else noise // 40


class Day:
    """The pipeline alone, on clocks set by hand: nobody for 15 s, then somebody for 10 s."""

    def __init__(self, config: Config, networks: Networks) -> None:
        self.wall_s = 1_700_000_000.0
        self.monotonic_s = 50.0
        clock = self.clock = SteadyClock(lambda: self.wall_s, lambda: self.monotonic_s)
        self.pipeline = build_pipeline(config, networks, clock.now_s())
        self.entries: list[Entry] = []
        self.ended = 0

    def play(self, step_s: float, at: int) -> None:
        for i in range(350):
            self.wall_s += 0.1 + (step_s if i == at else 0.0)
            self.monotonic_s += 0.1
            shown = picture(150 <= i < 250, i)
            frame = Frame("door", i, self.clock.steady_s(), shown)
            step = self.pipeline.step([frame], self.clock.now_s(), self.clock.ahead_s())
            self.entries += step.entries
            self.ended += sum(len(people.ended) for people in step.tracked)


@pytest.mark.parametrize("step_s", STEPS_S)
@pytest.mark.parametrize("at", [152, 200])
def test_one_visit_is_one_entry_and_one_track(
    config: Config, networks: Networks, step_s: float, at: int
) -> None:
    day = Day(config, networks)
    day.play(step_s, at)
    assert [entry.direction for entry in day.entries] == ["in", "out"]
    assert day.ended == 1
    went = day.entries[1]
    assert went.dwell_s == pytest.approx(10.0, abs=1.5)
    # A clock that was set ahead is believed at once; one that was set back is approached, at half
    # speed, and goes on being so until somebody who might come back is given up.
    given_up_s = config.tracking.known_again_s
    shift_s = step_s if step_s > 0.0 else -0.5 * (25.0 - at / 10 + given_up_s)
    assert went.at_s == pytest.approx(1_700_000_025.0 + shift_s, abs=1.0)
    (count,) = [c for c in day.pipeline.counts.live(day.clock.now_s()) if c.zone == "shop"]
    assert (count.in_today, count.out_today, count.occupancy) == (1, 1, 0)


def test_a_clock_that_was_years_ahead_for_a_moment(config: Config, networks: Networks) -> None:
    """As by a wrong time server: who comes after it is counted on the right day again."""
    day, years_s = Day(config, networks), 10 * 365 * 86400.0
    day.play(years_s, 100)
    day.play(-years_s, 10)
    assert [entry.direction for entry in day.entries] == ["in", "out", "in", "out"]
    assert day.entries[2].at_s == pytest.approx(1_700_000_050.0, abs=2.0)
    (count,) = [c for c in day.pipeline.counts.live(day.clock.now_s()) if c.zone == "shop"]
    assert (count.in_today, count.out_today, count.occupancy) == (1, 1, 0)
    assert day.pipeline.counts.late_dropped == 0


def test_an_alert_lives_no_longer_while_the_clock_is_behind(
    config: Config, networks: Networks
) -> None:
    (config.state_dir.parent / "clip").mkdir()
    wall = {"ahead_s": 0.0}
    clock = SteadyClock(lambda: time.time() + wall["ahead_s"])
    with Live(config, networks, clock) as live:
        wall["ahead_s"] = -3600.0
        now_s = clock.now_s()
        told = alert(entered_at_s=now_s, settled_at_s=now_s, expires_s=60.0)
        live._outbox.publish([MESSAGES.alert(told, now_s)])
        (waiting,) = live._outbox.waiting("store", "alert", 0, 9)
    assert waiting.deadline_s is not None
    assert waiting.deadline_s - time.monotonic() == pytest.approx(60.0, abs=10.0)


def test_the_box_and_its_messages_go_by_the_same_clock(config: Config, networks: Networks) -> None:
    (config.state_dir.parent / "clip").mkdir()
    wall = {"ahead_s": 0.0}
    clock = SteadyClock(lambda: time.time() + wall["ahead_s"])
    with Live(config, networks, clock) as live:
        wall["ahead_s"] = -3600.0
        told_s = live._senders[0]._clocks.wall()
        assert told_s == pytest.approx(clock.now_s(), abs=5.0)
        assert told_s > time.time() - 60.0  # approached, not followed


def test_a_whole_box_goes_on_when_its_clock_is_set(config: Config, networks: Networks) -> None:
    write_clip(config.state_dir.parent / "clip", [picture(True, i) for i in range(20)], 400)
    # Two hours on, it is still the same business day, whatever time it is here.
    wall = {"ahead_s": 0.0, "noon_s": 1_700_049_600.0 - time.monotonic()}
    seen: list[Frame] = []
    entries: list[Entry] = []

    def wall_s() -> float:
        return wall["noon_s"] + time.monotonic() + wall["ahead_s"]

    def watch(frames: list[Frame], step: Step) -> None:
        seen.extend(frames)
        entries.extend(step.entries)

    with Live(config, networks, SteadyClock(wall_s)) as live:
        for wall["ahead_s"] in (0.0, 3600.0, 0.0, 7200.0):
            enough = len(seen) + 15
            deadline = time.monotonic() + 20.0
            while len(seen) < enough:
                assert time.monotonic() < deadline
                live.turn(watch)
        (count,) = [c for c in live.counts.live(wall_s()) if c.zone == "shop"]
    # Who was there at the start is inside, and no step of the clock makes anybody else.
    assert [(entry.direction, entry.is_initial) for entry in entries] == [("in", True)]
    assert count.occupancy == 1
    gaps_s = [b.taken_at_s - a.taken_at_s for a, b in pairwise(seen)]
    assert max(gaps_s) < 2.0
