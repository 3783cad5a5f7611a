"""Exported detectors may lie between two: where the way begins, and how far it goes."""

from pathlib import Path

import onnx
import pytest
import torch

from model_build import detector_model
from model_build.begun import Told, note_begun
from model_build.folders import Folders
from model_build.networks.choose import OURS
from model_build.networks.yolox import YoloxNano
from model_build.own_data import NO_OWN_DATA
from tests.model_build.test_begun import start_file


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


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (Told(), (detector_model.VERSION, "LicenseRef-Acme")),
        (Told("LicenseRef-Ours", "2.0.1"), ("2.0.1", "LicenseRef-Ours")),
    ],
)
def test_the_card_tells_what_training_started_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told, expected: tuple[str, str]
) -> None:
    start, run, path = start_file(tmp_path), tmp_path / "run", tmp_path / "detector.onnx"
    note_begun(run, detector_model.SCHEDULE, NO_OWN_DATA, start)
    torch.save({"averaged": YoloxNano().state_dict()}, run / "last.pt")
    monkeypatch.setattr(detector_model, "load_published", lambda path: YoloxNano())
    monkeypatch.setattr(detector_model, "judge_people", lambda folders, path: {})
    monkeypatch.setattr(detector_model, "street_truths", lambda *_, **__: [])
    detector_model.export_people(Folders(tmp_path, tmp_path), run, 1.0, path, None, told)
    found = {prop.key: prop.value for prop in onnx.load(path).metadata_props}
    assert (found["version"], found["license"]) == expected
    assert found["training_data"].startswith(
        "start.onnx (thousands of dresses); Clothing Co-Parsing"
    )
