"""``dresscode run`` with a network that hangs after a few pictures, and again while it is started
anew, as all calls of a driver do whose GPU fell off the bus: ``stuck_box.py store.yaml``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from edge_app.commands.run import run
from edge_app.config.schema import InferenceSettings
from edge_app.flow import Float32, UInt8
from edge_app.inference.choose import open_engine
from edge_app.inference.model import Model
from edge_app.ports import Engine

PICTURES = 40


opened: list[str] = []


class HangingEngine:
    """Works for a while, then never answers again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._left = PICTURES

    def infer(self, batch_nhwc: UInt8) -> dict[str, Float32]:
        self._left -= len(batch_nhwc)
        while self._left <= 0:
            time.sleep(3600.0)
        return self._engine.infer(batch_nhwc)

    def close(self) -> None:
        self._engine.close()


def open_hanging(settings: InferenceSettings, model: Model) -> Engine:
    while model.task in opened:
        time.sleep(3600.0)
    opened.append(model.task)
    engine = open_engine(settings, model)
    return HangingEngine(engine) if model.task == "detector" else engine


if __name__ == "__main__":
    run(Path(sys.argv[1]), open_hanging)
