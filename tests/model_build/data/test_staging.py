"""Restaging changes what it says, where it says, and nothing else."""

import numpy as np
import pytest

from model_build.data import staging
from tests.model_build.data.layouts import LABELS, labelled_person

HAIR, SKIN, SHIRT = (LABELS.index(name) for name in ("hair", "skin", "t-shirt"))


@pytest.fixture
def labels() -> np.ndarray:
    return labelled_person()


@pytest.fixture
def picture(labels: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(1)
    photo = rng.integers(60, 200, (*labels.shape, 3)).astype(np.uint8)
    photo[labels == HAIR] = (10, 20, 30)
    return photo


def test_turning_around_hides_the_face_in_hair(picture: np.ndarray, labels: np.ndarray) -> None:
    turned = staging.turn_around(picture, labels, HAIR, SKIN, np.random.default_rng(0))
    face = (labels == SKIN) & (np.arange(len(labels))[:, None] < 38)
    assert np.abs(turned[face].astype(int) - (10, 20, 30)).mean() < 40
    assert (turned[labels == 0] == picture[labels == 0]).all()


def test_without_hair_nothing_turns(picture: np.ndarray, labels: np.ndarray) -> None:
    labels[labels == HAIR] = 0
    turned = staging.turn_around(picture, labels, HAIR, SKIN, np.random.default_rng(0))
    assert turned is picture


def test_another_place_keeps_the_person(picture: np.ndarray, labels: np.ndarray) -> None:
    place = np.zeros_like(picture)
    placed = staging.place_before(picture, labels, place, np.random.default_rng(0))
    inside = np.zeros(labels.shape, bool)
    inside[60:150, 55:65] = True
    assert np.abs(placed[inside].astype(int) - picture[inside]).max() <= 1
    assert (placed[:10] == 0).all()


@pytest.mark.parametrize("seed", range(12))
def test_strangers_leave_at_least_half_of_the_person(
    picture: np.ndarray, labels: np.ndarray, seed: int
) -> None:
    stranger = (np.full_like(picture, 255), labels)
    mixed, seen = staging.add_stranger(picture, labels, stranger, np.random.default_rng(seed))
    assert mixed.shape == picture.shape
    covered = seen == staging.STRANGER
    assert covered.sum() <= 0.5 * (labels > 0).sum()
    assert (mixed[covered] == 255).all()
    assert (seen[~covered] == labels[~covered]).all()


def test_dyeing_changes_garments_only(picture: np.ndarray, labels: np.ndarray) -> None:
    dyed = staging.dye_garments(picture, labels, [SHIRT], np.random.default_rng(3))
    assert (dyed[labels != SHIRT] == picture[labels != SHIRT]).all()
    assert (dyed[labels == SHIRT] != picture[labels == SHIRT]).any()


@pytest.mark.parametrize("seed", range(8))
def test_backgrounds_have_the_size_that_was_asked_for(picture: np.ndarray, seed: int) -> None:
    place = staging.draw_background((50, 33), picture, np.random.default_rng(seed))
    assert place.shape == (50, 33, 3)
    assert place.dtype == np.uint8


def test_from_behind_an_open_garment_is_one_piece() -> None:
    labels = np.zeros((20, 30), np.uint8)
    labels[5:15, 5:25] = LABELS.index("top")
    labels[5:15, 12:18] = LABELS.index("t-shirt")
    labels[5:8, 14:16] = HAIR
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[labels == LABELS.index("top")] = 200
    closed, seen = staging.close_back(
        picture, labels, LABELS.index("top"), [HAIR], np.random.default_rng(0)
    )
    assert not (seen == LABELS.index("t-shirt")).any()
    assert (seen == HAIR).sum() == (labels == HAIR).sum()
    assert closed[10, 15].min() > 150
    assert (closed[labels == 0] == 0).all()


def test_a_garment_that_is_not_there_closes_nothing(
    picture: np.ndarray, labels: np.ndarray
) -> None:
    same, seen = staging.close_back(
        picture, labels, LABELS.index("tie"), [HAIR], np.random.default_rng(0)
    )
    assert (seen[:, 70:] == labels[:, 70:]).all()
    assert same.shape == picture.shape
