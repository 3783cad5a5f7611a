"""The classifier's judge: a label that allows several categories asks for none of them."""

from pathlib import Path

import numpy as np
import pytest

from edge_app.vocabulary import CATEGORIES
from model_build.data.garment_pieces import PieceSample
from model_build.evaluate import classification
from model_build.vocabulary import category_mask


def test_a_perfect_model_is_perfect_where_labels_are_partial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worn = [("coat", ("coat",)), ("jeans", ("jeans", "trousers")), ("trousers", ("trousers",))]
    crop = np.zeros((192, 160, 3), np.uint8)
    samples = [PieceSample(crop, category_mask(allowed)) for _, allowed in worn]
    sure = np.full((3, 15), 0.01, np.float32)
    sure[range(3), [CATEGORIES.index(name) for name, _ in worn]] = 0.86
    looks = np.eye(3, dtype=np.float32)
    monkeypatch.setattr(classification, "run_classifier", lambda *_: (sure, looks))
    report = classification.evaluate_classifier(Path("any"), samples)
    assert report.figures["top1"] == 1.0
    assert report.figures["count/jeans"] == 0
    assert np.isnan(report.figures["top1/jeans"])
    assert report.figures["count/jeans|trousers"] == report.figures["top1/jeans|trousers"] == 1
    assert set(report.curves["precision-recall"].lines) == {"coat 1.000", "trousers 1.000"}


def test_hesitant_answers_are_left_out_and_confusions_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crop = np.zeros((192, 160, 3), np.uint8)
    labels = [("coat",), ("jeans", "trousers"), ("trousers",)]
    said = [("coat", 0.8), ("shorts", 0.6), ("trousers", 0.4)]
    rows = np.full((3, 15), 0.01, np.float32)
    rows[range(3), [CATEGORIES.index(name) for name, _ in said]] = [sure for _, sure in said]
    looks = np.eye(3, dtype=np.float32)
    monkeypatch.setattr(classification, "run_classifier", lambda *_: (rows, looks))
    samples = [PieceSample(crop, category_mask(allowed)) for allowed in labels]
    report = classification.evaluate_classifier(Path("any"), samples)
    share, right = (
        [report.figures[f"{name}/{least}"] for least in (0.5, 0.7, 0.9)]
        for name in ("answered", "top1_answered")
    )
    assert share == pytest.approx([2 / 3, 1 / 3, 0.0])
    assert right == pytest.approx([0.5, 1.0, np.nan], nan_ok=True)
    counted = np.argwhere(report.matrices["confusion"].counts == 1)
    assert [(CATEGORIES[truth], CATEGORIES[named]) for truth, named in counted] == [
        ("coat", "coat"),
        ("jeans", "shorts"),
        ("trousers", "trousers"),
    ]


def test_a_garment_alone_has_no_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = PieceSample(np.zeros((192, 160, 3), np.uint8), category_mask(("coat",)))
    said = np.full((1, 15), 1 / 15, np.float32), np.eye(1, 3, dtype=np.float32)
    monkeypatch.setattr(classification, "run_classifier", lambda *_: said)
    report = classification.evaluate_classifier(Path("any"), [sample])
    assert np.isnan(report.figures["neighbour_top1"])
