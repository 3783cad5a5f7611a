"""Trains the garment model on street photos and rendered people: samples → losses → steps."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from edge_app.vocabulary import REGIONS
from model_build.data.garment_crops import CropSample
from model_build.networks.efficientnet import Seeing
from model_build.networks.garments import LAYERS, STRIDE, GarmentNetwork, cell_centres
from model_build.train import fitting
from model_build.train.batches import picked
from model_build.train.fitting import Schedule
from model_build.train.kept import Seen, fit_late
from model_build.train.overlap import aligned_overlap, generalised_overlap

_CENTRE_RADIUS_PX = 1.5 * STRIDE
_CELLS_OF_A_GARMENT = 4
_SCORE_WEIGHT = 2.0
_BOX_WEIGHT = 4.0
_WEARS_WEIGHT = 1.0


class SampleSource(Protocol):
    """Where hard samples come from: street photos, rendered people."""

    def __len__(self) -> int:
        """How many people there are."""

    def hard(self, position: int, rng: np.random.Generator) -> CropSample:
        """One of them as training sees them: moved, restaged, degraded."""


@dataclass(frozen=True)
class Batch:
    """Samples as tensors; boxes padded to the largest number of garments in the batch."""

    crops: Tensor  # uint8 [N,256,128,3]
    boxes: Tensor  # float32 [N,G,4]
    regions: Tensor  # int64 [N,G], -1 where padded
    is_told: Tensor  # bool [N,3]: whether every box of a region is known
    wears: Tensor  # float32 [N,15], NaN where not known


def draw_batch(sources: list[tuple[SampleSource, float]], schedule: Schedule, step: int) -> Batch:
    """The batch of a step: the same however often it is drawn."""
    rng = np.random.default_rng((schedule.seed, step))
    samples = [
        source.hard(int(rng.integers(len(source))), rng)
        for source in picked(sources, schedule.batch, rng)
    ]
    return stack(samples, schedule.scale)


def stack(samples: list[CropSample], scale: float = 1.0) -> Batch:
    """Samples to one batch, scaled down by `scale` where the start of a run is to be cheap."""
    most = max(1, *(len(sample.boxes) for sample in samples))
    boxes = np.zeros((len(samples), most, 4), np.float32)
    regions = np.full((len(samples), most), -1, np.int64)
    for row, sample in enumerate(samples):
        boxes[row, : len(sample.boxes)] = sample.boxes * scale
        regions[row, : len(sample.boxes)] = sample.regions
    crops = [sample.crop for sample in samples]
    if scale != 1.0:
        size = (round(crops[0].shape[1] * scale), round(crops[0].shape[0] * scale))
        small = [cv2.resize(crop, size, interpolation=cv2.INTER_AREA) for crop in crops]
        crops = [np.asarray(crop, np.uint8) for crop in small]
    return Batch(
        torch.from_numpy(np.stack(crops)),
        torch.from_numpy(boxes),
        torch.from_numpy(regions),
        torch.from_numpy(np.stack([_told_regions(sample) for sample in samples])),
        torch.from_numpy(np.stack([sample.wears for sample in samples])),
    )


def _told_regions(sample: CropSample) -> NDArray[np.bool_]:
    regions = np.arange(len(REGIONS))
    return np.asarray(~np.isin(regions, sample.unsure_regions) & sample.has_boxes)


def _layers(boxes: Tensor, regions: Tensor) -> Tensor:
    """0 for each region's largest garment, 1 for the others: `[N,G]` of `[N,G,4]` and `[N,G]`."""
    area = (boxes[..., 2:] - boxes[..., :2]).prod(-1)
    number = torch.arange(area.shape[1], device=area.device)
    is_before = (area[:, None, :] > area[:, :, None]) | (
        (area[:, None, :] == area[:, :, None]) & (number < number[:, None])
    )
    is_same = regions[:, None, :] == regions[:, :, None]
    return (is_before & is_same).any(-1).long()


def box_losses(boxes: Tensor, logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Quality focal loss of the scores and GIoU loss of the boxes.

    A cell answers for a garment when its centre is inside the garment and near the garment's
    centre; where two garments of a region and layer claim a cell, it answers for the one it
    already fits better. The score's target is the overlap reached (Li et al., "Generalized Focal
    Loss", 2020). The cells of a garment share one vote on its box, so that small garments weigh
    as much as large ones.

    Args:
        boxes: `[N,cells,6,4]`, xyxy: of each region's largest garment, then of another one.
        logits: `[N,cells,6]`.
        batch: the truth.
    """
    height, width = batch.crops.shape[1] // STRIDE, batch.crops.shape[2] // STRIDE
    centres = cell_centres(height, width).to(boxes)  # [cells,2]
    truth = batch.boxes.to(boxes)
    middle = (truth[..., :2] + truth[..., 2:]) / 2  # [N,G,2]
    away = (centres[:, None] - middle[:, None]).abs().amax(-1)  # [N,cells,G]
    inside = ((centres[:, None] > truth[:, None, :, :2]).all(-1)) & (
        (centres[:, None] < truth[:, None, :, 2:]).all(-1)
    )
    nearest = away == away.amin(1, keepdim=True)
    claims = ((away < _CENTRE_RADIUS_PX) & inside) | nearest
    region = batch.regions.clamp(min=0)
    claims &= ((batch.regions >= 0) & batch.is_told.gather(1, region))[:, None]
    column = region + len(REGIONS) * _layers(truth, batch.regions)  # [N,G]
    picked = column[:, None, :, None].expand(-1, boxes.shape[1], -1, 4)
    own = boxes.gather(2, picked)  # [N,cells,G,4]: each garment's own box in each cell
    wanted = truth[:, None].expand_as(own)
    overlap = aligned_overlap(own, wanted).detach()
    fit = torch.where(claims, overlap + 1e-3, torch.zeros_like(overlap))
    rival = (column[:, :, None] == column[:, None, :]).to(fit)  # [N,G,G]
    best = (fit.unsqueeze(2) * rival.unsqueeze(1)).amax(-1)  # [N,cells,G]
    chosen = claims & (fit >= best)
    target = torch.zeros_like(logits).scatter_reduce(
        2, column[:, None].expand_as(fit), torch.where(chosen, fit, 0.0).clamp(max=1.0), "amax"
    )
    plain = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    focal = plain * (target - logits.sigmoid().detach()).square()
    focal = focal * batch.is_told.repeat(1, LAYERS)[:, None]
    weight = torch.where(chosen, fit.clamp(min=0.1), 0.0)
    weight = weight / weight.sum(1, keepdim=True).clamp(min=1e-6)
    garments = chosen.any(1).sum().clamp(min=1)
    score_loss = focal.sum() / (_CELLS_OF_A_GARMENT * garments)
    return score_loss, (weight * (1.0 - generalised_overlap(own, wanted))).sum() / garments


def wears_loss(logits: Tensor, worn: Tensor) -> Tensor:
    """Cross-entropy of `wears`, summed over what is known of a person; both `[N,15]`."""
    is_known = ~worn.isnan()
    smooth = torch.where(is_known, worn * 0.96 + 0.01, 0.0)
    each = functional.binary_cross_entropy_with_logits(logits, smooth, reduction="none")
    return (each * is_known).sum(1).mean()


def losses(network: GarmentNetwork, batch: Batch) -> dict[str, Tensor]:
    """Every part of the loss, weighted."""
    return _weighted(network.predict(batch.crops.permute(0, 3, 1, 2).float()), batch)


def losses_of_seen(network: GarmentNetwork, seen: Seen[Batch]) -> dict[str, Tensor]:
    """Every part of the loss of a kept batch, weighted."""
    return _weighted(network.predict_seen(*seen.features), seen.batch)


def _weighted(predicted: tuple[Tensor, Tensor, Tensor], batch: Batch) -> dict[str, Tensor]:
    boxes, logits, wears = (part.float() for part in predicted)
    score_loss, box_loss = box_losses(boxes, logits, batch)
    return {
        "score": _SCORE_WEIGHT * score_loss,
        "box": _BOX_WEIGHT * box_loss,
        "wears": _WEARS_WEIGHT * wears_loss(wears, batch.wears),
    }


def train(
    network: GarmentNetwork,
    sources: list[tuple[SampleSource, float]],
    schedule: Schedule,
    folder: Path,
    is_apart: bool = True,
) -> GarmentNetwork:
    """Train on `sources`, each with its share; see :func:`model_build.train.fitting.train`."""
    draw = functools.partial(draw_batch, sources, schedule)
    return fitting.train(network, network.backbone, draw, losses, schedule, folder, is_apart)


def train_late(
    network: GarmentNetwork,
    sources: list[tuple[SampleSource, float]],
    schedule: Schedule,
    folder: Path,
    count: int,
    is_apart: bool = True,
) -> GarmentNetwork:
    """As :func:`train`, but only the backbone's late part and the heads, on `count` kept batches.

    The batches of a run stay in its folder (some 60 kB a person), and are not drawn again.
    """
    draw = functools.partial(draw_batch, sources, schedule)
    return fit_late(
        network,
        Seeing(network.backbone, is_fine_wanted=True),
        (draw, Batch, count),
        losses_of_seen,
        schedule,
        folder,
        is_apart,
    )
