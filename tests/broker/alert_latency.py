"""``make latency``: from the picture that decides an alert to its arrival at a subscriber.

A whole box at its own pace: the simulated entrance, rendered beforehand and played as a camera, the
shipped networks, the outbox on disk, a real mosquitto, and a client on this machine. The rule
means everybody, so that there are many alerts. An alert is decided by the picture with which the
later of entry and evidence came to hold; the time runs from that picture's capture.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from threading import Event
from typing import Any

import cv2

from edge_app.app import open_networks
from edge_app.box.live import Live
from edge_app.capture.clock import SteadyClock
from edge_app.capture.simulated import SimulatedEntrance
from edge_app.commands.intervals import Estimate, quantile
from edge_app.config.schema import Config
from edge_app.vocabulary import CATEGORIES
from tests.broker.mosquitto import DURABLE, Mosquitto, wait_until
from tests.soak.soak import Reader


def render(entrance: SimulatedEntrance, path: Path) -> None:
    """Save the whole run as a video: rendering costs more than looking."""
    settings = entrance.settings
    size = (settings.width, settings.height)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), settings.fps, size)
    for index in range(entrance.frame_count or 0):
        video.write(entrance.frame_at(index))
    video.release()


def config_of(entrance: SimulatedEntrance, video: Path, url: str, state_dir: Path) -> Config:
    """A store that announces everybody who comes in, one by one."""
    rule = {"any_of": CATEGORIES, "min_probability": 0.05, "cooldown_s": 0, "max_per_hour": 3600}
    line = [[float(v) for v in point] for point in entrance.line]
    camera = {"source": str(video), "zones": {"entrance": {"line": line}}}
    return Config.model_validate(
        {
            "store": "latency",
            "node": "edge-1",
            "timezone": "UTC",
            "state_dir": state_dir,
            "mqtt": {"url": url},
            "metrics": {"port": 0},
            "cameras": {"door": camera},
            "alerts": {"everybody": rule},
        }
    )


def measure(url: str, folder: Path) -> dict[str, Any]:
    """Play a simulated entrance through a box, and time its alerts."""
    entrance = SimulatedEntrance.from_url(url)
    video = folder / "door.avi"
    render(entrance, video)
    clock = SteadyClock()
    with Mosquitto(folder / "broker", DURABLE) as broker, Reader(broker.port, clock) as reader:
        config = config_of(entrance, video, broker.url, folder / "state")
        networks = open_networks(config.inference, config.detection, config.outfit)
        pictures = 0

        def watch(frames: list[Any], _step: Any) -> None:
            nonlocal pictures
            pictures += len(frames)

        with Live(config, networks, clock) as box:
            box.run(Event(), watch)
            wait_until(lambda: box.waiting == 0)
        networks.close()
        handed_ms = [float(alert["latency_ms"]) for alert in reader.payloads("alert")]
        return {
            "alerts": len(handed_ms),
            "pictures looked at": f"{pictures} of {entrance.frame_count}",
            "picture to hand-over, p50, ms": quantile(handed_ms, 0.5),
            "picture to hand-over, p95, ms": quantile(handed_ms, 0.95),
            "picture to subscriber, p50, ms": quantile(reader.late_ms, 0.5),
            "picture to subscriber, p95, ms": quantile(reader.late_ms, 0.95),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--people-per-min", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=21)
    arguments = parser.parse_args()
    url = (
        f"sim://entrance?seed={arguments.seed}&people_per_min={arguments.people_per_min}"
        f"&duration_s={arguments.seconds}&exit_share=0.1&linger_share=0"
    )
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(url, Path(folder))
    print(f"{url}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name, value in figures.items():
        print(f"{name}: {_words(value)}")


def _words(value: Any) -> str:
    if not isinstance(value, Estimate):
        return str(value)
    return f"{value.value} (95 %: {value.low} .. {value.high}, {value.n} alerts)"


if __name__ == "__main__":
    main()
