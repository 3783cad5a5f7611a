"""Boxes against the truth: who is found, what is false, what does not count."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat
from torch import Tensor, nn

from edge_app.detection.detector import Detector
from edge_app.flow import Detections
from model_build.evaluate.detection import (
    Truth,
    evaluate,
    match,
    open_detector,
    rendered_truths,
    street_truths,
)
from model_build.export import Card, export_detector
from tests.model_build.data.layouts import write_ccp

PERSON = [10.0, 10.0, 30.0, 70.0]
OTHER = [50.0, 10.0, 70.0, 70.0]


def found(*boxes_and_scores: tuple[list[float], float]) -> Detections:
    boxes = np.array([box for box, _ in boxes_and_scores], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score in boxes_and_scores], np.float32)
    return Detections(boxes, scores, np.zeros(len(scores), np.int64))


def truth(*boxes: list[float], ignored: int = 0, is_complete: bool = True) -> Truth:
    is_ignored = np.arange(len(boxes)) >= len(boxes) - ignored
    picture = np.zeros((80, 80, 3), np.uint8)
    return Truth(picture, np.array(boxes, np.float32).reshape(-1, 4), is_ignored, is_complete)


CASES = [
    pytest.param(found((PERSON, 0.9)), truth(PERSON), [True], [True], id="found"),
    pytest.param(found((OTHER, 0.9)), truth(PERSON), [False], [True], id="false"),
    pytest.param(
        found((PERSON, 0.4), (PERSON, 0.9)), truth(PERSON), [True, False], [True, True], id="twice"
    ),
    pytest.param(
        found(([50, 20, 65, 60], 0.9)), truth(PERSON, OTHER, ignored=1), [False], [False],
        id="part of somebody ignored",
    ),
    pytest.param(
        found((OTHER, 0.9)), truth(PERSON, is_complete=False), [False], [False],
        id="maybe a passer-by",
    ),
    pytest.param(found((PERSON, 0.9)), truth(), [False], [True], id="nobody there"),
    pytest.param(found(), truth(PERSON), [], [], id="nothing found"),
]  # fmt: skip


@pytest.mark.parametrize(("detections", "wanted", "is_right", "counts"), CASES)
def test_match(
    detections: Detections, wanted: Truth, is_right: list[bool], counts: list[bool]
) -> None:
    matched = match(detections, wanted)
    assert matched.is_right.tolist() == is_right
    assert matched.counts.tolist() == counts


class SeesTwo(nn.Module):
    """Says the same of every picture: PERSON at 0.9, OTHER at 0.6, and OTHER's edge at 0.1."""

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        boxes = torch.tensor([[PERSON, OTHER, [66.0, 10.0, 70.0, 70.0]]])
        scores = torch.tensor([[[0.9], [0.6], [0.1]]])
        same = planes.mean((1, 2, 3))[:, None, None] * 0
        return boxes + same, scores + same


@pytest.fixture(scope="module")
def sees_two(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    path = tmp_path_factory.mktemp("model") / "detector.onnx"
    card = Card("detector", "1.0.0", ("person",), "Apache-2.0", "nothing", {})
    export_detector(SeesTwo(), (80, 80), path, card, candidates=3)
    return open_detector(path)


def test_everybody_found(sees_two: Detector) -> None:
    report = evaluate(sees_two, [truth(PERSON, OTHER)], threshold=0.35)
    assert report.figures["ap50"] == 1.0
    assert report.figures["coco/ap"] == pytest.approx(1.0)
    assert report.figures["recall"] == report.figures["precision"] == 1.0
    assert report.sheets == {"mistakes-false": None, "mistakes-missed": None}


def test_false_and_missed_people_are_counted_and_shown(sees_two: Detector) -> None:
    pictures = [truth(PERSON), truth([2.0, 2, 8, 8]), truth(PERSON, OTHER, ignored=1)]
    figures = evaluate(sees_two, pictures, threshold=0.35)
    assert figures.figures["people"] == 3
    assert figures.figures["false_boxes"] == 3
    assert figures.figures["recall"] == pytest.approx(2 / 3)
    assert figures.figures["precision"] == pytest.approx(2 / 5)
    assert all(sheet is not None for sheet in figures.sheets.values())


def test_a_person_found_too_faintly_is_missed(sees_two: Detector) -> None:
    report = evaluate(sees_two, [truth(PERSON, OTHER)], threshold=0.7)
    assert report.figures["recall"] == 0.5
    assert report.sheets["mistakes-missed"] is not None
    assert report.sheets["mistakes-false"] is None
    recall, precision = report.curves["precision-recall"].lines["person"]
    assert recall.tolist() == [0.5, 1.0, 1.0]
    assert precision.tolist() == pytest.approx([1.0, 1.0, 2 / 3])


def test_rendered_truth_is_repeatable_and_tells_cut_off_people_apart() -> None:
    pairs = list(rendered_truths(1, view="door"))
    again, _ = next(rendered_truths(1, view="door"))
    assert np.array_equal(pairs[0][0].picture, again.picture)
    assert sum(int((~whole.is_ignored).sum()) for whole, _ in pairs) > 0
    for whole, cut_off in pairs:
        assert np.array_equal(whole.boxes, cut_off.boxes)
        assert (whole.is_ignored | cut_off.is_ignored).all()


def test_a_photo_with_an_empty_label_map_is_not_judged_by(tmp_path: Path) -> None:
    write_ccp(tmp_path, mapped=3)  # of these, 0003 is held out
    (truth,) = street_truths(tmp_path, is_spoilt=False)
    assert truth.boxes.tolist() == [[40, 20, 80, 180]]
    empty = np.zeros((200, 120), np.uint8)
    savemat(tmp_path / "annotations" / "pixel-level" / "0003.mat", {"groundtruth": empty})
    assert list(street_truths(tmp_path, is_spoilt=False)) == []
