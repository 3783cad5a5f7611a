"""Rendered scenes for training: training seeds only, boxes where the people are."""

from pathlib import Path

import numpy as np
import pytest

from edge_app.capture.simulated import FIRST_TRAINING_SEED, random_scene
from model_build.data import rendered as rendering
from model_build.data.rendered import RenderedScenes, open_rendered, rendered_frames


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> RenderedScenes:
    return open_rendered(tmp_path_factory.mktemp("rendered"), scenes=1)


def test_scenes_are_of_training_seeds() -> None:
    for number in range(20):
        rng = np.random.default_rng((FIRST_TRAINING_SEED, number))
        assert random_scene(rng).settings.seed >= FIRST_TRAINING_SEED


def test_a_scene_number_means_the_same_frames(scenes: RenderedScenes) -> None:
    frames = list(rendered_frames([0]))
    assert len(frames) == rendering.FRAMES_PER_SCENE == len(scenes)
    again = next(iter(rendered_frames([0])))
    assert np.array_equal(frames[0].frame_bgr, again.frame_bgr)


def test_frames_and_parts_fit_and_hold_their_boxes(scenes: RenderedScenes) -> None:
    rng = np.random.default_rng(0)
    people = 0
    for _ in range(30):
        picture, boxes, is_ignored = scenes.draw(rng, (160, 256))
        height, width = picture.shape[:2]
        assert height <= 160
        assert width <= 256
        assert height == 160 or width == 256
        assert (boxes >= 0).all()
        assert (boxes[:, 2] <= width).all()
        assert (boxes[:, 3] <= height).all()
        assert len(boxes) == len(is_ignored)
        people += int((~is_ignored).sum())
    assert people > 5


def test_an_empty_place_fills_the_picture(scenes: RenderedScenes) -> None:
    assert scenes.draw_empty(np.random.default_rng(0), (160, 256)).shape == (160, 256, 3)


def test_it_is_rendered_once(scenes: RenderedScenes, tmp_path: Path) -> None:
    first = open_rendered(tmp_path, scenes=1)
    written = (tmp_path / "rendered.bin").stat().st_mtime_ns
    second = open_rendered(tmp_path, scenes=5)
    assert len(first) == len(second)
    assert (tmp_path / "rendered.bin").stat().st_mtime_ns == written


def test_crowded_moments_are_drawn_more_often() -> None:
    scene_numbers = [1, 2]
    drawn = [len(frame.people) for frame in rendered_frames(scene_numbers)]
    evenly = []
    for number in scene_numbers:
        scene = random_scene(np.random.default_rng((FIRST_TRAINING_SEED, number)))
        people = scene.truth(300.0).people
        evenly += [
            sum(one.first_frame <= index <= one.last_frame for one in people)
            for index in range(50, 3000, 50)
        ]
    assert np.mean(drawn) > np.mean(evenly) + 0.5


def test_who_is_mostly_hidden_is_asked_for_and_who_is_hardly_seen_is_not() -> None:
    people = [person for frame in rendered_frames([3, 4]) for person in frame.people]
    shares = {
        rendering.is_hidden(person): person.visible_share / max(person.in_picture_share, 1e-6)
        for person in people
    }
    assert shares[False] >= 0.2
    assert shares[True] < 0.2
