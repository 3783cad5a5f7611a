"""Trains the networks to compare with, on the same samples as the shipped ones."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import cast

from torch import nn

from model_build import classifier_model, detector_model, garment_model
from model_build.begun import note_begun
from model_build.folders import Folders
from model_build.networks.choose import load_published, new_network, note_network
from model_build.networks.fcos import ResNet50Fpn
from model_build.networks.vgg import Vgg19Classifier
from model_build.own_data import OwnData
from model_build.train import classifier, detector, fcos, garments
from model_build.train.fitting import Schedule, train


def train_reference(
    folders: Folders,
    model: str,
    name: str,
    schedule: Schedule,
    run: Path,
    weights: Path | None,
    own: OwnData,
) -> nn.Module:
    """Train one of :mod:`model_build.networks.choose`, or go on with a run.

    Args:
        folders: the data sets.
        model: `detector`, `garments` or `classifier`.
        name: of the network.
        schedule: how long and how fast.
        run: folder of the run.
        weights: published torch weights to start from; None for random ones.
        own: pictures besides, or instead of, those of the shipped models.

    Returns:
        The network with averaged weights.

    Raises:
        ModelError: the network is none for this model, or the weights are not its own.
    """
    network = new_network(model, name)
    if weights is not None:
        load_published(network, weights)
    note_network(run, name, weights)
    note_begun(run, schedule, own, None)
    if model == "classifier":
        pieces = classifier_model.sources(folders, own)
        return classifier.train(cast(Vgg19Classifier, network), pieces, schedule, run)
    found = cast(ResNet50Fpn, network)
    if model == "garments":
        draw = functools.partial(garments.draw_batch, garment_model.sources(folders, own), schedule)
        return train(found, found.backbone, draw, fcos.garment_losses, schedule, run)
    people = detector.BatchMaker(detector_model.people_pictures(folders), schedule.batch)
    return train(found, found.backbone, people, fcos.people_losses, schedule, run)
