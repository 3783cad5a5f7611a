"""The filter knows seconds, not frames; keeps shape while coasting; resists outliers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.tracking.kalman import Motion

BOX = np.array([[100.0, 50.0, 160.0, 250.0]])
SEEN = NOT_ENTERING = np.zeros(1, bool)
COASTING = np.ones(1, bool)
FIRST = np.array([0])


def followed(fps: float, speed_px_s: float, seconds: float = 2.0) -> Motion:
    motion = Motion.start(BOX, NOT_ENTERING)
    for frame in range(1, round(seconds * fps) + 1):
        shift = np.array([speed_px_s, 0.0, speed_px_s, 0.0]) * frame / fps
        motion = motion.predict(1 / fps, SEEN).update(FIRST, BOX + shift)
    return motion


@pytest.mark.parametrize("fps", [5, 10, 30])
@pytest.mark.parametrize("speed_px_s", [-200.0, 0.0, 120.0])
def test_learns_the_speed_at_any_frame_rate(fps: float, speed_px_s: float) -> None:
    motion = followed(fps, speed_px_s)
    assert motion.velocity[0, 0] == pytest.approx(speed_px_s, abs=8.0)
    assert motion.velocity[0, 3] == pytest.approx(0.0, abs=1e-6)


@given(
    parts=st.lists(st.floats(0.01, 0.5), min_size=1, max_size=8),
    speed=st.floats(-300, 300),
)
def test_one_long_step_predicts_what_many_short_ones_do(parts: list[float], speed: float) -> None:
    start = followed(10, speed, 0.5)
    stepwise = start
    for part in parts:
        stepwise = stepwise.predict(part, SEEN)
    at_once = start.predict(sum(parts), SEEN)
    np.testing.assert_allclose(stepwise.position, at_once.position, atol=1e-6)
    # The noise follows the box's size, which changes a little on the way.
    np.testing.assert_allclose(stepwise.state[2:], at_once.state[2:], rtol=0.05, atol=1e-6)


def test_nothing_changes_in_no_time() -> None:
    motion = followed(10, 100.0)
    again = motion.predict(0.0, SEEN)
    np.testing.assert_array_equal(again.position, motion.position)
    np.testing.assert_allclose(again.state[2:], motion.state[2:])


def test_legs_that_vanish_do_not_shrink_a_coasting_person() -> None:
    motion = Motion.start(BOX, NOT_ENTERING)
    for bottom in (250.0, 230.0, 200.0, 170.0):
        motion = motion.predict(0.1, SEEN).update(FIRST, np.array([[100.0, 50.0, 160.0, bottom]]))
    height = motion.boxes_xyxy[0, 3] - motion.boxes_xyxy[0, 1]
    for _ in range(10):
        motion = motion.predict(0.1, COASTING)
    after = motion.boxes_xyxy[0, 3] - motion.boxes_xyxy[0, 1]
    assert after == pytest.approx(height, rel=1e-6)


def test_a_person_who_is_not_seen_slows_down() -> None:
    motion = followed(10, 100.0)
    speed = motion.velocity[0, 0]
    later = motion.predict(2.0, COASTING)
    assert 0.2 * speed < later.velocity[0, 0] < 0.6 * speed


def test_the_longer_unseen_the_vaguer() -> None:
    motion = followed(10, 0.0)
    stds = [motion.predict(t, COASTING).position_std[0, 0] for t in (0.1, 0.5, 1.0, 2.0)]
    assert stds == sorted(stds)
    assert stds[-1] > 5 * stds[0]


def test_an_outlier_counts_less_than_its_distance() -> None:
    motion = followed(10, 0.0).predict(0.1, SEEN)

    def moved_by(error_px: float) -> float:
        shifted = BOX + np.array([error_px, 0.0, error_px, 0.0])
        return float(motion.update(FIRST, shifted).position[0, 0] - motion.position[0, 0])

    assert moved_by(300.0) < 3 * moved_by(30.0)


def test_boxes_not_seen_are_left_alone_by_an_update() -> None:
    both = Motion.start(np.concatenate([BOX, BOX + 200.0]), np.zeros(2, bool))
    updated = both.update(np.array([1]), BOX + 210.0)
    np.testing.assert_array_equal(updated.position[0], both.position[0])
    np.testing.assert_array_equal(updated.state[:, 0], both.state[:, 0])
    assert updated.position[1, 0] > both.position[1, 0]
