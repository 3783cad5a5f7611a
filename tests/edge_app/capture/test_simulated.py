"""The simulated entrance: addresses, frames that repeat exactly, annotations that fit them."""

from __future__ import annotations

import functools
import math
from collections import Counter

import numpy as np
import pytest

from edge_app.capture.simulated import (
    FIRST_TRAINING_SEED,
    Rendered,
    SimulatedEntrance,
    SimulationSettings,
    random_scene,
)
from edge_app.capture.simulated.person import Person
from edge_app.capture.simulated.wardrobe import draw_outfit
from edge_app.errors import SourceError
from edge_app.vocabulary import CATEGORIES, REGION_OF

BUSY = "sim://entrance?people_per_min=25&width=320&height=180&group_share=0.4"


@functools.cache
def busy(seed: int, index: int) -> Rendered:
    """A picture of the busy entrance with its annotations, drawn once for all tests."""
    return busy_scene(seed).render(index)


@functools.cache
def busy_scene(seed: int) -> SimulatedEntrance:
    return SimulatedEntrance.from_url(f"{BUSY}&seed={seed}")


def test_url_sets_every_key() -> None:
    settings = SimulationSettings.from_url(
        "sim://entrance?people_per_min=2.5&seed=7&fps=12.5&width=800&height=450&duration_s=60"
        "&group_share=0.1&u_turn_share=0.2&linger_share=0.3&exit_share=0.4&umbrella_share=0.5"
        "&trolley_share=0.6&view=door&style=0.7"
    )
    assert settings == SimulationSettings(
        2.5, 7, 12.5, 800, 450, 60.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, "door", 0.7
    )


def test_url_without_keys_takes_the_defaults() -> None:
    assert SimulationSettings.from_url("sim://entrance") == SimulationSettings()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        pytest.param("sim://exit", "sim://entrance", id="unknown-host"),
        pytest.param("rtsp://entrance", "sim://entrance", id="other-scheme"),
        pytest.param("sim://entrance/aisle", "sim://entrance", id="path"),
        pytest.param("sim://entrance?people=3", "unknown key 'people'", id="unknown-key"),
        pytest.param("sim://entrance?seed=1&seed=2", "seed is given twice", id="twice"),
        pytest.param("sim://entrance?seed=one", "seed must be a whole number", id="seed-word"),
        pytest.param("sim://entrance?seed=", "seed must be a whole number", id="seed-empty"),
        pytest.param("sim://entrance?seed=-1", "seed must be between", id="seed-negative"),
        pytest.param("sim://entrance?fps=0", "fps must be between", id="fps-zero"),
        pytest.param("sim://entrance?fps=nan", "fps must be between", id="fps-nan"),
        pytest.param("sim://entrance?width=640.5", "width must be a whole", id="width-fraction"),
        pytest.param("sim://entrance?height=8", "height must be between", id="height-small"),
        pytest.param("sim://entrance?group_share=1.5", "group_share must be", id="share"),
        pytest.param("sim://entrance?exit_share=0.7&u_turn_share=0.4", "at most 1", id="sum"),
        pytest.param("sim://entrance?view=side", "view must be one of", id="view"),
        pytest.param("sim://entrance?duration_s=-3", "duration_s must be", id="duration"),
    ],
)
def test_wrong_url_is_refused_by_name(url: str, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        SimulatedEntrance.from_url(url)


def test_same_seed_gives_the_same_frames_in_any_order() -> None:
    one = SimulatedEntrance.from_url(f"{BUSY}&seed=3")
    other = SimulatedEntrance.from_url(f"{BUSY}&seed=3")
    forwards = [one.frame_at(index) for index in (200, 201, 800)]
    backwards = [other.frame_at(index) for index in (800, 201, 200)][::-1]
    for first, second in zip(forwards, backwards, strict=True):
        np.testing.assert_array_equal(first, second)
    assert forwards[0].shape == (180, 320, 3)
    assert forwards[0].dtype == np.uint8
    assert (forwards[0] != forwards[2]).any()


def test_annotating_does_not_change_the_frame() -> None:
    scene = SimulatedEntrance.from_url(f"{BUSY}&seed=4")
    np.testing.assert_array_equal(scene.render(300).frame_bgr, scene.frame_at(300))


def test_other_seed_gives_another_store() -> None:
    one = SimulatedEntrance.from_url(f"{BUSY}&seed=5").frame_at(0)
    other = SimulatedEntrance.from_url(f"{BUSY}&seed=6").frame_at(0)
    assert np.abs(one.astype(int) - other).mean() > 8


@pytest.mark.parametrize("index", [-1, 100])
def test_frame_outside_the_recording_is_refused(index: int) -> None:
    scene = SimulatedEntrance.from_url("sim://entrance?duration_s=10&width=64&height=64")
    assert scene.frame_count == 100
    with pytest.raises(SourceError, match="frame number"):
        scene.frame_at(index)


@pytest.mark.parametrize("view", ["door", "facing"])
def test_view_is_as_asked(view: str) -> None:
    assert SimulatedEntrance.from_url(f"sim://entrance?view={view}&seed=9").view == view


@pytest.mark.parametrize("seed", range(6))
def test_annotations_fit_the_picture(seed: int) -> None:
    seen = 0
    for index in range(200, 1500, 200):
        rendered = busy(seed, index)
        assert rendered.time_s == pytest.approx(index / 10)
        for person in rendered.people:
            x1, y1, x2, y2 = person.box_xyxy
            assert 0 <= x1 < x2 <= 320
            assert 0 <= y1 < y2 <= 180
            assert 0 < person.visible_share <= 1
            assert person.visible_share <= person.in_picture_share + 1e-9
            for garment in person.garments:
                gx1, gy1, gx2, gy2 = garment.box_xyxy
                assert x1 <= gx1 < gx2 <= x2
                assert y1 <= gy1 < gy2 <= y2
                assert REGION_OF[garment.category] == garment.region
                assert garment.category in person.wears
            seen += 1
    assert seen > 0


def test_who_is_behind_an_umbrella_is_hidden() -> None:
    """The same people with and without umbrellas, facing the camera in a row."""
    seen = {}
    for share in (0, 1):
        scene = SimulatedEntrance.from_url(
            f"sim://entrance?people_per_min=40&seed=5&width=320&height=180&view=facing"
            f"&umbrella_share={share}"
        )
        seen[share] = {person.person: person for person in scene.render(600).people}
    hidden = [
        number
        for number, person in seen[0].items()
        if number not in seen[1] or seen[1][number].visible_share < person.visible_share - 0.5
    ]
    assert len(hidden) >= 2
    assert set(seen[1]) < set(seen[0])
    assert max(person.visible_share for person in seen[1].values()) > 0.9


def _unstyled(seed: int) -> SimulatedEntrance:
    """A clean picture, so that a pixel's change can only come from a person."""
    return SimulatedEntrance.from_url(
        f"sim://entrance?people_per_min=6&seed={seed}&style=0&exit_share=0&group_share=0"
        "&umbrella_share=0&trolley_share=0"
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_boxes_are_tight(seed: int) -> None:
    """Within the box pixels differ from the empty store up to the edges; outside only shadows."""
    scene = _unstyled(seed)
    empty = SimulatedEntrance.from_url(
        f"sim://entrance?people_per_min=0&seed={seed}&style=0&exit_share=0&group_share=0"
        "&umbrella_share=0&trolley_share=0"
    ).frame_at(0)
    checked = 0
    for index in range(100, 2400, 60):
        rendered = scene.render(index)
        if len(rendered.people) != 1 or rendered.people[0].visible_share < 0.99:
            continue
        x1, y1, x2, y2 = (int(value) for value in rendered.people[0].box_xyxy)
        changed = np.abs(rendered.frame_bgr.astype(int) - empty).max(axis=2) > 12
        rows, columns = np.flatnonzero(changed[:, x1:x2].any(axis=1)), None
        columns = np.flatnonzero(changed[y1 : y2 - (y2 - y1) // 6].any(axis=0))
        assert rows[0] == pytest.approx(y1, abs=3)
        # The shadow may darken the floor below and beside the feet, but nowhere else.
        assert x1 - 3 <= columns[0]
        assert columns[-1] <= x2 + 2
        checked += 1
    assert checked >= 3


def test_foot_point_is_at_the_lower_edge_of_the_box() -> None:
    gaps = []
    for seed in range(6):
        for index in range(100, 1500, 100):
            for person in busy(seed, index).people:
                x1, y1, x2, y2 = person.box_xyxy
                if person.in_picture_share > 0.95 and y2 < 178 and person.visible_share > 0.9:
                    gaps.append(abs(y2 - person.foot_xy[1]) / (y2 - y1))
                    assert x1 - 3 <= person.foot_xy[0] <= x2 + 3
    assert len(gaps) > 30
    assert np.median(gaps) < 0.07
    assert np.quantile(gaps, 0.95) < 0.16


def test_entering_person_is_first_seen_as_a_head() -> None:
    """In the door view people grow into the picture from its lower edge, the head first."""
    heads = 0
    for seed in range(4):
        scene = SimulatedEntrance.from_url(
            f"sim://entrance?people_per_min=8&seed={seed}&view=door&exit_share=0&u_turn_share=0"
            "&linger_share=0&width=320&height=180"
        )
        truth = scene.truth(60)
        for person in truth.people:
            views = [
                view
                for view in scene.render(min(person.first_frame + 1, 599)).people
                if view.person == person.person
            ]
            for view in views:
                assert view.box_xyxy[3] == 180
                heads += view.in_picture_share < 0.5
    assert heads >= 5


def test_outfits_are_consistent_and_cover_every_category() -> None:
    found: Counter[str] = Counter()
    for number in range(400):
        outfit = Person((1, 12, number)).outfit
        found.update(outfit.wears)
        regions = [garment.region for garment in outfit.garments]
        assert len(set(regions)) == len(regions)
        assert "top" not in regions or "long" not in regions
        if outfit.upper in ("dress", "suit", "jumpsuit"):
            assert regions == ["long"]
        else:
            assert "bottom" in regions
    assert set(found) == set(CATEGORIES)
    assert min(found.values()) >= 8


def test_blazer_with_legs_of_the_same_cloth_would_be_a_suit() -> None:
    rng = np.random.default_rng(5)
    outfits = [draw_outfit(rng, "blazer") for _ in range(300)]
    with_legs = [outfit for outfit in outfits if outfit.lower in ("jeans", "trousers")]
    assert len(with_legs) > 150
    assert all(outfit.cloth.name != outfit.lower_cloth.name for outfit in with_legs)
    assert {outfit.lower_cloth.name for outfit in with_legs} >= {"black", "blue", "grey"}


def test_people_differ_in_size_by_distance() -> None:
    heights = []
    for seed in range(6):
        scene = SimulatedEntrance.from_url(f"sim://entrance?people_per_min=20&seed={seed}")
        for index in range(200, 1200, 200):
            heights += [
                view.box_xyxy[3] - view.box_xyxy[1]
                for view in scene.render(index).people
                if view.in_picture_share > 0.97
            ]
    assert min(heights) < 110
    assert max(heights) > 170
    assert max(heights) < 340


def test_training_scenes_never_use_a_measuring_seed() -> None:
    rng = np.random.default_rng(0)
    scenes = [random_scene(rng) for _ in range(20)]
    assert all(scene.settings.seed >= FIRST_TRAINING_SEED for scene in scenes)
    assert len({scene.view for scene in scenes}) == 2
    assert len({(scene.settings.width, scene.settings.height) for scene in scenes}) >= 3


def test_memory_does_not_grow_with_the_run() -> None:
    scene = SimulatedEntrance.from_url("sim://entrance?people_per_min=20&width=96&height=64")
    for minute in range(0, 60 * 24 * 30, 60 * 24):
        scene.frame_at(minute * 600)
    assert scene._person.cache_info().currsize <= 64
    assert scene._timetable._minute.cache_info().currsize <= 8
    assert math.isfinite(scene.frame_at(600 * 60 * 24 * 365).mean())
