"""Clothing Co-Parsing is read in its published layout."""

from pathlib import Path

import numpy as np
import pytest

from model_build.data.ccp import (
    garments_in,
    person_box,
    read_label_names,
    read_photos,
    tagged_categories,
)
from model_build.data.photos import is_held_out
from model_build.data.published.annotated import DataError
from tests.model_build.data.layouts import LABELS, labelled_person, write_ccp


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_ccp(tmp_path)
    return tmp_path


def test_photos_come_with_a_label_map_or_with_tags(folder: Path) -> None:
    photos = read_photos(folder)
    assert [photo.stem for photo in photos] == ["0001", "0002", "0003", "0004", "0005"]
    assert [photo.label_map is not None for photo in photos] == [True] * 3 + [False] * 2
    assert photos[4].tags == ("null", "dress", "shoes")
    assert photos[0].read_picture().shape == (*photos[0].read_label_map().shape, 3)


def test_label_names_are_in_the_order_of_their_indices(folder: Path) -> None:
    assert read_label_names(folder) == LABELS


def test_garments_have_the_bounds_of_their_pixels() -> None:
    garments = {g.category: g.box_xyxy for g in garments_in(labelled_person(), LABELS)}
    assert garments == {"tshirt": (40, 40, 80, 100), "jeans": (45, 100, 75, 170)}


def test_specks_are_no_garments() -> None:
    labels = labelled_person()
    labels[41:43, 59:61] = LABELS.index("top")
    assert {g.category for g in garments_in(labels, LABELS)} == {"tshirt", "jeans"}


def test_person_box_bounds_every_label() -> None:
    assert person_box(labelled_person()) == (40, 20, 80, 180)


def test_tags_name_each_category_once() -> None:
    assert tagged_categories(("shirt", "blouse", "shoes", "skirt")) == ("shirt", "skirt")


def test_split_holds_out_about_fifteen_percent() -> None:
    share = np.mean([is_held_out(f"{number:04}") for number in range(1, 2000)])
    assert 0.12 < share < 0.18
    assert is_held_out("0003")
    assert not is_held_out("0001")


def test_a_photo_with_tags_only_has_no_label_map(folder: Path) -> None:
    with pytest.raises(ValueError, match="0004: this photo has tags"):
        read_photos(folder)[3].read_label_map()


def test_an_unreadable_photo_is_named(folder: Path) -> None:
    (folder / "photos" / "0001.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"0001\.jpg: not a readable picture"):
        read_photos(folder)[0].read_picture()


def test_a_folder_without_annotations_is_refused(folder: Path) -> None:
    for annotation in (folder / "annotations").glob("*/*.mat"):
        annotation.unlink()
    with pytest.raises(DataError, match="no photos with annotations"):
        read_photos(folder)
