"""The staff's uniform from a folder of pictures, through real (tiny) networks and a replay."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge_app.app import Networks, open_networks
from edge_app.cli import cli
from edge_app.config.schema import (
    DetectionSettings,
    InferenceSettings,
    OutfitSettings,
    StaffSettings,
)
from edge_app.staff import open_uniform
from tests.edge_app.tiny_store import CONFIG
from tests.tiny_models import save_all

RED = (60, 90, 230)


@pytest.fixture
def networks(tmp_path: Path):
    save_all(tmp_path / "models")
    opened = open_networks(
        InferenceSettings(models=tmp_path / "models", threads=1),
        DetectionSettings(),
        OutfitSettings(),
    )
    yield opened
    opened.close()


def save(path: Path, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), np.full((256, 512, 3), colour, np.uint8))


def opened(networks: Networks, folder: Path | None):
    return open_uniform(StaffSettings(uniform=folder), networks.people, networks.looker)


def test_examples_are_people_in_pictures(tmp_path, networks):
    save(tmp_path / "uniform" / "ann.png", RED)
    save(tmp_path / "uniform" / "bob.jpg", RED)
    (tmp_path / "uniform" / "read me.txt").write_text("not a picture")
    uniform = opened(networks, tmp_path / "uniform")
    assert uniform is not None
    assert uniform.min_similarity == 0.92


def test_without_a_folder_there_is_no_uniform(networks):
    assert opened(networks, None) is None


def test_without_one_picture_that_can_be_used_there_is_no_uniform_either(
    tmp_path, networks, caplog
):
    assert opened(networks, tmp_path / "nowhere") is None
    assert "nowhere cannot be looked into: No such file or directory" in caplog.text
    (tmp_path / "uniform").mkdir()
    (tmp_path / "uniform" / "ann.png").write_bytes(b"no picture")
    assert opened(networks, tmp_path / "uniform") is None
    assert "ann.png: not a picture" in caplog.text
    assert "got none that can be used, so that staff count as customers" in caplog.text


def test_a_damaged_picture_is_passed_over_aloud(tmp_path, networks, caplog):
    save(tmp_path / "uniform" / "ann.png", RED)
    (tmp_path / "uniform" / "bob.png").write_bytes(b"no picture")
    assert opened(networks, tmp_path / "uniform") is not None
    [said] = [record.getMessage() for record in caplog.records]
    assert "bob.png: not a picture" in said


def test_a_picture_without_clothes_is_passed_over_aloud(tmp_path, networks, monkeypatch, caplog):
    save(tmp_path / "uniform" / "ann.png", RED)
    save(tmp_path / "uniform" / "wall.png", RED)
    look = networks.looker.look
    shown = iter([True, False])

    def only_the_first(people, qualities):
        (found,) = look(people, qualities)
        return [found if next(shown) else type(found)(found.quality, (), found.wears)]

    monkeypatch.setattr(networks.looker, "look", only_the_first)
    with caplog.at_level(logging.WARNING):
        assert opened(networks, tmp_path / "uniform") is not None
    assert "wall.png: no clothes are found in it" in caplog.text


@pytest.mark.parametrize(("uniform", "alerts"), [(RED, 0), ((60, 160, 230), 1)],
                         ids=["in uniform", "in another colour"])  # fmt: skip
def test_nobody_in_uniform_is_announced(tmp_path: Path, uniform, alerts) -> None:
    save_all(tmp_path / "models")
    save(tmp_path / "uniform" / "ann.png", uniform)
    (tmp_path / "store.yaml").write_text(CONFIG + "staff: {uniform: uniform}\n")
    noise = np.random.default_rng(0).integers(-25, 25, (256, 512, 3))
    (tmp_path / "clip").mkdir()
    for i in range(20):
        pixels = np.clip(np.array(RED) + noise, 0, 255).astype(np.uint8)
        assert cv2.imwrite(str(tmp_path / "clip" / f"{i:04d}.png"), pixels)
    out = tmp_path / "out.json"
    result = CliRunner().invoke(
        cli,
        ["replay", str(tmp_path / "clip"), "-c", str(tmp_path / "store.yaml"), "--json", str(out)],
    )
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert found["counts"]["shop"]["in"] == 1
    assert len(found["alerts"]) == alerts
    assert found["entries"][0]["staff"] == (alerts == 0)
