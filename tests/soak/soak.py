"""``make soak``: a whole box for an hour while everything around it misbehaves.

Cameras go away and come back, the broker is killed and started again, the clock is set back and
jumps ahead. In the end every visit must have been counted exactly once, and memory, threads and
open files must not have grown. Cameras, broker, outbox and sender are real; the networks are tiny.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import threading
import time
from array import array
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge_app.box.live import Live
from edge_app.capture.clock import SteadyClock
from edge_app.commands.run import load_networks
from edge_app.config.load import loads
from edge_app.flow import Frame
from edge_app.inference.choose import open_engine
from edge_app.pipeline import Step
from edge_app.runtime.health import resident_mb
from edge_app.runtime.systemd import Notifier
from tests.broker.mosquitto import DURABLE, Collector, Mosquitto
from tests.soak.cameras import CYCLE_S, MisbehavingCameras, visits_until
from tests.tiny_models import save_all

CAMERAS = 4
SAMPLES = 900
"""At most so many, and one a second."""
WARM_UP_S = 600.0
PROGRESS_S = 60.0
BROKER_AWAY_S = (20.0, 24.0)
"""In every second cycle, the broker is killed at the first and started at the second."""
BACK_AT_S, BACK_BY_S = 19.5, 20.0
AHEAD_AT_S, AHEAD_BY_S = 27.5, 90.0
"""The clock is set back in every third cycle, and jumps ahead in the one after it; both while
somebody is in view of every camera."""


def configuration(url: str, port: int) -> str:
    """Of a store with cameras that look at one area each."""
    whole = "[[0, 0], [1, 0], [1, 1], [0, 1]]"
    cameras = "\n".join(
        f"  c{i}: {{source: 'http://127.0.0.1:{port}/{i}', fps: 10, "
        f"zones: {{z{i}: {{area: {whole}}}}}}}"
        for i in range(CAMERAS)
    )
    return f"""
store: soak
node: edge-1
timezone: UTC
state_dir: state
mqtt: {{url: "{url}", reconnect_max_s: 2, stall_s: 5}}
inference: {{models: models, threads: 1}}
tracking: {{known_again_s: 0}}  # all visitors look the same, and come after each other
outfit: {{min_looks: 2, min_weight: 0.2}}
metrics: {{port: 0}}
alerts: {{any: {{any_of: [shirt, jeans], min_probability: 0.3, cooldown_s: 0, max_per_hour: 3600}}}}
cameras:
{cameras}
"""


@dataclass
class Measured:
    """What is looked at again and again; in arrays, since it shares the memory that it measures.

    Attributes:
        every_s: seconds between two looks.
    """

    every_s: float
    at_s: array[float] = field(default_factory=lambda: array("d"))
    memory_mb: array[float] = field(default_factory=lambda: array("d"))
    threads: array[int] = field(default_factory=lambda: array("i"))
    files: array[int] = field(default_factory=lambda: array("i"))

    def sample(self, at_s: float) -> None:
        """Take one sample of this process, if it is time for one."""
        if at_s < len(self.at_s) * self.every_s:
            return
        self.at_s.append(at_s)
        self.memory_mb.append(resident_mb())
        self.threads.append(len(list(Path("/proc/self/task").iterdir())))
        self.files.append(len(list(Path("/proc/self/fd").iterdir())))
        if len(self.at_s) % round(PROGRESS_S / self.every_s) == 0:
            newest = f"{self.memory_mb[-1]:.1f} MB, {self.threads[-1]} threads, {self.files[-1]}"
            print(f"{at_s / 60:.0f} min: {newest} files", file=sys.stderr, flush=True)

    def report(self, warm_up_s: float) -> dict[str, Any]:
        """Slope and growth after the warm-up; medians, since cameras come and go."""
        late = [i for i, at_s in enumerate(self.at_s) if at_s >= warm_up_s] or [0]
        third = max(len(late) // 3, 1)
        first, last = late[:third], late[-third:]
        hours = max((self.at_s[last[len(last) // 2]] - self.at_s[first[len(first) // 2]]), 1) / 3600
        grown = float(np.median([self.memory_mb[i] for i in last]))
        grown -= float(np.median([self.memory_mb[i] for i in first]))
        return {
            "memory_mb": round(self.memory_mb[-1], 1),
            "memory_grown_mb": round(grown, 2),
            "memory_mb_per_h": round(grown / hours, 2),
            "threads": [int(np.median([self.threads[i] for i in part])) for part in (first, last)],
            "files": [int(np.median([self.files[i] for i in part])) for part in (first, last)],
        }


class Reader(Collector):
    """A subscriber in this process, who must not grow either: keeps sums, and no message."""

    def __init__(self, port: int, clock: SteadyClock) -> None:
        self._clock = clock
        self._ids: array[int] = array("q")
        self._late_s: array[float] = array("d")
        self._began = int(clock.now_s() // 60) - 60
        self._minutes: dict[str, tuple[array[int], array[int]]] = {}
        super().__init__(port)

    def _keep(self, client: Any, data: Any, message: Any) -> None:
        came_s = self._clock.now_s()
        payload = json.loads(message.payload)
        if "/alert/" in message.topic:
            taken = datetime.fromisoformat(payload["ts"].replace("Z", "+00:00"))
            # What was under way when the broker died is sent again, under the same id.
            number = hash(payload["id"])
            if number not in self._ids:
                self._ids.append(number)
                self._late_s.append(came_s - taken.timestamp())
        elif message.topic.endswith("/pt1m"):
            start = datetime.fromisoformat(payload["start"].replace("Z", "+00:00"))
            minute = int(start.timestamp() // 60) - self._began
            revs, entries = self._minutes.setdefault(payload["zone"], (array("i"), array("i")))
            missing = array("i", [0]) * (minute + 1 - len(revs))
            revs.extend(missing)
            entries.extend(missing)
            if payload["rev"] >= revs[minute]:
                revs[minute], entries[minute] = payload["rev"], payload["in"]

    @property
    def alerts(self) -> int:
        """How many different alerts came."""
        return len(self._late_s)

    def entries(self) -> dict[str, int]:
        """Entries by zone, of each minute's newest revision."""
        return {zone: sum(entries) for zone, (_, entries) in sorted(self._minutes.items())}

    @property
    def late_ms(self) -> list[float]:
        """Per alert, from the capture of the picture that decided it to its arrival here."""
        return [1000 * late_s for late_s in self._late_s]

    def latency_ms(self) -> dict[str, int]:
        """The same for all alerts together."""
        late_ms = np.array(self.late_ms or [0.0])
        return {f"p{share}": round(float(np.percentile(late_ms, share))) for share in (50, 95, 99)}


class Shown:
    """Which visits reached the pipeline in pictures: a starved machine loses some before that."""

    def __init__(self, cameras: MisbehavingCameras) -> None:
        self._cameras = cameras
        self._pending: dict[str, tuple[int, int, float, float]] = {}
        self._whole = 0
        self._turned_at_s = math.inf
        self.longest_turn_s = 0.0

    def __call__(self, frames: list[Frame], _step: Step) -> None:
        """Note the pictures of one turn."""
        at_s = self._cameras.at_s
        self.longest_turn_s = max(self.longest_turn_s, at_s - self._turned_at_s)
        self._turned_at_s = at_s
        for frame in frames:
            if frame.frame_bgr[:, 200:].mean() > 100:
                visit = visits_until(at_s + 2.0)  # a number that changes where a visit begins
                pending = self._pending.get(frame.camera)
                if pending is not None and pending[0] != visit:
                    self._whole += _is_whole(*pending)
                    pending = None
                _, pictures, first_s, _ = pending or (visit, 0, at_s, at_s)
                self._pending[frame.camera] = (visit, pictures + 1, first_s, at_s)

    def visits(self) -> int:
        """Visits, of all cameras together, of which a second or more was seen."""
        return self._whole + sum(_is_whole(*pending) for pending in self._pending.values())


def _is_whole(_visit: int, pictures: int, first_s: float, last_s: float) -> bool:
    return pictures >= 4 and last_s - first_s >= 1.0


class Trouble:
    """Kills the broker and moves the clock, on schedule, in a thread of its own."""

    def __init__(self, cameras: MisbehavingCameras, broker: Mosquitto) -> None:
        self._cameras, self._broker = cameras, broker
        self.offset_s = 0.0
        self.kills = self.jumps = 0
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def wall(self) -> float:
        """The system's clock as this box sees it."""
        return time.time() + self.offset_s

    def _run(self) -> None:
        done: set[str] = set()
        before = 0
        while not self.ends.wait(0.1):
            cycle, at_s = divmod(self._cameras.at_s, CYCLE_S)
            number = int(cycle)
            if number != before:
                before = number
                done.clear()
            plan = [
                (number % 2 == 0 and at_s >= BROKER_AWAY_S[0], "kill", self._kill),
                (number % 2 == 0 and at_s >= BROKER_AWAY_S[1], "start", self._broker.start),
                (number % 3 == 1 and at_s >= BACK_AT_S, "back", lambda: self._jump(-BACK_BY_S)),
                (number % 3 == 2 and at_s >= AHEAD_AT_S, "ahead", lambda: self._jump(AHEAD_BY_S)),
            ]
            for is_due, name, work in plan:
                if is_due and name not in done:
                    done.add(name)
                    work()

    def _kill(self) -> None:
        self.kills += 1
        self._broker.kill()

    def _jump(self, by_s: float) -> None:
        self.jumps += 1
        self.offset_s += by_s


def soak(seconds: float, folder: Path) -> dict[str, Any]:
    """Run it; figures, and what was wrong."""
    cv2.setNumThreads(1)
    save_all(folder / "models")
    measured = Measured(max(1.0, seconds / SAMPLES))
    with Mosquitto(folder / "broker", DURABLE) as broker, MisbehavingCameras() as cameras:
        config = loads(configuration(broker.url, cameras.port), "soak.yaml", folder)
        networks = load_networks(config, Notifier({}), open_engine)
        trouble = Trouble(cameras, broker)
        clock = SteadyClock(trouble.wall)
        with Reader(broker.port, clock) as reader:
            cameras.began_s = time.monotonic()
            trouble.thread.start()
            shown = Shown(cameras)
            with Live(config, networks, clock) as live:
                while cameras.at_s < seconds:
                    live.turn(shown)
                    measured.sample(cameras.at_s)
                truth = visits_until(cameras.at_s)
                trouble.ends.set()
                trouble.thread.join()
                live.finish()
                _drain(live)
        networks.close()
    figures = {
        "seconds": seconds,
        "visits_per_camera": truth,
        "visits_shown_to_the_pipeline": shown.visits(),
        "longest_turn_s": round(shown.longest_turn_s, 2),
        "entries_counted": reader.entries(),
        "alerts": reader.alerts,
        "capture_to_mqtt_ms": reader.latency_ms(),
        "broker_kills": trouble.kills,
        "clock_jumps": trouble.jumps,
        **measured.report(min(WARM_UP_S, seconds / 3)),
    }
    return figures | {"wrong": _wrong(figures, seconds)}


def _drain(live: Live) -> None:
    """Give the sender time for what waits."""
    until_s = time.monotonic() + 20.0
    while time.monotonic() < until_s and live.waiting:
        time.sleep(0.2)
    time.sleep(1.0)


def _wrong(figures: dict[str, Any], seconds: float) -> list[str]:
    """What a soak must not show."""
    truth, zones = figures["visits_per_camera"], figures["entries_counted"]
    expected = {f"z{i}": truth for i in range(CAMERAS)} | {"all": truth * CAMERAS}
    wrong = []
    if zones != expected:
        wrong.append(f"entries: expected {expected}, got {zones}")
    # In a short run a median may fall on the moment when each camera has a connection less.
    spread = 2 if seconds >= 1800 else 2 + 2 * CAMERAS
    for name in ("threads", "files"):
        before, after = figures[name]
        if after > before + spread:
            wrong.append(f"{name} grew from {before} to {after}")
    # A short run says nothing of a slope, but may not eat memory either.
    if seconds >= 1800 and figures["memory_mb_per_h"] > 1.0:
        wrong.append(f"memory grows by {figures['memory_mb_per_h']} MB/h")
    if figures["memory_grown_mb"] > 30.0:
        wrong.append(f"memory grew by {figures['memory_grown_mb']} MB")
    return wrong


def main() -> None:
    """Print the figures as JSON; exit 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dresscode-soak-") as folder:
        figures = soak(arguments.seconds, Path(folder))
    print(json.dumps(figures, indent=2))
    sys.exit(1 if figures["wrong"] else 0)


if __name__ == "__main__":
    main()
