"""Letterboxing and stretching: where the pixels go."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_app.geometry import Letterbox
from edge_app.inference.preprocess import PADDING, letterbox, stretch


def test_a_picture_is_kept_top_left_and_padded_with_grey() -> None:
    picture = np.full((50, 100, 3), 200, np.uint8)
    out = np.zeros((64, 64, 3), np.uint8)
    fit = letterbox(picture, out)
    assert (fit.width, fit.height) == (64, 32)
    assert (out[:32] == 200).all()
    assert (out[32:] == PADDING).all()


def test_a_picture_of_the_right_size_is_copied_exactly() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    out = np.zeros_like(picture)
    letterbox(picture, out)
    np.testing.assert_array_equal(out, picture)


def test_a_view_of_a_frame_is_read_where_it_lies() -> None:
    frame = np.zeros((40, 40, 3), np.uint8)
    frame[10:20, 10:30] = 90
    out = np.zeros((16, 32, 3), np.uint8)
    letterbox(frame[10:20, 10:30], out)
    assert (out[:16, :32] == 90).all()


@given(
    st.integers(1, 400), st.integers(1, 400), st.sampled_from([(64, 64), (512, 320), (128, 256)])
)
def test_boxes_come_back_to_where_they_were(w: int, h: int, target: tuple[int, int]) -> None:
    fit = Letterbox.fit((w, h), target)
    assert 1 <= fit.width <= target[0]
    assert 1 <= fit.height <= target[1]
    corner = np.array([[0, 0, fit.width, fit.height]], np.float32)
    np.testing.assert_allclose(fit.to_picture(corner)[0], [0, 0, w, h], rtol=1e-5)


def test_a_box_is_stretched_to_the_input() -> None:
    picture = np.zeros((30, 30, 3), np.uint8)
    picture[5:15, 10:12] = (1, 2, 3)
    out = np.zeros((32, 16, 3), np.uint8)
    stretch(picture, np.array([10, 5, 12, 15]), out)
    assert (out == np.array([1, 2, 3])).all()
