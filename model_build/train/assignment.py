"""Which cells answer for which person: SimOTA, as YOLOX trains.

Ge et al., "YOLOX: Exceeding YOLO Series in 2021", section 2.1; a simplification of "OTA: Optimal
Transport Assignment for Object Detection" (Ge et al., CVPR 2021).
"""

from __future__ import annotations

import torch
from torch import Tensor

from model_build.train.overlap import pairwise_overlap

_CENTRE_RADIUS_CELLS = 2.5
_CANDIDATES = 10
_OVERLAP_WEIGHT = 3.0
_FAR = 1e5


@torch.no_grad()
def assign(grid: Tensor, boxes: Tensor, scores: Tensor, people: Tensor) -> tuple[Tensor, Tensor]:
    """Give each person the cells that already fit best.

    Args:
        grid: `[A,3]` left, top, stride of the cells, px.
        boxes: `[A,4]` predicted, xyxy.
        scores: `[A]` predicted, 0..1.
        people: `[G,4]` true boxes, xyxy.

    Returns:
        Per cell the index of its person or -1, int64 `[A]`, and its overlap with that person,
        `[A]`, 0 where there is none.
    """
    owner = torch.full((len(grid),), -1, dtype=torch.int64, device=grid.device)
    overlap_won = torch.zeros(len(grid), device=grid.device)
    if len(people) == 0:
        return owner, overlap_won
    centre = grid[:, :2] + grid[:, 2:] / 2  # [A,2]
    inside = (
        (centre[:, None] > people[None, :, :2]) & (centre[:, None] < people[None, :, 2:])
    ).all(2)
    middle = (people[:, :2] + people[:, 2:]) / 2
    near = (centre[:, None] - middle[None]).abs().amax(2) < _CENTRE_RADIUS_CELLS * grid[:, 2:]
    rows = torch.nonzero((inside | near).any(1)).squeeze(1)
    overlap = pairwise_overlap(boxes[rows], people)  # [R,G]
    cost = (
        -scores[rows, None].clamp(min=1e-6).sqrt().log()
        - _OVERLAP_WEIGHT * (overlap + 1e-8).log()
        + _FAR * ~(inside & near)[rows]
    )
    wanted = overlap.topk(min(_CANDIDATES, len(rows)), 0).values.sum(0).int().clamp(min=1)  # [G]
    rank = cost.argsort(0).argsort(0)
    chosen = rank < wanted[None]
    # A cell that several people want goes to the cheapest of them.
    cheapest = torch.where(chosen, cost, torch.full_like(cost, float("inf"))).argmin(1)
    taken = chosen.any(1)
    owner[rows[taken]] = cheapest[taken]
    overlap_won[rows[taken]] = overlap[taken, cheapest[taken]]
    return owner, overlap_won
