"""Training pictures for the person detector: boxes where people are, the same each time."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_build.data.cutouts import Pasted, Placement, draw_party, paste, prepare_cutout
from model_build.data.people import Mixture, PeoplePictures, spoil
from model_build.data.rendered import RenderedScenes
from model_build.data.scenery import Scenery
from model_build.data.store import write_store

SIZE_HW = (160, 256)
RED = (0, 0, 255)


def red_person() -> dict[str, np.ndarray]:
    """A red rectangle whose label map covers it wholly."""
    picture = np.full((120, 40, 3), RED, np.uint8)
    return {"picture": picture, "labels": np.full((120, 40), 5, np.uint8)}


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Scenery:
    folder = tmp_path_factory.mktemp("scenery")
    street = np.full((150, 100, 3), 90, np.uint8)
    street[20:140, 30:70] = RED
    place = np.random.default_rng(0).integers(80, 120, (90, 60, 3)).astype(np.uint8)
    return Scenery(
        write_store(folder / "cutouts", [(red_person(), {"stem": "a"})]),
        write_store(folder / "street", [({"picture": street}, {"box": [30, 20, 70, 140]})]),
        write_store(folder / "places", [({"picture": place}, {})]),
    )


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> RenderedScenes:
    folder = tmp_path_factory.mktemp("rendered")
    frame = np.full((90, 160, 3), 60, np.uint8)
    frame[30:90, 40:60] = RED
    facts = {"boxes": [[40, 30, 60, 90], [100, 10, 110, 20]], "is_ignored": [False, True]}
    return RenderedScenes(
        write_store(folder / "rendered", [({"picture": frame}, facts)]),
        write_store(folder / "empty", [({"picture": frame * 0 + 60}, {})]),
    )


def pictures(
    scenery: Scenery, rendered: RenderedScenes | None, mixture: Mixture, seed: int = 1
) -> PeoplePictures:
    return PeoplePictures(scenery, rendered, SIZE_HW, mixture, seed)


def redness(picture: np.ndarray) -> np.ndarray:
    blue, _, red = (picture[..., i].astype(int) for i in range(3))
    return red - blue > 60


def test_a_picture_depends_on_its_number_alone(scenery: Scenery, rendered: RenderedScenes) -> None:
    one, other = (pictures(scenery, rendered, Mixture()) for _ in range(2))
    expected = [one.scene(number) for number in range(6)]
    for number in (5, 2, 0):
        again = other.scene(number)
        assert np.array_equal(again.picture, expected[number].picture)
        assert np.array_equal(again.boxes, expected[number].boxes)


def test_seeds_differ(scenery: Scenery) -> None:
    one = pictures(scenery, None, Mixture(), seed=1).scene(0)
    other = pictures(scenery, None, Mixture(), seed=2).scene(0)
    assert not np.array_equal(one.picture, other.picture)


@settings(max_examples=40)
@given(number=st.integers(0, 10_000))
def test_boxes_lie_inside(scenery: Scenery, rendered: RenderedScenes, number: int) -> None:
    scene = pictures(scenery, rendered, Mixture()).scene(number)
    assert scene.picture.shape == scene.clean.shape == (*SIZE_HW, 3)
    assert scene.boxes.dtype == np.float32
    assert (scene.boxes[:, :2] >= 0).all()
    assert (scene.boxes[:, 2:] <= [SIZE_HW[1], SIZE_HW[0]]).all()
    assert (scene.boxes[:, 2:] >= scene.boxes[:, :2]).all()
    assert len(scene.is_ignored) == len(scene.boxes)


@pytest.mark.parametrize(
    "mixture",
    [
        pytest.param(Mixture(1, 0, 0, 0, spoilt=0), id="street"),
        pytest.param(Mixture(0, 0, 1, 0, spoilt=0), id="rendered"),
    ],
)
def test_the_box_holds_the_person(
    scenery: Scenery, rendered: RenderedScenes, mixture: Mixture
) -> None:
    maker = pictures(scenery, rendered, mixture)
    for number in range(20):
        scene = maker.scene(number)
        red = redness(scene.clean)
        for left, top, right, bottom in scene.boxes[~scene.is_ignored]:
            inside = red[round(top) : round(bottom), round(left) : round(right)]
            assert inside.mean() > 0.85
        for left, top, right, bottom in scene.boxes:
            red[int(top) : int(bottom) + 2, max(0, int(left) - 1) : int(right) + 2] = False
        assert red.mean() < 0.01


def test_nobody_means_nobody(scenery: Scenery) -> None:
    maker = pictures(scenery, None, Mixture(0, 0, 0, 1))
    scenes = [maker.scene(number) for number in range(5)]
    assert all(len(scene.boxes) == 0 and scene.is_complete for scene in scenes)


def test_hard_places_are_shown_more_often(scenery: Scenery) -> None:
    mixture = Mixture(1, 0, 0, 0, spoilt=0, hard=0.5)
    usual = pictures(scenery, None, mixture)
    maker = usual.with_more_of((3, 8))
    hard = [usual.place(number).picture for number in (3, 8)]
    assert not np.array_equal(*hard)
    scenes = [maker.scene(number) for number in range(200)]
    shown = [[np.array_equal(scene.picture, one) for scene in scenes] for one in hard]
    assert 30 <= sum(shown[0]) <= 70
    assert 30 <= sum(shown[1]) <= 70
    others = [scene for scene, *is_one in zip(scenes, *shown, strict=True) if not any(is_one)]
    assert all(len(scene.boxes) for scene in others)


def test_spoiling_is_repeatable_and_keeps_the_size() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (90, 160, 3)).astype(np.uint8)
    one, other = (spoil(picture, np.random.default_rng(4)) for _ in range(2))
    assert one.shape == picture.shape
    assert np.array_equal(one, other)
    assert not np.array_equal(one, picture)


def stand(x: float, foot_y: float) -> Placement:
    return Placement(
        x, foot_y, height_px=100, narrowing=1, squash=1, lean_rad=0, is_from_behind=False
    )


def put(pasted: Pasted, canvas: np.ndarray, placement: Placement) -> None:
    rng = np.random.default_rng(0)
    cutout = prepare_cutout(*red_person().values(), placement, rng)
    paste(canvas, pasted, cutout, placement)


def test_a_person_stands_where_they_are_put() -> None:
    pasted, canvas = Pasted.nobody(SIZE_HW), np.zeros((*SIZE_HW, 3), np.uint8)
    put(pasted, canvas, stand(x=100, foot_y=140))
    boxes, is_ignored = pasted.boxes()
    np.testing.assert_allclose(boxes, [[100 - 17, 40, 100 + 17, 140]], atol=3)
    assert not is_ignored.any()
    left, top, width, height = cv2.boundingRect((canvas.max(2) > 3).astype(np.uint8))
    np.testing.assert_allclose([left, top, left + width, top + height], boxes[0], atol=2)


def test_a_head_at_the_lower_edge_is_asked_for() -> None:
    pasted, canvas = Pasted.nobody(SIZE_HW), np.zeros((*SIZE_HW, 3), np.uint8)
    put(pasted, canvas, stand(x=100, foot_y=160 + 85))
    boxes, is_ignored = pasted.boxes()
    np.testing.assert_allclose(boxes, [[83, 145, 117, 160]], atol=3)
    assert not is_ignored.any()


@pytest.mark.parametrize(("in_front_x", "is_hidden"), [(104, True), (112, False)])
def test_whoever_is_all_but_hidden_is_not_asked_for(in_front_x: float, is_hidden: bool) -> None:
    pasted, canvas = Pasted.nobody(SIZE_HW), np.zeros((*SIZE_HW, 3), np.uint8)
    put(pasted, canvas, stand(x=100, foot_y=138))
    put(pasted, canvas, stand(x=in_front_x, foot_y=140))
    boxes, is_ignored = pasted.boxes()
    assert is_ignored.tolist() == [is_hidden, False]
    np.testing.assert_allclose(boxes[0], [83, 38, 117, 138], atol=3)


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_parties_are_of_one_to_five_alike(seed: int) -> None:
    party = draw_party(SIZE_HW, np.random.default_rng(seed))
    heights = [placement.height_px for placement in party]
    assert 1 <= len(party) <= 5
    assert max(heights) / min(heights) < 1.3
