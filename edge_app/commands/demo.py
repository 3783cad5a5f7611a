"""``dresscode demo``: everything at once on one machine, with nothing to set up.

A broker on the loopback, a camera (the simulated entrance unless another source is given), the
whole pipeline, and a client that shows what arrives: alerts as sentences, counts as a table.
"""

from __future__ import annotations

import json
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live as LiveDisplay
from rich.table import Table

from edge_app.app import Networks, open_networks
from edge_app.box.live import Live
from edge_app.capture.simulated import SimulatedEntrance
from edge_app.capture.source import open_replay, source_kind
from edge_app.commands.annotate import Annotator
from edge_app.commands.clip import choose_camera
from edge_app.commands.outputs import expect_drawable
from edge_app.config.load import load
from edge_app.config.schema import CameraSettings, Config, RuleSettings, ZoneSettings
from edge_app.config.secrets import redact
from edge_app.delivery.broker import EmbeddedBroker
from edge_app.delivery.mqtt import Received
from edge_app.delivery.subscriber import Subscriber
from edge_app.delivery.topics import PREFIX, kind_of
from edge_app.flow import Frame
from edge_app.pipeline import Step
from edge_app.runtime.logs import configure

SIMULATION = "sim://entrance?people_per_min=12&seed=5&view=door"
"""What the demo looks at unless told otherwise."""

DOOR_LINE = ((0.02, 0.8), (0.98, 0.8))
"""Entrance line for a source of one's own without a configuration: a camera above the door."""

LINGER_S = 2.0
"""How long the client listens on after the box has stopped."""


def demo_config(source: str | None, config_path: Path | None, camera: str | None) -> Config:
    """The demo's configuration: the given one or a ready one, on the given source.

    Raises:
        ConfigError: the given file is wrong.
        SourceError: the source's address is wrong.
    """
    if config_path is not None:
        config = choose_camera(load(config_path), camera)
        if source is None:
            return config
        name, settings = next(iter(config.cameras.items()))
        cameras = {name: settings.model_copy(update={"source": source})}
        return config.model_copy(update={"cameras": cameras})
    chosen = SIMULATION if source is None else source
    line = DOOR_LINE
    if source_kind(chosen) == "simulated":
        line = SimulatedEntrance.from_url(chosen).line
    door = CameraSettings(
        source=int(chosen) if chosen.isdecimal() else chosen,
        zones={"entrance": ZoneSettings(line=line)},
    )
    return Config.model_validate(
        {
            "store": "demo",
            "node": "edge-1",
            "timezone": "UTC",
            "mqtt": {"url": "mqtt://127.0.0.1:1883"},
            "cameras": {"door": door},
            "metrics": {"port": 0},  # that port is the service's, which may run beside the demo
            "alerts": {
                "formalwear": RuleSettings(
                    any_of=("dress", "suit"), min_probability=0.6, cooldown_s=0.0
                )
            },
        }
    )


def run_demo(config: Config, seconds: float | None, draw_dir: Path | None) -> None:
    """Run until the time is up, the source has ended, or Ctrl-C.

    Args:
        config: the store; its broker and its state folder are replaced by the demo's own.
        seconds: None for no limit.
        draw_dir: where to save annotated frames.

    Raises:
        SourceError: a recording cannot be read, or is the folder of the drawings.
    """
    for name, camera in config.cameras.items():
        if source_kind(camera.source) == "recording":
            expect_drawable(str(camera.source), draw_dir, None)
            open_replay(name, camera).close()
    configure("warning")
    console = Console()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with console.status("loading the networks"):
        networks = open_networks(config.inference, config.detection, config.outfit)
    with EmbeddedBroker() as broker, tempfile.TemporaryDirectory(prefix="dresscode-") as folder:
        config = config.model_copy(
            update={"mqtt": broker.settings, "headquarters": None, "state_dir": Path(folder)}
        )
        console.print(f"broker: {broker.description}")
        for name, camera in config.cameras.items():
            console.print(f"camera {name}: {redact(str(camera.source))}")
        port = broker.url.rpartition(":")[2]
        console.print(f"read along: mosquitto_sub -p {port} -v -t '{PREFIX}/#'\n")
        board = Board(console)
        with Subscriber(broker.settings, "dresscode-demo", f"{PREFIX}/{config.store}/#") as client:
            work = threading.Thread(
                target=_work, args=(config, networks, stop, draw_dir), name="pipeline"
            )
            timer = threading.Timer(seconds, stop.set) if seconds is not None else None
            work.start()
            if timer is not None:
                timer.start()
            try:
                with LiveDisplay(board.table(), console=console, refresh_per_second=4) as display:
                    while work.is_alive():
                        board.show(client.read(0.25))
                        display.update(board.table())
                    board.show(client.read(LINGER_S))
                    display.update(board.table())
            finally:
                stop.set()
                if timer is not None:
                    timer.cancel()
                work.join()
    networks.close()
    console.print("\n" + board.farewell())


def _work(config: Config, networks: Networks, stop: threading.Event, draw_dir: Path | None) -> None:
    """The box itself, in a thread of its own so that the client can read meanwhile."""
    annotator = None if draw_dir is None else Annotator(draw_dir, dict(config.cameras))

    def watch(frames: list[Frame], step: Step) -> None:
        if annotator is not None:
            for frame in frames:
                annotator.save(frame, step)

    with Live(config, networks) as live:
        live.run(stop, watch)
        live.finish()


class Board:
    """What the demo's client has read so far."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: dict[str, dict[str, Any]] = {}
        self._garments: dict[str, int | None] = {}
        self._messages = 0
        self._alerts = 0
        self._windows = 0
        self._cameras: dict[str, str] = {}

    def show(self, received: list[Received]) -> None:
        """Take messages of the box; alerts are printed at once."""
        for message in received:
            kind = kind_of(message.topic)
            if kind is None:  # a command to the box: it may be empty, or no JSON
                continue
            self._messages += 1
            payload = json.loads(message.payload)
            if kind == "alert":
                self._alerts += 1
                at = payload["ts"][11:19]
                self._console.print(f"[bold yellow]{at}  {payload['text']}[/]", highlight=False)
            elif kind == "live":
                self._live[payload["zone"]] = payload
            elif kind == "agg":
                self._windows += 1
                if payload["garment"] is not None:
                    self._garments = payload["garment"]
            elif kind == "camera":
                self._cameras[payload["camera"]] = payload["state"]

    def table(self) -> Table:
        """The counts as they stand."""
        cameras = ", ".join(f"{name} {state}" for name, state in self._cameras.items())
        table = Table("zone", "inside", "in today", "out today", title=cameras or "starting")
        for zone, live in sorted(self._live.items()):
            table.add_row(
                zone, str(live["occupancy"]), str(live["in_today"]), str(live["out_today"])
            )
        return table

    def farewell(self) -> str:
        """What came in all."""
        words = f"{self._messages} messages: {self._alerts} alerts, {self._windows} count windows"
        worn = {name: n for name, n in self._garments.items() if n}
        if worn:
            words += "; worn: " + ", ".join(f"{name} {n}" for name, n in worn.items())
        return words
