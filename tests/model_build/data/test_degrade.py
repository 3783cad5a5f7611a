"""Degradation changes pictures, never their form, and follows its source of chance alone."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from model_build.data import degrade

Change = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]
CHANGES: list[Change] = [
    degrade.degrade,
    degrade.change_colours,
    degrade.add_haze,
    degrade.blur,
    degrade.lose_pixels,
    degrade.sharpen,
]


def _picture(height: int = 96, width: int = 48) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 255, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_shape_and_input_stay_and_chance_decides(change: Change) -> None:
    picture = _picture()
    before = picture.copy()
    first = change(picture, np.random.default_rng(5))
    again = change(picture, np.random.default_rng(5))
    assert first.shape == picture.shape
    assert first.dtype == np.uint8
    assert (picture == before).all()
    assert (first == again).all()
    assert (first != picture).any()


@given(st.integers(1, 300), st.integers(1, 150), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_any_size_survives(height: int, width: int, seed: int) -> None:
    changed = degrade.degrade(_picture(height, width), np.random.default_rng(seed))
    assert changed.shape == (height, width, 3)


def test_haze_takes_contrast() -> None:
    hazy = degrade.add_haze(_picture(), np.random.default_rng(1))
    assert hazy.std() < 0.9 * _picture().std()


def test_recolouring_touches_the_mask_only() -> None:
    picture = _picture()
    mask = np.zeros(picture.shape[:2], np.bool_)
    mask[10:40, 10:30] = True
    dyed = degrade.recolour(picture, mask, np.random.default_rng(2))
    assert (dyed[~mask] == picture[~mask]).all()
    assert (dyed[mask] != picture[mask]).any()


def test_recolouring_nothing_is_nothing() -> None:
    picture = _picture()
    mask = np.zeros(picture.shape[:2], np.bool_)
    assert degrade.recolour(picture, mask, np.random.default_rng(2)) is picture
