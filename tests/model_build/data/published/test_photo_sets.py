"""Clothing Co-Parsing, clothing-dataset and folders per category are read as annotated pictures."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from model_build.convert.splits import place
from model_build.data.published.annotated import DataError
from model_build.data.published.sources import read_source
from tests.model_build.data.layouts import divided_groups, write_ccp, write_clothing_dataset
from tests.model_build.data.published.written import write_folders


def test_label_maps_give_boxes_and_the_person(tmp_path: Path) -> None:
    write_ccp(tmp_path)
    mapped = read_source("ccp", tmp_path)[0]
    boxes = {garment.categories: garment.box_xyxy for garment in mapped.garments}
    assert boxes == {("tshirt",): (40, 40, 80, 100), ("jeans",): (45, 100, 75, 170)}
    assert mapped.people == ((40, 20, 80, 180),)
    assert mapped.size == (120, 200)


def test_tags_tell_what_is_worn(tmp_path: Path) -> None:
    write_ccp(tmp_path)
    tagged = read_source("ccp", tmp_path)[-1]
    assert tagged.tags == (("dress",),)
    assert tagged.garments == ()
    assert tagged.unused == ("null", "shoes")


def test_a_broken_label_map_is_named(tmp_path: Path) -> None:
    write_ccp(tmp_path)
    path = tmp_path / "annotations/pixel-level/0002.mat"
    savemat(path, {"something_else": np.zeros((2, 2))})
    with pytest.raises(DataError, match=r"0002\.mat: expected a `groundtruth`"):
        read_source("ccp", tmp_path)
    path.write_bytes(b"no matrix")
    with pytest.raises(DataError, match=r"0002\.mat"):
        read_source("ccp", tmp_path)


def test_a_street_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"label_list\.mat: expected Clothing Co-Parsing"):
        read_source("ccp", tmp_path)


def test_every_row_of_the_table_is_a_picture(tmp_path: Path) -> None:
    write_clothing_dataset(tmp_path)
    photos = read_source("clothing-dataset", tmp_path)
    assert [(photo.group, photo.unused) for photo in photos][1:3] == [("1", ()), ("4", ("Shoes",))]
    assert photos[3].garments[0].categories == ("jacket", "coat")
    assert photos[3].garments[0].box_xyxy is None
    assert [photo.picture.is_file() for photo in photos] == [True] * 4 + [False]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("image,sender_id", "image,sender", r"images\.csv, line 1: expected the columns image, s"),
        ("a,1,T-Shirt", "a,1,Tee", "line 2: label 'Tee' is not known"),
        ("b,1,Pants", "\n \nb,1,Pents", "line 5: label 'Pents' is not known"),
        ("b,1,Pants,False", "b,1", r"images\.csv, line 3: expected image, sender_id, label"),
    ],
)
def test_a_broken_table_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    write_clothing_dataset(tmp_path)
    path = tmp_path / "images.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=message):
        read_source("clothing-dataset", tmp_path)


def test_folders_name_the_category_and_keep_items_together(tmp_path: Path) -> None:
    write_folders(tmp_path)
    photos = {photo.picture.name: photo for photo in read_source("folders", tmp_path)}
    assert photos["a.jpg"].garments[0].categories == ("dress",)
    assert photos["a.jpg"].group != photos["b.png"].group
    assert photos["front.jpg"].group == photos["back.jpg"].group
    assert photos["c.jpg"].garments[0].categories == ("jacket", "coat")
    assert {photo.split for photo in photos.values()} == {""}


def test_folders_may_be_split_already(tmp_path: Path) -> None:
    write_folders(tmp_path, ("train", "val"))
    photos = read_source("folders", tmp_path)
    assert [photo.split for photo in photos] == ["train"] * 5 + ["val"] * 5


def test_an_item_in_two_splits_is_one_group_and_single_pictures_are_not(tmp_path: Path) -> None:
    write_folders(tmp_path, ("train", "test"))
    photos = read_source("folders", tmp_path)
    splits: dict[str, set[str]] = {}
    for photo in photos:
        splits.setdefault(photo.group, set()).add(photo.split)
    assert splits == {
        "jeans/item-1": {"train", "test"},
        **{
            f"{split}/{name}": {split}
            for split in ("train", "test")
            for name in ("dress/a.jpg", "dress/b.png", "jacket+coat/c.jpg")
        },
    }
    assert divided_groups(photos, place(photos)) == []


def test_a_folder_of_no_category_is_named(tmp_path: Path) -> None:
    write_folders(tmp_path)
    (tmp_path / "dress").rename(tmp_path / "gowns")
    with pytest.raises(DataError, match="gowns: label 'gowns' is not known; expected one of: tshi"):
        read_source("folders", tmp_path)
    assert len(read_source("folders", tmp_path, unused=["gowns"])) == 5


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such folder"):
        read_source("folders", tmp_path / "nowhere")
    with pytest.raises(DataError, match="expected a folder for each category"):
        read_source("folders", tmp_path)
