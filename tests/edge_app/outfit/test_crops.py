"""Which people are looked at: the budget, the best views first, nobody forgotten."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_app.config.schema import OutfitSettings
from edge_app.flow import Track, TrackedFrame, TrackKey
from edge_app.outfit.crops import CropChooser, hidden_shares, sharpness, view_quality

SIZE = (640, 360)


def person(number: int, box: tuple[float, float, float, float], observed: bool = True) -> Track:
    return Track(number, np.array(box, np.float32), 0.9, observed, -1.0)


def frame(*tracks: Track, at_s: float = 0.0, camera: str = "door") -> TrackedFrame:
    return TrackedFrame(camera, 0, at_s, SIZE, tracks)


WHOLE = (100, 50, 180, 290)


def quality(box: tuple[float, float, float, float], hidden: float = 0.0) -> float:
    return view_quality(person(1, box), hidden, SIZE)


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        ((100, 50, 130, 140), "smaller"),
        ((100, 180, 200, 360), "legs cut off by the lower edge"),
        ((100, 0, 180, 290), "head cut off"),
        ((0, 50, 40, 290), "cut off by the left edge"),
        ((600, 50, 640, 290), "cut off by the right edge"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_whole_person_promises_more(worse: tuple[float, float, float, float], why: str) -> None:
    assert quality(WHOLE) > quality(worse), why


def test_a_covered_person_promises_less() -> None:
    assert quality(WHOLE, hidden=0.5) == pytest.approx(quality(WHOLE) / 2)


def test_a_sure_detection_promises_more() -> None:
    unsure = replace(person(1, WHOLE), score=0.3)
    assert quality(WHOLE) > view_quality(unsure, 0.0, SIZE)


def test_a_head_at_the_lower_edge_promises_next_to_nothing() -> None:
    assert quality((100, 320, 160, 360)) < 0.03


def test_who_stands_nearer_covers_who_stands_behind() -> None:
    boxes = np.array([[0, 0, 100, 200], [50, 0, 150, 300], [400, 0, 450, 100]], np.float32)
    np.testing.assert_allclose(hidden_shares(boxes), [0.5, 0.0, 0.0])


def test_the_budget_holds_over_time() -> None:
    chooser = CropChooser(OutfitSettings(looks_per_s=10))
    people = [person(i, (i * 90, 50, i * 90 + 80, 290)) for i in range(1, 6)]
    chosen = [len(chooser.choose([frame(*people, at_s=step / 10)], {})) for step in range(101)]
    assert sum(chosen) == pytest.approx(10 * 10 + 5, abs=1)


def test_the_best_view_comes_first_when_the_budget_is_short() -> None:
    chooser = CropChooser(OutfitSettings(looks_per_s=2))
    small, large = person(1, (10, 50, 40, 140)), person(2, WHOLE)
    assert [view.key for view in chooser.choose([frame(small, large)], {})] == [("door", 2)]


def test_who_was_hardly_seen_comes_before_who_was_seen_well() -> None:
    chooser = CropChooser(OutfitSettings(looks_per_s=2))
    weights: dict[TrackKey, float | None] = {("door", 1): 3.0, ("door", 2): 0.1}
    both = frame(person(1, WHOLE), person(2, (300, 50, 380, 280)))
    assert [view.key for view in chooser.choose([both], weights)] == [("door", 2)]


def test_the_settled_the_unseen_and_the_tiny_are_not_looked_at() -> None:
    chooser = CropChooser(OutfitSettings())
    weights: dict[TrackKey, float | None] = {("door", 1): None}
    people = frame(person(1, WHOLE), person(2, WHOLE, observed=False), person(3, (0, 0, 10, 30)))
    assert chooser.choose([people], weights) == []


def test_cameras_share_one_budget() -> None:
    chooser = CropChooser(OutfitSettings(looks_per_s=4))
    views = chooser.choose(
        [
            frame(person(1, WHOLE)),
            frame(person(1, WHOLE), camera="back"),
            frame(person(1, WHOLE), camera="side"),
        ],
        {},
    )
    assert len(views) == 2
    assert len({view.key for view in views}) == 2


def test_a_blurred_crop_is_less_sharp() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (20, 10, 3)).astype(np.uint8)
    sharp = noise.repeat(8, axis=0).repeat(8, axis=1)
    flat = np.full((160, 80, 3), 120, np.uint8)
    assert sharpness(sharp) > 0.9
    assert sharpness(flat) == 0.0


@pytest.mark.parametrize(("at_s", "expected"), [(0.1, 0), (0.2, 1)])
def test_nobody_is_looked_at_at_first_sight(at_s: float, expected: int) -> None:
    newcomer = replace(person(1, WHOLE), first_seen_at_s=0.0)
    views = CropChooser(OutfitSettings()).choose([frame(newcomer, at_s=at_s)], {})
    assert len(views) == expected
