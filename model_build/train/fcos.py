"""Trains the ResNet50-FPN detector: focal, overlap and centredness losses of FCOS.

Tian et al., "FCOS: Fully Convolutional One-Stage Object Detection", ICCV 2019, with its centre
sampling; Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from model_build.networks.fcos import STRIDES, ResNet50Fpn, cells
from model_build.train import detector, garments
from model_build.train.garments import wears_loss
from model_build.train.overlap import generalised_overlap

_CENTRE_RADIUS_CELLS = 1.5
_REACH_PX = (0.0, 64.0, 128.0, 256.0, float("inf"))
"""What the levels answer for, by the farthest side of a box."""
_ALPHA, _GAMMA = 0.25, 2.0


@dataclass(frozen=True)
class Wanted:
    """What there is in one picture.

    Attributes:
        boxes: `[G,4]`, xyxy, px.
        labels: int64 `[G]`.
        is_ignored: bool `[G]`: neither to be found nor wrong to find.
        is_complete: whether there is nothing outside of the boxes.
    """

    boxes: Tensor
    labels: Tensor
    is_ignored: Tensor
    is_complete: bool


def assign(grid: Tensor, wanted: Wanted) -> tuple[Tensor, Tensor]:
    """Which box each cell answers for, and whether it is to say anything at all.

    A cell answers for the smallest box around it whose middle is near and whose size is its
    level's.

    Args:
        grid: `[A,3]` centre x, y and stride.
        wanted: of one picture.

    Returns:
        The index of the box or -1, int64 `[A]`, and bool `[A]`.
    """
    boxes = wanted.boxes
    if len(boxes) == 0:
        owner = torch.full((len(grid),), -1, dtype=torch.int64, device=grid.device)
        return owner, torch.full_like(owner, wanted.is_complete, dtype=torch.bool)
    low, high = grid[:, None, :2] - boxes[None, :, :2], boxes[None, :, 2:] - grid[:, None, :2]
    reach = torch.cat((low, high), 2)  # [A,G,4]
    is_inside = reach.amin(2) > 0
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    away = (grid[:, None, :2] - middle[None]).abs().amax(2)
    bounds = torch.tensor(_REACH_PX, device=grid.device)
    level = torch.log2(grid[:, 2] / STRIDES[0]).round().long()
    farthest = reach.amax(2)
    fits = (farthest >= bounds[level, None]) & (farthest < bounds[level + 1, None])
    is_claimed = is_inside & fits & (away < _CENTRE_RADIUS_CELLS * grid[:, 2:])
    is_claimed &= ~wanted.is_ignored[None]
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    smallest = torch.where(is_claimed, area[None], float("inf"))
    owner = torch.where(is_claimed.any(1), smallest.argmin(1), -1)
    is_unknown = (is_inside & wanted.is_ignored[None]).any(1)
    is_known = is_inside.any(1) | wanted.is_complete
    return owner, (owner >= 0) | (is_known & ~is_unknown)


def losses(
    network: ResNet50Fpn, pictures: Tensor, wanted: list[Wanted]
) -> tuple[dict[str, Tensor], Tensor | None]:
    """The parts of the loss of a batch, and the logits of `wears`.

    Args:
        network: to be trained.
        pictures: float `[N,3,H,W]` BGR 0..255.
        wanted: of each picture.
    """
    boxes, labels, centredness, wears = network.predict(pictures)
    boxes, labels, centredness = boxes.float(), labels.float(), centredness.float()
    grid = cells(pictures.shape[2], pictures.shape[3]).to(boxes)
    target = torch.zeros_like(labels)
    says = torch.zeros_like(centredness, dtype=torch.bool)
    is_positive = torch.zeros_like(says)
    true_boxes = torch.zeros_like(boxes)
    for row, one in enumerate(wanted):
        owner, says[row] = assign(grid, one)
        is_positive[row] = owner >= 0
        mine = owner[is_positive[row]]
        true_boxes[row, is_positive[row]] = one.boxes[mine]
        target[row, is_positive[row]] = functional.one_hot(one.labels[mine], labels.shape[2]).to(
            target
        )
    count = is_positive.sum().clamp(min=1)
    centre = grid[:, :2].expand(len(boxes), -1, -1)[is_positive]
    true = true_boxes[is_positive]
    near = _centredness(centre, true)
    overlap = generalised_overlap(boxes[is_positive], true)
    surprise = functional.binary_cross_entropy_with_logits(
        centredness[is_positive], near, reduction="sum"
    )
    return {
        "label": (_focal(labels, target) * says[..., None]).sum() / count,
        "box": ((1 - overlap) * near).sum() / near.sum().clamp(min=1e-6),
        "centre": surprise / count,
    }, wears


def _centredness(centre: Tensor, boxes: Tensor) -> Tensor:
    """1 in the middle of a box, 0 at its edges; `[P]` of centres `[P,2]` and boxes `[P,4]`."""
    low, high = centre - boxes[:, :2], boxes[:, 2:] - centre
    return (torch.minimum(low, high) / torch.maximum(low, high)).prod(1).sqrt()


def _focal(logits: Tensor, target: Tensor) -> Tensor:
    chance = logits.sigmoid()
    miss = chance * (1 - target) + (1 - chance) * target
    weight = _ALPHA * target + (1 - _ALPHA) * (1 - target)
    plain = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return weight * miss**_GAMMA * plain


def garment_losses(network: ResNet50Fpn, batch: garments.Batch) -> dict[str, Tensor]:
    """Every part of the loss on people's crops, weighted as for the shipped network."""
    wanted = []
    for row in range(len(batch.crops)):
        is_there = batch.regions[row] >= 0
        regions = batch.regions[row, is_there]
        has_boxes = bool(batch.is_told[row].all())
        none = torch.zeros(len(regions), dtype=torch.bool, device=regions.device)
        wanted.append(Wanted(batch.boxes[row, is_there], regions, none, has_boxes))
    parts, wears = losses(network, batch.crops.permute(0, 3, 1, 2).float(), wanted)
    if wears is not None:
        parts["wears"] = wears_loss(wears.float(), batch.wears)
    return parts


def people_losses(network: ResNet50Fpn, batch: detector.People) -> dict[str, Tensor]:
    """Every part of the loss on whole pictures of people."""
    wanted = [
        Wanted(
            boxes, torch.zeros(len(boxes), dtype=torch.int64, device=boxes.device), ignored, told
        )
        for boxes, ignored, told in zip(
            batch.boxes, batch.is_ignored, batch.is_complete, strict=True
        )
    ]
    parts, _ = losses(network, batch.pictures.float(), wanted)
    return parts
