"""Colour names that a sales assistant would use."""

from __future__ import annotations

import numpy as np
import pytest

from edge_app.outfit.colour import COLOURS, colour_name


def crop(bgr: tuple[int, int, int]) -> np.ndarray:
    return np.full((60, 30, 3), bgr, np.uint8)


@pytest.mark.parametrize(
    ("bgr", "name"),
    [
        ((15, 15, 15), "black"),
        ((240, 240, 240), "white"),
        ((128, 128, 128), "grey"),
        ((40, 40, 200), "red"),
        ((150, 70, 30), "blue"),
        ((60, 120, 50), "green"),
        ((60, 200, 230), "yellow"),
        ((50, 70, 105), "brown"),
        ((195, 180, 235), "pink"),
    ],
)
def test_plain_colours(bgr: tuple[int, int, int], name: str) -> None:
    assert colour_name(crop(bgr)) == name


def test_the_middle_counts_not_the_background() -> None:
    picture = crop((240, 240, 240))
    picture[10:50, 6:24] = (40, 40, 200)
    assert colour_name(picture) == "red"


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 1, 3), (1, 40, 3)])
def test_the_smallest_crop_has_a_colour(shape: tuple[int, int, int]) -> None:
    assert colour_name(np.full(shape, 128, np.uint8)) in COLOURS
