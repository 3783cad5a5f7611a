"""Commands of a stranger, over a real broker, to a whole box that runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_app.delivery.audit import verify
from edge_app.delivery.broker import EmbeddedBroker, find_mosquitto
from edge_app.delivery.topics import VERBS
from tests.broker.mosquitto import wait_until
from tests.edge_app.tiny_store import write_clip
from tests.tiny_models import save_all

CONFIG = """
store: acme-1
node: edge-1
timezone: Europe/Paris
state_dir: state
mqtt: {{url: "{url}"}}
inference: {{models: models, threads: 1}}
cameras:
  door:
    source: clip
    fps: 10
    zones: {{shop: {{area: [[0, 0], [1, 0], [1, 1], [0, 1]]}}}}
alerts:
  dresses: {{any_of: [dress], cooldown_s: 0}}
"""
ROOT = "dresscode/v1/acme-1"

pytestmark = pytest.mark.timeout(120)


class Stranger:
    """Somebody with a client: keeps the newest payload of each topic, and sends commands."""

    def __init__(self, url: str) -> None:
        self.newest: dict[str, dict[str, Any]] = {}
        self._sent = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._keep
        self._client.connect("127.0.0.1", int(url.rpartition(":")[2]))
        self._client.subscribe(f"{ROOT}/#", 1)
        self._client.loop_start()

    def _keep(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.newest[message.topic.removeprefix(ROOT + "/")] = json.loads(message.payload)

    def order(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._sent += 1
        fields["transaction"] = f"t-{self._sent}"
        self._client.publish(f"{ROOT}/cmd/edge-1/{verb}", json.dumps(fields), 1)
        answer = f"rsp/edge-1/{verb if verb in VERBS else 'error'}"
        assert wait_until(
            lambda: self.newest.get(answer, {}).get("transaction") == fields["transaction"], 10
        ), (verb, self.newest.get(answer))
        return self.newest[answer]

    def sees(self, topic: str, timeout_s: float = 10.0, **fields: Any) -> bool:
        """Whether the topic's newest message says so in time."""
        return wait_until(
            lambda: fields.items() <= self.newest.get(topic, {}).items(),
            timeout_s,
        )

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    if find_mosquitto() is None:
        pytest.skip("mosquitto: not installed (apt install mosquitto)")
    with EmbeddedBroker("mosquitto") as running:
        yield running


@pytest.fixture
def stranger(broker: EmbeddedBroker) -> Iterator[Stranger]:
    reader = Stranger(broker.url)
    yield reader
    reader.close()


@pytest.fixture
def store(tmp_path: Path, broker: EmbeddedBroker) -> Path:
    """A store where nobody is seen for two minutes."""
    save_all(tmp_path / "models")
    write_clip(tmp_path / "clip", [np.zeros((128, 256, 3), np.uint8)], 1200)
    (tmp_path / "store.yaml").write_text(CONFIG.format(url=broker.url))
    return tmp_path


def start(store: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "edge_app", "run", "-c", str(store / "store.yaml")],
        stderr=subprocess.DEVNULL,
    )


def end(box: subprocess.Popen[bytes]) -> None:
    box.send_signal(signal.SIGTERM)
    try:
        box.wait(20)
    except subprocess.TimeoutExpired:
        box.kill()
        raise


def test_every_command_is_carried_out_answered_and_noted(store: Path, stranger: Stranger) -> None:
    box = start(store)
    try:
        assert stranger.sees("node/edge-1/state", 40, state="online")
        assert stranger.sees("cam/door/state", state="online")
        assert stranger.order("ping")["status"] == "done"
        assert stranger.order("pause")["status"] == "done"
        assert stranger.sees("cam/door/state", 1.5, state="disabled")
        # Not even the end of the process, without a good-bye, makes the box look again.
        box.kill()
        box.wait()
        stranger.newest.clear()
        box = start(store)
        assert stranger.sees("node/edge-1/state", 40, state="online")
        assert stranger.sees("cam/door/state", state="disabled")
        assert stranger.order("resume")["status"] == "done"
        assert stranger.sees("cam/door/state", state="online")
        assert stranger.order("mute", rule="dresses", minutes=5)["status"] == "done"
        assert stranger.order("mute", rule="gowns", minutes=5)["status"] == "refused"
        assert stranger.order("test-alert", rule="dresses")["status"] == "done"
        assert stranger.sees("alert/shop/dresses", test=True)
        assert stranger.order("reset-occupancy")["status"] == "done"
        assert stranger.order("reload")["status"] == "done"
        span = {"start": "2020-01-01T00:00:00.000Z", "end": "2100-01-01T00:00:00.000Z"}
        resent = stranger.order("resend", **span)
        assert resent["status"] == "done"
        assert stranger.order("fly")["status"] == "refused"
    finally:
        end(box)
    verdict = verify(store / "state" / "audit.jsonl")
    assert verdict.problem is None
    noted = (store / "state" / "audit.jsonl").read_text()
    for verb in ("ping", "pause", "resume", "mute", "test-alert", "reset-occupancy", "reload"):
        assert f"command {verb}" in noted
        assert f"done {verb}" in noted
