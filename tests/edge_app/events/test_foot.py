"""Foot points of people whose boxes do not show the feet well."""

import numpy as np
import pytest

from edge_app.events.foot import Foot

SIZE = (640, 360)
FPS = 10


def foot_ys(heights_px: list[float], top_px: float = 80.0) -> list[float]:
    """Where the feet are said to be, in pixels, of somebody whose head stays where it is."""
    foot = Foot()
    ys = []
    for index, height in enumerate(heights_px):
        box = np.array([300, top_px, 330, top_px + height], np.float32)
        ys.append(foot.locate(box, SIZE, index / FPS)[1] * SIZE[1])
    return ys


@pytest.mark.parametrize("growth_px_s", [10.0, 25.0, -10.0, -20.0])
@pytest.mark.parametrize("seed", range(5))
def test_who_walks_along_the_view_of_a_low_camera_moves_the_feet_but_not_the_head(
    growth_px_s: float, seed: int
) -> None:
    noise = np.random.default_rng(seed).normal(0, 1.0, 40)
    true = [90 + growth_px_s * index / FPS for index in range(40)]
    ys = foot_ys([height + off for height, off in zip(true, noise, strict=True)])
    errors = [y - 80 - height for y, height in zip(ys, true, strict=True)][20:]
    assert np.abs(errors).mean() < 0.06 * 90


def test_who_stands_keeps_the_feet_while_a_shadow_is_taken_for_legs() -> None:
    ys = foot_ys([90.0] * 30 + [108.0] * 10 + [90.0] * 10)
    assert max(ys[20:]) < 80 + 95


def test_who_stands_keeps_the_feet_while_somebody_hides_the_legs() -> None:
    ys = foot_ys([90.0] * 30 + [50.0] * 20)
    assert min(ys[20:]) > 80 + 85


@pytest.mark.parametrize("is_left", [True, False])
def test_who_leaves_over_the_side_edge_keeps_the_feet_after_the_head_is_gone(is_left: bool) -> None:
    """What is seen last is an arm, or a bag: its box begins lower, and ends where it did."""
    foot = Foot()
    ys = []
    for index in range(24):
        left, right = 230 - 12.0 * index, 290 - 12.0 * index
        top = 80 if left > 0 else 80 + 12.0 * (index - 19)
        box = np.array([max(left, 0.0), top, right, 200], np.float32)
        if not is_left:
            box = np.array([SIZE[0] - box[2], top, SIZE[0] - box[0], 200], np.float32)
        ys.append(foot.locate(box, SIZE, index / FPS)[1] * SIZE[1])
    assert ys == pytest.approx([200] * 24, abs=1)


def feet_of_who_walks(heights_px: list[float], nearer_at_px: float | None = None) -> list[float]:
    """Of somebody whose head moves down the picture by 20 px/s, and who grows by 10 px/s.

    Args:
        heights_px: of their boxes, less the growth.
        nearer_at_px: where the box of somebody nearer begins who is 85 px tall, and whose feet are
            115 px below the head of the first (also plus the growth).
    """
    foot = Foot()
    ys = []
    for index, height in enumerate(heights_px):
        top = 80 + 2.0 * index
        box = np.array([300, top, 330, top + height + index], np.float32)
        others = []
        if nearer_at_px is not None:
            end = top + 115 + index
            others.append(np.array([nearer_at_px, end - 85, nearer_at_px + 32, end], np.float32))
        ys.append(foot.locate(box, SIZE, index / FPS, others)[1] * SIZE[1])
    return ys


ALONE = feet_of_who_walks([80.0] * 20)
TALLER_FOR_A_MOMENT = [80.0] * 10 + [115.0] * 2 + [80.0] * 8


def test_who_walks_keeps_the_feet_while_the_box_ends_at_the_feet_of_somebody_nearer() -> None:
    behind = feet_of_who_walks(TALLER_FOR_A_MOMENT, nearer_at_px=315.0)
    assert np.abs(np.subtract(behind, ALONE)).max() < 0.12 * 80


@pytest.mark.parametrize("nearer_at_px", [None, 400.0], ids=["nobody-else", "somebody-aside"])
def test_legs_that_come_to_light_are_the_persons_own(nearer_at_px: float | None) -> None:
    seen = feet_of_who_walks(TALLER_FOR_A_MOMENT, nearer_at_px)
    assert seen[10:12] == pytest.approx([y + 35 for y in ALONE[10:12]], abs=1)
    # First the upper body alone, from behind a shelf.
    whole = feet_of_who_walks([50.0] * 10 + [80.0] * 10, nearer_at_px)
    assert whole[10:] == pytest.approx(ALONE[10:], abs=1)
