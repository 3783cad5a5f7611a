"""DeepFashion's lists are read in their published layout; what breaks it is named."""

from pathlib import Path

import pytest

from model_build.data.published.annotated import DataError
from model_build.data.published.sources import read_source
from tests.model_build.data.published.written import write_deepfashion


@pytest.mark.parametrize("annotations", ["Anno", "Anno_coarse"])
def test_each_photo_has_its_category_box_split_and_item(tmp_path: Path, annotations: str) -> None:
    write_deepfashion(tmp_path, annotations)
    photos = read_source("deepfashion", tmp_path)
    assert [photo.split for photo in photos] == ["train", "val", "test", "train"]
    assert [photo.group for photo in photos[:2]] == ["img/Sheer_Pleated-Front_Blouse"] * 2
    assert photos[0].picture.is_file()
    assert not photos[0].is_complete
    (garment,) = photos[0].garments
    assert garment.categories == ("shirt",)
    assert garment.box_xyxy == (10, 8, 40, 50)


def test_attributes_are_told_by_name(tmp_path: Path) -> None:
    write_deepfashion(tmp_path)
    told = [photo.garments[0].attributes for photo in read_source("deepfashion", tmp_path)]
    assert told == [("a-line",), (), ("abstract embroidered",), ()]


def test_attributes_may_be_missing(tmp_path: Path) -> None:
    write_deepfashion(tmp_path)
    (tmp_path / "Anno" / "list_attr_img.txt").unlink()
    assert read_source("deepfashion", tmp_path)[0].garments[0].attributes == ()


def test_the_category_type_tells_the_region_where_the_label_does_not(tmp_path: Path) -> None:
    write_deepfashion(tmp_path)
    poncho = read_source("deepfashion", tmp_path)[2].garments[0]
    assert poncho.categories == ("sweater", "coat")
    assert poncho.settled_region == "top"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("Anno/list_category_cloth.txt", "5\n", "six\n", "cloth.txt, line 1: expected the number"),
        ("Anno/list_category_cloth.txt", "5\n", "6\n", "line 1: expected 6 rows, came 5"),
        ("Anno/list_category_cloth.txt", "Jeans          2", "Jeans 7", "line 7: .* 1, 2 or 3"),
        ("Anno/list_category_cloth.txt", "Jeans ", "Jeens ", "line 7: label 'Jeens' is not known"),
        ("Anno/list_category_img.txt", " 5\n", " 51\n", "line 6: expected a category from 1 to 5"),
        ("Anno/list_bbox.txt", "020 030 040 075", "020 030 040", "bbox.txt, line 6: .* 4 column"),
        ("Anno/list_bbox.txt", "020 030", "02o 030", "bbox.txt, line 6: expected x1 y1 x2 y2"),
        ("Anno/list_bbox.txt", "img/Skinny", "img/Slim", "line 6: img/Skinny.* not in list_bbox"),
        ("Eval/list_eval_partition.txt", " test", " tset", "line 5: expected train, val or test"),
        ("Anno/list_attr_img.txt", " 1 -1", " 1 yes", "attr_img.txt, line 3: expected 1, -1 or 0"),
        ("Anno/list_attr_img.txt", " 1 -1", " 1", "attr_img.txt, line 3: .* 2 column"),
    ],
)
def test_a_broken_list_is_named_with_its_line(
    tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    write_deepfashion(tmp_path)
    text = (tmp_path / name).read_text()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        read_source("deepfashion", tmp_path)


@pytest.mark.parametrize("name", ["Anno/list_bbox.txt", "Eval/list_eval_partition.txt"])
def test_a_missing_list_is_named(tmp_path: Path, name: str) -> None:
    write_deepfashion(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match=f"{name}: no such file"):
        read_source("deepfashion", tmp_path)


def test_a_list_that_is_no_text_is_named(tmp_path: Path) -> None:
    write_deepfashion(tmp_path)
    (tmp_path / "Anno" / "list_bbox.txt").write_bytes(b"4\n\xff\xfe\n")
    with pytest.raises(DataError, match=r"list_bbox\.txt: expected text in UTF-8"):
        read_source("deepfashion", tmp_path)
