"""ShuffleNetV2 1.0x as NanoDet-m ships it: batch normalisation folded, LeakyReLU(0.1).

Without normalisation layers the network behaves the same in training and in use, costs a third
less on a CPU, and exports as plain convolutions. It is only useful with trained weights:
:func:`load_nanodet_weights` reads them out of the ONNX file.

Reference: Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture
Design", ECCV 2018.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

STAGE_CHANNELS = (116, 232, 464)
STAGE_STRIDES = (8, 16, 32)
_STAGE_UNITS = (4, 8, 4)
_STEM_CHANNELS = 24
NEGATIVE_SLOPE = 0.1

# The statistics the NanoDet weights were trained with: BGR order, 0..255.
MEAN_BGR = (103.53, 116.28, 123.675)
DEVIATION_BGR = (57.375, 57.12, 58.395)


def activation() -> nn.Module:
    """The one activation of the network."""
    return nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)


def depthwise(channels: int, stride: int = 1, size: int = 3) -> nn.Conv2d:
    """A depthwise convolution that keeps the picture's size at stride 1."""
    return nn.Conv2d(channels, channels, size, stride, size // 2, groups=channels)


def _shuffle(features: Tensor) -> Tensor:
    """Interleave the two halves of the channels of `features` `[N,C,h,w]`."""
    _, channels, height, width = features.shape
    paired = features.view(-1, 2, channels // 2, height, width)
    return paired.transpose(1, 2).reshape(-1, channels, height, width)


class ShuffleUnit(nn.Module):
    """One unit: half of the channels pass (or are reduced, at stride 2), half are convolved."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        half = channels_out // 2
        self.stride = stride
        self.shortcut: nn.Sequential | None = None
        if stride == 2:
            self.shortcut = nn.Sequential(
                depthwise(channels_in, 2), nn.Conv2d(channels_in, half, 1), activation()
            )
        self.branch = nn.Sequential(
            nn.Conv2d(channels_in if stride == 2 else half, half, 1),
            activation(),
            depthwise(half, stride),
            nn.Conv2d(half, half, 1),
            activation(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """`[N,C,h,w]` → `[N,C',h/stride,w/stride]`."""
        if self.shortcut is not None:
            joined = torch.cat((self.shortcut(features), self.branch(features)), dim=1)
        else:
            passed, convolved = features.chunk(2, dim=1)
            joined = torch.cat((passed, self.branch(convolved)), dim=1)
        return _shuffle(joined)


class ShuffleNetV2(nn.Module):
    """The backbone: a normalised picture to features at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, _STEM_CHANNELS, 3, 2, 1), activation(), nn.MaxPool2d(3, 2, 1)
        )
        stages: list[nn.Module] = []
        channels = _STEM_CHANNELS
        for width, units in zip(STAGE_CHANNELS, _STAGE_UNITS, strict=True):
            blocks = [ShuffleUnit(channels, width, 2)]
            blocks += [ShuffleUnit(width, width, 1) for _ in range(units - 1)]
            stages.append(nn.Sequential(*blocks))
            channels = width
        self.stages = nn.ModuleList(stages)

    def freeze_early(self) -> None:
        """Stop training the stem and the first stage.

        Edges and textures are the same everywhere, and training without these layers takes two
        thirds of the time.
        """
        for part in (self.stem, self.stages[0]):
            for parameter in part.parameters():
                parameter.requires_grad_(False)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised BGR `[N,3,H,W]` → 116, 232 and 464 channels at strides 8, 16 and 32."""
        features = self.stem(pictures)
        outputs = []
        for stage in self.stages:
            features = stage(features)
            outputs.append(features)
        return outputs[0], outputs[1], outputs[2]


class Normalise(nn.Module):
    """Float pictures `[N,3,H,W]` BGR 0..255 → the range the weights were trained with."""

    def __init__(self) -> None:
        super().__init__()
        scale = 1.0 / torch.tensor(DEVIATION_BGR)
        self.register_buffer("mean", torch.tensor(MEAN_BGR).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", scale.view(1, 3, 1, 1), persistent=False)
        self.mean: Tensor
        self.scale: Tensor

    def forward(self, pictures: Tensor) -> Tensor:
        """`[N,3,H,W]` → `[N,3,H,W]`."""
        return (pictures - self.mean) * self.scale


def nanodet_convolutions(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights and biases of every convolution of a NanoDet ONNX file, in the graph's order."""
    graph = onnx.load(str(path)).graph
    arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    convolutions = (node for node in graph.node if node.op_type == "Conv")
    return [(arrays[node.input[1]], arrays[node.input[2]]) for node in convolutions]


def load_nanodet_weights(backbone: ShuffleNetV2, path: Path) -> None:
    """Copy the backbone's weights out of NanoDet-m's ONNX file.

    The graph lists a unit's shortcut before its branch, as `modules()` does here, so the two
    sequences of convolutions match one to one.

    Raises:
        ValueError: the file's convolutions have other shapes than this backbone's.
    """
    ours = [module for module in backbone.modules() if isinstance(module, nn.Conv2d)]
    theirs = nanodet_convolutions(path)
    for index, (module, (weight, bias)) in enumerate(zip(ours, theirs, strict=False)):
        if tuple(module.weight.shape) != weight.shape or module.bias is None:
            raise ValueError(
                f"{path}: convolution {index} has shape {weight.shape}, "
                f"expected {tuple(module.weight.shape)}; is this nanodet_m_416.onnx?"
            )
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(weight.copy()))
            module.bias.copy_(torch.from_numpy(bias.copy()))
