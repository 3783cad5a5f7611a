"""Which engine runs a model: the GPU's when it works, else the CPU's; and why."""

from __future__ import annotations

import logging
from pathlib import Path

from edge_app.config.schema import InferenceSettings
from edge_app.errors import EngineError
from edge_app.inference.model import SHIPPED, Model, Task, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.ports import Engine

log = logging.getLogger(__name__)


def open_model(settings: InferenceSettings, task: Task) -> Model:
    """Load the configured, or the shipped, model of a task.

    Raises:
        ModelError: it is missing, unreadable or breaks the contract.
    """
    folder: Path = settings.models or SHIPPED
    return load_model(folder / f"{task}.onnx", task)


def open_engine(settings: InferenceSettings, model: Model) -> Engine:
    """Start the engine of a model.

    Raises:
        EngineError: the wanted device cannot run it.
    """
    if settings.device == "gpu":
        raise EngineError(
            "inference.device: gpu is not available in this version; set it to auto or cpu"
        )
    return OpenVinoEngine(model, settings.threads, settings.max_batch)
