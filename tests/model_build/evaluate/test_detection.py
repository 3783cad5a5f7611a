"""Boxes against the truth: who is found, what is false, what does not count."""

import numpy as np
import pytest

from edge_app.flow import Detections
from model_build.evaluate.detection import Truth, average_precision, match, rendered_truths

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


@pytest.mark.parametrize(
    ("is_right", "people", "expected"),
    [
        ([True, True], 2, 1.0),
        ([True, True], 4, 0.5),
        ([False, True], 1, 0.5),
        ([True, False, True], 2, 0.5 + 0.5 * 2 / 3),
        ([False, False], 3, 0.0),
        ([], 3, 0.0),
    ],
)
def test_average_precision(is_right: list[bool], people: int, expected: float) -> None:
    scores = np.linspace(0.9, 0.5, len(is_right)).astype(np.float32)
    assert average_precision(scores, np.array(is_right, bool), people) == pytest.approx(expected)


def test_rendered_truth_is_repeatable_and_tells_cut_off_people_apart() -> None:
    pairs = list(rendered_truths(1, view="door"))
    again, _ = next(rendered_truths(1, view="door"))
    assert np.array_equal(pairs[0][0].picture, again.picture)
    assert sum(int((~whole.is_ignored).sum()) for whole, _ in pairs) > 0
    for whole, cut_off in pairs:
        assert np.array_equal(whole.boxes, cut_off.boxes)
        assert (whole.is_ignored | cut_off.is_ignored).all()
