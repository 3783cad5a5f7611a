"""What is remembered of a track besides its motion."""

import numpy as np
import pytest

from edge_app.tracking.life import Life

BOX = np.array([300.0, 20.0, 350.0, 120.0])


def lived(*moves: tuple[float, float]) -> Life:
    """A track that was seen at some times, each time shifted by so many pixels."""
    life = Life(1, 0.0, 0.0, BOX, 0.8, 0.8)
    for at_s, shift in moves:
        life.see(at_s, BOX + shift, 0.8, True)
    return life


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        pytest.param([(5.0, 2.0), (9.0, -3.0)], False, id="not-for-long-yet"),
        pytest.param([(5.0, 2.0), (10.0, -3.0)], True, id="jitter"),
        pytest.param([(5.0, 30.0), (10.0, 30.0)], False, id="moved-since"),
        pytest.param([(5.0, 30.0), (15.0, 30.0)], True, id="fixed-elsewhere"),
    ],
)
def test_who_stays_at_a_place_for_long_is_fixed(
    moves: list[tuple[float, float]], expected: bool
) -> None:
    assert lived(*moves).is_fixed == expected


def test_the_size_is_remembered_while_the_legs_are_hidden() -> None:
    life = lived()
    assert life.size == 100.0
    for index in range(5):
        life.see(index / 10, np.array([310.0, 20.0, 340.0, 60.0]), 0.6, True)
    assert life.size > 80.0
