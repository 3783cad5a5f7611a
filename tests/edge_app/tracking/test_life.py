"""What is remembered of a track besides its motion."""

import numpy as np
import pytest

from edge_app.config.schema import TrackingSettings
from edge_app.tracking.life import Life

BOX = (300.0, 20.0, 350.0, 120.0)


def lived(*moves: tuple[float, float]) -> Life:
    """A track that was seen at some times, each time shifted by so many pixels."""
    life = Life(0.0, BOX, 0.8, is_entering=False, is_alone=True)
    life.track_id = 1
    x1, y1, x2, y2 = BOX
    for at_s, shift in moves:
        life.see(at_s, (x1 + shift, y1 + shift, x2 + shift, y2 + shift), 0.8, True)
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


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        pytest.param([(5.0, 2.0), (9.0, -3.0)], False, id="not-for-long-yet"),
        pytest.param([(5.0, 2.0), (10.0, -3.0)], True, id="never-anywhere-else"),
        pytest.param([(5.0, 30.0), (15.0, 30.0)], False, id="came-from-somewhere"),
    ],
)
def test_what_never_moved_is_a_thing(moves: list[tuple[float, float]], expected: bool) -> None:
    assert lived(*moves).is_thing == expected


@pytest.mark.parametrize(
    ("score", "seen_s", "expected"),
    [
        pytest.param(0.8, 0.1, True, id="surely-found"),
        pytest.param(0.6, 0.1, False, id="found"),
        pytest.param(0.6, 0.2, True, id="found-for-longer"),
        pytest.param(0.8, 0.05, False, id="surely-found-too-shortly"),
    ],
)
def test_who_is_surely_found_is_convincing_after_half_the_time(
    score: float, seen_s: float, expected: bool
) -> None:
    life = Life(0.0, BOX, score, is_entering=False, is_alone=True)
    life.see(seen_s, BOX, score, is_alone=True)
    assert life.is_convincing(TrackingSettings()) == expected


def test_the_size_is_remembered_while_the_legs_are_hidden() -> None:
    life = lived()
    assert life.size == 100.0
    for index in range(5):
        life.see(index / 10, (310.0, 20.0, 340.0, 60.0), 0.6, True)
    assert life.size > 80.0


@pytest.mark.parametrize("fps", [5, 10, 30])
def test_a_look_fades_with_time_at_any_frame_rate(fps: int) -> None:
    first, second = np.eye(2, dtype=np.float32)
    life = lived()
    life.remember(first, 0.0)
    for index in range(1, fps + 1):
        life.remember(second, index / fps)
    assert life.look is not None
    assert float(np.linalg.norm(life.look)) == pytest.approx(1.0, abs=1e-5)
    assert float(life.look @ second) > 0.75
    assert float(life.look @ first) > 0.2


def test_who_shares_a_box_goes_where_it_goes_and_keeps_shape() -> None:
    life = lived((0.1, 5.0), (0.2, 10.0), (0.3, 15.0))
    life.motion.predict(0.1, is_coasting=True)
    x1, y1, x2, y2 = life.motion.box_xyxy
    life.see_shared(0.4, 0.7, 6.0, -2.0)
    assert (life.last_seen_at_s, life.apart_at_s) == (0.4, 0.3)
    assert life.box_xyxy == life.motion.box_xyxy
    assert life.box_xyxy == pytest.approx((x1 + 6, y1 - 2, x2 + 6, y2 - 2))
