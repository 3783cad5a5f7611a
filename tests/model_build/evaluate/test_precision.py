"""Average precision and calibration against figures worked out by hand."""

import numpy as np
import pytest

from calibration.precision import average_precision
from model_build.evaluate.precision import (
    Claims,
    abstention,
    box_claims,
    calibration_error,
    reliability,
)


@pytest.mark.parametrize(
    ("hits", "positives", "expected"),
    [
        ([True, True], 2, 1.0),
        ([True, True], 4, 0.5),
        ([False, True], 1, 0.5),
        ([False, False], 1, 0.0),
        ([], 1, 0.0),
        ([True, False, True], 2, (1 + 2 / 3) / 2),
    ],
)
def test_average_precision(hits: list[bool], positives: int, expected: float) -> None:
    scores = np.linspace(1, 0.1, len(hits))
    assert average_precision(scores, np.array(hits, np.bool_), positives) == pytest.approx(expected)


@pytest.mark.parametrize("order", [1, -1], ids=["true ones first", "true ones last"])
def test_claims_of_one_score_count_together(order: int) -> None:
    is_hit = np.array([True, *[False] * 9])[::order]
    claims = Claims(np.full(10, 0.5), is_hit, positives=1)
    assert claims.average_precision() == pytest.approx(0.1)
    recall, precision = claims.curve()
    assert (recall.tolist(), precision.tolist()) == ([1.0], [0.1])


def test_nothing_to_find_has_no_precision() -> None:
    assert np.isnan(average_precision(np.zeros(0), np.zeros(0, np.bool_), 0))


def test_a_box_is_found_once() -> None:
    box = np.array([[0, 0, 10, 10]], np.float32)
    twice = (np.repeat(box, 2, 0), np.array([0.9, 0.8], np.float32))
    assert box_claims([twice], [box]).average_precision() == 1.0
    nothing = np.zeros((0, 4), np.float32)
    assert box_claims([twice, twice], [nothing, box]).average_precision() <= 0.5


def test_boxes_that_miss_count_as_missing() -> None:
    truth = np.array([[0, 0, 10, 10]], np.float32)
    beside = (np.array([[8, 0, 18, 10]], np.float32), np.array([0.9], np.float32))
    assert box_claims([beside], [truth]).average_precision() == 0.0


def test_calibration_error_is_the_mean_gap() -> None:
    confidence = np.array([0.95] * 10)
    assert calibration_error(confidence, np.array([True] * 5 + [False] * 5)) == pytest.approx(0.45)


CLAIMS = Claims(np.array([0.2, 0.9, 0.5]), np.array([True, True, False]), positives=4)


@pytest.mark.parametrize(
    ("threshold", "precision", "recall"),
    [(0.9, 1.0, 0.25), (0.5, 0.5, 0.25), (0.0, 2 / 3, 0.5)],
)
def test_precision_and_recall_at_a_threshold(
    threshold: float, precision: float, recall: float
) -> None:
    assert CLAIMS.at(threshold) == pytest.approx((precision, recall))


def test_silence_has_no_precision() -> None:
    precision, recall = CLAIMS.at(0.95)
    assert np.isnan(precision)
    assert recall == 0.0


def test_where_there_is_nothing_to_find_there_is_no_recall() -> None:
    nothing = Claims(np.array([0.9, 0.2]), np.array([False, False]), 0)
    precision, recall = nothing.at(0.5)
    assert precision == 0.0
    assert np.isnan(recall)


def test_the_curve_goes_from_the_surest_claim_to_all() -> None:
    recall, precision = CLAIMS.curve()
    assert recall.tolist() == [0.25, 0.25, 0.5]
    assert precision.tolist() == pytest.approx([1.0, 0.5, 2 / 3])


def test_reliability_by_bin() -> None:
    confidence = np.array([0.1, 0.3, 0.9, 1.0])
    mean, accuracy, count = reliability(confidence, np.array([True, False, True, True]), bins=2)
    assert mean.tolist() == pytest.approx([0.2, 0.95])
    assert accuracy.tolist() == [0.5, 1.0]
    assert count.tolist() == [2, 2]


def test_an_empty_bin_has_no_accuracy() -> None:
    _, accuracy, count = reliability(np.array([0.9]), np.array([True]), bins=2)
    assert np.isnan(accuracy[0])
    assert count.tolist() == [0, 1]


def test_abstaining_leaves_the_surest_answers() -> None:
    confidence = np.array([0.6, 0.9, 0.3, 0.8])
    share, accuracy = abstention(confidence, np.array([False, True, False, True]))
    assert share.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert accuracy.tolist() == pytest.approx([1.0, 1.0, 2 / 3, 0.5])
