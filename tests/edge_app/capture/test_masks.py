"""Privacy masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.capture.masks import PrivacyMasks
from edge_app.geometry import is_inside

HALF = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]


def white(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def test_without_masks_nothing_is_black() -> None:
    assert PrivacyMasks().apply(white(8, 8)).min() == 255


@pytest.mark.parametrize("size", [(100, 50), (64, 64), (7, 5)])
def test_the_masked_part_is_black_in_every_size(size: tuple[int, int]) -> None:
    width, height = size
    masks = PrivacyMasks([HALF])
    for _ in range(2):
        picture = masks.apply(white(width, height))
        assert picture[:, : width // 2].max() == 0
        assert picture[:, width // 2 + 1 :].min() == 255


def test_a_new_size_draws_the_masks_anew() -> None:
    masks = PrivacyMasks([HALF])
    masks.apply(white(10, 10))
    assert masks.apply(white(20, 10))[:, :10].max() == 0


def test_several_masks_add_up() -> None:
    right = [(0.75, 0.0), (1.0, 0.0), (1.0, 1.0), (0.75, 1.0)]
    picture = PrivacyMasks([HALF, right]).apply(white(100, 10))
    assert picture[:, :50].max() == 0
    assert picture[:, 52:74].min() == 255
    assert picture[:, 75:].max() == 0


def test_the_lower_right_corner_can_be_masked() -> None:
    whole = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    assert PrivacyMasks([whole]).apply(white(33, 17)).max() == 0


corners = st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0))


@given(st.lists(corners, min_size=3, max_size=3), st.integers(4, 60), st.integers(4, 60))
def test_no_pixel_whose_middle_is_inside_stays_visible(
    triangle: list[tuple[float, float]], width: int, height: int
) -> None:
    picture = PrivacyMasks([triangle]).apply(white(width, height))
    for y in range(height):
        for x in range(width):
            middle = ((x + 0.5) / width, (y + 0.5) / height)
            # Half a pixel of the outline is the drawing's own rounding.
            if all(
                is_inside((middle[0] + dx / width, middle[1] + dy / height), triangle)
                for dx in (-0.5, 0.5)
                for dy in (-0.5, 0.5)
            ):
                assert picture[y, x].max() == 0
