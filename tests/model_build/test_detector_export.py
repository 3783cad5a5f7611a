"""Exported detectors may lie between two: where the way begins, and how far it goes."""

from pathlib import Path

import pytest
import torch

from model_build import detector_model
from model_build.folders import Folders
from model_build.networks.choose import OURS
from model_build.networks.yolox import YoloxNano


def fill(network: YoloxNano, value: float) -> YoloxNano:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(value)
    return network


@pytest.mark.parametrize(("start", "middle"), [(None, 2.0), (Path("start.onnx"), 3.0)])
def test_half_way_from_the_published_weights_or_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Path | None, middle: float
) -> None:
    monkeypatch.setattr(detector_model, "load_published", lambda path: fill(YoloxNano(), 0.0))
    monkeypatch.setattr(detector_model, "load_exported", lambda network, path: fill(network, 2.0))
    monkeypatch.setattr(detector_model, "load_averaged", lambda network, run: fill(network, 4.0))
    monkeypatch.setattr(detector_model, "network_of", lambda run: OURS)
    found = detector_model._network(Folders(tmp_path, tmp_path), tmp_path, 0.5, start)
    assert all(bool((parameter == middle).all()) for parameter in found.parameters())
