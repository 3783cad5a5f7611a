"""A model file is used only if it keeps the contract, and says clearly when it does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edge_app.errors import ModelError
from edge_app.inference.model import SHIPPED, load_model
from edge_app.vocabulary import CATEGORIES, REGIONS
from tests.tiny_models import save_all, save_classifier, save_detector

BOX = np.array([[1, 2, 3, 4]])
SCORE = np.array([[1.0]])


def test_a_model_of_the_contract_is_described(tmp_path: Path) -> None:
    folder = save_all(tmp_path)
    detector = load_model(folder / "detector.onnx", "detector")
    garments = load_model(folder / "garments.onnx", "garments")
    classifier = load_model(folder / "classifier.onnx", "classifier")
    assert (detector.input_size, detector.labels) == ((128, 64), ("person",))
    assert garments.labels == REGIONS
    assert set(garments.outputs) == {"boxes", "scores", "wears"}
    assert classifier.labels == CATEGORIES
    assert detector.version == "tiny"
    assert len(detector.sha256) == 64


@pytest.mark.parametrize("task", ["detector", "garments", "classifier"])
def test_the_shipped_models_keep_the_contract(task: str) -> None:
    model = load_model(SHIPPED / f"{task}.onnx", task)  # type: ignore[arg-type]
    assert model.task == task
    assert (SHIPPED / f"{task}.md").is_file(), "each model has its card"


def test_the_shipped_models_stay_small() -> None:
    assert sum(p.stat().st_size for p in SHIPPED.iterdir()) < 12e6


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no such model file; expected a detector"):
        load_model(tmp_path / "none.onnx", "detector")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "detector.onnx"
    path.write_bytes(b"this is no protobuf" * 50)
    match = "cannot be read as an ONNX model: .*Copy the file again, or reinstall Dresscode"
    with pytest.raises(ModelError, match=match):
        load_model(path, "detector")


def test_a_detector_is_no_classifier(tmp_path: Path) -> None:
    path = save_detector(tmp_path / "detector.onnx", BOX, SCORE)
    with pytest.raises(ModelError, match=r"a classifier has the one input 'crops'.*'images'"):
        load_model(path, "classifier")


def test_foreign_labels_are_refused(tmp_path: Path) -> None:
    path = save_detector(tmp_path / "detector.onnx", BOX, SCORE, labels='["cat"]')
    with pytest.raises(ModelError, match=r"'labels' of a detector must be.*person.*cat"):
        load_model(path, "detector")


def test_a_garment_detector_is_called_so(tmp_path: Path) -> None:
    path = save_detector(tmp_path / "garments.onnx", BOX, SCORE)
    for file, match in ((path, "'labels' of a garment detector"), (tmp_path / "no", "a garment d")):
        with pytest.raises(ModelError, match=match):
            load_model(file, "garments")


def test_labels_that_are_not_json_are_refused(tmp_path: Path) -> None:
    path = save_detector(tmp_path / "detector.onnx", BOX, SCORE, labels="person")
    with pytest.raises(ModelError, match="'labels' of a detector must be the JSON list"):
        load_model(path, "detector")


def _changed(path: Path, to: Path, change: object) -> Path:
    model = onnx.load(path)
    change(model)  # type: ignore[operator]
    onnx.save(model, to)
    return to


def test_an_output_that_is_missing_is_named(tmp_path: Path) -> None:
    def drop_scores(model: onnx.ModelProto) -> None:
        del model.graph.output[1]

    good = save_detector(tmp_path / "good.onnx", BOX, SCORE)
    bad = _changed(good, tmp_path / "bad.onnx", drop_scores)
    with pytest.raises(ModelError, match=r"'scores' is missing among boxes"):
        load_model(bad, "detector")


def test_a_batch_that_cannot_grow_is_refused(tmp_path: Path) -> None:
    def fix_batch(model: onnx.ModelProto) -> None:
        del model.graph.input[:]
        fixed = helper.make_tensor_value_info("crops", TensorProto.UINT8, [1, 32, 32, 3])
        model.graph.input.append(fixed)

    good = save_classifier(tmp_path / "good.onnx")
    bad = _changed(good, tmp_path / "bad.onnx", fix_batch)
    with pytest.raises(ModelError, match=r"must be uint8 \[N,H,W,3\] with N dynamic"):
        load_model(bad, "classifier")
