"""COCO's figures against cases whose answer is known."""

import numpy as np
import pytest

from edge_app.flow import Detections
from model_build.evaluate.coco import Annotated, coco_figures

SMALL = [0.0, 0.0, 20.0, 20.0]
LARGE = [100.0, 100.0, 300.0, 300.0]
LABELS = ("top", "bottom")


def annotated(*boxes: list[float], labels: tuple[int, ...] = (), ignored: int = 0) -> Annotated:
    return Annotated(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels or [0] * len(boxes), np.int64),
        np.arange(len(boxes)) >= len(boxes) - ignored,
    )


def found(*boxes: list[float], labels: tuple[int, ...] = ()) -> Detections:
    scores = np.linspace(0.9, 0.5, len(boxes)).astype(np.float32)
    kinds = np.array(labels or [0] * len(boxes), np.int64)
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), scores, kinds)


def test_perfect_boxes() -> None:
    figures = coco_figures([annotated(SMALL, LARGE)], [found(SMALL, LARGE)], ("top",))
    for name in ("ap", "ap50", "ap75", "ap_small", "ap_large"):
        assert figures[name] == pytest.approx(1.0)
    assert np.isnan(figures["ap_medium"])


def test_each_size_is_judged_alone() -> None:
    figures = coco_figures([annotated(SMALL, LARGE)], [found(LARGE)], ("top",))
    assert figures["ap_large"] == pytest.approx(1.0)
    assert figures["ap_small"] == 0.0


def test_a_box_that_fits_by_0_72_counts_at_five_of_ten_overlaps() -> None:
    taller = [100.0, 100.0, 300.0, 100.0 + 200 / 0.72]
    figures = coco_figures([annotated(LARGE)], [found(taller)], ("top",))
    assert figures["ap50"] == pytest.approx(1.0)
    assert figures["ap75"] == 0.0
    assert figures["ap"] == pytest.approx(0.5)


def test_labels_are_judged_apart() -> None:
    figures = coco_figures(
        [annotated(LARGE, LARGE, labels=(0, 1))], [found(LARGE, labels=(1,))], LABELS
    )
    assert figures["ap/top"] == 0.0
    assert figures["ap/bottom"] == pytest.approx(1.0)
    assert figures["ap"] == pytest.approx(0.5)


def test_the_ignored_is_neither_to_be_found_nor_wrong() -> None:
    truth = annotated(SMALL, LARGE, ignored=1)
    assert coco_figures([truth], [found(LARGE, SMALL)], ("top",))["ap"] == pytest.approx(1.0)
    assert coco_figures([truth], [found(SMALL)], ("top",))["ap"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("truth", "expected"), [(annotated(SMALL), 0.0), (annotated(), float("nan"))]
)
def test_nothing_found(truth: Annotated, expected: float) -> None:
    assert coco_figures([truth], [found()], ("top",))["ap"] == pytest.approx(expected, nan_ok=True)
