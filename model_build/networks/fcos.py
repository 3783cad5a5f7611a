"""A ResNet50-FPN detector, for comparison: what the large anchor-free detectors looked like.

Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017; Tian et al., "FCOS: Fully
Convolutional One-Stage Object Detection", ICCV 2019. 31 million parameters.

    picture → ResNet50 → strides 8, 16, 32, 64 at 256 channels → per cell: labels, box, centredness
                                    stride 32 → mean → `wears`, where it is asked for
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_build.networks.published import NormaliseRgb
from model_build.networks.resnet import CHANNELS, ResNet50

STRIDES = (8, 16, 32, 64)
_WIDTH = 256
_TOWER = 4
_GROUPS = 32
_RARE_LOGIT = -math.log((1 - 0.01) / 0.01)


class FeaturePyramid(nn.Module):
    """Features of three strides to four of one width."""

    def __init__(self) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(nn.Conv2d(channels, _WIDTH, 1) for channels in CHANNELS)
        self.outputs = nn.ModuleList(nn.Conv2d(_WIDTH, _WIDTH, 3, 1, 1) for _ in CHANNELS)
        self.coarser = nn.Conv2d(_WIDTH, _WIDTH, 3, 2, 1)

    def forward(self, features: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
        """Strides 8, 16, 32 to strides 8, 16, 32, 64."""
        fine, middle, coarse = (
            lateral(level) for lateral, level in zip(self.laterals, features, strict=True)
        )
        middle = middle + functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
        fine = fine + functional.interpolate(middle, scale_factor=2.0, mode="nearest")
        levels = [
            output(level)
            for output, level in zip(self.outputs, (fine, middle, coarse), strict=True)
        ]
        return [*levels, self.coarser(levels[-1])]


def _tower() -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(_TOWER):
        layers += [nn.Conv2d(_WIDTH, _WIDTH, 3, 1, 1), nn.GroupNorm(_GROUPS, _WIDTH), nn.ReLU()]
    return nn.Sequential(*layers)


class ResNet50Fpn(nn.Module):
    """Float pictures `[N,3,H,W]` BGR 0..255, H and W multiples of 32, to boxes and scores.

    Args:
        labels: how many labels there are.
        categories: how many categories `wears` tells; 0 for none.
    """

    def __init__(self, labels: int, categories: int = 0) -> None:
        super().__init__()
        self.normalise = NormaliseRgb()
        self.backbone = ResNet50()
        self.pyramid = FeaturePyramid()
        self.label_tower, self.box_tower = _tower(), _tower()
        self.label = nn.Conv2d(_WIDTH, labels, 3, 1, 1)
        self.box = nn.Conv2d(_WIDTH, 4, 3, 1, 1)
        self.centredness = nn.Conv2d(_WIDTH, 1, 3, 1, 1)
        self.wear = nn.Linear(CHANNELS[-1], categories) if categories else None
        for layer in (self.label, self.box, self.centredness):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.constant_(self.label.bias, _RARE_LOGIT)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """The model contract: boxes `[N,A,4]`, scores `[N,A,C]`, and wears if it is told."""
        boxes, labels, centredness, wears = self.predict(pictures)
        scores = (labels.sigmoid() * centredness.sigmoid()[..., None]).sqrt()
        return (boxes, scores) if wears is None else (boxes, scores, wears.sigmoid())

    def predict(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """For training: boxes `[N,A,4]` xyxy, logits: labels, centredness `[N,A]`, wears."""
        features = self.backbone(self.normalise(pictures))
        levels = self.pyramid(features)
        boxes, labels, centredness = [], [], []
        for level, stride in zip(levels, STRIDES, strict=True):
            towards_box = self.box_tower(level)
            reach = _by_cell(self.box(towards_box)).clamp(-4.0, 4.0).exp() * stride
            grid = cells_of(int(level.shape[2]), int(level.shape[3]), stride).to(reach)
            centre = grid[:, :2]
            boxes.append(torch.cat((centre - reach[..., :2], centre + reach[..., 2:]), 2))
            labels.append(_by_cell(self.label(self.label_tower(level))))
            centredness.append(_by_cell(self.centredness(towards_box))[..., 0])
        wears = None if self.wear is None else self.wear(features[-1].mean(dim=(2, 3)))
        return torch.cat(boxes, 1), torch.cat(labels, 1), torch.cat(centredness, 1), wears


def _by_cell(level: Tensor) -> Tensor:
    """`[N,C,h,w]` → `[N,h*w,C]`."""
    return level.flatten(2).transpose(1, 2)


def cells_of(height: int, width: int, stride: int) -> Tensor:
    """Centre x, y and stride of a level's cells in input pixels, `[height*width,3]`, row by row.

    >>> cells_of(1, 2, 8).tolist()
    [[4.0, 4.0, 8.0], [12.0, 4.0, 8.0]]
    """
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    centres = (torch.stack((x, y), -1).flatten(0, 1).float() + 0.5) * stride
    return torch.cat((centres, torch.full((len(centres), 1), float(stride))), 1)


def cells(height_px: int, width_px: int) -> Tensor:
    """The cells of all levels for a picture's size, `[A,3]`, in the order of the outputs."""
    levels = [
        cells_of(math.ceil(height_px / stride), math.ceil(width_px / stride), stride)
        for stride in STRIDES
    ]
    return torch.cat(levels)
