"""The garment model: where garments are on a person's crop, and what the person wears.

    crop 256x128 → EfficientNet-Lite0 → stride 8 ─┐
                                        stride 16 ─┼→ one map at stride 16 → per cell and region:
                                        stride 32 ─┘                         a score and a box
                                        stride 32 ──→ four strips from head to feet → `wears`

One stride is enough: garments on a person's crop are all large. Each region has two boxes of its
own in every cell, since a dress and the jacket over it share a centre, and so do that jacket and
the shirt under it: the first is for the largest garment of a region, the second for any other.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_app.vocabulary import CATEGORIES, REGIONS
from model_build.networks.efficientnet import (
    FINE_CHANNELS,
    MIDDLE_CHANNELS,
    EfficientNetLite0,
    activation,
    convolution,
)

STRIDE = 16
STRIPS = 4
_LATE_BLOCKS = 5
_WIDTH = 96
_WEARS_WIDTH = 384
_RARE_LOGIT = -4.0
_SECOND_LOGIT = -3.0

LAYERS = 2
"""Boxes of a region in each cell: of its largest garment, and of another."""


def _mixing(size: int) -> nn.Sequential:
    channelwise = convolution(_WIDTH, _WIDTH, size, groups=_WIDTH)
    return nn.Sequential(channelwise, nn.Conv2d(_WIDTH, _WIDTH, 1), activation())


class _Refinement(nn.Module):
    """Looks around once more; starts as the identity."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(_mixing(5), nn.Conv2d(_WIDTH, _WIDTH, 1))
        nn.init.zeros_(self.layers[1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.layers[1].bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """`[N,96,h,w]` of the same shape."""
        refined: Tensor = features + self.layers(features)
        return refined


class GarmentNetwork(nn.Module):
    """Float crops `[N,3,H,W]` BGR 0..255 to boxes, scores and wears; H and W in 32s.

    Attributes:
        younger_parts: what older model files lack; it starts so that it changes next to nothing.
    """

    younger_parts = ("refine", "differ")

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        self.backbone = EfficientNetLite0(_LATE_BLOCKS)
        coarse = self.backbone.channels
        self.from_fine = nn.Sequential(
            convolution(FINE_CHANNELS, FINE_CHANNELS, 3, 2, groups=FINE_CHANNELS),
            nn.Conv2d(FINE_CHANNELS, _WIDTH, 1),
        )
        self.from_middle = nn.Conv2d(MIDDLE_CHANNELS, _WIDTH, 1)
        self.from_coarse = nn.Conv2d(coarse, _WIDTH, 1)
        self.mix = nn.Sequential(activation(), _mixing(5), _mixing(5))
        self.refine = nn.Sequential(_Refinement(), _Refinement())
        self.find = nn.Conv2d(_WIDTH, len(REGIONS) * 5, 1)
        self.differ = nn.Conv2d(_WIDTH, len(REGIONS) * 5, 1)
        self.describe = nn.Sequential(nn.Conv2d(coarse, _WEARS_WIDTH, 1), activation())
        self.dropout = nn.Dropout(dropout)
        self.wear = nn.Linear((STRIPS + 1) * _WEARS_WIDTH, len(CATEGORIES))
        with torch.no_grad():
            bias = torch.zeros(len(REGIONS), 5)
            bias[:, 0] = _RARE_LOGIT
            bias[:, 1:] = 1.0
            self.find.weight.mul_(0.1)
            self.find.bias.copy_(bias.flatten())  # type: ignore[union-attr]
            self.differ.weight.zero_()
            self.differ.bias.view_as(bias).copy_(  # type: ignore[union-attr]
                torch.tensor([_SECOND_LOGIT, 0.0, 0.0, 0.0, 0.0])
            )
            self.wear.weight.mul_(0.1)
            self.wear.bias.fill_(-2.0)

    def freeze_wears(self) -> None:
        """Train nothing on which `wears` depends: the backbone and what describes the person."""
        for part in (self.backbone, self.describe, self.wear):
            part.requires_grad_(requires_grad=False)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The model contract: boxes `[N,A,4]`, scores `[N,A,3]`, wears `[N,15]`, all final.

        A is cells times layers times regions: a candidate is one of a region's boxes in one cell,
        and scores 0 for the other regions.
        """
        boxes, logits, wears = self.predict(pictures)
        own = torch.eye(len(REGIONS), dtype=logits.dtype, device=logits.device).repeat(LAYERS, 1)
        scores = logits.sigmoid().unsqueeze(3) * own
        return boxes.flatten(1, 2), scores.flatten(1, 2), wears.sigmoid()

    def predict(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Training: boxes `[N,A,6,4]`, logits of scores `[N,A,6]` and wears `[N,15]`; A cells.

        Of the six, three are each region's largest garment, three another one.
        """
        return self.predict_seen(*self.backbone.see(pictures))

    def predict_seen(self, fine: Tensor, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As :meth:`predict`, of what the backbone's early part made of the pictures."""
        height, width = seen.shape[2:]
        middle, coarse = self.backbone.understand(seen)
        larger = functional.interpolate(self.from_coarse(coarse), scale_factor=2.0, mode="nearest")
        mixed = self.mix(self.from_fine(fine) + self.from_middle(middle) + larger)
        refined = self.refine(mixed)
        first = self.find(refined)
        found = torch.cat((first, first + self.differ(refined)), dim=1).flatten(2).transpose(1, 2)
        found = torch.unflatten(found, 2, (LAYERS * len(REGIONS), 5))
        reach = found[..., 1:].clamp(-4.0, 4.0).exp() * STRIDE
        centres = cell_centres(height, width).to(reach)[:, None]
        boxes = torch.cat((centres - reach[..., :2], centres + reach[..., 2:]), dim=-1)
        return boxes, found[..., 0], self._wears(coarse)

    def _wears(self, coarse: Tensor) -> Tensor:
        described = self.describe(coarse)
        rows = int(described.shape[2])
        # Adaptive pooling by hand: exporting it needs sizes that the trace does not know.
        bounds = [(i * rows // STRIPS, -(-(i + 1) * rows // STRIPS)) for i in range(STRIPS)]
        means = [described[:, :, low:high].mean(dim=(2, 3)) for low, high in bounds]
        strips = torch.stack(means, dim=2).flatten(1)
        strongest = described.amax(dim=(2, 3))
        logits: Tensor = self.wear(self.dropout(torch.cat((strips, strongest), dim=1)))
        return logits


def cell_centres(height: int, width: int) -> Tensor:
    """The centres of the cells in input pixels, float `[height*width, 2]` xy, row by row."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (torch.stack((x, y), dim=-1).flatten(0, 1).float() + 0.5) * STRIDE
