"""The shipped garment model and classifier: the contract, both runtimes, held-out photos."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from edge_app.inference.model import Task, load_model
from edge_app.vocabulary import CATEGORIES, REGIONS
from model_build.data.ccp import garments_in, person_box, read_label_names, read_photos
from model_build.data.clothing_dataset import read_garment_photos
from model_build.data.garment_crops import CropSample, Person, plain_sample
from model_build.data.garment_pieces import PieceSample, laid_out_piece
from model_build.data.seen_clothes import rename_labels, seen_clothes, told_clothes
from model_build.data.street_people import cut_person
from model_build.evaluate.classification import evaluate_classifier, run_classifier
from model_build.evaluate.garments import evaluate_garments, run_garments
from model_build.vocabulary import category_mask

MODELS: list[tuple[Task, tuple[str, ...], tuple[int, int]]] = [
    ("garments", REGIONS, (128, 256)),
    ("classifier", CATEGORIES, (160, 192)),
]


def _path(root: Path, name: str) -> Path:
    return root / "edge_app" / "models" / f"{name}.onnx"


@pytest.mark.parametrize(("task", "labels", "size"), MODELS, ids=[model[0] for model in MODELS])
def test_contract_and_card(
    root: Path, task: Task, labels: tuple[str, ...], size: tuple[int, int]
) -> None:
    model = load_model(_path(root, task), task)
    graph = onnx.load(str(model.path))
    facts = {prop.key: prop.value for prop in graph.metadata_props}
    assert model.labels == labels
    assert model.input_size == size
    assert graph.graph.node[0].op_type == "Cast"
    assert facts["license"] == "Apache-2.0"
    assert "Clothing Co-Parsing" in facts["training_data"]
    assert json.loads(facts["metrics"])
    assert model.path.with_suffix(".md").exists()


def _noise(height: int, width: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(3)
    return rng.integers(0, 255, (3, height, width, 3)).astype(np.uint8)


def test_runtimes_agree_on_what_is_worn(root: Path) -> None:
    path, crops = _path(root, "garments"), _noise(256, 128)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    scores, wears = session.run(["scores", "wears"], {"images": crops})
    outputs = run_garments(path, crops)
    np.testing.assert_allclose(outputs.wears, wears, atol=1e-4)
    np.testing.assert_allclose(outputs.scores.max(2), scores.max(2), atol=1e-4)


def test_runtimes_agree_on_the_category(root: Path) -> None:
    path, crops = _path(root, "classifier"), _noise(192, 160)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    expected = session.run(["probabilities", "embedding"], {"crops": crops})
    for ours, theirs in zip(run_classifier(path, crops), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def _street_samples(folder: Path, most: int) -> list[CropSample]:
    names = read_label_names(folder)
    samples: list[CropSample] = []
    for photo in read_photos(folder):
        if not photo.is_held_out or photo.label_map is None:
            continue
        clothes = seen_clothes().get(photo.stem)
        labels = rename_labels(photo.read_label_map(), names, clothes)
        worn = [garment.category for garment in garments_in(labels, names)]
        if not worn:
            continue
        arrays, box = cut_person(photo.read_picture(), labels, person_box(labels))
        person = Person(
            picture=arrays["picture"],
            box=np.array(box, np.float32),
            wears=told_clothes(worn, clothes),
            labels=arrays["labels"],
            boxes=np.zeros((0, 4), np.float32),
            regions=np.zeros(0, np.int64),
            has_boxes=True,
        )
        samples.append(plain_sample(person, names))
        if len(samples) == most:
            break
    return samples


def test_held_out_street_photos(root: Path, data_dir: Path) -> None:
    samples = _street_samples(data_dir / "ccp", 100)
    figures = evaluate_garments(_path(root, "garments"), samples).figures
    assert figures["ap50/bottom"] > 0.7
    assert figures["ap50"] > 0.55
    assert figures["wears_ap/dress"] > 0.5
    assert figures["wears_ap/trousers"] > 0.7


def test_held_out_garments_laid_out(root: Path, data_dir: Path) -> None:
    photos = [p for p in read_garment_photos(data_dir / "clothing-dataset") if p.is_held_out]
    samples = [
        PieceSample(laid_out_piece(photo.read_picture()), category_mask(photo.categories))
        for photo in photos[::3]
    ]
    figures = evaluate_classifier(_path(root, "classifier"), samples).figures
    assert figures["top1"] > 0.75
    assert figures["calibration_error"] < 0.15
