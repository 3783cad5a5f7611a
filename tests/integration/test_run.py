"""The whole box: a camera, real (tiny) networks, a real broker, and what a stranger reads there."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import jsonschema
import numpy as np
import pytest
from paho.mqtt import client as paho

from edge_app.delivery.audit import verify
from edge_app.delivery.broker import EmbeddedBroker, find_mosquitto
from edge_app.delivery.contract import json_schemas
from edge_app.delivery.topics import kind_of
from tests.edge_app.tiny_store import write_clip
from tests.tiny_models import save_all

CONFIG = """
store: acme-1
node: edge-1
timezone: Europe/Paris
state_dir: state
mqtt: {{url: "{url}"}}
inference: {{models: models, threads: 1}}
outfit: {{min_looks: 2, min_weight: 0.2}}
cameras:
  door:
    source: clip
    fps: 10
    zones: {{shop: {{area: [[0, 0], [1, 0], [1, 1], [0, 1]]}}}}
alerts:
  dresses: {{any_of: [dress], min_probability: 0.6, cooldown_s: 0, expires_s: 600}}
"""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store whose camera shows nobody for twelve seconds, then one person in red."""
    save_all(tmp_path / "models")
    folder = tmp_path / "clip"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(-25, 25, (128, 256, 3))
    red = np.clip(np.array([60, 90, 230]) + noise, 0, 255).astype(np.uint8)
    nobody = np.zeros_like(red)
    for i in range(150):
        assert cv2.imwrite(str(folder / f"{i:04d}.png"), nobody if i < 120 else red)
    return tmp_path


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    if find_mosquitto() is None or shutil.which("mosquitto_sub") is None:
        pytest.skip("mosquitto and mosquitto_sub are not installed")
    with EmbeddedBroker("mosquitto") as running:
        yield running


def shorten(store: Path, pictures: int) -> None:
    """Cut the recording off, where it only has to come to its end."""
    for file in sorted((store / "clip").iterdir())[pictures:]:
        file.unlink()


def start(store: Path, url: str, more: str = "") -> subprocess.Popen[str]:
    (store / "store.yaml").write_text(CONFIG.format(url=url) + more)
    return subprocess.Popen(
        [sys.executable, "-m", "edge_app", "run", "-c", str(store / "store.yaml")],
        stderr=subprocess.PIPE,
        text=True,
    )


def state_of_the_box(port: str, timeout_s: int) -> str:
    """The next message of the box about itself, or the one that the broker kept."""
    return subprocess.run(
        ["mosquitto_sub", "-p", port, "-C", "1", "-W", str(timeout_s), "-t",
         "dresscode/v1/acme-1/node/edge-1/state"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def end(box: subprocess.Popen[str]) -> str:
    """Let the recording play to its end; what the box said."""
    try:
        return box.communicate(timeout=60)[1]
    except subprocess.TimeoutExpired:
        box.kill()
        pytest.fail(f"the box did not end: {box.communicate()[1]}")


def test_a_stranger_reads_every_message_and_each_keeps_its_schema(
    store: Path, broker: EmbeddedBroker
) -> None:
    port = broker.url.rpartition(":")[2]
    reader = subprocess.Popen(
        ["mosquitto_sub", "-p", port, "-V", "5", "-q", "1", "-v", "-t", "dresscode/v1/#"],
        stdout=subprocess.PIPE,
        text=True,
    )
    said = end(start(store, broker.url))
    time.sleep(0.5)
    reader.send_signal(signal.SIGTERM)
    lines = reader.communicate(timeout=10)[0].splitlines()
    messages = [(topic, json.loads(text)) for topic, _, text in (ln.partition(" ") for ln in lines)]
    assert messages, said
    schemas = json_schemas()
    kinds: dict[str, list[dict[str, object]]] = {}
    for topic, payload in messages:
        kind = kind_of(topic)
        assert kind is not None, topic
        jsonschema.validate(payload, schemas[kind])
        kinds.setdefault(kind, []).append(payload)
    assert {"state", "info", "health", "camera", "live", "alert"} <= set(kinds)
    (alert,) = kinds["alert"]
    assert alert["garment"] == "dress"
    assert alert["rule"] == "dresses"
    assert "dress" in str(alert["text"])
    # From the picture that decided it, which took some time to be looked at.
    assert 0 < int(str(alert["latency_ms"])) < 5000
    assert kinds["state"][0]["state"] == "online"
    assert kinds["state"][-1]["state"] == "offline"
    assert kinds["state"][-1]["reason"] == "stopped"
    assert max(int(str(p["in_today"])) for p in kinds["live"]) == 1


def test_a_uniform_that_no_picture_shows_degrades_the_box_and_stops_nothing(
    store: Path, broker: EmbeddedBroker
) -> None:
    port = broker.url.rpartition(":")[2]
    (store / "uniform").mkdir()
    (store / "uniform" / "ann.jpg").write_text("no picture")
    shorten(store, 50)
    box = start(store, broker.url, "staff: {uniform: uniform}\n")
    try:
        state = json.loads(state_of_the_box(port, 30))
        assert state["state"] == "degraded"
        assert state["reason"] == "no picture of the staff's uniform can be used"
    finally:
        said = end(box)
    assert "ann.jpg: not a picture that can be decoded" in said
    assert "online" in said, "the camera was opened, and the recording played to its end"
    assert box.returncode == 0


def test_a_broker_that_is_not_there_stops_nothing_and_gets_everything_later(
    store: Path, broker: EmbeddedBroker
) -> None:
    said = end(start(store, "mqtt://127.0.0.1:1"))
    assert "no connection to the broker mqtt://127.0.0.1:1" in said
    assert "Traceback" not in said
    # The same box finds a broker on its next start: what was decided meanwhile arrives.
    shutil.rmtree(store / "clip")
    write_clip(store / "clip", [np.zeros((128, 256, 3), np.uint8)], 1500)
    port = broker.url.rpartition(":")[2]
    reader = subprocess.Popen(
        ["mosquitto_sub", "-p", port, "-q", "1", "-C", "1", "-W", "120", "-t",
         "dresscode/v1/acme-1/alert/#"],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    time.sleep(0.3)
    box = start(store, broker.url)
    heard = reader.communicate(timeout=130)[0]
    box.terminate()
    said = end(box)
    assert heard, said
    assert json.loads(heard)["rule"] == "dresses"


def test_sigterm_ends_it_quickly_and_says_good_bye(store: Path, broker: EmbeddedBroker) -> None:
    port = broker.url.rpartition(":")[2]
    box = start(store, broker.url)
    assert json.loads(state_of_the_box(port, 40))["state"] == "online"
    box.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    said = end(box)
    assert time.monotonic() - asked < 10
    assert box.returncode == 0, said
    assert "stopping: SIGTERM" in said
    assert json.loads(state_of_the_box(port, 5))["state"] == "offline"


def test_a_second_run_on_the_same_state_is_refused(store: Path) -> None:
    state = store / "state"
    box = start(store, "mqtt://127.0.0.1:1")
    try:
        deadline = time.monotonic() + 40
        while not (state / "audit.jsonl").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        starts = (state / "starts.json").read_text()
        second = start(store, "mqtt://127.0.0.1:1")
        said = second.communicate(timeout=40)[1]
        assert second.returncode == 1
        assert f"{state} is in use by another dresscode, process {box.pid};" in said
        assert "Traceback" not in said
        # Nothing of the first was touched, and nobody takes the refusal for a crash.
        assert (state / "starts.json").read_text() == starts
        assert verify(state / "audit.jsonl").entries == 1
    finally:
        box.kill()
        box.communicate()
    # As after a watchdog or a power cut, the next start finds the folder free.
    shorten(store, 20)
    third = start(store, "mqtt://127.0.0.1:1")
    said = end(third)
    assert third.returncode == 0, said
    assert "store acme-1, node edge-1; cameras: 1, zones: 1, rules: 1\n" in said
    assert verify(state / "audit.jsonl").problem is None


def test_a_bad_configuration_is_one_clear_error(store: Path) -> None:
    (store / "store.yaml").write_text(CONFIG.format(url="mqtt://x").replace("[dress]", "[gown]"))
    done = subprocess.run(
        [sys.executable, "-m", "edge_app", "run", "-c", str(store / "store.yaml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "store.yaml:15: alerts.dresses.any_of" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_shows_what_arrives(store: Path) -> None:
    (store / "store.yaml").write_text(CONFIG.format(url="mqtt://127.0.0.1:1"))
    done = subprocess.run(
        [sys.executable, "-m", "edge_app", "demo", "-c", str(store / "store.yaml"),
         "--seconds", "30", "--draw", str(store / "drawn")],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "A customer in a" in done.stdout
    assert "1 alerts" in done.stdout
    assert len(list((store / "drawn").glob("door-*.jpg"))) > 50


def test_ctrl_c_ends_the_demo_with_its_farewell(store: Path) -> None:
    (store / "store.yaml").write_text(CONFIG.format(url="mqtt://127.0.0.1:1"))
    demo = subprocess.Popen(
        [sys.executable, "-m", "edge_app", "demo", "-c", str(store / "store.yaml")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert demo.stdout is not None
    try:
        begun = ""
        while "read along" not in begun:
            line = demo.stdout.readline()
            assert line, begun
            begun += line
        os.killpg(demo.pid, signal.SIGINT)  # a terminal sends it to the broker's process as well
        said = demo.communicate(timeout=40)[0]
    finally:
        demo.kill()
        demo.communicate()
    assert demo.returncode == 0, said
    assert "count windows" in said


def say_nonsense(port: int) -> None:
    """An alert that is none, to a broker that may be about to go."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish("dresscode/v1/demo/alert/a/b", b"no JSON", 1).wait_for_publish(2.0)
    client.loop_stop()


def test_the_demo_ends_when_its_client_fails() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "edge_app", "demo"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as demo:  # fmt: skip
        assert demo.stdout is not None
        found = (re.search(r"mosquitto_sub -p (\d+)", line) for line in demo.stdout)
        port = next(int(match[1]) for match in found if match)
        until_s = time.monotonic() + 40
        while demo.poll() is None and time.monotonic() < until_s:
            with contextlib.suppress(OSError, RuntimeError):
                say_nonsense(port)
            time.sleep(0.5)
        has_ended = demo.poll() is not None
        demo.kill()
    assert has_ended
