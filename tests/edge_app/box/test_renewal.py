"""Engines that fail or hang are replaced; the engine is the seam, everything else is real."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_app.app import Networks, open_networks
from edge_app.box import supervision
from edge_app.box.live import Live
from edge_app.box.renewal import FAILURES, LONGEST_PAUSE_S, MOST_LEFT_BEHIND, RenewedEngine
from edge_app.config.load import load
from edge_app.config.schema import Config, InferenceSettings
from edge_app.errors import EngineError
from edge_app.flow import Float32, UInt8
from edge_app.inference.choose import open_engine
from edge_app.inference.fallback import FallbackEngine, gpu_state
from edge_app.inference.model import Model
from edge_app.ports import Engine
from edge_app.runtime.systemd import Notifier
from tests.edge_app.box.test_clock_steps import CONFIG
from tests.edge_app.runtime.notify_socket import NotifySocket
from tests.edge_app.runtime.test_heartbeats import Clock
from tests.edge_app.tiny_store import noise_pictures, write_clip
from tests.tiny_models import save_all

BATCH = np.zeros((1, 4, 4, 3), np.uint8)

pytestmark = pytest.mark.timeout(60)


class FakeEngine:
    """Does what it is told: answers, fails, or hangs until it is let go."""

    def __init__(self, works: bool = True, hangs: threading.Event | None = None) -> None:
        self.works = works
        self.hangs = hangs
        self.is_closed = False

    def infer(self, batch_nhwc: UInt8) -> dict[str, Float32]:
        if self.hangs is not None:
            self.hangs.wait(20.0)
        if not self.works:
            raise EngineError("an illegal memory access was encountered")
        return {"sum": batch_nhwc.sum(axis=(1, 2, 3)).astype(np.float32)}

    def close(self) -> None:
        self.is_closed = True


class Factory:
    """Opens engines in turn, the last one again and again."""

    def __init__(self, *engines: FakeEngine | EngineError) -> None:
        self.engines = list(engines)
        self.opened = 0

    def __call__(self) -> Engine:
        engine = self.engines[min(self.opened, len(self.engines) - 1)]
        self.opened += 1
        if isinstance(engine, EngineError):
            raise engine
        return engine


def engine_threads() -> int:
    return sum(thread.name == "engine-detector" for thread in threading.enumerate())


def wait_for_engine_threads(left: int) -> None:
    deadline = time.monotonic() + 5.0
    while engine_threads() > left:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def fail(engine: RenewedEngine, times: int) -> list[str]:
    said = []
    for _ in range(times):
        with pytest.raises(EngineError) as caught:
            engine.infer(BATCH)
        said.append(str(caught.value))
    return said


def test_one_failure_changes_nothing() -> None:
    only = FakeEngine(works=False)
    factory = Factory(only)
    engine = RenewedEngine("detector", factory)
    for _ in range(3):
        only.works = False
        fail(engine, FAILURES - 1)
        only.works = True
        assert engine.infer(BATCH)["sum"] == 0.0
    assert (factory.opened, only.is_closed) == (1, False)
    engine.close()
    assert only.is_closed
    assert engine_threads() == 0


def test_an_engine_that_keeps_failing_is_closed_and_a_new_one_started() -> None:
    clock = Clock()
    broken, good = FakeEngine(works=False), FakeEngine()
    factory = Factory(broken, good)
    engine = RenewedEngine("detector", factory, clock=clock)
    fail(engine, FAILURES)
    assert broken.is_closed
    assert fail(engine, 1) == ["detector: started anew in 1 s"]
    clock.now_s += 1.5
    assert "sum" in engine.infer(BATCH)
    assert factory.opened == 2
    engine.close()
    assert engine_threads() == 0


@pytest.mark.parametrize("new", [EngineError("no such GPU"), FakeEngine(works=False)])
def test_pauses_double_up_to_a_minute_until_one_works(new: FakeEngine | EngineError) -> None:
    clock = Clock()
    factory = Factory(FakeEngine(works=False), new)
    engine = RenewedEngine("detector", factory, clock=clock)
    opened_at_s: list[float] = []
    for _ in range(3000):
        before = factory.opened
        fail(engine, 1)
        if factory.opened > before:
            opened_at_s.append(clock.now_s)
        clock.now_s += 0.1
    pauses = np.diff(opened_at_s)
    assert pauses[:3] == pytest.approx([2.0, 4.0, 8.0], abs=0.5)
    assert pauses.max() == pytest.approx(LONGEST_PAUSE_S, abs=1.0)
    factory.engines = [FakeEngine()]
    clock.now_s += LONGEST_PAUSE_S
    assert "sum" in engine.infer(BATCH)
    engine.close()


def test_an_engine_that_hangs_is_left_behind_and_its_late_answer_is_nobodys() -> None:
    clock, release = Clock(), threading.Event()
    engine = RenewedEngine(
        "detector", Factory(FakeEngine(hangs=release), FakeEngine()), answer_s=0.1, clock=clock
    )
    assert fail(engine, 1) == ["detector: no answer for 0.1 s"]
    clock.now_s += 2.0
    ones = np.ones_like(BATCH)
    assert engine.infer(ones)["sum"] == ones.size
    assert engine_threads() == 2
    release.set()
    wait_for_engine_threads(1)
    assert engine.infer(BATCH)["sum"] == 0.0
    engine.close()
    assert engine_threads() == 0


def test_hanging_threads_do_not_pile_up() -> None:
    clock, release = Clock(), threading.Event()
    factory = Factory(FakeEngine(hangs=release))
    engine = RenewedEngine("detector", factory, answer_s=0.05, clock=clock)
    said: list[str] = []
    for _ in range(8):
        said += fail(engine, 1)
        clock.now_s += LONGEST_PAUSE_S
    assert factory.opened == MOST_LEFT_BEHIND
    assert engine_threads() == MOST_LEFT_BEHIND
    assert said[-1] == "detector: 2 calls hang, and no third is made"
    release.set()
    wait_for_engine_threads(0)
    assert "sum" in engine.infer(BATCH)
    engine.close()


def test_what_is_no_engines_failure_is_not_hidden() -> None:
    class Odd(FakeEngine):
        def infer(self, batch_nhwc: UInt8) -> dict[str, Float32]:
            raise ZeroDivisionError("odd")

    engine = RenewedEngine("detector", Factory(Odd()))
    with pytest.raises(ZeroDivisionError, match="odd"):
        engine.infer(BATCH)
    engine.close()


# A whole box, one of whose networks fails on demand.


class Breakable:
    """Opens real engines, one of which can be broken for as long as wanted."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.is_broken = False
        self.opened = 0

    def open(self, settings: InferenceSettings, model: Model) -> Engine:
        real = open_engine(settings, model)
        if model.task != self.task:
            return real
        breakable = self

        class Broken:
            def infer(self, batch_nhwc: UInt8) -> dict[str, Float32]:
                if breakable.is_broken:
                    raise EngineError("an illegal memory access was encountered")
                return real.infer(batch_nhwc)

            close = real.close

        def open_one() -> Engine:
            self.opened += 1
            return Broken()

        return RenewedEngine(model.task, open_one)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    save_all(tmp_path / "models")
    write_clip(tmp_path / "clip", noise_pictures(), 600)
    (tmp_path / "store.yaml").write_text(CONFIG)
    return load(tmp_path / "store.yaml")


def networks_of(config: Config, breakable: Breakable) -> Networks:
    return open_networks(config.inference, config.detection, config.outfit, breakable.open)


def turn_until(live: Live, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20.0
    while not done():
        assert time.monotonic() < deadline
        live.turn()


def stored(config: Config, topic_end: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(config.state_dir / "outbox.sqlite")) as db:
        rows = db.execute("SELECT payload FROM latest WHERE topic LIKE ?", (f"%{topic_end}",))
        return [json.loads(row[0]) for row in rows]


def test_a_box_outlives_a_detector_that_fails_and_says_so(
    config: Config, manager: NotifySocket
) -> None:
    breakable = Breakable("detector")
    networks = networks_of(config, breakable)
    seen = [0]
    with Live(config, networks, notifier=Notifier({"NOTIFY_SOCKET": str(manager.path)})) as live:

        def watch(frames: list[Any], _step: Any) -> None:
            seen[0] += len(frames)

        turn_until(live, lambda: live.supervision.is_ready)
        breakable.is_broken = True
        turn_until(live, lambda: breakable.opened == 2)
        assert live.supervision.failing is not None
        status = manager.listen_until(lambda m: "a network fails" in m.get("STATUS", ""), 5.0)
        assert "illegal memory access" in status["STATUS"]
        live.turn()
        page = live.observed.health_page()
        assert (page.status, json.loads(page.body)["status"]) == (503, "failing")
        breakable.is_broken = False
        turn_until(live, lambda: live.supervision.failing is None)
        before = seen[0]
        while seen[0] < before + 5:
            live.turn(watch)
    networks.close()


def test_an_entry_is_counted_although_nobody_can_be_looked_at(config: Config) -> None:
    breakable = Breakable("garments")
    networks = networks_of(config, breakable)
    with Live(config, networks) as live:
        breakable.is_broken = True

        def inside() -> int:
            return sum(c.occupancy for c in live.counts.live(time.time()) if c.zone == "shop")

        turn_until(live, lambda: inside() == 1)
        assert live.supervision.failing is not None
    networks.close()


def test_what_a_new_engine_cannot_mend_is_left_to_a_new_process(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "HOPELESS_S", 0.5)
    breakable = Breakable("detector")
    networks = networks_of(config, breakable)
    breakable.is_broken = True
    with pytest.raises(EngineError, match="detector"), Live(config, networks) as live:
        turn_until(live, lambda: False)
    networks.close()
    audit = (config.state_dir / "audit.jsonl").read_text().splitlines()
    assert json.loads(audit[-1])["details"]["error"] == "EngineError"


class BreakableGpu:
    """Runs a network as a GPU would, until it is lost."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.is_lost = False

    def infer(self, batch_nhwc: UInt8) -> dict[str, Float32]:
        if self.is_lost:
            raise EngineError("the GPU failed while running the detector: device lost")
        return self._engine.infer(batch_nhwc)

    def close(self) -> None:
        self._engine.close()


def test_a_box_whose_gpu_is_lost_works_on_and_is_degraded_until_it_is_back(
    config: Config, manager: NotifySocket
) -> None:
    clock, gpus = Clock(), list[BreakableGpu]()

    def open_one(settings: InferenceSettings, model: Model) -> Engine:
        def open_gpu(_may_build: bool) -> Engine:
            gpus.append(BreakableGpu(open_engine(settings, model)))
            return gpus[-1]

        return RenewedEngine(
            model.task,
            lambda: FallbackEngine(
                model.task, open_gpu, lambda: open_engine(settings, model), clock
            ),
        )

    networks = open_networks(config.inference, config.detection, config.outfit, open_one)
    with Live(config, networks, notifier=Notifier({"NOTIFY_SOCKET": str(manager.path)})) as live:
        turn_until(live, lambda: live.supervision.is_ready)
        assert live.supervision.troubles == []
        gpus[0].is_lost = True
        turn_until(live, lambda: bool(live.supervision.troubles))
        assert live.supervision.troubles == ["the GPU fails, and the CPU runs the detector"]
        live.turn()
        told = json.loads(live.observed.health_page().body)
        assert told["status"] == "degraded"
        assert "the CPU runs the detector" in told["reason"]
        assert live.supervision.failing is None, "every picture was still answered"
        assert gpu_state(networks.engines).failures == 1
        clock.now_s += 6.0
        turn_until(live, lambda: live.supervision.troubles == [])
    assert gpu_state(networks.engines).failures == 1
    networks.close()
