"""VGG19 as a category classifier, for comparison: what most articles on clothing start from.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2015,
configuration E. As in DeepFashion and its followers, the layers up to the second fully connected
one keep their published weights, and the last one is learnt anew. 139 million parameters.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_build.networks.classifier import Classifier
from model_build.networks.published import NormaliseRgb, load_state

_CONVOLUTIONS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
_STRIDE = 32


class Vgg19Classifier(Classifier):
    """Float crops `[M,3,h,w]` BGR 0..255 of any size, stretched to a square.

    Args:
        side_px: of the square; a multiple of 32. The published weights need 224.
        width: of the fully connected layers. The published weights need 4096.
    """

    backbone: Vgg19

    def __init__(self, side_px: int = 224, width: int = 4096) -> None:
        super().__init__()
        self.side_px = side_px
        self.normalise = NormaliseRgb()
        self.backbone = Vgg19(side_px, width)
        self.add_heads(width)

    def describe_crops(self, pictures: Tensor) -> Tensor:
        """The second fully connected layer, `[M,width]`."""
        size = (self.side_px, self.side_px)
        square = functional.interpolate(pictures, size, mode="bilinear", align_corners=False)
        described: Tensor = self.backbone(self.normalise(square))
        return described


class Vgg19(nn.Module):
    """A normalised RGB square to the second fully connected layer."""

    def __init__(self, side_px: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for wide, count in _CONVOLUTIONS:
            for _ in range(count):
                layers += [nn.Conv2d(channels, wide, 3, padding=1), nn.ReLU(inplace=True)]
                channels = wide
            layers.append(nn.MaxPool2d(2))
        cells = (side_px // _STRIDE) ** 2
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(channels * cells, width),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
            nn.Dropout(),
        )
        for layer in layers:
            if isinstance(layer, nn.Conv2d):  # else nothing comes through sixteen of them
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, pictures: Tensor) -> Tensor:
        """`[M,3,side,side]` → `[M,width]`."""
        described: Tensor = self.classifier(torch.flatten(self.features(pictures), 1))
        return described


def load_vgg19(network: Vgg19Classifier, path: Path) -> None:
    """Read the published weights (`features.0.weight` …) from a file.

    Raises:
        ModelError: the file does not hold them.
    """
    load_state(network.backbone, path, replaced=())
