"""The cost of a model is given beside that of a known one."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from edge_app.errors import ModelError
from model_build.evaluate.latency import latency
from model_build.export import Card, export_detector


class Convolutions(nn.Module):
    """As many convolutions as are asked for."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(depth)))

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        cells = self.layers(planes).flatten(2).transpose(1, 2)
        return torch.cat((cells, cells[..., :1]), 2), cells[..., :1].sigmoid()


def export(depth: int, path: Path) -> Path:
    card = Card("detector", "1.0.0", ("person",), "Apache-2.0", "nothing", {})
    export_detector(Convolutions(depth), (128, 128), path, card, candidates=3)
    return path


def test_a_larger_network_costs_more(tmp_path: Path) -> None:
    small, large = export(1, tmp_path / "small.onnx"), export(200, tmp_path / "large.onnx")
    assert latency(large, small, rounds=5)["yolox_nano_416"] > 1.5


def test_what_cannot_be_run_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        latency(broken, broken)
