"""Trains the category classifier on laid-out, worn and rendered garments."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from model_build.data.garment_pieces import PieceSample
from model_build.networks.classifier import Classifier, GarmentClassifier
from model_build.networks.efficientnet import Seeing
from model_build.train import fitting
from model_build.train.batches import picked
from model_build.train.fitting import Schedule
from model_build.train.kept import Seen, fit_late

Trained = TypeVar("Trained", bound=Classifier)

_EMBEDDING_WEIGHT = 0.3
_SMOOTHING = 0.05


class PieceSource(Protocol):
    """Where garments come from."""

    def draw(self, rng: np.random.Generator) -> PieceSample:
        """A random garment, degraded."""


@dataclass(frozen=True)
class PieceBatch:
    """Samples as tensors."""

    crops: Tensor  # uint8 [M,192,160,3]
    allowed: Tensor  # bool [M,15]


def draw_batch(
    sources: list[tuple[PieceSource, float]], schedule: Schedule, step: int
) -> PieceBatch:
    """The batch of a step: the same however often it is drawn."""
    rng = np.random.default_rng((schedule.seed, step))
    samples = [source.draw(rng) for source in picked(sources, schedule.batch, rng)]
    return PieceBatch(
        torch.from_numpy(np.stack([sample.crop for sample in samples])),
        torch.from_numpy(np.stack([sample.allowed for sample in samples])),
    )


def partial_cross_entropy(logits: Tensor, allowed: Tensor) -> Tensor:
    """Minus the log of the summed probability of the allowed categories, mean over samples.

    A little of the weight is spread over all categories, against overconfidence.

    Args:
        logits: `[M,15]`.
        allowed: bool `[M,15]`, at least one in each row.
    """
    logs = logits.log_softmax(1)
    hit = logs.masked_fill(~allowed, -torch.inf).logsumexp(1)
    return -((1.0 - _SMOOTHING) * hit + _SMOOTHING * logs.mean(1)).mean()


def losses(network: Classifier, batch: PieceBatch) -> dict[str, Tensor]:
    """Every part of the loss, weighted."""
    return _weighted(network.predict(batch.crops.permute(0, 3, 1, 2).float()), batch.allowed)


def losses_of_seen(network: GarmentClassifier, seen: Seen[PieceBatch]) -> dict[str, Tensor]:
    """Every part of the loss of a kept batch, weighted."""
    return _weighted(network.predict_seen(seen.features[0]), seen.batch.allowed)


def _weighted(predicted: tuple[Tensor, Tensor], allowed: Tensor) -> dict[str, Tensor]:
    logits, cosine = predicted
    return {
        "category": partial_cross_entropy(logits.float(), allowed),
        "embedding": _EMBEDDING_WEIGHT * partial_cross_entropy(cosine.float(), allowed),
    }


@torch.no_grad()
def place_prototypes(network: Classifier, batches: Iterable[PieceBatch]) -> None:
    """Move each category's prototype to where the embedding puts its garments.

    For a network from a model file, which holds no prototypes: random ones would tear the
    embedding apart. Only garments of a single allowed category count; a category of which there
    is none keeps its prototype.
    """
    network.eval()
    sums = torch.zeros_like(network.prototypes)
    for batch in batches:
        _, embedding = network(batch.crops.float().permute(0, 3, 1, 2))
        is_certain = (batch.allowed.sum(1) == 1)[:, None]
        sums += (batch.allowed & is_certain).float().T @ embedding
    is_seen = sums.abs().sum(1, keepdim=True) > 0
    network.prototypes.copy_(torch.where(is_seen, sums, network.prototypes))


def train(
    network: Trained,
    sources: list[tuple[PieceSource, float]],
    schedule: Schedule,
    folder: Path,
    is_apart: bool = True,
) -> Trained:
    """Train on `sources`, each with its share; see :func:`model_build.train.fitting.train`."""
    draw = functools.partial(draw_batch, sources, schedule)
    return fitting.train(network, network.backbone, draw, losses, schedule, folder, is_apart)


def train_late(
    network: GarmentClassifier,
    sources: list[tuple[PieceSource, float]],
    schedule: Schedule,
    folder: Path,
    count: int,
    is_apart: bool = True,
) -> GarmentClassifier:
    """As :func:`train`, but only the backbone's late part and the heads, on `count` kept batches.

    The batches of a run stay in its folder (some 20 kB a garment), and are not drawn again.
    """
    draw = functools.partial(draw_batch, sources, schedule)
    return fit_late(
        network,
        Seeing(network.backbone, is_fine_wanted=False),
        (draw, PieceBatch, count),
        losses_of_seen,
        schedule,
        folder,
        is_apart,
    )
