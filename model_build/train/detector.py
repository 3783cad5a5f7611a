"""Trains the person detector without letting it forget.

    python -m model_build train detector --run runs/detector

The published weights are both start and teacher. On every picture the network learns where people
are (YOLOX's own losses), and everywhere else to answer what the teacher answers on the unspoilt
picture; only where the teacher sees somebody in a place known to be empty is it contradicted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from model_build.data.people import PeoplePictures, Scene
from model_build.networks.yolox import YoloxNano, cells, decode
from model_build.train.assignment import assign
from model_build.train.fitting import Schedule, train
from model_build.train.overlap import aligned_overlap, pairwise_overlap

SIZE_HW = (320, 512)
_DOUBT = 0.1  # the teacher's score from which a box in an empty place is contradicted
_SAME_PERSON = 0.4  # least overlap of two boxes of one person
_SUPPRESSED = 0.6  # least overlap of two boxes of which suppression leaves one
# Street photos are of one person. Passers-by without a box are remembered, a little less certain
# than that person: shorter than this share of the tallest, their objectness is multiplied by that.
_PASSER_BY_HEIGHT, _PASSER_BY_CERTAINTY = 0.6, 0.7


@dataclass(frozen=True)
class People:
    """A batch: `pictures` and `clean` uint8 `[N,3,H,W]`, and each picture's people."""

    pictures: Tensor
    clean: Tensor
    boxes: list[Tensor]
    is_ignored: list[Tensor]
    is_complete: list[bool]


@dataclass(frozen=True)
class Weights:
    """Of the parts of the loss."""

    box: float = 5.0
    objectness: float = 1.0
    category: float = 1.0
    remembered_category: float = 0.2


def stack(scenes: list[Scene]) -> People:
    """Scenes to one batch."""

    def planes(pictures: list[npt.NDArray[np.uint8]]) -> Tensor:
        return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)

    return People(
        planes([scene.picture for scene in scenes]),
        planes([scene.clean for scene in scenes]),
        [torch.from_numpy(scene.boxes) for scene in scenes],
        [torch.from_numpy(scene.is_ignored) for scene in scenes],
        [scene.is_complete for scene in scenes],
    )


@dataclass(frozen=True)
class Targets:
    """What one picture's cells should say; `[A]` each, boxes `[A,4]`.

    Attributes:
        is_positive: the cell answers for a person.
        boxes: that person's box, xyxy.
        objectness: 0..1.
        category: 0..1; for people the overlap reached, as in YOLOX.
    """

    is_positive: Tensor
    boxes: Tensor
    objectness: Tensor
    category: Tensor


class RememberingLoss:
    """YOLOX's losses against the truth, and the teacher's answers everywhere else."""

    def __init__(self, teacher: YoloxNano, weights: Weights) -> None:
        self._teacher = teacher.eval().requires_grad_(False)
        self._weights = weights
        self._grid = cells(*SIZE_HW)

    def __call__(self, network: YoloxNano, batch: People) -> dict[str, Tensor]:
        """The parts of the loss of a batch."""
        raw = network.raw(_floats(batch.pictures)).float()
        grid = self._grid.to(raw)
        with torch.no_grad():
            taught = self._teacher.to(raw.device).raw(_floats(batch.clean)).float()
        boxes = decode(raw, grid)
        targets = [
            self._targets((grid, boxes[i].detach(), raw[i].detach(), taught[i]), batch, i)
            for i in range(len(raw))
        ]
        return self._parts(raw, boxes, targets)

    def _targets(
        self, predicted: tuple[Tensor, Tensor, Tensor, Tensor], batch: People, i: int
    ) -> Targets:
        grid, boxes, raw, taught = predicted
        scores = raw[:, 4].sigmoid() * raw[:, 5].sigmoid()
        everybody = batch.boxes[i].to(grid)
        people = everybody[~batch.is_ignored[i].to(grid.device)]
        taught_boxes = decode(taught, grid)
        objectness, category = taught[:, 4].sigmoid(), taught[:, 5].sigmoid()
        taught_scores = objectness * category
        strangers = torch.nonzero(taught_scores > _DOUBT).squeeze(1)
        strangers = strangers[_is_elsewhere(taught_boxes[strangers], everybody)]
        if batch.is_complete[i]:
            objectness[strangers] = 0.0
        elif len(strangers):
            everybody = torch.cat((everybody, taught_boxes[strangers]))
            objectness[strangers[_is_passer_by(everybody)[-len(strangers) :]]] *= (
                _PASSER_BY_CERTAINTY
            )
        # The network's own inventions, such as half a person beside the whole one.
        invented = torch.nonzero(scores > _DOUBT).squeeze(1)
        objectness[invented[_is_elsewhere(boxes[invented], everybody, _SUPPRESSED)]] = 0.0
        owner, overlap = assign(grid, boxes, scores, people)
        is_positive = owner >= 0
        wanted = torch.zeros_like(boxes)
        wanted[is_positive] = people[owner[is_positive]]
        objectness[is_positive] = 1.0
        category[is_positive] = overlap[is_positive]
        return Targets(is_positive, wanted, objectness, category)

    def _parts(self, raw: Tensor, boxes: Tensor, targets: list[Targets]) -> dict[str, Tensor]:
        is_positive = torch.stack([target.is_positive for target in targets])
        count = is_positive.sum().clamp(min=len(raw))
        wanted = torch.stack([target.boxes for target in targets])[is_positive]
        overlap = aligned_overlap(boxes[is_positive], wanted)
        objectness = torch.stack([target.objectness for target in targets])
        category = torch.stack([target.category for target in targets])
        object_loss = _surprise(raw[..., 4], objectness)
        category_loss = _surprise(raw[..., 5], category)
        weights = self._weights
        return {
            "box": (1 - overlap**2).sum() / count * weights.box,
            "objectness": object_loss.sum() / count * weights.objectness,
            "category": category_loss[is_positive].sum() / count * weights.category,
            "memory": category_loss[~is_positive].sum() / count * weights.remembered_category,
        }


def _is_elsewhere(boxes: Tensor, people: Tensor, least: float = _SAME_PERSON) -> Tensor:
    """Whether each box `[N,4]` is the box of none of the people `[G,4]`; bool `[N]`."""
    if len(people) == 0:
        return torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    return pairwise_overlap(boxes, people).amax(1) < least


def _is_passer_by(boxes: Tensor) -> Tensor:
    """Whether each box `[N,4]`, N at least 1, is much less tall than the tallest; bool `[N]`."""
    heights = boxes[:, 3] - boxes[:, 1]
    return heights < _PASSER_BY_HEIGHT * heights.amax()


def _surprise(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy above its least possible value: 0 where the logits say the target."""
    least = -(torch.xlogy(target, target) + torch.xlogy(1 - target, 1 - target))
    return functional.binary_cross_entropy_with_logits(logits, target, reduction="none") - least


def _floats(planes: Tensor) -> Tensor:
    return planes.float().contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class BatchMaker:
    """Batch `i` of a sequence of pictures."""

    pictures: PeoplePictures
    size: int

    def __call__(self, number: int) -> People:
        """Pictures `number * size` and those after it."""
        start = number * self.size
        return stack([self.pictures.scene(start + i) for i in range(self.size)])


def train_detector(
    published: YoloxNano,
    pictures: PeoplePictures,
    schedule: Schedule,
    folder: Path,
    start: YoloxNano | None = None,
) -> YoloxNano:
    """Train from `start` or the published weights; returns the network with averaged weights.

    The first stages see edges and textures, which need no change: they stay frozen.
    """
    network = YoloxNano()
    network.load_state_dict((start or published).state_dict())
    backbone = network.backbone
    for part in (backbone.stem, backbone.stage_4, backbone.stage_8):
        part.requires_grad_(False)
    losses = RememberingLoss(published, Weights())
    return train(network, network, BatchMaker(pictures, schedule.batch), losses, schedule, folder)
