"""YOLOX-nano with the single label `person`.

Ge et al., "YOLOX: Exceeding YOLO Series in 2021" (https://arxiv.org/abs/2107.08430), the
depth-wise 0.91 M parameter variant. Batch normalisation is folded into the convolutions, as
in the published ONNX file that the weights are read from; fine-tuning at low rates therefore
never moves the statistics that the published network relies on.

Every module registers its convolutions in the order in which they run, which is the order of
the `Conv` nodes in the ONNX file: weights are matched by that order and checked by shape.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from edge_app.errors import ModelError
from model_build.data.published.annotated import published

STRIDES = (8, 16, 32)
PERSON_CLASS = 0  # COCO's first class


class ConvolutionUnit(nn.Module):
    """Convolution (with bias, batch normalisation folded in) and SiLU."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            channels_in, channels_out, kernel, stride, (kernel - 1) // 2, groups=groups
        )

    def forward(self, features: Tensor) -> Tensor:
        """[N,in,h,w] to [N,out,h/stride,w/stride]."""
        result: Tensor = nn.functional.silu(self.convolution(features))
        return result


class DepthwiseUnit(nn.Sequential):
    """A depth-wise 3x3 unit, then a point-wise one."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__(
            ConvolutionUnit(channels_in, channels_in, 3, stride, groups=channels_in),
            ConvolutionUnit(channels_in, channels_out),
        )


class Bottleneck(nn.Module):
    """Point-wise, then depth-wise unit, with or without a shortcut around them."""

    def __init__(self, channels: int, has_shortcut: bool) -> None:
        super().__init__()
        self.reduce = ConvolutionUnit(channels, channels)
        self.spread = DepthwiseUnit(channels, channels)
        self.has_shortcut = has_shortcut

    def forward(self, features: Tensor) -> Tensor:
        """[N,C,h,w] to the same shape."""
        result: Tensor = self.spread(self.reduce(features))
        return result + features if self.has_shortcut else result


class CrossStageLayer(nn.Module):
    """Cross-stage partial layer: half of the channels pass through the bottlenecks."""

    def __init__(
        self, channels_in: int, channels_out: int, depth: int = 1, has_shortcut: bool = False
    ) -> None:
        super().__init__()
        hidden = channels_out // 2
        self.main = ConvolutionUnit(channels_in, hidden)
        self.bypass = ConvolutionUnit(channels_in, hidden)
        self.bottlenecks = nn.Sequential(*(Bottleneck(hidden, has_shortcut) for _ in range(depth)))
        self.merge = ConvolutionUnit(2 * hidden, channels_out)

    def forward(self, features: Tensor) -> Tensor:
        """[N,in,h,w] to [N,out,h,w]."""
        main = self.main(features)
        bypass = self.bypass(features)
        result: Tensor = self.merge(torch.cat((self.bottlenecks(main), bypass), 1))
        return result


class Focus(nn.Module):
    """Space to depth: four neighbouring pixels become channels."""

    def __init__(self, channels_out: int) -> None:
        super().__init__()
        self.unit = ConvolutionUnit(12, channels_out, 3)

    def forward(self, images: Tensor) -> Tensor:
        """[N,3,H,W] to [N,out,H/2,W/2]."""
        patches = (
            images[..., ::2, ::2],
            images[..., 1::2, ::2],
            images[..., ::2, 1::2],
            images[..., 1::2, 1::2],
        )
        result: Tensor = self.unit(torch.cat(patches, 1))
        return result


class SpatialPyramidPooling(nn.Module):
    """The largest values in windows of 5, 9 and 13 cells beside the features themselves."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // 2
        self.reduce = ConvolutionUnit(channels, hidden)
        self.pools = nn.ModuleList(nn.MaxPool2d(size, 1, size // 2) for size in (5, 9, 13))
        self.merge = ConvolutionUnit(hidden * 4, channels)

    def forward(self, features: Tensor) -> Tensor:
        """[N,C,h,w] to the same shape."""
        reduced = self.reduce(features)
        pooled = [reduced, *(pool(reduced) for pool in self.pools)]
        result: Tensor = self.merge(torch.cat(pooled, 1))
        return result


class Backbone(nn.Module):
    """CSPDarknet at a quarter of its width; gives strides 8, 16, 32 (64, 128, 256 channels)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Focus(16)
        self.stage_4 = nn.Sequential(DepthwiseUnit(16, 32, 2), CrossStageLayer(32, 32, 1, True))
        self.stage_8 = nn.Sequential(DepthwiseUnit(32, 64, 2), CrossStageLayer(64, 64, 3, True))
        self.stage_16 = nn.Sequential(DepthwiseUnit(64, 128, 2), CrossStageLayer(128, 128, 3, True))
        self.stage_32 = nn.Sequential(
            DepthwiseUnit(128, 256, 2), SpatialPyramidPooling(256), CrossStageLayer(256, 256)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[N,3,H,W] to the features of strides 8, 16 and 32."""
        stride_8 = self.stage_8(self.stage_4(self.stem(images)))
        stride_16 = self.stage_16(stride_8)
        return stride_8, stride_16, self.stage_32(stride_16)


class FeaturePyramid(nn.Module):
    """Path aggregation: down the pyramid, then up again."""

    def __init__(self) -> None:
        super().__init__()
        self.lateral_32 = ConvolutionUnit(256, 128)
        self.down_16 = CrossStageLayer(256, 128)
        self.lateral_16 = ConvolutionUnit(128, 64)
        self.down_8 = CrossStageLayer(128, 64)
        self.stride_16 = DepthwiseUnit(64, 64, 2)
        self.up_16 = CrossStageLayer(128, 128)
        self.stride_32 = DepthwiseUnit(128, 128, 2)
        self.up_32 = CrossStageLayer(256, 256)

    def forward(self, stride_8: Tensor, stride_16: Tensor, stride_32: Tensor) -> list[Tensor]:
        """The backbone's three levels to three of 64, 128 and 256 channels, same strides."""
        lateral_32 = self.lateral_32(stride_32)
        middle = self.down_16(torch.cat((_twice(lateral_32), stride_16), 1))
        lateral_16 = self.lateral_16(middle)
        fine = self.down_8(torch.cat((_twice(lateral_16), stride_8), 1))
        medium = self.up_16(torch.cat((self.stride_16(fine), lateral_16), 1))
        coarse = self.up_32(torch.cat((self.stride_32(medium), lateral_32), 1))
        return [fine, medium, coarse]


class Head(nn.Module):
    """Decoupled head of one level: gives [N,6,h,w], centre offset, log size, objectness, class."""

    def __init__(self, channels_in: int) -> None:
        super().__init__()
        self.stem = ConvolutionUnit(channels_in, 64)
        self.class_units = nn.Sequential(DepthwiseUnit(64, 64), DepthwiseUnit(64, 64))
        self.class_logit = nn.Conv2d(64, 1, 1)
        self.box_units = nn.Sequential(DepthwiseUnit(64, 64), DepthwiseUnit(64, 64))
        self.box = nn.Conv2d(64, 4, 1)
        self.object_logit = nn.Conv2d(64, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        """[N,C,h,w] to [N,6,h,w]."""
        stem = self.stem(features)
        class_logit = self.class_logit(self.class_units(stem))
        box_features = self.box_units(stem)
        return torch.cat((self.box(box_features), self.object_logit(box_features), class_logit), 1)


class YoloxNano(nn.Module):
    """YOLOX-nano for people."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.pyramid = FeaturePyramid()
        self.heads = nn.ModuleList(Head(channels) for channels in (64, 128, 256))

    def raw(self, images_bgr: Tensor) -> Tensor:
        """What the convolutions say, undecoded.

        Args:
            images_bgr: float [N,3,H,W], 0..255, H and W multiples of 32.

        Returns:
            float [N,A,6]: centre offset x, y in cells, log width, log height in cells,
            objectness logit, person logit; levels of stride 8, 16, 32 one after the other.
        """
        levels = self.pyramid(*self.backbone(images_bgr))
        maps = [head(level) for head, level in zip(self.heads, levels, strict=True)]
        return torch.cat([level.flatten(2) for level in maps], 2).transpose(1, 2)

    def forward(self, images_bgr: Tensor) -> tuple[Tensor, Tensor]:
        """People in pictures.

        Args:
            images_bgr: float [N,3,H,W], 0..255, H and W multiples of 32.

        Returns:
            boxes float [N,A,4] xyxy in input pixels and scores float [N,A,1] in 0..1.
        """
        height, width = images_bgr.shape[-2:]
        raw = self.raw(images_bgr)
        boxes = decode(raw, cells(int(height), int(width)).to(raw))
        return boxes, raw[..., 4:5].sigmoid() * raw[..., 5:6].sigmoid()


def _twice(features: Tensor) -> Tensor:
    return nn.functional.interpolate(features, scale_factor=2.0, mode="nearest")


def cells(height_px: int, width_px: int) -> Tensor:
    """Left, top and stride of every cell in pixels, in the order of the network's outputs.

    >>> cells(32, 64)[:3].tolist()
    [[0.0, 0.0, 8.0], [8.0, 0.0, 8.0], [16.0, 0.0, 8.0]]

    Returns:
        float32 [A,3].
    """
    levels = []
    for stride in STRIDES:
        rows, columns = np.mgrid[0 : height_px // stride, 0 : width_px // stride]
        corner = np.stack((columns, rows, np.ones_like(rows)), -1).reshape(-1, 3) * stride
        levels.append(corner.astype(np.float32))
    return torch.from_numpy(np.concatenate(levels))


def decode(raw: Tensor, grid: Tensor) -> Tensor:
    """Boxes [N,A,4] xyxy in pixels of the raw outputs [N,A,6], with the grid of `cells`."""
    centre = raw[..., 0:2] * grid[:, 2:3] + grid[:, 0:2]
    half_size = raw[..., 2:4].exp() * (grid[:, 2:3] / 2)
    return torch.cat((centre - half_size, centre + half_size), -1)


def load_published(path: Path) -> YoloxNano:
    """Reads the published COCO weights; of the 80 classes only the person is kept.

    Args:
        path: the published ONNX file (`weights/yolox_nano_416.onnx` in the data folder).

    Raises:
        DataError: there is no such file.
        ModelError: the file does not hold the convolutions of YOLOX-nano.
    """
    graph = onnx.load(str(published(path, "YOLOX-nano"))).graph
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    stored = [
        (tensors[node.input[1]], tensors[node.input[2]])
        for node in graph.node
        if node.op_type == "Conv"
    ]
    network = YoloxNano()
    _assign([m for m in network.modules() if isinstance(m, nn.Conv2d)], stored, path)
    return network


def _assign(
    convolutions: Sequence[nn.Conv2d],
    stored: Sequence[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]],
    path: Path,
) -> None:
    if len(convolutions) != len(stored):
        raise ModelError(
            f"{path}: expected the {len(convolutions)} convolutions of YOLOX-nano, found "
            f"{len(stored)}; give the published yolox_nano_416.onnx"
        )
    for convolution, (weight, bias) in zip(convolutions, stored, strict=True):
        # Of the class outputs (80 filters, one here) only the person's is kept.
        kept = slice(PERSON_CLASS, PERSON_CLASS + convolution.out_channels)
        if weight[kept].shape != tuple(convolution.weight.shape):
            raise ModelError(
                f"{path}: a convolution of shape {weight.shape} stands where YOLOX-nano "
                f"has {tuple(convolution.weight.shape)}"
            )
        convolution.load_state_dict(
            {"weight": torch.tensor(weight[kept]), "bias": torch.tensor(bias[kept])}
        )
