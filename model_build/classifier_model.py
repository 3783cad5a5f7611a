"""The category classifier from data to file: train it, judge it, calibrate it, export it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edge_app.vocabulary import CATEGORIES
from model_build.begun import NOTHING_TOLD, Told, license_of_run, note_begun, trained_on
from model_build.data.converted import ConvertedPieces, read_for_judging
from model_build.data.garment_pieces import (
    LAID_OUT,
    PIECE_HEIGHT,
    PIECE_WIDTH,
    WORN,
    GarmentPieces,
    PieceSample,
)
from model_build.data.rendered_crops import RenderedPieces
from model_build.evaluate.classification import evaluate_classifier
from model_build.evaluate.report import Report
from model_build.export import Card, ClassifierGraph, export_classifier, largest_difference
from model_build.folders import Folders
from model_build.networks.choose import (
    OURS,
    network_of,
    new_classifier,
    note_network,
    start_of,
)
from model_build.networks.classifier import Classifier, GarmentClassifier
from model_build.networks.efficientnet import load_imagenet_weights, published_weights
from model_build.networks.restore import load_exported
from model_build.own_data import NO_OWN_DATA, OwnData
from model_build.train import classifier as training
from model_build.train.checkpoint import load_averaged
from model_build.train.confidence import Judged, calibrate, learn_kinds
from model_build.train.fitting import Schedule

VERSION = "0.3.1"
_SHARES = {LAID_OUT: 0.45, WORN: 0.4, "rendered": 0.15}
_PLACING_BATCHES = 16
_KINDS = (LAID_OUT, WORN)
_KIND_SAMPLES = 1500
_START = "EfficientNet-Lite0 (ImageNet, Apache-2.0)"


def train_classifier(
    folders: Folders,
    schedule: Schedule,
    run: Path,
    start: Path | None = None,
    own: OwnData = NO_OWN_DATA,
    kept: int = 0,
) -> GarmentClassifier:
    """Train from published weights or a model file, or go on with a run.

    The arguments are those of :func:`model_build.garment_model.train_garments`.
    """
    note_network(run, OURS, None)
    note_begun(run, schedule, own, start, **{"kept-batches": bool(kept)})
    network = GarmentClassifier()
    samples = sources(folders, own)
    if start is None:
        load_imagenet_weights(network.backbone, published_weights())
    else:
        load_exported(network, start)
        drawn = (training.draw_batch(samples, schedule, step) for step in range(_PLACING_BATCHES))
        training.place_prototypes(network, drawn)
    if kept:
        return training.train_late(network, samples, schedule, run, kept)
    return training.train(network, samples, schedule, run)


def sources(folders: Folders, own: OwnData) -> list[tuple[training.PieceSource, float]]:
    """Where garments come from, each with its share of the samples."""

    def shipped() -> list[tuple[training.PieceSource, float]]:
        return [
            (_pieces(folders, LAID_OUT, held_out=False), _SHARES[LAID_OUT]),
            (_pieces(folders, WORN, held_out=False), _SHARES[WORN]),
            (RenderedPieces(folders.rendered()), _SHARES["rendered"]),
        ]

    return own.mixed(shipped, ConvertedPieces)


def held_out_pieces(folders: Folders) -> dict[str, list[PieceSample]]:
    """The held-out garments as they are, by source: laid out, worn; or `own`."""
    if folders.judged_on is not None:
        own = ConvertedPieces(read_for_judging(folders.judged_on))
        return {"own": [own.plain(index) for index in range(len(own))]}
    found = {}
    for source in (LAID_OUT, WORN):
        pieces = _pieces(folders, source, held_out=True)
        found[source] = [pieces.plain(index) for index in range(len(pieces))]
    return found


def judge_classifier(folders: Folders, model: Path) -> dict[str, Report]:
    """Reports by source of the held-out garments."""
    return {
        source: evaluate_classifier(model, samples)
        for source, samples in held_out_pieces(folders).items()
    }


def export_model(
    folders: Folders, run: Path, path: Path, told: Told = NOTHING_TOLD
) -> dict[str, float]:
    """Calibrate, write the file with its figures inside; gives the differences from torch."""
    network = load_averaged(new_classifier(network_of(run)), run)
    _calibrate(folders, network)
    card = _card(run, told)
    size = (PIECE_HEIGHT, PIECE_WIDTH)
    export_classifier(network, size, path, card)
    figures = {}
    for source, report in judge_classifier(folders, path).items():
        figures[f"{source}_top1"] = round(report.figures["top1"], 4)
        error = report.figures["calibration_error"]
        figures[f"{source}_calibration_error"] = round(error, 4)
    export_classifier(network, size, path, replace(card, metrics=figures))
    *_, samples = held_out_pieces(folders).values()
    crops = np.stack([sample.crop for sample in samples[:16]])
    return largest_difference(ClassifierGraph(network), path, crops)


def _calibrate(folders: Folders, network: Classifier) -> None:
    """Tell the kinds of pictures apart as trained on, and set their temperatures as held out."""
    held_out = held_out_pieces(folders)
    if list(held_out) == list(_KINDS):
        rng = np.random.default_rng(0)
        drawn = []
        for source in _KINDS:
            pieces = _pieces(folders, source, held_out=False)
            drawn.append([pieces.draw(rng) for _ in range(_KIND_SAMPLES)])
        learn_kinds(network, [_describe(network, samples) for samples in drawn])
    judged = []
    for samples in held_out.values():
        with torch.no_grad():
            logits = network.categorise(_describe(network, samples))
        allowed = torch.from_numpy(np.stack([sample.allowed for sample in samples]))
        judged.append(Judged(logits, allowed))
    calibrate(network, judged)


@torch.no_grad()
def _describe(network: Classifier, samples: Sequence[PieceSample]) -> Tensor:
    described = []
    for start in range(0, len(samples), 64):
        crops = np.stack([sample.crop for sample in samples[start : start + 64]])
        pictures = torch.from_numpy(crops).float().permute(0, 3, 1, 2)
        described.append(network.describe_crops(pictures))
    return torch.cat(described)


def _pieces(folders: Folders, source: str, held_out: bool) -> GarmentPieces:
    return GarmentPieces(folders.pieces(), source, held_out)


def _card(run: Path, told: Told) -> Card:
    return Card(
        task="classifier",
        version=told.version or VERSION,
        labels=CATEGORIES,
        license=told.license or license_of_run(run),
        training_data=trained_on(
            run,
            start_of(run, _START),
            "clothing-dataset (CC0); Clothing Co-Parsing (Apache-2.0); garments of Dresscode's "
            "simulated entrance",
        ),
        metrics={},
    )
