"""How much boxes overlap, in torch, so that it can be learned from."""

from __future__ import annotations

import torch
from torch import Tensor


def aligned_overlap(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    """Intersection over union of xyxy boxes `[...,4]`, pair by pair, `[...]`."""
    shared, union = _shared_and_union(boxes_a, boxes_b)
    return shared / union.clamp(min=1e-6)


def generalised_overlap(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    """:func:`aligned_overlap` less the share of the box around both that neither fills; -1 to 1.

    Rezatofighi et al., "Generalized Intersection over Union", CVPR 2019.
    """
    shared, union = _shared_and_union(boxes_a, boxes_b)
    low = torch.minimum(boxes_a[..., :2], boxes_b[..., :2])
    high = torch.maximum(boxes_a[..., 2:], boxes_b[..., 2:])
    around = (high - low).clamp(min=0).prod(-1)
    return shared / union.clamp(min=1e-6) - (around - union) / around.clamp(min=1e-6)


def pairwise_overlap(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    """Intersection over union of every pair, `[N,M]` of xyxy boxes `[N,4]` and `[M,4]`."""
    return aligned_overlap(boxes_a[:, None], boxes_b[None])


def _shared_and_union(boxes_a: Tensor, boxes_b: Tensor) -> tuple[Tensor, Tensor]:
    low = torch.maximum(boxes_a[..., :2], boxes_b[..., :2])
    high = torch.minimum(boxes_a[..., 2:], boxes_b[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area_a, area_b = ((boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (boxes_a, boxes_b))
    return shared, area_a + area_b - shared
