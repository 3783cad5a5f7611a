"""Rendered people, whole and cut off: the window, and the truth about what is left."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.capture.simulated import Rendered
from model_build.data.rendered import rendered_frames
from model_build.int8.rendered import CUT_OFF, WHOLE, cutting_window, rendered_people

SIZE = (256, 160)


@given(
    st.integers(0, 2**31), st.integers(0, 500), st.integers(0, 300), st.integers(20, 90),
    st.integers(60, 200),
)  # fmt: skip
def test_a_window_cuts_at_one_edge_and_keeps_an_eighth_to_a_half(
    seed: int, x: int, y: int, wide: int, tall: int
) -> None:
    box = np.array([x, y, min(x + wide, 640), min(y + tall, 360)], float)
    window = cutting_window((360, 640), box, np.random.default_rng(seed))
    if window is None:
        return
    left, top, right, bottom = window
    assert 0 <= left < right <= 640
    assert 0 <= top < bottom <= 360
    assert (right - left) / (bottom - top) == pytest.approx(640 / 360, rel=0.03)
    inside = np.clip(box, [left, top, left, top], [right, bottom, right, bottom])
    shares = (inside[2:] - inside[:2]) / (box[2:] - box[:2])
    assert shares.max() == pytest.approx(1.0)
    assert 0.12 - 1 / 20 <= shares.min() <= 0.5 + 1 / 20, "but for a whole pixel"


def test_nobody_small_or_far_from_every_edge_is_cut() -> None:
    box = np.array([300.0, 0.0, 340.0, 60.0])
    windows = [cutting_window((360, 640), box, np.random.default_rng(i)) for i in range(60)]
    assert any(windows), "from the side"
    assert all(w is None or w[3] > 60 for w in windows), "what is above their middle is too little"


@pytest.fixture(scope="module")
def scene() -> list[Rendered]:
    return list(rendered_frames([3_500]))


def test_boxes_lie_on_the_people_of_the_picture(scene: list[Rendered]) -> None:
    frames = scene[:6]
    judged = rendered_people(frames, SIZE, np.random.default_rng(1))
    assert judged.pictures.shape[1:] == (160, 256, 3)
    whole, cut_off = (judged.groups[name].objects for name in (WHOLE, CUT_OFF))
    assert len(whole) == len(cut_off) == len(judged.pictures)
    assert sum(map(len, whole)) > 0
    assert len(judged.pictures) - len(frames) <= sum(map(len, cut_off))
    for people in (*whole, *cut_off):
        assert (people.boxes_xyxy >= 0).all()
        assert (people.boxes_xyxy <= [256, 160, 256, 160]).all()
    for one, other in zip(whole, cut_off, strict=True):
        for box in other.boxes_xyxy:
            is_at_edge = box[0] < 1 or box[1] < 1 or box[2] > 255 or box[3] > 141
            assert is_at_edge or len(one), "who is cut off reaches the edge"
    again = rendered_people(frames, SIZE, np.random.default_rng(1))
    np.testing.assert_array_equal(again.pictures, judged.pictures)


def test_photos_before_them_know_nothing(scene: list[Rendered]) -> None:
    judged = rendered_people(scene, SIZE, np.random.default_rng(1))
    photos = np.zeros((3, 160, 256, 3), np.uint8)
    both = judged.after(photos)
    assert len(both.pictures) == 3 + len(judged.pictures)
    for name, truth in both.groups.items():
        assert [len(people) for people in truth.objects[:3]] == [0, 0, 0]
        assert truth.objects[3:] == judged.groups[name].objects
        assert not truth.is_complete
