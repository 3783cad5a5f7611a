"""The filter knows seconds, not frames; keeps shape while coasting; resists outliers."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.tracking.kalman import Box, Motion

BOX = (100.0, 50.0, 160.0, 250.0)


def shifted(by_px: float) -> Box:
    x1, y1, x2, y2 = BOX
    return x1 + by_px, y1, x2 + by_px, y2


def followed(fps: float, speed_px_s: float, seconds: float = 2.0) -> Motion:
    motion = Motion(BOX, is_entering=False)
    for frame in range(1, round(seconds * fps) + 1):
        motion.predict(1 / fps, is_coasting=False)
        motion.update(shifted(speed_px_s * frame / fps))
    return motion


def later(motion: Motion, elapsed_s: float, is_coasting: bool = False) -> Motion:
    """The same some time later, while the first stays as it is."""
    copied = deepcopy(motion)
    copied.predict(elapsed_s, is_coasting)
    return copied


def height(motion: Motion) -> float:
    _, top, _, bottom = motion.box_xyxy
    return bottom - top


def spread(motion: Motion) -> list[float]:
    return [value for of_one in motion.spread for value in of_one]


@pytest.mark.parametrize("fps", [5, 10, 30])
@pytest.mark.parametrize("speed_px_s", [-200.0, 0.0, 120.0])
def test_learns_the_speed_at_any_frame_rate(fps: float, speed_px_s: float) -> None:
    motion = followed(fps, speed_px_s)
    assert motion.velocity[0] == pytest.approx(speed_px_s, abs=8.0)
    assert motion.velocity[3] == pytest.approx(0.0, abs=1e-6)


@given(
    parts=st.lists(st.floats(0.01, 0.5), min_size=1, max_size=8),
    speed=st.floats(-300, 300),
)
def test_one_long_step_predicts_what_many_short_ones_do(parts: list[float], speed: float) -> None:
    start = followed(10, speed, 0.5)
    stepwise = deepcopy(start)
    for part in parts:
        stepwise.predict(part, is_coasting=False)
    at_once = later(start, sum(parts))
    assert stepwise.position == pytest.approx(at_once.position, abs=1e-6)
    # The noise follows the box's size, which changes a little on the way.
    assert spread(stepwise) == pytest.approx(spread(at_once), rel=0.05, abs=1e-6)


def test_nothing_changes_in_no_time() -> None:
    motion = followed(10, 100.0)
    again = later(motion, 0.0)
    assert again.position == motion.position
    assert spread(again) == pytest.approx(spread(motion))


def test_legs_that_vanish_do_not_shrink_a_coasting_person() -> None:
    motion = Motion(BOX, is_entering=False)
    for bottom in (250.0, 230.0, 200.0, 170.0):
        motion.predict(0.1, is_coasting=False)
        motion.update((100.0, 50.0, 160.0, bottom))
    before = height(motion)
    for _ in range(10):
        motion.predict(0.1, is_coasting=True)
    assert height(motion) == pytest.approx(before, rel=1e-6)


def test_a_person_who_is_not_seen_slows_down() -> None:
    motion = followed(10, 100.0)
    speed = motion.velocity[0]
    assert 0.2 * speed < later(motion, 2.0, is_coasting=True).velocity[0] < 0.6 * speed


def test_the_longer_unseen_the_vaguer() -> None:
    motion = followed(10, 0.0)
    stds = [later(motion, t, is_coasting=True).expected_std[0] for t in (0.1, 0.5, 1.0, 2.0)]
    assert stds == sorted(stds)
    assert stds[-1] > 5 * stds[0]


def test_an_outlier_counts_less_than_its_distance() -> None:
    motion = later(followed(10, 0.0), 0.1)

    def moved_by(error_px: float) -> float:
        moved = deepcopy(motion)
        moved.update(shifted(error_px))
        return moved.position[0] - motion.position[0]

    assert moved_by(300.0) < 3 * moved_by(30.0)


@pytest.mark.parametrize("box", [(10.0, 10.0, 10.0, 10.0), (10.0, 300.0, 60.0, 301.0)])
def test_a_box_never_vanishes(box: Box) -> None:
    motion = Motion(BOX, is_entering=False)
    for _ in range(20):
        motion.predict(0.1, is_coasting=False)
        motion.update(box)
    x1, y1, x2, y2 = motion.box_xyxy
    assert x2 - x1 >= 2.0 - 1e-6
    assert y2 - y1 >= 0.5 * (x2 - x1) - 1e-6
