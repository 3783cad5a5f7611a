"""The garment model from data to file: train it, judge it, export it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_app.vocabulary import REGIONS
from model_build.begun import NOTHING_TOLD, Told, license_of_run, note_begun, trained_on
from model_build.data.converted import ConvertedCrops, read_for_judging
from model_build.data.garment_crops import CROP_HEIGHT, CROP_WIDTH, CropSample
from model_build.data.published.annotated import DataError
from model_build.data.rendered_crops import RenderedCrops
from model_build.data.street_crops import MildStreetCrops, StreetCrops
from model_build.evaluate.garments import evaluate_garments
from model_build.evaluate.report import Report
from model_build.export import Card, DetectorGraph, export_detector, largest_difference
from model_build.folders import Folders
from model_build.networks.choose import (
    OURS,
    network_of,
    new_network,
    note_network,
    start_of,
)
from model_build.networks.efficientnet import load_imagenet_weights, published_weights
from model_build.networks.garments import GarmentNetwork
from model_build.networks.restore import blend, load_exported
from model_build.own_data import NO_OWN_DATA, OwnData
from model_build.train import garments as training
from model_build.train.checkpoint import load_averaged
from model_build.train.fitting import Schedule

CANDIDATES = 128
VERSION = "0.7.0"
_START = "EfficientNet-Lite0 (ImageNet, Apache-2.0)"
_HARD_SEED = 20_240_601
_RENDERED_SHARE = 0.32
_MILD_SHARE = 0.34
_EARLY_SHARE, _EARLY_SCALE = 0.7, 0.75


def train_garments(
    folders: Folders,
    schedule: Schedule,
    run: Path,
    start: Path | None = None,
    own: OwnData = NO_OWN_DATA,
    kept: int = 0,
    is_boxes_only: bool = False,
) -> GarmentNetwork:
    """Train from published weights or a model file, or go on with a run.

    Most steps are taken on smaller pictures, at half the cost; the last ones on full ones, with
    the early layers left as they are.

    Args:
        folders: where the data is.
        schedule: how long and how fast.
        run: folder of the run.
        start: a model file to start from.
        own: pictures to learn from besides.
        kept: train the late layers only, on so many batches that passed the early ones once;
            0 trains all layers on batches that are always new.
        is_boxes_only: leave everything as it is that `wears` depends on.
    """
    note_network(run, OURS, None)
    # Without kept batches it has two parts, each for its share of the steps.
    whole = {} if kept else {"steps": schedule.steps}
    limits = {"kept-batches": bool(kept), "boxes-only": is_boxes_only, **whole}
    note_begun(run, schedule, own, start, **limits)
    network = GarmentNetwork()
    if start is None:
        load_imagenet_weights(network.backbone, published_weights())
    else:
        load_exported(network, start)
    samples = sources(folders, own, start)
    if is_boxes_only:
        network.freeze_wears()
    if kept:
        return training.train_late(network, samples, schedule, run, kept)
    early = replace(schedule, steps=int(schedule.steps * _EARLY_SHARE), scale=_EARLY_SCALE)
    network = training.train(network, samples, early, run / "early")
    network.backbone.freeze_early()
    late = replace(schedule, steps=schedule.steps - early.steps)
    return training.train(network, samples, late, run)


def sources(
    folders: Folders, own: OwnData, start: Path | None = None
) -> list[tuple[training.SampleSource, float]]:
    """Where people come from, each with its share of the samples.

    Args:
        folders: where the data is.
        own: pictures to learn from besides.
        start: a model file that finds the garments of people of whom only tags are known.
    """

    def shipped() -> list[tuple[training.SampleSource, float]]:
        street = folders.street_crops(held_out=False)
        if start is not None:
            street.find_boxes(start)
        return [
            (street, 1.0 - _RENDERED_SHARE - _MILD_SHARE),
            (MildStreetCrops(street), _MILD_SHARE),
            (RenderedCrops(folders.rendered()), _RENDERED_SHARE),
        ]

    return own.mixed(shipped, ConvertedCrops)


def held_out_samples(folders: Folders, is_hard: bool) -> list[CropSample]:
    """Held-out people, as photographed or as a bad camera would see them, always the same.

    Raises:
        DataError: nobody in the own pictures can be judged by.
    """
    crops: StreetCrops | ConvertedCrops
    if folders.judged_on is None:
        crops = folders.street_crops(held_out=True)
        chosen = list(range(len(crops)))
    else:
        crops = ConvertedCrops(read_for_judging(folders.judged_on))
        chosen = crops.known()
    if not chosen:
        raise DataError(f"{folders.judged_on}: of nobody in it everything worn is known")
    rng = np.random.default_rng(_HARD_SEED)
    return [crops.hard(i, rng) if is_hard else crops.plain(i) for i in chosen]


def judge_garments(folders: Folders, model: Path) -> dict[str, Report]:
    """Reports by name: `photos` and `hard`, both held out."""
    return {
        "photos": evaluate_garments(model, held_out_samples(folders, is_hard=False)),
        "hard": evaluate_garments(model, held_out_samples(folders, is_hard=True)),
    }


def export_garments(
    folders: Folders,
    run: Path,
    path: Path,
    told: Told = NOTHING_TOLD,
    start: tuple[Path, float] | None = None,
) -> dict[str, float]:
    """Write the model file with its figures inside; gives the differences from torch.

    Args:
        folders: what it is judged on.
        run: of the training.
        path: the ONNX file.
        told: what the card is to say.
        start: the model file that training started from, and how far to go from it (0) to the
            trained weights (1); all the way by default.
    """
    network = load_averaged(new_network("garments", network_of(run)), run)
    if start is not None:
        file, share = start
        before = new_network("garments", network_of(run))
        load_exported(before, file)
        network = blend(before, network, share)
    card = _card(run, told)
    size = (CROP_HEIGHT, CROP_WIDTH)
    export_detector(network, size, path, card, CANDIDATES, ("wears",))
    headlines = {"box_ap50": "ap50", "wears_ap": "wears_ap"}
    headlines |= {f"{name}_ap": f"wears_ap/{name}" for name in ("dress", "suit")}
    figures = {
        f"{name}_{short}": round(report.figures[figure], 4)
        for name, report in judge_garments(folders, path).items()
        for short, figure in headlines.items()
        if not math.isnan(report.figures[figure])
    }
    export_detector(network, size, path, replace(card, metrics=figures), CANDIDATES, ("wears",))
    crops = np.stack([s.crop for s in held_out_samples(folders, is_hard=False)[:16]])
    return largest_difference(DetectorGraph(network, CANDIDATES), path, crops)


def _card(run: Path, told: Told) -> Card:
    return Card(
        task="garments",
        version=told.version or VERSION,
        labels=REGIONS,
        license=told.license or license_of_run(run),
        training_data=trained_on(
            run,
            start_of(run, _START),
            "Clothing Co-Parsing (Apache-2.0), photos with label maps and with tags; people of "
            "Dresscode's simulated entrance",
        ),
        metrics={},
    )
