"""What a running box says of itself: page, metrics, status line, and its state at the broker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_app.app import Networks
from edge_app.box.live import Live
from edge_app.config.load import load
from edge_app.delivery.broker import find_mosquitto
from edge_app.runtime.systemd import Notifier
from tests.broker.mosquitto import Collector, Mosquitto
from tests.edge_app.box.test_live import CONFIG, Watcher, networks, store, turn_until
from tests.edge_app.runtime.notify_socket import NotifySocket

__all__ = ["networks", "store"]

pytestmark = pytest.mark.timeout(60)


def box_told_to(manager: NotifySocket, store: Path, networks: Networks) -> Live:
    notifier = Notifier({"NOTIFY_SOCKET": str(manager.path)})
    return Live(load(store / "store.yaml"), networks, notifier=notifier)


def health(live: Live) -> tuple[int, dict[str, Any]]:
    page = live.observed.health_page()
    return page.status, json.loads(page.body)


def test_a_full_disk_is_said_wherever_somebody_looks(
    store: Path, networks: Networks, manager: NotifySocket
) -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto: not installed (apt install mosquitto)")
    with Mosquitto(store / "mosquitto") as broker, Collector(broker.port) as heard:
        (store / "store.yaml").write_text(CONFIG.replace("mqtt://127.0.0.1:1", broker.url))
        with box_told_to(manager, store, networks) as live:
            turn_until(live, Watcher(), lambda: health(live)[1]["status"] == "ok")
            assert health(live)[0] == 200
            assert b"dresscode_outbox_in_memory 0.0" in live.observed.metrics.text()
            disk = live._outbox._database._connection
            disk.execute("PRAGMA max_page_count = 1")  # no page more than there are
            live._outbox.publish([], {"a test's": {"pages": "x" * 100_000}})
            turn_until(live, Watcher(), lambda: health(live)[1]["status"] == "degraded")
            status, told = health(live)
            assert (status, told["broker_connected"]) == (200, True)
            assert told["reason"] == "outbox in memory: database or disk is full"
            assert b"dresscode_outbox_in_memory 1.0" in live.observed.metrics.text()

            def states() -> list[tuple[str, str]]:
                return [(one["state"], one["reason"]) for one in heard.payloads("edge-1")
                        if "birth" in one]  # fmt: skip

            turn_until(live, Watcher(), lambda: states()[-1] == ("degraded", told["reason"]))
            line = ""
            while "outbox" not in line:
                live.turn()
                line = (manager.listen(0.01) or {}).get("STATUS", line)
            assert line.endswith(f"; {told['reason']}; connected with MQTT 5")


def test_a_box_that_sees_nothing_and_reaches_nobody_is_degraded_and_not_to_be_started_anew(
    store: Path, networks: Networks, manager: NotifySocket
) -> None:
    (store / "clip").rename(store / "gone")
    with box_told_to(manager, store, networks) as live:
        assert health(live) == (503, {"status": "starting"})
        turn_until(live, Watcher(), lambda: health(live)[1]["status"] == "degraded")
        status, told = health(live)
    assert (status, told["broker_connected"]) == (200, False)
    assert told["reason"].startswith("no camera is online; not connected")


def test_a_box_without_a_camera_says_so_at_its_broker(store: Path, networks: Networks) -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto: not installed (apt install mosquitto)")
    with Mosquitto(store / "mosquitto") as broker, Collector(broker.port) as heard:
        text = CONFIG.replace("mqtt://127.0.0.1:1", broker.url)
        (store / "store.yaml").write_text(text)
        (store / "clip").rename(store / "gone")
        with Live(load(store / "store.yaml"), networks) as live:

            def is_degraded() -> bool:
                told = [one for one in heard.payloads("edge-1") if "birth" in one]
                return bool(told) and told[-1]["reason"] == "no camera is online"

            turn_until(live, Watcher(), is_degraded)
            (store / "gone").rename(store / "clip")
            turn_until(
                live, Watcher(), lambda: heard.payloads("edge-1")[-1].get("state") == "online"
            )


def test_headquarters_that_is_away_is_said_where_the_box_stands(
    store: Path, networks: Networks, manager: NotifySocket
) -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto: not installed (apt install mosquitto)")
    with Mosquitto(store / "mosquitto") as broker:
        text = CONFIG.replace("mqtt://127.0.0.1:1", broker.url)
        text += 'headquarters: {url: "mqtt://127.0.0.1:1"}\n'
        (store / "store.yaml").write_text(text)
        with box_told_to(manager, store, networks) as live:
            away = "headquarters: not connected: Connection refused"
            turn_until(live, Watcher(), lambda: health(live)[1].get("status") == "degraded")
            turn_until(live, Watcher(), lambda: health(live)[1].get("reason") == away)
            status, told = health(live)
            assert (status, told["status"], told["broker_connected"]) == (200, "degraded", True)
            metrics = live.observed.metrics.text().decode()
            assert 'dresscode_broker_connected{broker="store"} 1.0' in metrics
            assert 'dresscode_broker_connected{broker="headquarters"} 0.0' in metrics
            line = ""
            while not line.endswith(f"; connected with MQTT 5; {away}"):
                live.turn()
                line = (manager.listen(0.01) or {}).get("STATUS", line)
