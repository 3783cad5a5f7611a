"""The backbone's shapes, its padding, and that the published weights fit."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from model_build.networks.efficientnet import (
    EfficientNetLite0,
    InvertedResidual,
    Seeing,
    convolution,
    load_imagenet_weights,
    published_weights,
)


def test_features_come_at_strides_8_16_and_32() -> None:
    backbone = EfficientNetLite0()
    fine, seen = backbone.see(torch.rand(1, 3, 64, 96) * 255)
    middle, coarse = backbone.understand(seen)
    assert fine.shape == (1, 40, 8, 12)
    assert seen.shape == (1, 80, 4, 6)
    assert middle.shape == (1, 112, 4, 6)
    assert coarse.shape == (1, 320, 2, 3)
    assert backbone.channels == 320


def test_fewer_late_blocks_end_with_fewer_channels() -> None:
    backbone = EfficientNetLite0(late_blocks=5)
    _, coarse = backbone.understand(backbone.see(torch.rand(1, 3, 32, 32))[1])
    assert coarse.shape == (1, backbone.channels, 1, 1) == (1, 192, 1, 1)


@pytest.mark.parametrize(("size", "before", "after"), [(3, 0, 1), (5, 1, 2)])
def test_strided_convolutions_pad_more_at_the_right_and_below(
    size: int, before: int, after: int
) -> None:
    layer = convolution(2, 2, size, 2, groups=2)
    plain = next(module for module in layer.modules() if isinstance(module, nn.Conv2d))
    picture = torch.rand(1, 2, 8, 8)
    padded = functional.pad(picture, (before, after, before, after))
    expected = functional.conv2d(padded, plain.weight, plain.bias, stride=2, groups=2)
    torch.testing.assert_close(layer(picture), expected)


def test_a_block_adds_its_input_only_where_the_shapes_agree() -> None:
    features = torch.rand(1, 8, 4, 4)
    same = InvertedResidual(8, 8, 3, 1, 2)
    for parameter in same.parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(same(features), features)
    assert InvertedResidual(8, 8, 3, 2, 2)(features).shape == (1, 8, 2, 2)
    assert not InvertedResidual(8, 12, 3, 1, 2).is_added


def test_seeing_gives_what_is_wanted() -> None:
    backbone = EfficientNetLite0().eval()
    pictures = torch.rand(1, 3, 32, 32) * 255
    fine, seen = backbone.see(pictures)
    both = Seeing(backbone, is_fine_wanted=True)(pictures)
    (only,) = Seeing(backbone, is_fine_wanted=False)(pictures)
    assert torch.equal(both[0], fine)
    assert torch.equal(both[1], seen)
    assert torch.equal(only, seen)


def test_folded_weights_do_what_convolution_and_normalisation_did() -> None:
    published = torch.load(published_weights(), map_location="cpu", weights_only=True)
    backbone = EfficientNetLite0()
    load_imagenet_weights(backbone, published_weights())
    picture_bgr = torch.randint(0, 256, (1, 3, 32, 32)).float()
    rgb = functional.pad((picture_bgr.flip(1) - 127) / 128, (0, 1, 0, 1))
    features = functional.conv2d(rgb, published["_conv_stem.weight"], stride=2)
    features = functional.batch_norm(
        features,
        published["_bn0.running_mean"],
        published["_bn0.running_var"],
        published["_bn0.weight"],
        published["_bn0.bias"],
        eps=1e-3,
    )
    ours = backbone.early[0]((picture_bgr - 127) / 128)
    torch.testing.assert_close(ours, features, rtol=1e-4, atol=1e-4)


def test_published_weights_keep_features_in_range_to_the_last_layer() -> None:
    backbone = EfficientNetLite0()
    load_imagenet_weights(backbone, published_weights())
    with torch.no_grad():
        _, coarse = backbone.understand(backbone.see(torch.rand(1, 3, 64, 64) * 255)[1])
    assert torch.isfinite(coarse).all()
    assert 0.1 < float(coarse.std()) < 10


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    weights = {"first.weight": torch.zeros(4, 3, 3, 3), "norm.running_mean": torch.zeros(4)}
    torch.save(weights, path)
    with pytest.raises(ValueError, match=r"other\.pth: first\.weight has shape \(4, 3, 3, 3\)"):
        load_imagenet_weights(EfficientNetLite0(), path)
