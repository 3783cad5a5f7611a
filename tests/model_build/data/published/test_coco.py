"""COCO JSON of Fashionpedia, ModaNet and a retailer is read; what breaks it is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge_app.vocabulary import CATEGORIES
from model_build.convert.splits import place
from model_build.data.published.annotated import Annotated, DataError
from model_build.data.published.sources import read_source
from tests.model_build.data.published.written import (
    coco,
    write_fashionpedia,
    write_modanet,
    write_picture,
)

NAMES = {1: "dress", 2: "jacket+coat", 3: "person"}


def _own(folder: Path, change: Any = None) -> list[Annotated]:
    content = coco(["a.jpg"], [(0, 1, [10, 10, 30, 60]), (0, 3, [5, 5, 40, 70])], NAMES)
    if change is not None:
        change(content)
    (folder / "instances_train.json").write_text(json.dumps(content))
    write_picture(folder / "images" / "a.jpg", 1)
    return read_source("coco", folder)


def test_fashionpedia_is_read_with_splits_and_boxes(tmp_path: Path) -> None:
    write_fashionpedia(tmp_path)
    photos = read_source("fashionpedia", tmp_path)
    assert [(photo.picture.name, photo.split) for photo in photos] == [
        ("a1.jpg", "train"),
        ("b2.jpg", "train"),
        ("c3.jpg", "val"),
    ]
    assert all(photo.picture.is_file() and photo.is_complete for photo in photos)
    jacket, pants = photos[0].garments
    assert jacket.box_xyxy == (5, 5, 45, 35)
    assert pants.categories == ("jeans", "trousers")
    assert photos[0].unused == ("sleeve",)


def test_fashionpedias_nicknames_settle_a_partial_label(tmp_path: Path) -> None:
    write_fashionpedia(tmp_path)
    jacket = read_source("fashionpedia", tmp_path)[0].garments[0]
    assert jacket.categories == ("blazer",)
    assert jacket.attributes == ("blazer", "plain (pattern)")


def test_modanet_is_read_and_its_outer_clothes_stay_open(tmp_path: Path) -> None:
    write_modanet(tmp_path)
    photos = read_source("modanet", tmp_path)
    outer, pants = photos[0].garments
    assert {"jacket", "coat", "suit"} <= set(outer.categories)
    assert outer.settled_region is None
    assert pants.settled_region == "bottom"
    assert photos[1].garments[0].categories == ("dress",)


def test_own_annotations_name_categories_and_people(tmp_path: Path) -> None:
    (photo,) = _own(tmp_path)
    assert [garment.categories for garment in photo.garments] == [("dress",)]
    assert photo.people == ((5, 5, 45, 75),)
    assert photo.size == (60, 80)


def test_names_of_pictures_may_have_been_written_on_windows(tmp_path: Path) -> None:
    (photo,) = _own(tmp_path, lambda c: c["images"][0].update(file_name="images\\a.jpg"))
    assert photo.picture == tmp_path / "images" / "a.jpg"
    assert photo.group == "images/a.jpg"


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("instances_train2017", "train"),
        ("door-valid", "val"),
        ("validation", "val"),
        ("test", "test"),
        ("latest", ""),
    ],
)
def test_a_file_belongs_to_the_split_that_its_name_tells(
    tmp_path: Path, name: str, split: str
) -> None:
    _own(tmp_path)
    (tmp_path / "instances_train.json").rename(tmp_path / f"{name}.json")
    (photo,) = read_source("coco", tmp_path)
    assert photo.split == split


def _equally_named(folder: Path, split: str, label: str, seed: int) -> None:
    """A split's file of annotations, whose pictures are numbered from 0 on."""
    names = ["000000.jpg", "000001.jpg"]
    content = coco(names, [(0, 1, [10, 10, 30, 60]), (1, 1, [10, 10, 30, 60])], {1: label})
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    for index, name in enumerate(names):
        write_picture(folder / "images" / split / name, seed + index)


def test_equally_named_pictures_of_other_splits_are_not_confused(tmp_path: Path) -> None:
    for split, label, seed in (("train", "dress", 1), ("val", "jeans", 3), ("test", "coat", 5)):
        _equally_named(tmp_path, split, label, seed)
    photos = read_source("coco", tmp_path)
    assert {(p.split, p.picture.parent.name, p.garments[0].categories) for p in photos} == {
        ("train", "train", ("dress",)),
        ("val", "val", ("jeans",)),
        ("test", "test", ("coat",)),
    }
    assert place(photos) == [photo.split for photo in photos]


def test_a_picture_in_two_files_is_one_group(tmp_path: Path) -> None:
    _equally_named(tmp_path, "train", "dress", 1)
    annotations = tmp_path / "annotations"
    (annotations / "val.json").write_bytes((annotations / "instances_train.json").read_bytes())
    photos = read_source("coco", tmp_path)
    assert len(photos) == 4
    assert {photo.group for photo in photos} == {"000000.jpg", "000001.jpg"}


def test_a_crowd_is_no_garment_and_leaves_the_picture_incomplete(tmp_path: Path) -> None:
    (photo,) = _own(tmp_path, lambda content: content["annotations"][0].update(iscrowd=1))
    assert photo.garments == ()
    assert not photo.is_complete


def test_labels_may_be_named_as_unused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="label 'shoes' is not known"):
        _own(tmp_path, lambda content: content["categories"][0].update(name="shoes"))
    (photo,) = read_source("coco", tmp_path, unused=["shoes"])
    assert photo.unused == ("shoes",)


def test_what_a_file_has_no_name_for_is_unknown(tmp_path: Path) -> None:
    (photo,) = _own(tmp_path)
    assert set(photo.unnamed) == set(CATEGORIES) - {"dress", "jacket", "coat"}
    (photo,) = read_source("coco", tmp_path, unused=["dress"])
    assert "dress" in photo.unnamed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["annotations"][1].pop("bbox"), r"train\.json: annotations\.1\.bbox: Field"),
        (lambda c: c["annotations"][0].update(bbox=[1, 2, 3]), r"annotations\.0\.bbox\.3"),
        (lambda c: c["annotations"][0].update(image_id=7), r"annotations\.0\.image_id: no image"),
        (
            lambda c: c["images"].append(c["images"][0]),
            r"images\.1\.id: another image has the id 100",
        ),
        (
            lambda c: c["categories"].append({"id": 1, "name": "jeans"}),
            r"categories\.3\.id: 'dress' has the id 1, too",
        ),
        (
            lambda c: c["annotations"].append(c["annotations"][0]),
            r"annotations\.2\.id: another annotation has the id 1",
        ),
        (lambda c: c["annotations"][0].update(category_id=7), r"annotations\.0\.category_id: no"),
        (lambda c: c["images"][0].pop("file_name"), r"images\.0\.file_name: Field required"),
        (lambda c: c["images"][0].update(file_name="b.jpg"), "none of its pictures was found in"),
        (lambda c: c.pop("annotations"), "expected annotations in COCO JSON"),
    ],
    ids=[
        "no box",
        "short box",
        "image",
        "two images",
        "two categories",
        "annotation twice",
        "category",
        "name",
        "pictures",
        "annotations",
    ],
)
def test_a_broken_file_is_named_with_the_place(tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _own(tmp_path, change)


def test_a_file_that_is_no_json_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text('{"images": [],\n "annotations": [}')
    with pytest.raises(DataError, match=r"train\.json, line 2: expected JSON"):
        read_source("coco", tmp_path)
