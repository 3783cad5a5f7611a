"""How fast one box delivers, beside plain paho at QoS 1 in the same run.

``python -m tests.broker.load --messages 10000`` (``make load``) prints rates and their ratio. Ours
is the delivery of a backlog that waits in SQLite. paho publishes the same messages from memory,
with its own thread and eight under way as ours has: once with the same properties and expiry, which
is the comparison, and once bare. The rounds take turns, so that a busy machine slows all of them.

``--flood 200000`` publishes so many while the sender delivers, and fails if that comes to a halt.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_app.config.schema import OutboxSettings
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from edge_app.flow import Message
from tests.broker.mosquitto import Mosquitto, wait_until
from tests.edge_app.delivery.samples import MESSAGES, minute

IN_FLIGHT = 8
FAST = 1_000_000.0
LARGE = OutboxSettings(max_mb=10_000.0)
HALT_S = 60.0
"""Without a message delivered for so long, the flood has come to a halt."""


def outbox_rate(broker: Mosquitto, folder: Path, n: int) -> float:
    """Messages per second of a backlog."""
    with Outbox(folder / "outbox.sqlite", LARGE) as outbox:
        for start in range(0, n, 1000):
            outbox.publish([minute(k) for k in range(start, min(n, start + 1000))])
        with Sender(broker.settings(), outbox, MESSAGES, drain_per_s=FAST) as sender:
            assert wait_until(lambda: sender.status().is_connected)
            began = time.perf_counter()
            assert wait_until(lambda: sender.status().sent > n, 600)
            return n / (time.perf_counter() - began)


def paho_rate(broker: Mosquitto, n: int, has_properties: bool) -> float:
    """Messages per second of paho alone, with the same payloads."""
    client = paho.Client(CallbackAPIVersion.VERSION2, "plain", protocol=paho.MQTTv5)
    client.max_inflight_messages_set(IN_FLIGHT)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert wait_until(client.is_connected)
    messages = [minute(k) for k in range(min(n, 1000))]
    began = time.perf_counter()
    for k in range(n):
        message = messages[k % len(messages)]
        properties = paho_properties(message) if has_properties else None
        info = client.publish(message.topic, message.payload, 1, properties=properties)
    info.wait_for_publish(600)
    rate = n / (time.perf_counter() - began)
    client.disconnect()
    client.loop_stop()
    return rate


def paho_properties(message: Message) -> Any:
    """What the sender puts beside the payload, as paho's users write it."""
    properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = "application/json"
    properties.MessageExpiryInterval = 1_209_600
    properties.UserProperty = list(message.properties.items())
    return properties


def flood(broker: Mosquitto, folder: Path, n: int) -> float:
    """Publish so many while they are delivered; messages per second, all of them acknowledged.

    Raises:
        AssertionError: nothing moved for a minute.
    """
    with (
        Outbox(folder / "flood.sqlite", LARGE) as outbox,
        Sender(broker.settings(), outbox, MESSAGES, drain_per_s=FAST) as sender,
    ):
        began = time.perf_counter()
        for start in range(0, n, 100):
            outbox.publish([minute(k) for k in range(start, min(n, start + 100))])
        while (sent := sender.status().sent) <= n:
            moved = wait_until(lambda before=sent: sender.status().sent > before, HALT_S)
            assert moved, f"nothing moved for {HALT_S:.0f} s: {sender.status()}"
        return n / (time.perf_counter() - began)


def compare(n: int, rounds: int) -> float:
    """Print every round; the median of ours over paho's with the same properties."""
    ratios = []
    for _ in range(rounds):
        with (
            tempfile.TemporaryDirectory(prefix="dresscode-load-") as folder,
            Mosquitto(Path(folder) / "mosquitto") as broker,
        ):
            same, bare = paho_rate(broker, n, True), paho_rate(broker, n, False)
            ours = outbox_rate(broker, Path(folder), n)
        ratios.append(ours / same)
        print(
            f"outbox {ours:.0f}/s; paho {same:.0f}/s with the same properties, ratio "
            f"{ours / same:.2f}; bare paho {bare:.0f}/s, ratio {ours / bare:.2f}",
            flush=True,
        )
    return statistics.median(ratios)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flood", type=int, default=0)
    wanted = parser.parse_args()
    if wanted.flood:
        with (
            tempfile.TemporaryDirectory(prefix="dresscode-load-") as folder,
            Mosquitto(Path(folder) / "mosquitto") as broker,
        ):
            print(f"{wanted.flood} at {flood(broker, Path(folder), wanted.flood):.0f}/s, no halt")
        return 0
    median = compare(wanted.messages, wanted.rounds)
    print(f"median ratio {median:.2f}, wanted at least 0.8")
    return 0 if median >= 0.8 else 1


if __name__ == "__main__":
    sys.exit(main())
