"""Likeness of boxes and tracks, and the best assignment."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_app.tracking.found import covered_shares, is_part_of, spans_two
from edge_app.tracking.kalman import Motion
from edge_app.tracking.matching import (
    assign,
    is_cut_below,
    is_cut_off,
    likeness,
)

SIZE = (640, 360)


def like(expected: list[float], seen: list[float]) -> float:
    first = np.array([expected])
    motion = Motion.start(first, is_cut_below(first, SIZE)).predict(0.1, np.zeros(1, bool))
    alike, unlikely = likeness(motion, np.array([seen]), SIZE)
    return float(alike[0, 0] - unlikely[0, 0])


@given(
    scores=st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
        lambda shape: arrays(np.float64, shape, elements=st.floats(0, 1))
    ),
    least=st.floats(0.01, 0.9),
)
def test_no_assignment_is_better(scores: np.ndarray, least: float) -> None:
    usable = np.where(scores >= least, scores, 0.0)
    small = usable if usable.shape[0] <= usable.shape[1] else usable.T
    best = max(
        sum(small[row, column] for row, column in enumerate(columns))
        for columns in permutations(range(small.shape[1]), small.shape[0])
    )
    rows, columns = assign(scores, least)
    assert len(set(rows.tolist())) == len(rows) == len(set(columns.tolist()))
    assert (scores[rows, columns] >= least).all()
    assert scores[rows, columns].sum() == pytest.approx(best)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nobody_is_matched_with_nothing(shape: tuple[int, int]) -> None:
    rows, columns = assign(np.zeros(shape), 0.1)
    assert len(rows) == len(columns) == 0


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        pytest.param([200, 320, 250, 360], [195, 270, 270, 360], id="head-becomes-bust"),
        pytest.param([195, 270, 270, 360], [195, 200, 275, 358], id="bust-becomes-half"),
        pytest.param([300, 50, 360, 230], [302, 51, 361, 140], id="legs-hidden"),
        pytest.param([300, 50, 360, 230], [313, 52, 348, 95], id="only-the-head-found"),
        pytest.param([590, 80, 650, 260], [615, 80, 640, 258], id="leaving-at-the-side"),
        pytest.param([300, 50, 360, 230], [330, 55, 390, 235], id="a-fast-step"),
    ],
)
def test_the_same_person_is_recognised(expected: list[float], seen: list[float]) -> None:
    assert like(expected, seen) > 0.3


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        pytest.param([300, 50, 360, 230], [420, 50, 480, 230], id="two-metres-off"),
        pytest.param([300, 50, 360, 230], [310, 180, 350, 359], id="nearer-the-camera"),
        pytest.param([200, 320, 250, 360], [330, 300, 400, 360], id="another-head-at-the-edge"),
    ],
)
def test_another_person_is_not(expected: list[float], seen: list[float]) -> None:
    assert like(expected, seen) < 0.2


@given(x=st.floats(0, 500), y=st.floats(0, 200), w=st.floats(10, 140), h=st.floats(70, 150))
def test_a_box_is_most_like_itself(x: float, y: float, w: float, h: float) -> None:
    box = [x, y, x + w, y + h]
    assert like(box, box) == pytest.approx(1.0)


def test_whoever_is_cut_off_below_is_completed_and_nobody_else() -> None:
    half, whole = [100.0, 300.0, 150.0, 358.0], [100.0, 300.0, 150.0, 340.0]
    grown = [100.0, 255.0, 150.0, 358.0]
    assert like(half, grown) > like(whole, [100.0, 255.0, 150.0, 340.0]) + 0.1


def test_cut_off_tells_the_edges() -> None:
    assert is_cut_off(np.array([100.0, 100.0, 200.0, 200.0]), SIZE) == (False,) * 4
    assert is_cut_off(np.array([0.0, 0.0, 640.0, 360.0]), SIZE) == (True,) * 4


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        pytest.param([310, 50, 345, 90], True, id="head"),
        pytest.param([305, 55, 355, 140], True, id="bust"),
        pytest.param([310, 140, 350, 230], True, id="legs"),
        pytest.param([340, 50, 400, 230], False, id="neighbour"),
        pytest.param([310, 20, 350, 120], False, id="head-above-somebody"),
        pytest.param([302, 52, 358, 228], False, id="itself"),
    ],
)
def test_second_boxes_on_a_person(part: list[float], expected: bool) -> None:
    boxes = np.array([part, [300.0, 50.0, 360.0, 230.0]])
    assert is_part_of(boxes, covered_shares(boxes))[0, 1] == expected


@pytest.mark.parametrize(
    ("third", "score", "expected"),
    [
        pytest.param([300, 50, 390, 232], 0.6, True, id="around-both"),
        pytest.param([300, 50, 390, 232], 0.95, False, id="surer-than-both"),
        pytest.param([300, 50, 360, 230], 0.6, False, id="the-first-again"),
        pytest.param([280, 20, 480, 340], 0.6, False, id="much-larger-than-both"),
    ],
)
def test_a_box_around_two_people_is_known(third: list[float], score: float, expected: bool) -> None:
    boxes = np.array([[302.0, 50.0, 345.0, 230.0], [350.0, 55.0, 390.0, 232.0], third])
    spans = spans_two(boxes, np.array([0.9, 0.8, score]), covered_shares(boxes))
    assert spans.tolist() == [False, False, expected]


def test_head_and_legs_of_one_person_are_not_two_people() -> None:
    boxes = np.array([[302.0, 50, 358, 130], [300.0, 120, 360, 230], [300.0, 50, 360, 230]])
    assert not spans_two(boxes, np.array([0.7, 0.7, 0.6]), covered_shares(boxes)).any()
