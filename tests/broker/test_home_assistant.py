"""The box tells Home Assistant of itself through a real broker, and is forgotten on request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge_app.box.senders import reload_senders, senders_of
from edge_app.config.load import loads
from edge_app.config.schema import Config, OutboxSettings
from edge_app.delivery.audit import Audit
from edge_app.delivery.commands import Commands
from edge_app.delivery.outbox import Outbox
from edge_app.runtime.heartbeats import Heartbeats
from tests.broker.mosquitto import Collector, Mosquitto, wait_until
from tests.edge_app.delivery.samples import MESSAGES
from tests.edge_app.delivery.test_home_assistant import STORE, TOPIC_OF_BOX


def config_of(store: Mosquitto, hq: Mosquitto, text: str = STORE) -> Config:
    return loads(
        text.replace("mqtt://127.0.0.1", store.url) + f"headquarters: {{url: '{hq.url}'}}\n"
    )


PATIENCE = {"sender-store": 60.0, "sender-headquarters": 60.0}


class Box:
    """The senders of a box at two brokers."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.outbox = Outbox(folder / "o.sqlite", OutboxSettings(), ("store", "headquarters"))
        audit = Audit(folder / "audit.jsonl")
        commands = Commands(MESSAGES, self.outbox, audit, lambda: 0.0)
        parts = (self.outbox, MESSAGES, commands, Heartbeats(PATIENCE))
        self.senders = senders_of(config, *parts)

    def __enter__(self) -> Box:
        for sender in self.senders:
            sender.start()
        assert wait_until(lambda: all(s.status().is_connected for s in self.senders))
        return self

    def __exit__(self, *_: object) -> None:
        for sender in self.senders:
            sender.stop()
        self.outbox.close()


def told(collector: Collector) -> list[Any]:
    """What Home Assistant was told, None for being told to forget."""
    payloads = [m.payload for m in collector.messages if m.topic == TOPIC_OF_BOX]
    return [json.loads(payload) if payload else None for payload in payloads]


def says_online(broker: Mosquitto) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.publish("homeassistant/status", "online", 1).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


def test_home_assistant_learns_of_the_box_and_forgets_it(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with (
        Mosquitto(tmp_path / "hq") as hq,
        Collector(mosquitto.port, "homeassistant/#") as home,
        Collector(hq.port, "#", "everything") as at_hq,
    ):
        config = config_of(mosquitto, hq)
        with Box(config, tmp_path) as box:
            assert wait_until(lambda: len(told(home)) == 1)
            says_online(mosquitto)
            assert wait_until(lambda: len(told(home)) == 2)
            changed = config.model_copy(update={"alerts": {}})
            reload_senders(box.senders, changed)
            assert wait_until(lambda: len(told(home)) == 3)
        with Collector(mosquitto.port, TOPIC_OF_BOX, "later") as later:
            assert wait_until(lambda: len(told(later)) == 1)
        off = config_of(mosquitto, hq, STORE.replace("discovery: true", "discovery: false"))
        with Box(off, tmp_path) as box:
            assert wait_until(lambda: told(home)[-1] is None)
            says_online(mosquitto)
            assert wait_until(lambda: box.outbox.state()["home_assistant"] == {})
        described, again, after, gone = told(home)
        assert described == again
        assert after["components"]["mute-coats"] == {"platform": "button"}
        assert gone is None
        assert not any(m.topic.startswith("homeassistant") for m in at_hq.messages)
        assert at_hq.payloads("state")
