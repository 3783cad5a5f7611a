"""Random kills of the broker and of Dresscode under load: what is lost, doubled, out of order?

``python -m tests.broker.chaos --seconds 300 --seeds 1 2 3`` (``make chaos``) prints one line per
seed and exits with 1 if anything was lost or reordered. A subscriber with a persistent session
collects; SIGKILL is what kills. ``--ram`` takes a broker that forgets everything with each kill:
then losses are the broker's, each must show as a gap of ``seq``, and ``resend`` must close it (out
of order, of course).
"""

from __future__ import annotations

import argparse
import random
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from edge_app.config.schema import BrokerSettings, OutboxSettings
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from tests.broker.mosquitto import DURABLE, ROOMY, Collector, Mosquitto, wait_until
from tests.edge_app.delivery.samples import MESSAGES, minute

FAST = 100_000.0
RATE_PER_S = 100.0
SETTLE_S = 30.0
START_S = 60.0
LEAST_KILLS = 3
EVERYTHING = {"zone": "*", "window": "*", "start": "2000", "end": "2100"}


@dataclass(frozen=True)
class Outcome:
    """What came of one seed."""

    seed: int
    published: int
    gaps: int
    lost: int
    duplicates: int
    reordered: int
    broker_kills: int
    box_kills: int

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.published} published, {self.lost} lost, "
            f"{self.reordered} reordered, {self.duplicates} duplicates, {self.gaps} gaps before "
            f"resend, {self.broker_kills} broker kills, {self.box_kills} box kills"
        )


def settings(url: str) -> BrokerSettings:
    return BrokerSettings(url=url, reconnect_max_s=1.0, stall_s=3.0)


def publish_for_ever(url: str, file: Path) -> None:
    """The box: counts up, from the state that it finds, until it is killed."""
    with (
        Outbox(file, OutboxSettings(drain_per_s=FAST)) as outbox,
        Sender(settings(url), outbox, MESSAGES, drain_per_s=FAST),
    ):
        n = outbox.state().get("chaos", {}).get("n", 0)
        first = n + 1
        while True:
            n += 1
            outbox.publish([minute(n)], {"chaos": {"n": n}})
            if n == first:
                print("at work", flush=True)
            time.sleep(random.expovariate(RATE_PER_S))


def start_box(url: str, file: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.broker.chaos", "--box", url, str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def is_at_work(box: subprocess.Popen[bytes]) -> bool:
    """Wait until the box has published; a busy machine takes seconds to start a program."""
    return bool(select.select([box.stdout], [], [], START_S)[0])


def end(box: subprocess.Popen[bytes]) -> None:
    """As a power cut would; one that has ended already is left alone."""
    if box.poll() is None:
        box.kill()
        box.communicate()


def run(seed: int, seconds: float, is_durable: bool, folder: Path) -> Outcome:
    """One run of kills, then peace until everything has arrived or nothing more comes."""
    chance = random.Random(seed)
    kills: Counter[str] = Counter()
    file = folder / "outbox.sqlite"
    forgetful = ("persistence false", *ROOMY)
    broker = Mosquitto(folder / "mosquitto", DURABLE if is_durable else forgetful)
    broker.start()
    collector = Collector(broker.port)
    box = start_box(broker.url, file)
    try:
        assert is_at_work(box)
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s or kills.total() < LEAST_KILLS:
            # Now and then a box is killed before it is ready.
            if chance.random() < 0.8:
                is_at_work(box)
            time.sleep(chance.uniform(0.3, 3.0))
            victims = chance.choice((("broker",), ("box",), ("broker", "box")))
            if "broker" in victims:
                broker.kill()
            if "box" in victims:
                end(box)
            kills.update(victims)
            time.sleep(chance.choice((0.0, 0.1, 1.0)))
            if "broker" in victims:
                broker.start()
            if "box" in victims:
                box = start_box(broker.url, file)
        end(box)
        return finish(seed, broker, collector, file, kills, is_durable)
    finally:
        end(box)
        collector.close()
        broker.stop()


def finish(
    seed: int,
    broker: Mosquitto,
    collector: Collector,
    file: Path,
    kills: Counter[str],
    is_durable: bool,
) -> Outcome:
    """Deliver the rest in peace, ask again for what is missing, and add up."""
    with (
        Outbox(file, OutboxSettings(drain_per_s=FAST)) as outbox,
        Sender(settings(broker.url), outbox, MESSAGES, drain_per_s=FAST) as sender,
    ):
        published = int(outbox.state()["chaos"]["n"])
        whole = set(range(1, published + 1))
        wait_until(lambda: sender.status().is_connected and outbox.depth("store").rows == 0, 120)
        wait_until(lambda: set(collector.seqs("agg")) == whole, SETTLE_S if is_durable else 3.0)
        before = collector.payloads("agg")
        first = list(dict.fromkeys(payload["seq"] for payload in before))
        gaps = len(whole - set(first))
        if gaps:
            outbox.resend("store", EVERYTHING)
            wait_until(lambda: set(collector.seqs("agg")) >= whole, SETTLE_S)
    arrived = {payload["seq"] for payload in collector.payloads("agg")}
    reordered = sum(b < a for a, b in pairwise(first))
    assert len({payload["id"] for payload in before}) == len(first), "an id stands for one window"
    return Outcome(
        seed,
        published,
        gaps,
        len(whole - arrived),
        len(before) - len(first),
        reordered,
        kills["broker"],
        kills["box"],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="of all seeds together")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--ram", action="store_true", help="a broker that forgets with each kill")
    parser.add_argument("--box", nargs=2, metavar=("URL", "FILE"), help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.box:
        publish_for_ever(wanted.box[0], Path(wanted.box[1]))
    is_good = True
    for seed in wanted.seeds:
        with tempfile.TemporaryDirectory(prefix="dresscode-chaos-") as folder:
            each_s = wanted.seconds / len(wanted.seeds)
            outcome = run(seed, each_s, not wanted.ram, Path(folder))
        print(outcome, flush=True)
        is_good &= outcome.lost == 0
        if not wanted.ram:
            is_good &= outcome.gaps == outcome.reordered == 0
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
