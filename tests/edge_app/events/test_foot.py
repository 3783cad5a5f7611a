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


def feet_of_who_walks(heights_px: list[float]) -> list[float]:
    """Of somebody whose head moves down the picture by 20 px/s, and who grows by 10 px/s."""
    foot = Foot()
    ys = []
    for index, height in enumerate(heights_px):
        top = 80 + 2.0 * index
        box = np.array([300, top, 330, top + height + index], np.float32)
        ys.append(foot.locate(box, SIZE, index / FPS)[1] * SIZE[1])
    return ys


def test_who_walks_keeps_the_feet_while_the_box_ends_at_the_feet_of_somebody_nearer() -> None:
    plain = feet_of_who_walks([80.0] * 20)
    behind = feet_of_who_walks([80.0] * 10 + [115.0] * 2 + [80.0] * 8)
    assert np.abs(np.subtract(behind, plain)).max() < 0.12 * 80


def test_who_is_seen_whole_for_good_has_the_feet_there() -> None:
    # First the upper body alone, from behind a shelf.
    ys = feet_of_who_walks([50.0] * 10 + [80.0] * 10)
    assert ys[14:] == pytest.approx(feet_of_who_walks([80.0] * 20)[14:], abs=3)
