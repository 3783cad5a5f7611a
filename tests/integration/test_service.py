"""The daemon under a service manager: what systemd would hear, and what it would do.

Its side of the contract is played here by the letter of sd_notify(3) and systemd.service(5): a
notify socket, and SIGABRT when WATCHDOG does not come. ``make systemd-test`` has a real one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edge_app.box.renewal import ANSWER_S
from edge_app.delivery.broker import EmbeddedBroker, find_mosquitto
from edge_app.runtime.starts import MANY
from tests.edge_app.runtime.notify_socket import NotifySocket
from tests.edge_app.tiny_store import write_clip
from tests.tiny_models import save_all

CONFIG = """
store: acme-1
node: edge-1
timezone: UTC
state_dir: state
mqtt: {url: "mqtt://127.0.0.1:1"}
inference: {models: models, threads: 1}
cameras:
  door: {source: clip, fps: 10, zones: {shop: {area: [[0, 0], [1, 0], [1, 1], [0, 1]]}}}
  back: {source: nothing-here.mp4}
"""
WATCHDOG_S = 4.0
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    save_all(tmp_path / "models")
    write_clip(tmp_path / "clip", [np.full((128, 256, 3), 120, np.uint8)], 900)
    (tmp_path / "store.yaml").write_text(CONFIG)
    return tmp_path


def start(store: Path, *command: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "NOTIFY_SOCKET": str(store / "notify"),
        "WATCHDOG_USEC": str(round(WATCHDOG_S * 1e6)),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, *command], env=environment, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_from_loading_to_good_bye(store: Path, manager: NotifySocket) -> None:
    box = start(store, "-m", "edge_app", "run", "-c", str(store / "store.yaml"))
    try:
        ready = manager.listen_until(lambda m: "READY" in m, 60.0)
        before = [message for _, message in manager.told]
        assert sum("EXTEND_TIMEOUT_USEC" in m for m in before) == 3
        assert any("loading the detector" in m.get("STATUS", "") for m in before)
        # One camera works, the other never will: both are known, so the start is complete.
        assert "1 of 2 cameras (back offline)" in ready["STATUS"]
        began = time.monotonic()
        for _ in range(3):
            manager.listen_until(lambda m: "WATCHDOG" in m, WATCHDOG_S)
        assert time.monotonic() - began < 3 * WATCHDOG_S / 2
        box.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        manager.listen_until(lambda m: "STOPPING" in m, 10.0)
        said = box.communicate(timeout=10)[1]
        assert time.monotonic() - asked < 10.0
        assert box.returncode == 0, said
    finally:
        box.kill()


def test_a_stuck_network_is_ended_by_the_watchdog_with_a_traceback_of_every_thread(
    store: Path, manager: NotifySocket
) -> None:
    box = start(store, str(ROOT / "tests/integration/stuck_box.py"), str(store / "store.yaml"))
    try:
        manager.listen_until(lambda m: "READY" in m, 60.0)
        deadline = time.monotonic() + 60.0
        while time.monotonic() < deadline:
            # Longer than one call may take: the network is started anew first, and hangs again.
            heard = manager.listen(ANSWER_S + 2.0)
            if heard is None:
                break
        else:
            pytest.fail("a stuck box goes on saying that it lives")
        # The network that gave no answer was to be started anew before that.
        assert any("no answer for 10 s" in m.get("STATUS", "") for _, m in manager.told)
        assert box.poll() is None
        box.send_signal(signal.SIGABRT)
        said = box.communicate(timeout=10)[1]
    finally:
        box.kill()
    assert box.returncode == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in said
    assert "stuck_box.py" in said
    assert "capture/camera.py" in said


def test_a_reload_by_signal_is_told_and_drops_no_stream(store: Path, manager: NotifySocket) -> None:
    config = store / "store.yaml"
    box = start(store, "-m", "edge_app", "run", "-c", str(config))
    try:
        manager.listen_until(lambda m: "READY" in m, 60.0)
        config.write_text(CONFIG.replace("shop:", "shop: {}\n  hop:"))
        box.send_signal(signal.SIGHUP)
        manager.listen_until(lambda m: "RELOADING" in m, 10.0)
        refused = manager.listen_until(lambda m: "READY" in m, 10.0)
        assert "reload refused: " in refused["STATUS"]
        assert f"{config}:" in refused["STATUS"]
        config.write_text(CONFIG.replace("shop:", "back-room:"))
        box.send_signal(signal.SIGHUP)
        applied = manager.listen_until(lambda m: "READY" in m, 10.0)
        assert "reload applied: cameras.door.zones.shop" in applied["STATUS"]
        manager.listen_until(lambda m: "WATCHDOG" in m, WATCHDOG_S)
        box.send_signal(signal.SIGTERM)
        said = box.communicate(timeout=10)[1]
    finally:
        box.kill()
    assert box.returncode == 0
    assert said.count("camera door: online") == 1
    assert "camera door: offline" not in said


def test_a_crash_loop_ends_in_a_safe_mode_that_still_reports(
    store: Path, manager: NotifySocket
) -> None:
    if find_mosquitto() is None or shutil.which("mosquitto_sub") is None:
        pytest.skip("mosquitto and mosquitto_sub are not installed")
    with EmbeddedBroker("mosquitto") as broker:
        config = CONFIG.replace("mqtt://127.0.0.1:1", broker.url)
        (store / "store.yaml").write_text(config)
        (store / "models" / "detector.onnx").rename(store / "models" / "gone")
        (store / "state").mkdir()
        starts = store / "state" / "starts.json"
        began_s = [time.time() - 60.0] * (MANY - 1)
        starts.write_text(json.dumps({"began_s": began_s, "error": None}))
        crashed = start(store, "-m", "edge_app", "run", "-c", str(store / "store.yaml"))
        assert "there is no such model file" in crashed.communicate(timeout=60)[1]
        assert crashed.returncode == 1
        box = start(store, "-m", "edge_app", "run", "-c", str(store / "store.yaml"))
        try:
            ready = manager.listen_until(lambda m: "READY" in m, 60.0)
            assert ready["STATUS"].startswith(
                "0 of 2 cameras (door disabled, back disabled); safe mode: 5 crashes in ten "
                "minutes; the last by ModelError: "
            )
            assert "there is no such model file" in ready["STATUS"]
            box.send_signal(signal.SIGHUP)
            manager.listen_until(lambda m: "WATCHDOG" in m, WATCHDOG_S)
            heard = subprocess.run(
                ["mosquitto_sub", "-p", broker.url.rpartition(":")[2], "-C", "2", "-W", "10",
                 "-t", "dresscode/v1/acme-1/node/edge-1/state",
                 "-t", "dresscode/v1/acme-1/cam/door/state"],
                capture_output=True, text=True,
            )  # fmt: skip
            states = {json.loads(line)["state"] for line in heard.stdout.splitlines()}
            assert states == {"degraded", "disabled"}
            box.send_signal(signal.SIGTERM)
            said = box.communicate(timeout=10)[1]
        finally:
            box.kill()
            box.communicate()
    assert box.returncode == 0
    assert "nothing was reloaded" in said
    assert json.loads(starts.read_text()) == {"began_s": [], "error": None}
    (store / "models" / "gone").rename(store / "models" / "detector.onnx")
    box = start(store, "-m", "edge_app", "run", "-c", str(store / "store.yaml"))
    try:
        ready = manager.listen_until(lambda m: "READY" in m, 60.0)
        assert "1 of 2 cameras" in ready["STATUS"]
    finally:
        box.kill()
        box.communicate()
