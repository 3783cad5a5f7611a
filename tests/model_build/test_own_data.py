"""Own pictures are mixed into training by their share, and told on the model's card."""

import json
from pathlib import Path

import onnx
import pytest
import torch

from edge_app.inference.model import SHIPPED, load_model
from edge_app.vocabulary import CATEGORIES
from model_build import classifier_model, garment_model
from model_build.begun import Told, note_begun
from model_build.convert.conversion import convert
from model_build.convert.write import write_coco
from model_build.data.converted import ConvertedCrops, ConvertedPieces
from model_build.data.published.annotated import Annotated, DataError, Garment
from model_build.data.published.sources import read_source
from model_build.folders import Folders
from model_build.networks.classifier import GarmentClassifier
from model_build.own_data import NO_OWN_DATA, OwnData
from model_build.train import classifier as classifier_training
from model_build.train.fitting import Schedule
from tests.model_build.data.published.written import write_fashionpedia, write_picture


def _train_file(tmp_path: Path) -> Path:
    write_fashionpedia(tmp_path / "pictures")
    kept = convert(read_source("fashionpedia", tmp_path / "pictures")).kept
    return write_coco(kept, "fashionpedia", tmp_path / "converted")[0]


def _named(*names: str) -> list[tuple[object, float]]:
    return [(name, share) for name, share in zip(names, (0.75, 0.25), strict=True)]


def test_own_pictures_take_their_share_from_the_others(tmp_path: Path) -> None:
    own = OwnData((_train_file(tmp_path),), 0.4)
    mixed = own.mixed(lambda: _named("street", "rendered"), ConvertedPieces)
    assert [source for source, _ in mixed[:2]] == ["street", "rendered"]
    assert [share for _, share in mixed] == pytest.approx([0.45, 0.15, 0.4])
    assert isinstance(mixed[2][0], ConvertedPieces)


def test_own_pictures_alone_need_no_other_data(tmp_path: Path) -> None:
    def shipped() -> list[tuple[object, float]]:
        raise FileNotFoundError("no photos of others here")

    own = OwnData((_train_file(tmp_path),), 1.0)
    ((crops, share),) = own.mixed(shipped, ConvertedCrops)
    assert isinstance(crops, ConvertedCrops)
    assert share == 1.0


def test_without_own_pictures_nothing_changes() -> None:
    assert NO_OWN_DATA.mixed(lambda: _named("a", "b"), ConvertedCrops) == _named("a", "b")


def _test_file(tmp_path: Path) -> Path:
    """People in dresses, all of whose clothes are known."""
    photos = []
    for seed in range(6):
        picture = tmp_path / "people" / f"{seed}.png"
        write_picture(picture, seed, (120, 240))
        dress = Garment(("dress",), (30.0, 60.0, 90.0, 200.0))
        person = (20.0, 20.0, 100.0, 235.0)
        photos.append(
            Annotated(picture, "test", str(seed), (dress,), people=(person,), is_complete=True)
        )
    return write_coco(convert(photos).kept, "own", tmp_path / "converted")[0]


def test_own_pictures_judge_both_models(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "nowhere", tmp_path / "cache", _test_file(tmp_path))
    (report,) = classifier_model.judge_classifier(folders, SHIPPED / "classifier.onnx").values()
    assert report.figures["garments"] == 6
    for report in garment_model.judge_garments(folders, SHIPPED / "garments.onnx").values():
        assert report.figures["crops"] == report.figures["crops_with_boxes"] == 6
        assert report.figures["wears_count/dress"] == 6


def test_people_of_whom_not_everything_is_known_are_no_judges(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "nowhere", tmp_path / "cache", _train_file(tmp_path))
    with pytest.raises(DataError, match=r"train\.json: of nobody in it everything worn is known"):
        garment_model.judge_garments(folders, SHIPPED / "garments.onnx")


def test_a_classifier_is_exported_with_own_pictures_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    own = OwnData((_train_file(tmp_path),), 1.0)
    schedule = Schedule(steps=1, batch=2)
    sources = own.mixed(list, ConvertedPieces)
    note_begun(tmp_path, schedule, own, None)
    classifier_training.train(GarmentClassifier(), sources, schedule, tmp_path, is_apart=False)
    folders = Folders(tmp_path / "nowhere", tmp_path / "cache", _test_file(tmp_path))
    path = tmp_path / "classifier.onnx"
    differences = classifier_model.export_model(
        folders, tmp_path, path, Told("LicenseRef-Acme", "2.0.1")
    )
    assert max(differences.values()) < 1e-3
    model = load_model(path, "classifier")
    assert (model.labels, model.version) == (CATEGORIES, "2.0.1")
    told = {prop.key: prop.value for prop in onnx.load(path).metadata_props}
    assert told["training_data"] == (
        "EfficientNet-Lite0 (ImageNet, Apache-2.0); "
        "own pictures (converted/train.json, 100% of the samples)"
    )
    assert told["license"] == "LicenseRef-Acme"
    assert "own_top1" in json.loads(told["metrics"])
