"""One box in this process: real (tiny) networks, a real outbox, a camera that shows pictures."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_app.app import Networks, open_networks
from edge_app.box.live import Live
from edge_app.box.orders import Orders
from edge_app.box.reload import changed_keys, config_hash
from edge_app.box.supervision import Supervision
from edge_app.capture.clock import SteadyClock
from edge_app.capture.latest import FrameSlots
from edge_app.config.load import load
from edge_app.delivery.audit import verify
from edge_app.delivery.commands import Command, Commands
from edge_app.delivery.contract import CommandPayload
from edge_app.delivery.outbox import Outbox
from edge_app.errors import ConfigError, EngineError
from edge_app.flow import Frame, Message
from edge_app.pipeline import Pipeline, Step
from tests.edge_app.tiny_store import noise_pictures, write_clip
from tests.tiny_models import save_all

CONFIG = """
store: acme-1
node: edge-1
timezone: UTC
state_dir: state
mqtt: {url: "mqtt://127.0.0.1:1"}
inference: {models: models, threads: 1}
cameras:
  door:
    source: clip
    fps: 20
    zones: {shop: {area: [[0, 0], [1, 0], [1, 1], [0, 1]]}}
alerts:
  dresses: {any_of: [dress]}
"""

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    save_all(tmp_path / "models")
    write_clip(tmp_path / "clip", noise_pictures(), 600)
    (tmp_path / "store.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def networks(store: Path) -> Iterator[Networks]:
    config = load(store / "store.yaml")
    opened = open_networks(config.inference, config.detection, config.outfit)
    yield opened
    opened.close()


def box_of(store: Path, networks: Networks) -> Live:
    path = store / "store.yaml"
    return Live(load(path), networks, config_path=path)


class Watcher:
    """What every turn saw."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.entries = 0

    def __call__(self, frames: list[Frame], step: Step) -> None:
        self.frames += frames
        self.entries += len(step.entries)


def turn_until(live: Live, watch: Watcher, done: Callable[[], bool]) -> None:
    for _ in range(400):
        if done():
            return
        live.turn(watch)
    raise AssertionError("it did not come so far")


def retained(store: Path, topic_end: str) -> dict[str, Any]:
    """The newest message of a topic in the outbox."""
    with closing(sqlite3.connect(store / "state" / "outbox.sqlite")) as db:
        (payload,) = db.execute(
            "SELECT payload FROM latest WHERE topic LIKE ?", (f"%{topic_end}",)
        ).fetchone()
    return dict(json.loads(payload))


def test_a_restart_does_not_double_the_people_in_an_area(store: Path, networks: Networks) -> None:
    inside = []
    for _ in range(3):
        watch = Watcher()
        with box_of(store, networks) as live:
            turn_until(live, watch, lambda watch=watch: watch.entries > 0)
            inside += [c.occupancy for c in live.counts.live(time.time()) if c.zone == "shop"]
    assert inside == [1, 1, 1]


def test_rules_zones_and_masks_are_changed_without_dropping_the_stream(
    store: Path, networks: Networks
) -> None:
    watch = Watcher()
    with box_of(store, networks) as live:
        turn_until(live, watch, lambda: len(watch.frames) > 10)
        text = CONFIG.replace("fps: 20", "fps: 20\n    privacy_masks: [[[0,0],[1,0],[1,1],[0,1]]]")
        text = text.replace("dresses:", "suits: {any_of: [suit]}\n  dresses:")
        (store / "store.yaml").write_text(text.replace("shop:", "back-room:"))
        live.reload_asked.set()
        live.turn(watch)
        seen = len(watch.frames)
        turn_until(live, watch, lambda: len(watch.frames) > seen + 10)
    assert watch.frames[0].frame_bgr.any()
    assert not any(frame.frame_bgr.any() for frame in watch.frames[seen:])
    indices = [frame.index for frame in watch.frames]
    assert indices == sorted(indices)
    info = retained(store, "/info")
    assert info["zones"] == {"back-room": "area"}
    assert info["rules"] == {"dresses": "dress", "suits": "suit"}
    lines = [json.loads(line) for line in (store / "state/audit.jsonl").read_text().splitlines()]
    (applied,) = [line["details"] for line in lines if line["event"] == "configuration applied"]
    assert applied["before"] != applied["after"]
    assert "alerts.suits" in applied["changed"]
    assert lines[0]["event"] == "started"
    assert lines[-1]["event"] == "stopped"
    assert verify(store / "state/audit.jsonl").problem is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(("any_of: [dress]", "any_of: [gown]"), "'gown' is not a garment", id="wrong"),
        pytest.param(("fps: 20", "fps: 15"), "cameras.door.fps: changed, which needs", id="fixed"),
        pytest.param(("alerts:", "alerts: ["), "not YAML", id="not-yaml"),
        pytest.param(
            ("cameras:", "cameras:\n  back: {source: clip}"),
            "cameras.back: changed, which needs a restart",
            id="new-camera",
        ),
    ],
)
def test_what_cannot_be_applied_changes_nothing_and_says_why(
    store: Path, networks: Networks, change: tuple[str, str], why: str
) -> None:
    with box_of(store, networks) as live:
        text = CONFIG.replace("shop:", "elsewhere:").replace(*change)
        (store / "store.yaml").write_text(text)
        with pytest.raises(ConfigError, match=why):
            live.reload()
        assert retained(store, "/info")["zones"] == {"shop": "area"}
        assert why in (live.supervision.refused or "")
        (store / "store.yaml").write_text(CONFIG)
        live.reload()
        assert live.supervision.refused is None
    audit = (store / "state/audit.jsonl").read_text()
    assert "configuration refused" in audit
    assert why.split("'")[-1].strip() in audit


def test_a_reload_takes_a_turned_camera_for_right_only_if_its_zones_or_masks_changed(
    store: Path, networks: Networks
) -> None:
    rng = np.random.default_rng(1)
    blocks = rng.integers(0, 230, (9, 16, 3), np.uint8).repeat(20, 0).repeat(20, 1)
    grain = [rng.integers(0, 20, blocks.shape, np.uint8) for _ in range(40)]
    turned = np.roll(blocks, 100, 1)
    write_clip(store / "turned", [blocks + g for g in grain] + [turned + g for g in grain], 80)
    for i in range(80, 600):
        os.link(store / f"turned/{40 + i % 40:04d}.png", store / f"turned/{i:04d}.png")
    text = CONFIG.replace("source: clip", "source: turned")
    text = text.replace("alerts:", "  back: {source: clip}\nalerts:")
    (store / "store.yaml").write_text(text)
    watch = Watcher()

    def reload(text: str) -> None:
        (store / "store.yaml").write_text(text)
        live.reload()

    def state() -> str:
        return str(retained(store, "/cam/door/state")["state"])

    # One picture a second, by a clock that runs faster than the camera.
    fast = SteadyClock(monotonic=lambda: 20.0 * time.monotonic())
    path = store / "store.yaml"
    with Live(load(path), networks, fast, config_path=path) as live:
        turn_until(live, watch, lambda: len(watch.frames) > 3 and state() == "moved")
        text = text.replace("any_of: [dress]", "any_of: [suit]")
        reload(text.replace("back: {", "back: {privacy_masks: [[[0,0],[1,0],[1,1]]], "))
        seen = len(watch.frames)
        turn_until(live, watch, lambda: len(watch.frames) > seen + 30)
        assert state() == "moved"
        reload(text.replace("area: [[0, 0]", "area: [[0.1, 0]"))
        turn_until(live, watch, lambda: state() == "online")


def test_a_person_in_a_zone_is_not_counted_again_for_a_reload(
    store: Path, networks: Networks
) -> None:
    watch = Watcher()
    with box_of(store, networks) as live:
        turn_until(live, watch, lambda: watch.entries > 0)
        text = CONFIG.replace("area: [[0, 0]", "area: [[0.01, 0]")
        (store / "store.yaml").write_text(text)
        live.reload()
        seen = len(watch.frames)
        turn_until(live, watch, lambda: len(watch.frames) > seen + 30)
        (count,) = [c for c in live.counts.live(watch.frames[-1].taken_at_s) if c.zone == "shop"]
    assert watch.entries == 1
    assert count.occupancy == 1


def test_people_in_an_area_are_not_doubled_by_a_name_that_is_put_back(
    store: Path, networks: Networks
) -> None:
    watch = Watcher()
    with box_of(store, networks) as live:
        turn_until(live, watch, lambda: watch.entries == 1)
        for entries, name in enumerate(("back-room:", "shop:"), start=2):
            (store / "store.yaml").write_text(CONFIG.replace("shop:", name))
            live.reload()
            turn_until(live, watch, lambda entries=entries: watch.entries == entries)
        assert [count.occupancy for count in live.counts.live(time.time())] == [1, 1]
        days = {w.zone: w for w in live.counts.finish(time.time()) if w.window == "p1d"}
    # A minute that ended meanwhile has begun a day of the other name, too.
    assert (days["shop"].drift, days["all"].drift) == (1, 1)
    assert "back-room" not in days or days["back-room"].drift == 0


@pytest.mark.parametrize(
    "zones",
    [
        pytest.param("{shop: {line: [[0, 0.5], [1, 0.5]]}}", id="an area made a line"),
        pytest.param("{shop: {area: [[0, 0], [0.02, 0], [0.02, 0.02]]}}", id="an area moved away"),
    ],
)
def test_an_area_that_a_reload_changes_keeps_nobody(
    store: Path, networks: Networks, zones: str
) -> None:
    watch = Watcher()
    with box_of(store, networks) as live:
        turn_until(live, watch, lambda: watch.entries == 1)
        assert [count.occupancy for count in live.counts.live(time.time())] == [1, 1]
        text = CONFIG.replace("{shop: {area: [[0, 0], [1, 0], [1, 1], [0, 1]]}}", zones)
        assert text != CONFIG
        (store / "store.yaml").write_text(text)
        live.reload()
        turn_until(live, watch, lambda: {c.occupancy for c in live.counts.live(time.time())} == {0})


def test_time_goes_on_while_a_network_fails(
    store: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    with box_of(store, networks) as live:
        turn_until(live, Watcher(), lambda: live.supervision.is_ready)
        step, asked = live._pipeline.step, []

        def failing(frames: list[Frame], now_s: float, ahead_s: float = 0.0) -> Step:
            asked.append(len(frames))
            if frames:
                raise EngineError("the GPU is gone")
            return step(frames, now_s, ahead_s)

        monkeypatch.setattr(live._pipeline, "step", failing)
        turn_until(live, Watcher(), lambda: live.supervision.failing is not None)
        assert asked[-2:] == [1, 0]


def test_a_pause_survives_a_restart(store: Path, networks: Networks) -> None:
    watch = Watcher()
    with box_of(store, networks) as live:
        turn_until(live, watch, lambda: len(watch.frames) > 3)
        assert retained(store, "/cam/door/state")["state"] == "online"
        live.pause(True)
        seen = len(watch.frames)
        for _ in range(5):
            live.turn(watch)
        assert len(watch.frames) == seen
        assert retained(store, "/cam/door/state")["state"] == "disabled"
        metrics = live.observed.metrics.text().decode()
        assert 'dresscode_camera_state{camera="door",state="disabled"} 1.0' in metrics
        assert 'dresscode_camera_state{camera="door",state="online"} 0.0' in metrics
    with box_of(store, networks) as live:
        for _ in range(20):
            live.turn(watch)
        assert len(watch.frames) == seen
        live.pause(False)
        turn_until(live, watch, lambda: len(watch.frames) > seen + 3)
        assert retained(store, "/cam/door/state")["state"] == "online"


def test_a_command_is_answered_once_what_it_changed_is_stored(
    store: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = [Command("store", "pause", CommandPayload(), "rsp", None)]
    paused: list[bool] = []

    def answer(*_: Any) -> None:
        with closing(sqlite3.connect(store / "state/outbox.sqlite")) as db:
            (kept,) = db.execute("SELECT value FROM state WHERE name = 'box'").fetchone()
        paused.append(json.loads(kept)["paused_at_s"] is not None)

    monkeypatch.setattr(Commands, "take", lambda _: [waiting.pop()] if waiting else [])
    monkeypatch.setattr(Commands, "answer", answer)
    with box_of(store, networks) as live:
        turn_until(live, Watcher(), lambda: bool(paused))
    assert paused == [True]


class Queue(Commands):
    """Of one command, which comes whenever one is asked for."""

    def __init__(self, verb: str, **arguments: Any) -> None:
        self.verb, self.arguments = verb, arguments
        self.answered: list[tuple[str, str]] = []

    def take(self) -> list[Command]:
        payload = CommandPayload.model_validate(self.arguments)
        return [Command("store", self.verb, payload, "rsp", None)]

    def answer(self, command: Any, status: Any, reason: str = "", n: Any = None) -> None:
        self.answered.append((status, reason))


def test_after_a_reset_nobody_is_inside_and_after_a_mute_nobody_is_announced_for_so_long(
    store: Path, networks: Networks
) -> None:
    watch = Watcher()
    with box_of(store, networks) as live:
        turn_until(live, watch, lambda: watch.entries > 0)
        now_s = watch.frames[-1].taken_at_s
        assert sum(zone.occupancy for zone in live.counts.live(now_s)) > 0
        Orders(Queue("reset-occupancy"), live).carry_out(now_s)
        assert [zone.occupancy for zone in live.counts.live(now_s)] == [0, 0]
        Orders(Queue("mute", rule="dresses", minutes=5), live).carry_out(now_s)
        assert live.alerts.state()["muted_until_s"] == {"dresses": now_s + 300.0}


@pytest.mark.parametrize(
    ("verb", "arguments", "status", "reason"),
    [
        pytest.param("mute", {"rule": "dresses", "minutes": 5}, "done", "muted for 5", id="mute"),
        pytest.param(
            "mute", {"rule": "dresses", "minutes": 0}, "done", "muted no longer", id="unmute"
        ),
        pytest.param("mute", {"rule": "hats", "minutes": 5}, "refused", "no alert rule", id="no"),
        pytest.param("test-alert", {"rule": "dresses"}, "done", "was sent", id="test"),
        pytest.param(
            "test-alert",
            {"rule": "dresses", "zone": "roof"},
            "refused",
            "no zone 'roof'",
            id="zone",
        ),
        pytest.param("reset-occupancy", {}, "done", "nobody is inside", id="reset"),
        pytest.param("reset-occupancy", {"zone": "shop"}, "refused", "leave zone out", id="one"),
        pytest.param("reload", {}, "done", "nothing has changed", id="reload"),
        pytest.param("pause", {}, "done", "not even after a restart", id="pause"),
    ],
)
def test_commands_are_carried_out_and_answered(
    store: Path,
    networks: Networks,
    verb: str,
    arguments: dict[str, Any],
    status: str,
    reason: str,
) -> None:
    queue = Queue(verb, **arguments)
    with box_of(store, networks) as live:
        orders = Orders(queue, live)
        assert orders.carry_out(1e9) == 1
        assert queue.answered == []
        orders.answer()
    ((told, words),) = queue.answered
    assert (told, reason in words) == (status, True)


class Minutes:
    """A box without pictures on a clock set by hand, and what it stored, in order."""

    def __init__(self, store: Path, networks: Networks, patch: pytest.MonkeyPatch) -> None:
        self.now_s = 1_790_000_010.0
        clock = SteadyClock(lambda: self.now_s, lambda: self.now_s)
        config = load(store / "store.yaml")
        self.live = Live(config, networks, clock=clock, config_path=store / "store.yaml")
        self.told_s = self.closed_s = 0.0
        self.states = 0
        publish = Outbox.publish
        patch.setattr(FrameSlots, "take", lambda *_: [])

        def stored(outbox: Outbox, messages: list[Message], *state: Any, **more: Any) -> None:
            publish(outbox, messages, *state, **more)
            ends = [json.loads(m.payload)["end"] for m in messages if m.lane == "agg"]
            for end in (datetime.fromisoformat(end.replace("Z", "+00:00")) for end in ends):
                self.told_s = max(self.told_s, end.timestamp())
            if state and state[0] and "counts" in state[0]:
                self.states += 1
                self.closed_s = state[0]["counts"]["windows"]["closed_s"]
                assert self.closed_s <= max(self.told_s, self.began_s)

        patch.setattr(Outbox, "publish", stored)
        self.began_s = self.now_s // 60 * 60

    def turn(self, times: int, step_s: float) -> None:
        for _ in range(times):
            self.now_s += step_s
            self.live.turn()


@pytest.mark.parametrize("verb", [None, "reload", "test-alert"])
def test_no_state_is_stored_before_the_windows_that_are_closed_in_it(
    store: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch, verb: str | None
) -> None:
    """A kill in between would lose them: the next start takes them for sent."""
    payload = CommandPayload(rule="dresses")
    asked = [Command("store", verb, payload, "rsp", None)] if verb else []
    monkeypatch.setattr(Commands, "take", lambda _: asked)
    monkeypatch.setattr(Commands, "answer", lambda *_: None)
    box = Minutes(store, networks, monkeypatch)
    with box.live:
        box.turn(200, 1.1)
    assert box.told_s == box.closed_s > box.began_s + 120.0


@pytest.mark.parametrize("verbs", [["mute"], ["reload"], ["mute", "reload"]], ids=" ".join)
def test_what_was_commanded_survives_a_power_cut_before_it_is_answered(
    store: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch, verbs: list[str]
) -> None:
    payload = CommandPayload(rule="dresses", minutes=5.0)
    asked = [Command("store", verb, payload, "rsp", None) for verb in verbs]
    stored: list[bool | str] = []
    publish = Outbox.publish

    def noted(
        outbox: Outbox, messages: list[Message], state: Any = None, is_durable: bool = False
    ) -> None:
        publish(outbox, messages, state, is_durable)
        if state and "alerts" in state:
            stored.append(is_durable)

    box = Minutes(store, networks, monkeypatch)
    with box.live:
        box.turn(1, 1.1)
        monkeypatch.setattr(Outbox, "publish", noted)
        monkeypatch.setattr(Commands, "answer", lambda *_: stored.append("answered"))
        monkeypatch.setattr(Commands, "take", lambda _: asked)
        box.turn(1, 0.1)
    assert stored[: len(verbs) + 1] == [True, *["answered"] * len(verbs)]


def test_a_quiet_box_spares_its_disk(
    store: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state every ten seconds, and with each minute that closes; not every second."""
    box = Minutes(store, networks, monkeypatch)
    with box.live:
        box.turn(600, 1.0)
    assert 60 <= box.states <= 75


def test_a_box_that_gives_up_has_told_what_it_closed(
    store: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Minutes(store, networks, monkeypatch)
    monkeypatch.setattr(Supervision, "is_hopeless", True)
    step = Pipeline.step

    def failing(*arguments: Any) -> Step:
        made = step(*arguments)
        return replace(made, trouble=EngineError("the GPU is gone")) if made.windows else made

    monkeypatch.setattr(Pipeline, "step", failing)
    with pytest.raises(EngineError, match="the GPU is gone"), box.live:
        box.turn(200, 0.37)
    assert box.told_s == box.closed_s > box.began_s


def test_the_order_of_keys_and_comments_make_no_other_configuration(store: Path) -> None:
    path, hashes = store / "store.yaml", []
    for extra in (
        "a: {any_of: [suit]}, b: {any_of: [skirt]}",
        "b: {any_of: [skirt]}, a: {any_of: [suit]}",
    ):
        path.write_text(CONFIG.partition("alerts:")[0] + "# Rules\nalerts: {" + extra + "}\n")
        hashes.append(config_hash(load(path)))
    assert hashes[0] == hashes[1] != config_hash(load(path).model_copy(update={"timezone": "X"}))


def test_changed_keys_are_named(store: Path) -> None:
    before = load(store / "store.yaml")
    (store / "store.yaml").write_text(CONFIG.replace("UTC", "Europe/Paris"))
    assert changed_keys(before, load(store / "store.yaml")) == ["timezone"]
