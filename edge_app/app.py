"""Putting Dresscode together: networks, stages and pipeline from one configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge_app.box.clock_health import is_clock_believed
from edge_app.config.schema import Config, DetectionSettings, InferenceSettings, OutfitSettings
from edge_app.detection.detector import Detector
from edge_app.inference.choose import open_engine, open_model
from edge_app.inference.model import Model
from edge_app.outfit.classifier import Classifier
from edge_app.outfit.garments import Looker
from edge_app.outfit.outfits import Outfits
from edge_app.pipeline import Pipeline
from edge_app.ports import Engine
from edge_app.staff import open_uniform

OpenEngine = Callable[[InferenceSettings, Model], Engine]

GARMENT_MAX_IOU = 0.6
"""Of two boxes of one region on one person that overlap by more than this, the better stays."""


@dataclass(frozen=True)
class Networks:
    """The three networks of the cascade, loaded and ready.

    Attributes:
        people: finds people in frames.
        looker: finds garments on them and says what they are.
        models: the model files behind them, by task.
        engines: what runs them, by task.
    """

    people: Detector
    looker: Looker
    models: dict[str, Model]
    engines: dict[str, Engine]

    def close(self) -> None:
        """Free the engines."""
        for engine in self.engines.values():
            engine.close()


def open_networks(
    inference: InferenceSettings,
    detection: DetectionSettings,
    outfit: OutfitSettings,
    open_one: OpenEngine = open_engine,
) -> Networks:
    """Load the three models and start their engines.

    Raises:
        ModelError: a model is missing or breaks the contract.
        EngineError: the wanted device cannot run one.
    """
    models = {
        "detector": open_model(inference, "detector"),
        "garments": open_model(inference, "garments"),
        "classifier": open_model(inference, "classifier"),
    }
    engines = {task: open_one(inference, model) for task, model in models.items()}
    people = Detector(
        models["detector"], engines["detector"], detection.min_score, detection.max_iou
    )
    garments = Detector(
        models["garments"], engines["garments"], outfit.garment_score, GARMENT_MAX_IOU
    )
    classifier = Classifier(models["classifier"], engines["classifier"])
    return Networks(people, Looker(garments, classifier), models, engines)


def build_pipeline(
    config: Config,
    networks: Networks,
    started_at_s: float,
    is_replay: bool = False,
    honours_hours: bool = True,
) -> Pipeline:
    """All stages between capture and delivery.

    Raises:
        EngineError: a network failed on the pictures of the staff's uniform.
    """
    uniform = open_uniform(config.staff, networks.people, networks.looker)
    return Pipeline(
        config,
        networks.people,
        Outfits(config.outfit, networks.looker, uniform),
        started_at_s,
        is_replay=is_replay,
        honours_hours=honours_hours,
        is_clock_ok=is_clock_believed,
    )
