"""The random crop around a box: 10 to 30 % larger, anywhere around it, inside the picture."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model_build.data.around import view_around

SIZE = (400, 300)


@st.composite
def boxes(draw: st.DrawFn) -> np.ndarray:
    x0, y0 = draw(st.integers(0, SIZE[0] - 10)), draw(st.integers(0, SIZE[1] - 10))
    x1, y1 = draw(st.integers(x0 + 10, SIZE[0])), draw(st.integers(y0 + 10, SIZE[1]))
    return np.array([x0, y0, x1, y1], np.float32)


@given(boxes(), st.integers(0, 2**32 - 1))
def test_the_view_holds_the_box_and_lies_in_the_picture(box: np.ndarray, seed: int) -> None:
    view = view_around(box, SIZE, np.random.default_rng(seed))
    assert (view[:2] <= box[:2] + 1e-6).all()
    assert (view[2:] >= box[2:] - 1e-6).all()
    assert (view >= 0).all()
    assert (view <= np.tile(SIZE, 2)).all()


@given(boxes(), st.integers(0, 2**32 - 1))
def test_the_view_is_ten_to_thirty_percent_larger_where_there_is_room(
    box: np.ndarray, seed: int
) -> None:
    view = view_around(box, SIZE, np.random.default_rng(seed))
    sides, growth = box[2:] - box[:2], (view[2:] - view[:2]) / (box[2:] - box[:2])
    assert (growth <= 1.3 + 1e-6).all()
    room = np.array(SIZE) / sides
    assert (growth >= np.minimum(1.1, room) - 1e-6).all()


def test_the_box_is_not_always_in_the_middle() -> None:
    rng = np.random.default_rng(0)
    box = np.array([150, 100, 250, 200], np.float32)
    views = np.stack([view_around(box, SIZE, rng) for _ in range(400)])
    growth = (views[:, 2] - views[:, 0]) / 100
    left_share = (150 - views[:, 0]) / (views[:, 2] - views[:, 0] - 100)
    assert 1.1 < growth.min() < 1.12
    assert 1.28 < growth.max() < 1.3
    assert left_share.min() < 0.05
    assert left_share.max() > 0.95
