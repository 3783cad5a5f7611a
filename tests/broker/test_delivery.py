"""From the outbox to a subscriber, through a real mosquitto."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import jsonschema
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_app.config.schema import BrokerSettings, OutboxSettings
from edge_app.delivery.broker import EmbeddedBroker, free_port
from edge_app.delivery.contract import json_schemas
from edge_app.delivery.depth import Depth
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from edge_app.delivery.topics import kind_of
from edge_app.errors import DeliveryError
from edge_app.flow import CameraState, LiveCount
from tests.broker.mosquitto import Collector, Mosquitto, wait_until
from tests.edge_app.delivery.samples import MESSAGES, alert, every_message, minute

FAST = 100_000.0
SCHEMAS = json_schemas()


def sender(settings: BrokerSettings, outbox: Outbox, **more: Any) -> Sender:
    return Sender(settings, outbox, MESSAGES, **{"drain_per_s": FAST} | more)


def fresh_alert(**changes: Any) -> Any:
    return MESSAGES.alert(alert(settled_at_s=time.time(), **changes), time.time())


def test_every_kind_arrives_and_keeps_to_its_schema(mosquitto: Mosquitto, outbox: Outbox) -> None:
    with Collector(mosquitto.port) as collector:
        with sender(mosquitto.settings(), outbox) as box:
            assert wait_until(lambda: box.status().is_connected)
            messages = every_message(MESSAGES, time.time())
            del messages["state"]  # the sender's own
            outbox.publish([*messages.values(), fresh_alert()])
            assert wait_until(lambda: len(collector.messages) >= 9)
        assert wait_until(lambda: len(collector.payloads("node")) >= 5)
        for message in collector.messages:
            kind = kind_of(message.topic)
            assert kind is not None
            jsonschema.validate(
                json.loads(message.payload), SCHEMAS[kind], jsonschema.Draft202012Validator
            )
        assert {kind_of(message.topic) for message in collector.messages} == set(SCHEMAS)


def test_birth_comes_in_order_and_before_what_waits(mosquitto: Mosquitto, outbox: Outbox) -> None:
    kinds = every_message(MESSAGES, time.time())
    outbox.publish([minute(0), fresh_alert(), kinds["info"], kinds["camera"]])
    with Collector(mosquitto.port) as collector, sender(mosquitto.settings(), outbox):
        assert wait_until(lambda: len(collector.messages) >= 5)
        order = [kind_of(message.topic) for message in collector.messages]
        assert order[:5] == ["info", "camera", "state", "alert", "agg"]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_removed_camera_is_forgotten_by_the_broker(
    mosquitto: Mosquitto, outbox: Outbox, protocol: str
) -> None:
    door, back = (
        MESSAGES.camera_state(CameraState(name, "online", "x", time.time()), time.time())
        for name in ("door", "back")
    )
    with sender(mosquitto.settings(protocol=protocol), outbox) as box:
        outbox.keep_retained("acme-0042/edge-1", [door.topic, back.topic])
        outbox.publish([door, back])
        assert wait_until(lambda: box.status().sent >= 3)
        outbox.keep_retained("acme-0042/edge-1", [door.topic])
        assert wait_until(lambda: box.status().sent >= 4)
        with Collector(mosquitto.port) as late:
            assert wait_until(lambda: len(late.payloads("cam")) == 1)
            assert [message.topic for message in late.messages if "/cam/" in message.topic] == [
                door.topic
            ]


def test_a_clean_stop_says_so_at_once(mosquitto: Mosquitto, outbox: Outbox) -> None:
    with Collector(mosquitto.port) as collector:
        box = sender(mosquitto.settings(), outbox)
        with box:
            assert wait_until(lambda: box.status().is_connected)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        assert wait_until(lambda: len(collector.payloads("state")) >= 3)
        told = [(one["state"], one["reason"]) for one in collector.payloads("state")]
    assert told == [("online", "started"), ("stopping", "stopped"), ("offline", "stopped")]
    assert not box.is_alive


def test_who_stops_as_soon_as_it_is_connected_was_online(
    mosquitto: Mosquitto, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Collector(mosquitto.port) as collector:
        box = sender(mosquitto.settings(), outbox)
        depth = outbox.depth

        def stop_meanwhile(broker: str) -> Depth:
            if box.status().is_connected:
                box._stopping.set()
            return depth(broker)

        monkeypatch.setattr(outbox, "depth", stop_meanwhile)
        with box:
            assert wait_until(lambda: not box.is_alive)
        assert wait_until(lambda: len(collector.payloads("state")) >= 3)
        told = [one["state"] for one in collector.payloads("state")]
    assert told == ["online", "stopping", "offline"]


def test_a_clean_stop_takes_along_what_was_just_published(
    mosquitto: Mosquitto, outbox: Outbox
) -> None:
    with Collector(mosquitto.port) as collector:
        with sender(mosquitto.settings(), outbox) as box:
            assert wait_until(lambda: box.status().is_connected)
            outbox.publish([minute(n) for n in range(50)])
        assert wait_until(lambda: len(collector.seqs("agg")) == 50)
    assert outbox.depth("store").rows == 0


def test_coming_back_within_the_wills_delay_alarms_nobody(
    mosquitto: Mosquitto, outbox: Outbox
) -> None:
    with Collector(mosquitto.port) as collector, sender(mosquitto.settings(), outbox) as box:
        assert wait_until(lambda: box.status().is_connected)
        birth = collector_birth(collector)
        # To the broker this is a crash: the connection is taken over by another, and cut.
        thief = paho.Client(
            CallbackAPIVersion.VERSION2, "dresscode-acme-0042-edge-1", protocol=paho.MQTTv5
        )
        thief.connect("127.0.0.1", mosquitto.port, clean_start=False)
        assert wait_until(lambda: thief.loop(0.05) != 0 or box.status().connections >= 2)
        assert wait_until(lambda: box.status().connections >= 2)
        assert wait_until(lambda: collector_birth(collector) > birth)
        assert "offline" not in [one["state"] for one in collector.payloads("state")]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_the_last_will_says_lost_with_the_birth(
    mosquitto: Mosquitto, tmp_path: Path, root: Path, protocol: str
) -> None:
    """A box is killed; at once on 3.1.1, or with the will's delay, everybody is told."""
    settings = mosquitto.settings(protocol=protocol)
    command = [sys.executable, "-c", RUN_FOREVER, settings.url, protocol, str(tmp_path / "o")]
    with Collector(mosquitto.port) as collector:
        process = subprocess.Popen(command, cwd=root)
        birth = collector_birth(collector)
        process.kill()
        process.wait()
        delay_s = 3.0 if protocol == "5" else 0.0
        began = time.monotonic()
        assert wait_until(lambda: len(collector.payloads("state")) == 2)
        assert time.monotonic() - began > delay_s - 1.5
        told = collector.payloads("state")[-1]
    assert (told["state"], told["reason"], told["birth"]) == ("offline", "lost", birth)


RUN_FOREVER = """
import sys, time
from pathlib import Path
from edge_app.config.schema import BrokerSettings, OutboxSettings
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from edge_app.delivery import mqtt
from tests.edge_app.delivery.samples import MESSAGES
mqtt.WILL_DELAY_S = 3  # the real one would make a slow test
outbox = Outbox(Path(sys.argv[3]), OutboxSettings())
Sender(BrokerSettings(url=sys.argv[1], protocol=sys.argv[2]), outbox, MESSAGES).start()
time.sleep(60)
"""


def collector_birth(collector: Collector) -> int:
    assert wait_until(lambda: bool(collector.payloads("state")))
    return int(collector.payloads("state")[-1]["birth"])


def test_what_waited_arrives_once_the_broker_is_there(
    tmp_path: Path, has_mosquitto: None, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Mosquitto(tmp_path / "late")
    outbox.publish([minute(n) for n in range(100)])
    with caplog.at_level(logging.INFO), sender(broker.settings(), outbox) as box:
        assert wait_until(lambda: "Connection refused" in box.status().detail)
        outbox.publish([MESSAGES.live(LiveCount("all", 1.0, 1, 1, 0), 1.0)])
        assert wait_until(lambda: outbox.depth("store").live_dropped == 1)
        failures = [r for r in caplog.records if "no connection" in r.getMessage()]
        with broker, Collector(broker.port) as collector:
            assert wait_until(lambda: len(collector.seqs("agg")) == 100)
            assert collector.seqs("agg") == list(range(1, 101))
    assert [record.levelno for record in failures][:1] == [logging.WARNING]
    assert logging.WARNING not in [record.levelno for record in failures][1:]


def test_nothing_is_lost_or_reordered_over_restarts_of_the_broker(
    tmp_path: Path, has_mosquitto: None, outbox: Outbox
) -> None:
    broker = Mosquitto(tmp_path / "m", ["persistence true", "autosave_interval 1",
                                        "autosave_on_changes true"])  # fmt: skip
    broker.start()
    with Collector(broker.port) as collector, sender(broker.settings(), outbox):
        for n in range(120):
            outbox.publish([minute(n)])
            if n in (30, 70):
                broker.kill()
                broker.start()
            time.sleep(0.005)
        assert wait_until(lambda: set(collector.seqs("agg")) == set(range(1, 121)), 20)
        assert list(dict.fromkeys(collector.seqs("agg"))) == list(range(1, 121))
    broker.stop()


def test_alerts_overtake_a_backlog_and_the_drain_keeps_its_limit(
    mosquitto: Mosquitto, outbox: Outbox
) -> None:
    outbox.publish([minute(n) for n in range(200)])
    limited = sender(mosquitto.settings(), outbox, drain_per_s=20.0)
    with Collector(mosquitto.port) as collector, limited:
        assert wait_until(lambda: len(collector.seqs("agg")) >= 20)
        began = time.monotonic()
        before = len(collector.seqs("agg"))
        outbox.publish([fresh_alert()])
        assert wait_until(lambda: len(collector.seqs("alert")) == 1, 1.0)
        assert wait_until(lambda: len(collector.seqs("agg")) >= before + 20)
        assert time.monotonic() - began > 0.8
        assert len(collector.seqs("agg")) < 100


def test_messages_carry_expiry_and_cloud_events_on_mqtt_5(
    mosquitto: Mosquitto, outbox: Outbox
) -> None:
    received: list[paho.MQTTMessage] = []
    subscribed = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = lambda _c, _d, message: received.append(message)
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    client.subscribe("dresscode/#", 1)
    assert subscribed.wait(5)
    with sender(mosquitto.settings(), outbox):
        outbox.publish([fresh_alert()])
        assert wait_until(lambda: any("/alert/" in m.topic for m in received))
    client.disconnect()
    client.loop_stop()
    (told,) = [m for m in received if "/alert/" in m.topic]
    assert told.properties is not None
    assert 55 <= told.properties.MessageExpiryInterval <= 60
    assert told.properties.ContentType == "application/json"
    attributes = dict(told.properties.UserProperty)
    assert attributes["id"] == json.loads(told.payload)["id"]
    assert attributes["type"] == "dresscode.alert"


def test_a_trouble_is_said_and_taken_back(mosquitto: Mosquitto, outbox: Outbox) -> None:
    with Collector(mosquitto.port) as collector, sender(mosquitto.settings(), outbox) as box:
        assert wait_until(lambda: len(collector.payloads("state")) == 1)
        box.degrade("a network fails")
        assert wait_until(lambda: len(collector.payloads("state")) == 2)
        box.degrade(None)
        assert wait_until(lambda: len(collector.payloads("state")) == 3)
        told = [(one["state"], one["reason"]) for one in collector.payloads("state")]
    assert told[1] == ("degraded", "a network fails")
    assert told[2][0] == "online"


def test_a_sick_outbox_is_said(mosquitto: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        Outbox(tmp_path / "file" / "o", OutboxSettings()) as outbox,
        Collector(mosquitto.port) as collector,
        sender(mosquitto.settings(), outbox),
    ):
        assert wait_until(lambda: bool(collector.payloads("state")))
        assert collector.payloads("state")[0]["state"] == "degraded"
        outbox.publish([minute(0)])
        assert wait_until(lambda: collector.seqs("agg") == [1])


def test_retained_states_are_there_for_whoever_comes_later(
    mosquitto: Mosquitto, outbox: Outbox
) -> None:
    with sender(mosquitto.settings(), outbox) as box:
        now_s = time.time()
        outbox.publish([MESSAGES.camera_state(CameraState("door", "online", "x", now_s), now_s)])
        assert wait_until(lambda: box.status().sent >= 2)
    with Collector(mosquitto.port, client_id="later") as later:
        assert wait_until(lambda: len(later.messages) == 2)
        assert {m.retain for m in later.messages} == {1}
        assert later.payloads("node")[0]["state"] == "offline"


def test_reload_connects_anew(mosquitto: Mosquitto, outbox: Outbox) -> None:
    with sender(mosquitto.settings(), outbox) as box:
        assert wait_until(lambda: box.status().connections == 1)
        box.reload()
        assert wait_until(lambda: box.status().connections == 2)


def test_a_wrong_password_is_said(
    tmp_path: Path, has_mosquitto: None, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    settings = {"username": "acme", "password_file": tmp_path / "password"}
    broker = Mosquitto(tmp_path / "m", ["allow_anonymous false"])
    with broker, sender(broker.settings(**settings), outbox) as box:
        assert wait_until(lambda: "refused: Not authorized" in box.status().detail)
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
def test_the_embedded_broker_serves(kind: Any, outbox: Outbox, has_mosquitto: None) -> None:
    if kind == "amqtt":
        pytest.importorskip("amqtt")
    with EmbeddedBroker(kind) as broker, Collector(broker.port) as collector:
        with sender(broker.settings, outbox) as box:
            outbox.publish([minute(n) for n in range(20)])
            assert wait_until(lambda: len(collector.seqs("agg")) == 20)
            assert box.status().protocol == ("5" if kind == "mosquitto" else "3.1.1")
        assert collector.seqs("agg") == list(range(1, 21))
    assert kind in broker.description


def test_a_broker_on_a_taken_port_is_said(has_mosquitto: None) -> None:
    with EmbeddedBroker("mosquitto") as first:
        second = EmbeddedBroker("mosquitto", port=first.port)
        with pytest.raises(DeliveryError, match="something listens"):
            second.__enter__()


def test_stop_is_quick_when_nobody_is_there(outbox: Outbox) -> None:
    box = sender(BrokerSettings(url=f"mqtt://127.0.0.1:{free_port()}"), outbox)
    with box:
        assert wait_until(lambda: "refused" in box.status().detail)
        began = time.monotonic()
    assert time.monotonic() - began < 1.0
