"""How fast one box delivers, beside plain paho at QoS 1 in the same run.

``python -m tests.broker.load --messages 10000`` (``make load``) prints messages per second and the
processor's time per message. Ours is the delivery of a backlog that waits in SQLite. paho publishes
the same payloads from memory, with its own thread and eight under way as ours has: bare; with the
expiry and CloudEvents properties that ours carry on MQTT 5; and on 3.1.1, where ours carry none
either. They take turns, in every other round the other way about, so that a busy machine slows all
of them; the processor's time says more on such a machine. Exits with 1 if the median of ours is
below 0.8 of bare paho's.

``--flood 200000`` publishes so many while the sender delivers, and fails if that comes to a halt.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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


@dataclass(frozen=True)
class Speed:
    """Of one round: messages per second, and microseconds of the processor per message."""

    rate: float
    cpu_us: float

    def __str__(self) -> str:
        return f"{self.rate:.0f}/s, {self.cpu_us:.0f} us"


def timed(n: int, work: Callable[[], object]) -> Speed:
    """How fast something does n messages in this process."""
    began, used = time.perf_counter(), sum(os.times()[:2])
    work()
    return Speed(n / (time.perf_counter() - began), (sum(os.times()[:2]) - used) / n * 1e6)


def outbox_speed(broker: Mosquitto, file: Path, n: int, protocol: Literal["5", "3.1.1"]) -> Speed:
    """Of a backlog."""
    with Outbox(file, LARGE) as outbox:
        for start in range(0, n, 1000):
            outbox.publish([minute(k) for k in range(start, min(n, start + 1000))])
        settings = broker.settings(protocol=protocol)
        with Sender(settings, outbox, MESSAGES, drain_per_s=FAST) as sender:
            assert wait_until(lambda: sender.status().is_connected)
            return timed(n, lambda: wait_until(lambda: sender.status().sent > n, 600))


def paho_speed(broker: Mosquitto, n: int, protocol: int, has_properties: bool = False) -> Speed:
    """Of paho alone, with the same payloads."""
    client = paho.Client(CallbackAPIVersion.VERSION2, "plain", protocol=protocol)
    client.max_inflight_messages_set(IN_FLIGHT)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert wait_until(client.is_connected)
    messages = [minute(k) for k in range(min(n, 1000))]

    def publish() -> None:
        for k in range(n):
            message = messages[k % len(messages)]
            properties = paho_properties(message) if has_properties else None
            info = client.publish(message.topic, message.payload, 1, properties=properties)
        info.wait_for_publish(600)

    speed = timed(n, publish)
    client.disconnect()
    client.loop_stop()
    return speed


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


def one_round(n: int, is_backwards: bool) -> dict[str, Speed]:
    """Everybody's turn, with a broker of this round."""
    with (
        tempfile.TemporaryDirectory(prefix="dresscode-load-") as folder,
        Mosquitto(Path(folder) / "mosquitto") as broker,
    ):
        turns: dict[str, Callable[[], Speed]] = {
            "outbox": lambda: outbox_speed(broker, Path(folder) / "5.sqlite", n, "5"),
            "bare paho": lambda: paho_speed(broker, n, paho.MQTTv5),
            "paho with properties": lambda: paho_speed(broker, n, paho.MQTTv5, True),
            "outbox on 3.1.1": lambda: outbox_speed(broker, Path(folder) / "3.sqlite", n, "3.1.1"),
            "paho on 3.1.1": lambda: paho_speed(broker, n, paho.MQTTv311),
        }
        names = list(turns)
        said = {name: turns[name]() for name in (names[::-1] if is_backwards else names)}
        return {name: said[name] for name in names}


def compare(n: int, rounds: int) -> float:
    """Print every round, and the medians of ours over paho's; returns that over bare paho."""
    speeds: dict[str, list[Speed]] = {}
    for number in range(rounds):
        # Every other round the other way about: whoever is first may find the machine cold.
        said = one_round(n, is_backwards=bool(number % 2))
        for name, speed in said.items():
            speeds.setdefault(name, []).append(speed)
        print("; ".join(f"{name} {speed}" for name, speed in said.items()), flush=True)
    ratios = {}
    for ours, other in (
        ("outbox", "bare paho"),
        ("outbox", "paho with properties"),
        ("outbox on 3.1.1", "paho on 3.1.1"),
    ):
        pairs = list(zip(speeds[ours], speeds[other], strict=True))
        ratios[other] = statistics.median(a.rate / b.rate for a, b in pairs)
        cost = statistics.median(a.cpu_us / b.cpu_us for a, b in pairs)
        print(f"{ours} over {other}: {ratios[other]:.2f} of its rate, {cost:.2f} of its time")
    return ratios["bare paho"]


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
    return 0 if compare(wanted.messages, wanted.rounds) >= 0.8 else 1


if __name__ == "__main__":
    sys.exit(main())
