"""The person detector from data to file: train it, judge it, export it."""

from __future__ import annotations

import copy
import json
import logging
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from edge_app.errors import ModelError
from edge_app.inference.preprocess import letterbox
from model_build.begun import NOTHING_TOLD, Told, license_of_run, note_begun, trained_on
from model_build.data.people import Mixture, PeoplePictures
from model_build.data.rendered import RenderedScenes, open_rendered
from model_build.data.scenery import Scenery, SeesNobody, open_scenery
from model_build.evaluate.clothes import clothes_frames, evaluate_empty
from model_build.evaluate.detection import (
    Truth,
    evaluate,
    open_detector,
    rendered_truths,
    street_truths,
)
from model_build.evaluate.recordings import recording_truths
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
from model_build.networks.restore import blend, load_exported
from model_build.networks.yolox import YoloxNano, load_published
from model_build.own_data import NO_OWN_DATA
from model_build.train.checkpoint import load_averaged
from model_build.train.detector import SIZE_HW, train_detector
from model_build.train.fitting import Schedule

logger = logging.getLogger(__name__)

VERSION = "0.4.0"
CANDIDATES = 100
CLOTHES = "clothes"
"""The set of pictures in which nobody is to be found."""
THRESHOLD = 0.35
"""The score at which recall and precision are given."""
SCHEDULE = Schedule(
    steps=2000, batch=8, backbone_rate=3e-4, weight_decay=0.01, warm_up_steps=60, averaging=0.99
)
"""What is usual; the runs of the shipped model are in EXPERIMENTS.md."""
_HEADLINES = ("ap50", "recall", "precision", "frames_with_somebody/0.5")
_RENDERED_SCENES = 240
"""Scenes that frames are rendered of, several of each."""
_MEASURED_SCENES = 10
_PICTURES = (
    "Clothing Co-Parsing (Apache-2.0), photos and cut-out people; clothing-dataset (CC0), as "
    "places without people; people of Dresscode's simulated entrance"
)
_NOBODY_SCORE = 0.12
_HARD_SCORE = 0.2
_SEED = 7
_BORDER = 0.5


def train_people(
    folders: Folders, schedule: Schedule, run: Path, start: Path | None = None, places: int = 0
) -> YoloxNano:
    """Train from a model file or the published weights, or go on with a run.

    Args:
        folders: the data sets.
        schedule: how long and how fast.
        run: folder of the run.
        start: the model file.
        places: how many places without anybody are looked at first; those taken for people are
            shown more often.

    Returns:
        The network with averaged weights.
    """
    note_network(run, OURS, None)
    note_begun(run, schedule, NO_OWN_DATA, start)
    published = load_published(folders.published_detector)
    first = copy.deepcopy(published)
    if start is not None:
        load_exported(first, start)
    pictures = people_pictures(folders)
    pictures = pictures.with_more_of(hard_places(pictures, first, places, run))
    return train_detector(published, pictures, schedule, run, first)


def open_sources(folders: Folders) -> tuple[Scenery, RenderedScenes]:
    """What pictures to train on are put together from; made where it is not there yet."""
    cache = folders.cache / "scenery"
    finds_nobody = sees_nobody(load_published(folders.published_detector))
    return open_scenery(folders.data, cache, finds_nobody), open_rendered(cache, _RENDERED_SCENES)


def people_pictures(folders: Folders) -> PeoplePictures:
    """The endless sequence of pictures to train on."""
    return PeoplePictures(*open_sources(folders), SIZE_HW, Mixture(), _SEED)


def hard_places(
    pictures: PeoplePictures, network: YoloxNano, count: int, run: Path
) -> tuple[int, ...]:
    """Which of the first places without anybody a network takes for people.

    Hard negatives, as in Felzenszwalb et al., "Object Detection with Discriminatively Trained
    Part-Based Models", PAMI 2010, section 4.4. Kept in the run's folder, so that a run that is
    started again learns from the same ones.

    Args:
        pictures: whose places are looked at.
        network: sees people in some of them.
        count: how many; 0 for those of the run, if it has any.
        run: folder of the run.

    Raises:
        ModelError: the run was begun with other places, or without.
    """
    kept = run / "hard_places.json"
    if kept.exists():
        noted = json.loads(kept.read_text(encoding="utf-8"))
        if count not in (0, noted["looked_at"]):
            raise ModelError(
                f"{run}: a run with --hard-places {noted['looked_at']}; "
                "give it that, or this one a folder of its own with --run"
            )
        return tuple(noted["hard"])
    if count == 0:
        return ()
    if (run / "last.pt").exists():
        raise ModelError(
            f"{run}: a run without --hard-places; give this one a folder of its own with --run"
        )
    hard = [
        number
        for number in range(count)
        if surest(network, pictures.place(number).picture) >= _HARD_SCORE
    ]
    # Processes of torchrun all find the same.
    unfinished = run / f"hard_places.{os.getpid()}"
    unfinished.write_text(json.dumps({"looked_at": count, "hard": hard}) + "\n", encoding="utf-8")
    unfinished.replace(kept)
    logger.info("%d of %d places without anybody are taken for people", len(hard), count)
    return tuple(hard)


def sees_nobody(published: YoloxNano) -> SeesNobody:
    """Whether the published network finds nobody in a picture, not even a hint."""
    return lambda picture: surest(published, picture) < _NOBODY_SCORE


def surest(network: YoloxNano, picture: NDArray[np.uint8]) -> float:
    """The highest score of anybody that a network sees in a picture, uint8 `[H,W,3]` BGR."""
    canvas = np.empty((*SIZE_HW, 3), np.uint8)
    letterbox(picture, canvas)
    with torch.no_grad():
        planes = torch.from_numpy(canvas[None]).float().permute(0, 3, 1, 2)
        return float(network.eval()(planes)[1].max())


def judge_people(folders: Folders, model: Path) -> dict[str, Report]:
    """Reports by kind of picture, all held out; recordings are never trained on."""
    detector = open_detector(model)
    street = folders.data / "ccp"
    sets: dict[str, Iterable[Truth]] = {
        "street": street_truths(street, is_spoilt=False),
        "street_small_spoilt": street_truths(street, is_spoilt=True, margin=_BORDER),
    }
    for name, is_spoilt in (("recordings", False), ("recordings_spoilt", True)):
        sets[name] = recording_truths(folders.data / "clips", is_spoilt)
    for view in ("door", "facing"):
        whole, cut_off = zip(*rendered_truths(_MEASURED_SCENES, view), strict=True)
        sets[f"rendered_{view}_whole"] = whole
        sets[f"rendered_{view}_cut_off"] = cut_off
    clothes = evaluate_empty(detector, clothes_frames(folders.data / "clothing-dataset"))
    reports = {name: evaluate(detector, truths, THRESHOLD) for name, truths in sets.items()}
    return {**reports, CLOTHES: clothes}


def export_people(
    folders: Folders,
    run: Path | None,
    share: float,
    path: Path,
    start: Path | None = None,
    told: Told = NOTHING_TOLD,
) -> dict[str, float]:
    """Write the model file with its figures inside; gives the differences from torch.

    Args:
        folders: the data sets.
        run: a training run, or None for the published weights.
        share: how far to go from the weights of `start` (0) to the trained ones (1).
        path: the ONNX file.
        start: a model file; None for the published weights.
        told: what the card is to say.
    """
    card = _card(run, told)
    network = _network(folders, run, share, start)
    export_detector(network, SIZE_HW, path, card, CANDIDATES)
    figures = {}
    for name, found in judge_people(folders, path).items():
        for key, figure in found.figures.items():
            if key in _HEADLINES:
                figures[f"{name}_{key}"] = round(figure, 4)
    export_detector(network, SIZE_HW, path, replace(card, metrics=figures), CANDIDATES)
    canvases = np.empty((16, *SIZE_HW, 3), np.uint8)
    truths = street_truths(folders.data / "ccp", is_spoilt=False)
    for canvas, truth in zip(canvases, truths, strict=False):
        letterbox(truth.picture, canvas)
    return largest_difference(DetectorGraph(network, CANDIDATES), path, canvases)


def _network(folders: Folders, run: Path | None, share: float, start: Path | None) -> nn.Module:
    """What a run trained; the shipped network between other weights and those."""
    before = load_published(folders.published_detector)
    if run is None:
        return before.eval()
    if network_of(run) != OURS:
        return load_averaged(new_network("detector", network_of(run)), run)
    if start is not None:
        load_exported(before, start)
    return blend(before.eval(), load_averaged(YoloxNano(), run), share)


def _card(run: Path | None, told: Told) -> Card:
    sources, license_id = "YOLOX-nano by Megvii (COCO 2017, Apache-2.0)", "Apache-2.0"
    if run is not None:
        sources, license_id = (
            trained_on(run, start_of(run, sources), _PICTURES),
            license_of_run(run),
        )
    version, license_id = told.version or VERSION, told.license or license_id
    return Card("detector", version, ("person",), license_id, sources, {})
