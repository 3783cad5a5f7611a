"""Average precision and calibration against figures worked out by hand."""

import numpy as np
import pytest

from model_build.evaluate.precision import (
    average_precision,
    box_average_precision,
    calibration_error,
)


@pytest.mark.parametrize(
    ("hits", "positives", "expected"),
    [
        ([True, True], 2, 1.0),
        ([True, True], 4, 0.5),
        ([False, True], 1, 0.5),
        ([False, False], 1, 0.0),
        ([True, False, True], 2, (1 + 2 / 3) / 2),
    ],
)
def test_average_precision(hits: list[bool], positives: int, expected: float) -> None:
    scores = np.linspace(1, 0.1, len(hits))
    assert average_precision(scores, np.array(hits), positives) == pytest.approx(expected)


def test_nothing_to_find_has_no_precision() -> None:
    assert np.isnan(average_precision(np.zeros(0), np.zeros(0, np.bool_), 0))


def test_a_box_is_found_once() -> None:
    box = np.array([[0, 0, 10, 10]], np.float32)
    twice = (np.repeat(box, 2, 0), np.array([0.9, 0.8], np.float32))
    assert box_average_precision([twice], [box]) == 1.0
    nothing = np.zeros((0, 4), np.float32)
    assert box_average_precision([twice, twice], [nothing, box]) <= 0.5


def test_boxes_that_miss_count_as_missing() -> None:
    truth = np.array([[0, 0, 10, 10]], np.float32)
    beside = (np.array([[8, 0, 18, 10]], np.float32), np.array([0.9], np.float32))
    assert box_average_precision([beside], [truth]) == 0.0


def test_calibration_error_is_the_mean_gap() -> None:
    confidence = np.array([0.95] * 10)
    assert calibration_error(confidence, np.array([True] * 5 + [False] * 5)) == pytest.approx(0.45)
