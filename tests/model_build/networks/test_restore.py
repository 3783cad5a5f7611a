"""Weights come back out of model files: of the shipped ones, and of any that are exported."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edge_app.errors import ModelError
from model_build.export import (
    Card,
    ClassifierGraph,
    DetectorGraph,
    export_classifier,
    largest_difference,
)
from model_build.networks.classifier import GarmentClassifier
from model_build.networks.garments import GarmentNetwork
from model_build.networks.restore import load_exported
from model_build.networks.yolox import YoloxNano

CARD = Card("classifier", "1.2.3", ("red",), "Apache-2.0", "nothing", {})


@pytest.mark.parametrize(
    ("name", "graph", "size_hw"),
    [
        ("detector", DetectorGraph(YoloxNano(), 100), (320, 512)),
        ("garments", DetectorGraph(GarmentNetwork(), 128), (256, 128)),
        ("classifier", ClassifierGraph(GarmentClassifier()), (192, 160)),
    ],
)
def test_a_shipped_model_is_restored(
    root: Path, name: str, graph: DetectorGraph | ClassifierGraph, size_hw: tuple[int, int]
) -> None:
    path = root / "edge_app" / "models" / f"{name}.onnx"
    load_exported(graph.network, path)
    pictures = np.random.default_rng(0).integers(0, 256, (2, *size_hw, 3)).astype(np.uint8)
    differences = largest_difference(graph, path, pictures)
    assert max(differences.values()) < 2e-3
    assert all(value < 1e-4 for output, value in differences.items() if output != "boxes")


class Colours(nn.Module):
    """Equal biases, a layer without one inside a container, and a parameter only for training."""

    only_in_training = ("prototypes",)

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.Conv2d(3, 48, 1), nn.ReLU(), nn.Conv2d(48, 48, 1))
        self.deeper = nn.Sequential(nn.Identity(), nn.Linear(48, 64, bias=False))
        self.prototypes = nn.Parameter(torch.randn(2, 2))
        with torch.no_grad():
            for layer in (self.mix[0], self.mix[2]):
                layer.bias.zero_()  # type: ignore[union-attr, operator]

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        described = self.deeper(self.mix(planes / 255).mean((2, 3)))
        return described.softmax(1), nn.functional.normalize(described, dim=1)


def test_what_was_exported_comes_back_to_half_precision(tmp_path: Path) -> None:
    path = tmp_path / "colours.onnx"
    network, other = Colours(), Colours()
    export_classifier(network, (8, 8), path, CARD)
    kept = other.prototypes.detach().clone()
    load_exported(other, path)
    for name, value in network.state_dict().items():
        if name != "prototypes":
            wanted = value.half().float() if value.numel() >= 1024 else value
            assert torch.equal(other.state_dict()[name], wanted), name
    assert torch.equal(other.prototypes, kept)


class MoreColours(Colours):
    """What came to be when files without it were there already."""

    younger_parts = ("differ",)

    def __init__(self) -> None:
        super().__init__()
        self.differ = nn.Linear(64, 64)


class AllColours(MoreColours):
    """The same, and its file has it."""

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        described = self.differ(self.deeper(self.mix(planes / 255).mean((2, 3))))
        return described.softmax(1), nn.functional.normalize(described, dim=1)


def test_what_an_older_file_lacks_stays_as_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "colours.onnx"
    old, new = Colours(), MoreColours()
    began = new.differ.weight.detach().clone()
    export_classifier(old, (8, 8), path, CARD)
    load_exported(new, path)
    assert torch.equal(new.differ.weight, began)
    assert torch.equal(new.mix[0].weight, old.mix[0].weight)


def test_what_is_in_the_file_is_read_though_older_ones_lack_it(tmp_path: Path) -> None:
    path = tmp_path / "colours.onnx"
    new, other = AllColours(), AllColours()
    export_classifier(new, (8, 8), path, CARD)
    load_exported(other, path)
    assert torch.equal(other.differ.bias, new.differ.bias)


def test_another_network_is_refused(root: Path) -> None:
    with pytest.raises(ModelError, match=r"garments\.onnx: expected .* found nothing; .*YoloxNano"):
        load_exported(YoloxNano(), root / "edge_app" / "models" / "garments.onnx")


def test_another_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "colours.onnx"
    export_classifier(Colours(), (8, 8), path, CARD)
    wider = Colours()
    wider.mix[0] = nn.Conv2d(3, 96, 1)
    with pytest.raises(ModelError, match=r"expected mix\.0\.weight of shape \(96, 3, 1, 1\)"):
        load_exported(wider, path)


def test_what_is_no_model_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"broken\.onnx: cannot be read"):
        load_exported(Colours(), path)
