"""Kinds of values: which areas there are."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from edge_app.config.kinds import Area

CORNERS = [[0.1, 0.1], [0.9, 0.15], [0.9, 0.9], [0.12, 0.9]]


def accepted(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).validate_python(value)


ANGLES = st.lists(st.integers(0, 119), min_size=4, max_size=12, unique=True).map(sorted)


def around(angles: list[int], radii: list[float]) -> list[list[float]]:
    """Corners in order around the middle of the picture."""
    turns = [2 * math.pi * angle / 120 for angle in angles]
    return [
        [0.5 + radius * math.cos(turn), 0.5 + radius * math.sin(turn)]
        for turn, radius in zip(turns, radii, strict=False)
    ]


def is_around(angles: list[int]) -> bool:
    """Whether the middle lies between the corners, so that their order is one around it."""
    gaps = [(b - a) % 120 for a, b in zip(angles, [*angles[1:], angles[0]], strict=True)]
    return max(gaps) < 60


@given(ANGLES.filter(is_around), st.lists(st.floats(0.1, 0.5), min_size=12, max_size=12))
def test_corners_in_order_are_an_area_wherever_one_begins(
    angles: list[int], radii: list[float]
) -> None:
    corners = around(angles, radii)
    for start in range(len(corners)):
        turned = corners[start:] + corners[:start]
        assert len(accepted(Area, turned)) == len(corners)
        assert len(accepted(Area, turned[::-1])) == len(corners)


@given(ANGLES.filter(is_around), st.data())
def test_corners_of_a_circle_that_are_out_of_order_are_none(
    angles: list[int], data: st.DataObject
) -> None:
    corners = around(angles, [0.4] * 12)
    order = data.draw(st.permutations(range(len(corners))))
    steps = {(b - a) % len(corners) for a, b in zip(order, [*order[1:], order[0]], strict=True)}
    if steps in ({1}, {len(corners) - 1}):
        accepted(Area, [corners[i] for i in order])
        return
    with pytest.raises(ValidationError, match="its corners are not in order around the area"):
        accepted(Area, [corners[i] for i in order])


@pytest.mark.parametrize(
    "corners",
    [
        pytest.param([CORNERS[i] for i in (0, 1, 3, 2)], id="in the order of a Z"),
        pytest.param([[0.5, 0.1], [0.75, 0.85], [0.1, 0.4], [0.9, 0.4], [0.25, 0.85]], id="a star"),
        pytest.param([[0, 0], [1, 1], [1, 0], [0, 1]], id="halves that cancel out"),
    ],
)
def test_sides_that_cross_are_refused(
    corners: list[list[float]],
) -> None:
    with pytest.raises(ValidationError, match="its corners are not in order around the area"):
        accepted(Area, corners)


@pytest.mark.parametrize(
    "corners",
    [
        pytest.param([[0, 0], [1, 0], [1, 1], [0.5, 0], [0, 1]], id="a corner that touches a side"),
        pytest.param(
            [
                *CORNERS,
                CORNERS[0],
                *(
                    [0.4 + 0.2 * x, 0.4 + 0.2 * y]
                    for x, y in [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)]
                ),
            ],
            id="a ring with a slit",
        ),
    ],
)
def test_sides_may_touch(corners: list[list[float]]) -> None:
    assert len(accepted(Area, corners)) == len(corners)


def test_the_first_corner_may_be_written_at_the_end_again() -> None:
    assert accepted(Area, [*CORNERS, CORNERS[0]])[-1] == tuple(CORNERS[0])
