"""``dresscode run``: the daemon."""

from __future__ import annotations

import faulthandler
import logging
import signal
import time
from pathlib import Path
from threading import Event
from types import FrameType

from edge_app.app import Networks, OpenEngine, open_networks
from edge_app.box.live import Live
from edge_app.box.renewal import RenewedEngine
from edge_app.box.safe_mode import run_safely
from edge_app.config.load import load
from edge_app.config.schema import Config, InferenceSettings
from edge_app.errors import EngineError
from edge_app.inference.choose import open_engine
from edge_app.inference.model import Model
from edge_app.ports import Engine
from edge_app.runtime.logs import configure
from edge_app.runtime.starts import MANY, Starts
from edge_app.runtime.state_lock import locked
from edge_app.runtime.systemd import Notifier

log = logging.getLogger(__name__)

BUILD_S = 900.0
"""How long the start may take for one network: TensorRT builds engines for minutes."""


def run(config_path: Path, open_one: OpenEngine = open_engine) -> None:
    """Work until SIGTERM or SIGINT, or until every source has ended.

    Args:
        config_path: the store's YAML file.
        open_one: starts an engine; another one is a test's.

    Raises:
        ConfigError: the file is wrong.
        ModelError: a model is missing or breaks the contract.
        EngineError: the wanted device cannot run one; or the GPU is out of order for so long that
            the service manager should start a new process.
        ServiceError: another process runs on this state folder.
    """
    config = load(config_path)
    configure(config.logs.level)
    # Before anything is written there: a start that is refused is not one that crashed.
    with locked(config.state_dir):
        run_alone(config, config_path, open_one)


def run_alone(config: Config, config_path: Path, open_one: OpenEngine) -> None:
    """The daemon, on a state folder that is its own."""
    # What a watchdog's SIGABRT, or a crash in a library, finds: a traceback of every thread.
    faulthandler.enable(all_threads=True)
    notifier = Notifier()
    stop = Event()

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        log.info("stopping: %s", signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    # Until there is something to reload, a hang-up must not end the program.
    signal.signal(
        signal.SIGHUP,
        lambda *_: log.warning(
            "reload: nothing was reloaded: the box is starting, or in safe mode; "
            "systemctl restart dresscode reads the configuration again"
        ),
    )
    starts = Starts(config.state_dir / "starts.json")
    crashes = starts.begin(time.time())
    if crashes >= MANY:
        run_safely(config, crashes, starts.error, notifier, stop)
    else:
        try:
            work(config, config_path, notifier, stop, starts, open_one)
        except Exception as error:
            starts.fail(f"{type(error).__name__}: {error}")
            raise
    # Only what got here ended as it should; a crash leaves its mark.
    starts.end()


def work(
    config: Config,
    config_path: Path,
    notifier: Notifier,
    stop: Event,
    starts: Starts,
    open_one: OpenEngine = open_engine,
) -> None:
    """Load the networks and run the box.

    Raises:
        EngineError: the GPU needs a new process.
    """
    networks = load_networks(config, notifier, open_one)
    log.info(
        "store %s, node %s; cameras: %d, zones: %d, rules: %d",
        config.store, config.node, len(config.cameras), len(config.zones), len(config.alerts),
    )  # fmt: skip
    with Live(config, networks, notifier=notifier, config_path=config_path) as live:
        signal.signal(signal.SIGHUP, lambda *_: live.reload_asked.set())
        began_s = time.monotonic()
        live.run(stop, lambda *_: starts.held(time.monotonic() - began_s))
        notifier.stopping("storing what was counted")
    networks.close()
    if live.supervision.is_gpu_hopeless:
        raise EngineError("the GPU does not come back; a new process is to try")


def load_networks(config: Config, notifier: Notifier, open_one: OpenEngine) -> Networks:
    """The networks; the service manager is asked for patience before each.

    One that fails while the box runs is started anew.
    """

    def open_patiently(settings: InferenceSettings, model: Model) -> Engine:
        notifier.status(f"loading the {model.task}")
        notifier.extend(BUILD_S)
        return RenewedEngine(model.task, lambda: open_one(settings, model))

    return open_networks(config.inference, config.detection, config.outfit, open_patiently)
