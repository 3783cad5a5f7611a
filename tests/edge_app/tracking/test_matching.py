"""Likeness of boxes and tracks, and the best assignment."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_app.geometry import is_cut_off
from edge_app.tracking.kalman import Box, Motion
from edge_app.tracking.matching import (
    Expected,
    assign,
    likeness,
    whole_end,
)
from edge_app.tracking.sharing import is_inside, shared_by

SIZE = (640, 360)


def like(expected: list[float], seen: list[float]) -> float:
    first: Box = tuple(expected)  # type: ignore[assignment]
    box: Box = tuple(seen)  # type: ignore[assignment]
    motion = Motion(first, is_cut_off(first, SIZE)[3])
    motion.predict(0.1, is_coasting=False)
    prediction = Expected.of(motion, SIZE)
    alike, unlikely = likeness(prediction, box, whole_end(box, SIZE))
    left, right = prediction.reach
    assert alike < 0.2 or (seen[2] >= left and seen[0] <= right)
    return alike - unlikely


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
    claims = [(score, *place) for place, score in np.ndenumerate(scores) if score >= least]
    made = assign(claims)  # type: ignore[arg-type]
    rows, columns = {row for row, _ in made}, {column for _, column in made}
    assert len(rows) == len(made) == len(columns)
    assert all(scores[pair] >= least for pair in made)
    assert sum(scores[pair] for pair in made) == pytest.approx(best)


def test_nobody_is_matched_with_nothing() -> None:
    assert assign([]) == []


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
    assert is_cut_off((100.0, 100.0, 200.0, 200.0), SIZE) == (False,) * 4
    assert is_cut_off((0.0, 0.0, 640.0, 360.0), SIZE) == (True,) * 4


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        pytest.param((300.0, 50.0, 390.0, 232.0), True, id="around-both"),
        pytest.param((300.0, 50.0, 347.0, 230.0), False, id="the-first"),
        pytest.param((280.0, 0.0, 500.0, 350.0), False, id="much-larger-than-both"),
    ],
)
def test_a_box_is_shared_if_it_fits_both_better_than_either(box: Box, expected: bool) -> None:
    two = [(302.0, 50.0, 345.0, 230.0), (350.0, 55.0, 390.0, 232.0)]
    assert shared_by(box, two) == expected


def test_who_is_half_outside_a_box_is_not_in_it() -> None:
    assert not is_inside((0.0, 0.0, 40.0, 100.0), (20.0, 0.0, 80.0, 100.0))
    assert is_inside((0.0, 0.0, 40.0, 100.0), (10.0, 0.0, 80.0, 100.0))
