"""Choosing a network to compare with: by name, noted in the run's folder, told on the card."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from edge_app.errors import ModelError
from model_build.__main__ import main
from model_build.networks.choose import (
    license_of,
    load_published,
    network_of,
    new_network,
    note_network,
    start_of,
)


@pytest.mark.parametrize(
    ("model", "name", "kind"),
    [
        ("detector", "ours", "YoloxNano"),
        ("detector", "resnet50-fpn", "ResNet50Fpn"),
        ("garments", "ours", "GarmentNetwork"),
        ("garments", "resnet50-fpn", "ResNet50Fpn"),
        ("classifier", "ours", "GarmentClassifier"),
        ("classifier", "vgg19", "Vgg19Classifier"),
    ],
)
def test_networks_by_name(model: str, name: str, kind: str) -> None:
    with torch.device("meta"):
        assert type(new_network(model, name)).__name__ == kind


@pytest.mark.parametrize(
    ("model", "name"),
    [("detector", "vgg19"), ("garments", "vgg19"), ("classifier", "resnet50-fpn")],
)
def test_a_network_for_another_model_is_refused(model: str, name: str) -> None:
    with pytest.raises(ModelError, match=f"{name}: not a network for {model}; expected ours or"):
        new_network(model, name)


def test_a_run_remembers_its_network(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert network_of(run) == "ours"
    assert start_of(run, "YOLOX-nano") == "YOLOX-nano"
    note_network(run, "vgg19", Path("somewhere") / "vgg19.pth")
    assert network_of(run) == "vgg19"
    assert start_of(run, "YOLOX-nano") == "vgg19 with the published weights vgg19.pth"
    assert license_of(run) == "NOASSERTION"


def test_random_weights_are_nobodys(tmp_path: Path) -> None:
    note_network(tmp_path, "vgg19", None)
    assert start_of(tmp_path, "") == "vgg19 with random weights"
    assert license_of(tmp_path) == "Apache-2.0"


def test_a_run_of_another_network_is_not_gone_on_with(tmp_path: Path) -> None:
    note_network(tmp_path, "vgg19", None)
    (tmp_path / "last.pt").touch()
    note_network(tmp_path, "vgg19", None)
    with pytest.raises(ModelError, match="a run of vgg19; give ours a folder of its own"):
        note_network(tmp_path, "ours", None)


def test_torch_weights_are_not_for_the_shipped_networks(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"GarmentClassifier starts from a model file"):
        load_published(new_network("classifier", "ours"), tmp_path / "weights.pth")


def test_the_command_refuses_in_one_line(tmp_path: Path) -> None:
    arguments = ["--data", str(tmp_path), "train", "garments", "--network", "vgg19"]
    result = CliRunner().invoke(main, [*arguments, "--run", str(tmp_path / "run")])
    assert result.exit_code == 1
    assert "vgg19: not a network for garments" in result.output
    assert not (tmp_path / "run").exists()
