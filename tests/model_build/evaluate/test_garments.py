"""The garment model's judge: what is not known is neither right nor wrong."""

from pathlib import Path

import numpy as np
import pytest

from edge_app.vocabulary import CATEGORIES
from model_build.data.garment_crops import CropSample
from model_build.evaluate import garments
from model_build.evaluate.garments import GarmentOutputs, evaluate_garments
from model_build.evaluate.report import Report

DRESS, SUIT, JEANS = (CATEGORIES.index(name) for name in ("dress", "suit", "jeans"))


def _judged(
    monkeypatch: pytest.MonkeyPatch,
    said: list[dict[int, float]],
    worn: list[dict[int, float]],
    unsure_regions: tuple[int, ...] = (),
    found: tuple[float, ...] = (0, 0, 0, 0),
) -> Report:
    """A model that says this of people of whom that is known, and sees a long garment there."""
    wears = np.full((len(said), 15), 0.02, np.float32)
    samples = []
    for row, (likely, known) in enumerate(zip(said, worn, strict=True)):
        for index, probability in likely.items():
            wears[row, index] = probability
        truth = np.zeros(15, np.float32)
        for index, value in known.items():
            truth[index] = value
        box = np.array([[10, 10, 90, 200]], np.float32)
        crop = np.zeros((256, 128, 3), np.uint8)
        samples.append(
            CropSample(crop, box, np.array([2]), True, truth, unsure_regions=unsure_regions)
        )
    boxes = np.full((len(said), 1, 4), found, np.float32)
    scores = np.full((len(said), 1, 3), (0.0, 0.0, 0.9 if any(found) else 0.0), np.float32)
    outputs = GarmentOutputs(boxes, scores, wears)
    monkeypatch.setattr(garments, "run_garments", lambda *_: outputs)
    return evaluate_garments(Path("any"), samples)


def test_of_whom_it_is_not_known_nothing_is_right_or_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [{DRESS: 0.9}, {DRESS: 0.8}, {DRESS: 0.3}]
    worn = [{DRESS: np.nan}, {DRESS: 1.0}, {DRESS: 0.0}]
    figures = _judged(monkeypatch, said, worn).figures
    assert figures["wears_count/dress"] == 1
    assert figures["ap50"] == figures["ap50/long"] == 0.0  # of tops and bottoms there is none
    assert figures["wears_ap/dress"] == 1.0
    assert figures["alert_precision/dress"] == figures["alert_recall/dress"] == 1.0
    without = _judged(monkeypatch, said[1:], worn[1:]).figures
    assert figures["wears_calibration_error"] == pytest.approx(
        without["wears_calibration_error"], abs=0.01
    )
    assert without["wears_calibration_error"] < 0.1


def test_somebody_in_one_of_two_garments_is_meant_whatever_the_other_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = [{DRESS: 0.9}, {SUIT: 0.95}, {DRESS: 0.1}]
    worn = [{DRESS: 1.0, SUIT: np.nan}, {SUIT: np.nan}, {}]
    figures = _judged(monkeypatch, said, worn).figures
    assert figures["alert_ap/dress or suit"] == 1.0
    assert figures["alert_precision/dress or suit"] == 1.0
    assert figures["alert_recall/dress or suit"] == 1.0


def test_where_everybody_wears_it_no_alarm_can_be_false(monkeypatch: pytest.MonkeyPatch) -> None:
    worn = [{DRESS: 1.0, SUIT: np.nan}] * 2
    figures = _judged(monkeypatch, [{DRESS: 0.9}, {DRESS: 0.3}], worn).figures
    assert np.isnan([figures["alert_precision/dress"], figures["alert_ap/dress"]]).all()
    assert np.isnan([figures["wears_ap/dress"], figures["wears_ap"]]).all()
    assert figures["alert_recall/dress"] == 0.5


def test_boxes_are_not_judged_where_some_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [{DRESS: 0.9}]
    assert _judged(monkeypatch, said, said).figures["ap50/long"] == 0.0
    untold = _judged(monkeypatch, said, said, unsure_regions=(2,)).figures
    assert np.isnan([untold["ap50/long"], untold["ap50"], untold["coco/ap50"]]).all()


@pytest.mark.parametrize("found", [(10, 10, 90, 200), (10, 150, 90, 250), (0, 0, 0, 0)])
def test_boxes_that_are_missed_or_false_are_mistakes(
    monkeypatch: pytest.MonkeyPatch, found: tuple[float, ...]
) -> None:
    said, is_right = [{DRESS: 0.9}], found == (10, 10, 90, 200)
    report = _judged(monkeypatch, said, said, found=found)
    assert report.figures["ap50/long"] == float(is_right)
    assert (report.sheets["mistakes-boxes"] is None) == is_right


def test_a_claim_about_what_is_not_known_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = _judged(monkeypatch, [{DRESS: 0.9}], [{DRESS: np.nan, JEANS: 1.0}])
    assert unknown.sheets["mistakes-wears"] is None
    wrong = _judged(monkeypatch, [{DRESS: 0.9}], [{JEANS: 1.0}])
    assert wrong.sheets["mistakes-wears"] is not None
