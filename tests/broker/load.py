"""How fast one box delivers, beside plain paho at QoS 1 in the same run.

``python -m tests.broker.load --messages 20000`` prints both rates and their ratio. ``outbox``
counts the delivery of a backlog that waits in SQLite; ``paho`` publishes the same payloads from
memory with its own thread and eight messages under way, as the outbox has.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge_app.config.schema import OutboxSettings
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from tests.broker.mosquitto import Mosquitto, wait_until
from tests.edge_app.delivery.samples import MESSAGES, minute

IN_FLIGHT = 8


def outbox_rate(broker: Mosquitto, folder: Path, n: int) -> float:
    """Messages per second of a backlog."""
    settings = OutboxSettings(max_mb=10_000.0)
    with Outbox(folder / "outbox.sqlite", settings) as outbox:
        for start in range(0, n, 1000):
            outbox.publish([minute(k) for k in range(start, min(n, start + 1000))])
        with Sender(broker.settings(), outbox, MESSAGES, drain_per_s=100_000.0) as sender:
            assert wait_until(lambda: sender.status().is_connected)
            began = time.perf_counter()
            assert wait_until(lambda: sender.status().sent > n, 600)
            return n / (time.perf_counter() - began)


def paho_rate(broker: Mosquitto, n: int) -> float:
    """Messages per second of paho alone, with the same payloads and properties."""
    client = paho.Client(CallbackAPIVersion.VERSION2, "plain", protocol=paho.MQTTv5)
    client.max_inflight_messages_set(IN_FLIGHT)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert wait_until(client.is_connected)
    payloads = [minute(k) for k in range(1000)]
    began = time.perf_counter()
    for k in range(n):
        message = payloads[k % 1000]
        info = client.publish(message.topic, message.payload, 1)
    info.wait_for_publish(600)
    rate = n / (time.perf_counter() - began)
    client.disconnect()
    client.loop_stop()
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    for _ in range(wanted.rounds):
        with (
            tempfile.TemporaryDirectory(prefix="dresscode-load-") as folder,
            Mosquitto(Path(folder) / "mosquitto") as broker,
        ):
            plain = paho_rate(broker, wanted.messages)
            ours = outbox_rate(broker, Path(folder), wanted.messages)
        print(f"outbox {ours:.0f}/s, paho {plain:.0f}/s, ratio {ours / plain:.2f}", flush=True)


if __name__ == "__main__":
    main()
