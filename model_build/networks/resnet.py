"""ResNet50 as torchvision names its layers, with normalisation frozen.

He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; the stride is at the 3x3
convolution, as in torchvision.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from model_build.networks.published import load_state

CHANNELS = (512, 1024, 2048)
"""Of the features at strides 8, 16 and 32."""
_EXPANSION = 4


class FrozenNormalisation(nn.Module):
    """Batch normalisation with its statistics and weights as they were published."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.weight: Tensor
        self.bias: Tensor
        self.running_mean: Tensor
        self.running_var: Tensor

    def forward(self, features: Tensor) -> Tensor:
        """`[N,C,h,w]` → `[N,C,h,w]`."""
        scale = self.weight * (self.running_var + 1e-5).rsqrt()
        shift = self.bias - self.running_mean * scale
        return features * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)


class Bottleneck(nn.Module):
    """Narrow, 3x3, widen, and the input added to it."""

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        channels_out = width * _EXPANSION
        self.conv1 = nn.Conv2d(channels_in, width, 1, bias=False)
        self.bn1 = FrozenNormalisation(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = FrozenNormalisation(width)
        self.conv3 = nn.Conv2d(width, channels_out, 1, bias=False)
        self.bn3 = FrozenNormalisation(channels_out)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or channels_in != channels_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False),
                FrozenNormalisation(channels_out),
            )

    def forward(self, features: Tensor) -> Tensor:
        """`[N,C,h,w]` → `[N,4*width,h/stride,w/stride]`."""
        passed = features if self.downsample is None else self.downsample(features)
        features = self.bn1(self.conv1(features)).relu()
        features = self.bn2(self.conv2(features)).relu()
        joined: Tensor = (self.bn3(self.conv3(features)) + passed).relu()
        return joined


def _stage(channels_in: int, width: int, units: int, stride: int) -> nn.Sequential:
    others = [Bottleneck(width * _EXPANSION, width, 1) for _ in range(units - 1)]
    return nn.Sequential(Bottleneck(channels_in, width, stride), *others)


class ResNet50(nn.Module):
    """A normalised RGB picture to features at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = FrozenNormalisation(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(64, 64, 3, stride=1)
        self.layer2 = _stage(256, 128, 4, stride=2)
        self.layer3 = _stage(512, 256, 6, stride=2)
        self.layer4 = _stage(1024, 512, 3, stride=2)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`[N,3,H,W]` → 512, 1024 and 2048 channels at strides 8, 16 and 32."""
        features = self.layer1(self.maxpool(self.bn1(self.conv1(pictures)).relu()))
        fine = self.layer2(features)
        middle = self.layer3(fine)
        return fine, middle, self.layer4(middle)


def load_resnet50(backbone: ResNet50, path: Path) -> None:
    """Read the published weights (`layer1.0.conv1.weight` …) from a file.

    Raises:
        ModelError: the file does not hold them.
    """
    load_state(backbone, path, replaced=())
