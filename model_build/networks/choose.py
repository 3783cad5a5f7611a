"""Which network a run trains: the shipped one, or one to compare with; written in its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from torch import nn

from edge_app.errors import ModelError
from edge_app.vocabulary import CATEGORIES, REGIONS
from model_build.networks.classifier import Classifier, GarmentClassifier
from model_build.networks.fcos import ResNet50Fpn
from model_build.networks.garments import GarmentNetwork
from model_build.networks.resnet import load_resnet50
from model_build.networks.vgg import Vgg19Classifier, load_vgg19
from model_build.networks.yolox import YoloxNano

OURS: Final = "ours"
VGG19: Final = "vgg19"
RESNET50_FPN: Final = "resnet50-fpn"
NETWORKS = (OURS, VGG19, RESNET50_FPN)
_NOTE = "network.json"


def new_network(model: str, name: str) -> nn.Module:
    """A network for `detector`, `garments` or `classifier`, with random weights.

    Raises:
        ModelError: there is no such network for this model.
    """
    if model == "detector" and name == OURS:
        return YoloxNano()
    if model == "detector" and name == RESNET50_FPN:
        return ResNet50Fpn(labels=1)
    if model == "garments" and name == OURS:
        return GarmentNetwork()
    if model == "garments" and name == RESNET50_FPN:
        return ResNet50Fpn(len(REGIONS), len(CATEGORIES))
    if model == "classifier" and name in (OURS, VGG19):
        return new_classifier(name)
    fitting = VGG19 if model == "classifier" else RESNET50_FPN
    raise ModelError(f"{name}: not a network for {model}; expected {OURS} or {fitting}")


def new_classifier(name: str) -> Classifier:
    """The classifier of a name, with random weights."""
    return Vgg19Classifier() if name == VGG19 else GarmentClassifier()


def load_published(network: nn.Module, path: Path) -> None:
    """Read the published torch weights of a network to compare with.

    Raises:
        ModelError: the file does not hold them.
    """
    if isinstance(network, Vgg19Classifier):
        load_vgg19(network, path)
    elif isinstance(network, ResNet50Fpn):
        load_resnet50(network.backbone, path)
    else:
        raise ModelError(f"{path}: a {type(network).__name__} starts from a model file (.onnx)")


def note_network(run: Path, name: str, weights: Path | None) -> None:
    """Write down in a run's folder what it trains, and from which published weights.

    Raises:
        ModelError: the folder is that of a run of another network.
    """
    if (run / "last.pt").exists() and network_of(run) != name:
        raise ModelError(
            f"{run}: a run of {network_of(run)}; give {name} a folder of its own with --run"
        )
    run.mkdir(parents=True, exist_ok=True)
    note = {"network": name, "weights": None if weights is None else weights.name}
    (run / _NOTE).write_text(json.dumps(note) + "\n", encoding="utf-8")


def network_of(run: Path) -> str:
    """The name of the network that a run trains; the shipped one where nothing is written."""
    return str(_note(run)["network"])


def start_of(run: Path, shipped: str) -> str:
    """In words, for the card, what a run started from; `shipped` for the shipped network."""
    note = _note(run)
    if note["network"] == OURS:
        return shipped
    if note["weights"] is None:
        return f"{note['network']} with random weights"
    return f"{note['network']} with the published weights {note['weights']}"


def license_of(run: Path) -> str:
    """SPDX identifier of a run's weights; nothing is claimed of weights that others published."""
    return "Apache-2.0" if _note(run)["weights"] is None else "NOASSERTION"


def _note(run: Path) -> dict[str, str | None]:
    path = run / _NOTE
    if not path.exists():
        return {"network": OURS, "weights": None}
    note: dict[str, str | None] = json.loads(path.read_text(encoding="utf-8"))
    return note
