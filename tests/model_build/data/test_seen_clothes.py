"""What was seen on every street photo, and how it puts the published labels right."""

from pathlib import Path

import numpy as np
import pytest

from edge_app.vocabulary import CATEGORIES
from model_build.data.ccp import read_photos
from model_build.data.seen_clothes import (
    SeenClothes,
    agreed_tags,
    rename_labels,
    renamed,
    seen_clothes,
    told_clothes,
    without,
)

NAMES = ("null", "dress", "shirt", "skirt", "t-shirt", "pants", "suit", "hair")


def _wears(**known: float) -> np.ndarray:
    return np.array([known.get(name, 0.0) for name in CATEGORIES], np.float32)


def test_a_word_that_is_no_category_is_named() -> None:
    with pytest.raises(ValueError, match="no category is called gown"):
        SeenClothes.parse("gown? coat")


def test_every_photo_was_looked_at(data_dir: Path) -> None:
    stems = {photo.stem for photo in read_photos(data_dir / "ccp")}
    assert stems ^ set(seen_clothes()) == {"0536"}  # whose published label map is empty


def test_what_was_seen_decides() -> None:
    told = told_clothes(("dress", "shirt"), SeenClothes.parse("skirt sweater jumpsuit?"))
    np.testing.assert_array_equal(told, _wears(skirt=1.0, sweater=1.0, jumpsuit=np.nan))


def test_a_hoodie_is_as_published_and_may_be_what_was_seen_as_a_sweater() -> None:
    told = told_clothes(("hoodie",), SeenClothes.parse("sweater jeans"))
    np.testing.assert_array_equal(told, _wears(hoodie=1.0, jeans=1.0, sweater=np.nan))
    told = told_clothes(("shirt",), SeenClothes.parse("hoodie? jeans"))
    np.testing.assert_array_equal(told, _wears(jeans=1.0))
    assert agreed_tags(("hoodie", "jeans"), SeenClothes.parse("sweater jeans")) == (
        "jeans",
        "hoodie",
    )


def test_a_photo_that_nobody_looked_at_keeps_its_labels() -> None:
    np.testing.assert_array_equal(told_clothes(("dress",), None), _wears(dress=1.0))
    assert agreed_tags(("dress",), None) == ("dress",)
    labels = np.array([[0, 1]], np.uint8)
    assert rename_labels(labels, NAMES, None) is labels


@pytest.mark.parametrize(
    ("published", "seen", "expected"),
    [
        ("dress shirt", "skirt shirt", {"dress": "skirt"}),
        ("suit trousers shirt", "blazer trousers shirt", {"suit": "blazer"}),
        ("suit trousers shirt", "suit shirt", {"trousers": "suit"}),
        ("blazer trousers", "suit", {"blazer": "suit", "trousers": "suit"}),
        ("top skirt", "dress", {"top": "dress", "skirt": "dress"}),
        ("sweater", "dress", {"sweater": "dress"}),
        ("jeans shirt", "jumpsuit shirt", {"jeans": "jumpsuit"}),
        ("dress", "dress", {}),
        ("dress", "dress? skirt?", {}),
        ("shirt", "tshirt sweater", {}),
        ("sweater dress", "dress jacket?", {}),
        ("hoodie jeans", "sweater jeans", {}),
        # The same part of the body comes first, a farther one only where nobody has a doubt.
        ("shirt", "tshirt dress", {"shirt": "tshirt"}),
        ("trousers", "shorts dress", {"trousers": "shorts"}),
        ("shirt", "top? dress", {}),
        ("shirt", "top sweater dress", {}),
        ("dress", "jumpsuit skirt", {"dress": "jumpsuit"}),
        ("dress", "coat", {"dress": "coat"}),
        ("dress", "shirt", {"dress": "shirt"}),
        # Two names for one garment: the first gets it, the other is another piece of it.
        ("shirt top", "tshirt", {"shirt": "tshirt", "top": "tshirt"}),
        ("suit blazer trousers", "blazer trousers", {"suit": "blazer"}),
        ("shirt top", "tshirt sweater", {}),
    ],
)
def test_wrong_names_of_a_label_map(published: str, seen: str, expected: dict[str, str]) -> None:
    assert renamed(published.split(), SeenClothes.parse(seen)) == expected


def test_a_label_map_gets_the_better_names() -> None:
    labels = np.array([[0, 7, 2], [1, 1, 1]], np.uint8)
    better = rename_labels(labels, NAMES, SeenClothes.parse("tshirt skirt"))
    assert better.tolist() == [[0, 7, 4], [3, 3, 3]]
    assert labels.tolist() == [[0, 7, 2], [1, 1, 1]]


def test_a_name_that_the_data_set_lacks_changes_nothing() -> None:
    labels = np.array([[1, 0]], np.uint8)
    assert rename_labels(labels, ("null", "dress"), SeenClothes.parse("skirt")).tolist() == [[1, 0]]


def test_what_a_closed_coat_hides_is_not_worn() -> None:
    wears = _wears(coat=1.0, skirt=1.0, shirt=np.nan)
    left = without(wears, ("coat", "skirt", "shirt"), ("coat",))
    np.testing.assert_array_equal(left, _wears(coat=1.0))
    assert without(wears, ("coat", "skirt"), ("coat", "skirt")) is wears
    left = without(_wears(coat=1.0, skirt=1.0, jeans=1.0), ("coat", "skirt"), ("coat", "jeans"))
    np.testing.assert_array_equal(left, _wears(coat=1.0, jeans=np.nan))


def test_what_the_map_calls_otherwise_may_be_hidden_too() -> None:
    wears = _wears(coat=1.0, dress=1.0)
    left = without(wears, ("coat", "sweater"), ("coat",))
    np.testing.assert_array_equal(left, _wears(coat=1.0, dress=np.nan))
