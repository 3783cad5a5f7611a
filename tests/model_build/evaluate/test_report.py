"""A report is kept whole: numbers as JSON and CSV, curves and confusion as CSV and PNG."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from model_build.evaluate.command import print_side_by_side, save_comparison
from model_build.evaluate.mistakes import FALSE, Mistakes, Outline
from model_build.evaluate.plots import Curve, Matrix
from model_build.evaluate.precision import Claims
from model_build.evaluate.report import Report, calibration, save_reports, thresholds

CLAIMS = Claims(np.array([0.9, 0.4]), np.array([True, False]), 1)
REPORT = Report(
    {"ap50": 0.5, "ap50/hat": float("nan"), "pictures": 3},
    {
        "precision-recall": Curve("recall", "precision", {"dress": CLAIMS.curve()}),
        "alert-thresholds": thresholds({"dress": CLAIMS}),
        "calibration": calibration(np.array([0.5, 0.9]), np.array([True, True])),
    },
    {"confusion": Matrix(("dress", "suit"), np.array([[3, 1], [0, 0]]))},
    {"mistakes": np.zeros((20, 30, 3), np.uint8), "mistakes-none": None},
)


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    save_reports({"photos": REPORT}, {"model": "garments"}, tmp_path / "new" / "folder")
    return tmp_path / "new" / "folder"


def test_figures_as_json_and_csv(kept: Path) -> None:
    figures = json.loads((kept / "figures.json").read_text())
    assert figures["model"] == "garments"
    assert figures["sets"]["photos"] == {"ap50": 0.5, "ap50/hat": None, "pictures": 3}
    assert rows(kept / "figures.csv")[1] == ["photos", "ap50", "0.5"]


def test_every_curve_is_a_table_and_a_picture(kept: Path) -> None:
    for stem in (*REPORT.curves, *REPORT.matrices):
        assert len(rows(kept / "photos" / f"{stem}.csv")) > 1
        picture = cv2.imread(str(kept / "photos" / f"{stem}.png"))
        assert picture is not None
        assert picture.std() > 5


def test_a_sheet_without_mistakes_is_not_written(kept: Path) -> None:
    assert cv2.imread(str(kept / "photos" / "mistakes.png")).shape == (20, 30, 3)
    assert not (kept / "photos" / "mistakes-none.png").exists()


def test_confusion_is_truth_by_claim(kept: Path) -> None:
    assert rows(kept / "photos" / "confusion.csv") == [
        ["truth", "dress", "suit"],
        ["dress", "3", "1"],
        ["suit", "0", "0"],
    ]


def test_thresholds_leave_out_what_is_not_known() -> None:
    lines = thresholds({"dress": CLAIMS}).lines
    assert lines["dress, precision"][0].max() == pytest.approx(0.9)
    assert lines["dress, recall"][0].max() == pytest.approx(0.95)


def test_two_models_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged = {
        "A": {"photos": {"ap50": 0.5, "ap50/hat": float("nan")}},
        "B": {"photos": {"ap50": 0.75, "ap50/hat": 0.25}},
    }
    print_side_by_side(judged)
    printed = capsys.readouterr().out
    assert "+0.25" in printed
    assert "+-" not in printed
    save_comparison(judged, tmp_path)
    first, second = json.loads((tmp_path / "comparison.json").read_text())
    assert first == {"set": "photos", "figure": "ap50", "a": 0.5, "b": 0.75, "difference": 0.25}
    assert (second["a"], second["b"], second["difference"]) == (None, 0.25, None)
    assert len(rows(tmp_path / "comparison.csv")) == 3


def test_categories_without_a_picture_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    absent = {"top1/coat": float("nan"), "count/coat": 0, "count/suit": 0, "wears_count/dress": 0}
    present = {"top1": 0.5, "top1/dress": 0.25, "count/dress": 4, "wears_ap/suit": 0.0}
    print_side_by_side({"": {"own": {**present, **absent}}})
    printed = capsys.readouterr().out
    assert "none in these pictures: coat, dress, suit" in printed
    assert all(f" {figure} " in printed for figure in present)
    assert not any(figure in printed for figure in absent)


def picture(level: int) -> np.ndarray:
    return np.full((40, 30, 3), level, np.uint8)


def test_the_worst_mistakes_come_first() -> None:
    mistakes = Mistakes(most=2)
    for badness, level in ((0.2, 40), (0.9, 90), (0.1, 10), (0.5, 50)):
        mistakes.add(badness, picture(level), ["said so"])
    sheet = mistakes.sheet()
    assert sheet is not None
    tiles = np.split(sheet, 8, axis=1)
    assert [int(tile[5, 5, 0]) for tile in tiles[:3]] == [90, 50, 255]


def test_without_a_mistake_there_is_no_sheet() -> None:
    assert Mistakes().sheet() is None


def test_an_outline_is_shown_with_its_surroundings() -> None:
    wide = np.zeros((400, 4000, 3), np.uint8)
    wide[100:200, 3000:3050] = 200
    mistakes = Mistakes()
    box = np.array([3000, 100, 3050, 200], np.float32)
    mistakes.add(1.0, wide, ["false 0.90"], [Outline(box, FALSE)])
    sheet = mistakes.sheet()
    assert sheet is not None
    assert (sheet[:200, :160] == FALSE).all(2).sum() > 100
    assert (sheet[:200, :160] == 200).all(2).mean() > 0.05
