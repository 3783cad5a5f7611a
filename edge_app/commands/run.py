"""``dresscode run``: the daemon."""

from __future__ import annotations

import logging
import signal
from threading import Event
from types import FrameType

from edge_app.app import open_networks
from edge_app.config.schema import Config
from edge_app.live import Live
from edge_app.runtime.logs import configure

log = logging.getLogger(__name__)


def run(config: Config) -> None:
    """Work until SIGTERM or SIGINT, or until every source has ended.

    Raises:
        ModelError: a model is missing or breaks the contract.
        EngineError: the wanted device cannot run one.
    """
    configure(config.logs.level)
    stop = Event()

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        log.info("stopping: %s", signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    networks = open_networks(config.inference, config.detection, config.outfit)
    log.info(
        "store %s, node %s: %d cameras, %d zones, %d rules",
        config.store, config.node, len(config.cameras), len(config.zones), len(config.alerts),
    )  # fmt: skip
    with Live(config, networks) as live:
        live.run(stop)
    networks.close()
