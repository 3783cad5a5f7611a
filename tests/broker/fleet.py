"""Hundreds of stores at one broker that dies and comes back: do they all return, and how spread?

``python -m tests.broker.fleet --stores 500`` (``make fleet``) runs that many real senders, each
with an outbox of its own, in this process; sends through all of them, kills the broker, publishes
on, starts the broker again, and prints rates, the spread of the reconnections, and memory.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from edge_app.config.schema import OutboxSettings
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from tests.broker.mosquitto import DURABLE, Mosquitto, wait_until
from tests.edge_app.delivery.samples import MESSAGES, minute

RECONNECT_MAX_S = 10.0
AWAY_S = 5.0


@dataclass
class Store:
    """One virtual store."""

    outbox: Outbox
    sender: Sender
    name: str
    sent: int = 0

    def publish(self, n: int) -> None:
        messages = replace(MESSAGES, store=self.name)
        start = self.sent
        self.outbox.publish([minute(start + k, messages=messages) for k in range(n)])
        self.sent += n

    @property
    def is_done(self) -> bool:
        return self.outbox.depth("store").rows == 0


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def open_store(stack: ExitStack, broker: Mosquitto, folder: Path, number: int) -> Store:
    name = f"store-{number:04d}"
    outbox = stack.enter_context(Outbox(folder / f"{name}.sqlite", OutboxSettings()))
    settings = broker.settings(
        reconnect_max_s=RECONNECT_MAX_S, stall_s=60.0, connect_timeout_s=20.0, settle_s=0.5
    )
    sender = Sender(settings, outbox, replace(MESSAGES, store=name))
    stack.callback(sender.stop)
    return Store(outbox, sender, name)


def connected(stores: list[Store]) -> int:
    return sum(store.sender.status().is_connected for store in stores)


def deliver(stores: list[Store], n: int) -> float:
    """Publish through every store; messages per second until the broker has all of them."""
    began = time.perf_counter()
    for store in stores:
        store.publish(n)
    assert wait_until(lambda: all(store.is_done for store in stores), 300), "not all delivered"
    return n * len(stores) / (time.perf_counter() - began)


def come_back(stores: list[Store]) -> list[float]:
    """When each store was connected again, seconds from now."""
    began = time.perf_counter()
    at_s: list[float] = []
    while len(at_s) < len(stores):
        n = connected(stores)
        at_s += [time.perf_counter() - began] * (n - len(at_s))
        assert time.perf_counter() - began < 300, f"only {n} of {len(stores)} came back"
        time.sleep(0.05)
    return at_s


def run(n: int, messages: int, folder: Path) -> None:
    before_mb = memory_mb(os.getpid())
    broker = Mosquitto(folder / "mosquitto", (*DURABLE, "max_connections -1"))
    broker.start()
    with ExitStack() as stack:
        stack.callback(broker.stop)
        stores = [open_store(stack, broker, folder, number) for number in range(n)]
        for store in stores:
            store.sender.start()
        come_back(stores)
        rate = deliver(stores, messages)
        own_mb = memory_mb(os.getpid()) - before_mb
        print(f"{n} stores: {rate:.0f} messages/s together; {own_mb / n:.2f} MB per store here, "
              f"mosquitto {memory_mb(broker.pid):.0f} MB", flush=True)  # fmt: skip
        broker.kill()
        time.sleep(AWAY_S)
        for store in stores:
            store.publish(messages)
        broker.start()
        at_s = come_back(stores)
        seconds = [sum(s <= t < s + 1 for t in at_s) for s in range(int(at_s[-1]) + 1)]
        print(
            f"after {AWAY_S:.0f} s without a broker all came back within {at_s[-1]:.1f} s "
            f"(median {at_s[n // 2]:.1f} s), per second: {seconds}",
            flush=True,
        )
        assert wait_until(lambda: all(store.is_done for store in stores), 300), "not all delivered"
        refused = sum(store.outbox.depth("store").refused for store in stores)
        print(f"all {sum(store.sent for store in stores)} messages acknowledged, {refused} refused")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", type=int, default=500)
    parser.add_argument("--messages", type=int, default=20, help="per store, twice")
    wanted = parser.parse_args()
    logging.getLogger("edge_app").setLevel(logging.ERROR)  # hundreds say the same
    limit = wanted.stores * 12 + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, hard), hard))
    with tempfile.TemporaryDirectory(prefix="dresscode-fleet-") as folder:
        run(wanted.stores, wanted.messages, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
