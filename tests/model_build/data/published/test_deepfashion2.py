"""DeepFashion2's JSON per picture is read; what breaks it is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from model_build.data.published.annotated import DataError
from model_build.data.published.sources import read_source
from tests.model_build.data.published.written import write_deepfashion2


def test_every_item_of_a_picture_is_read(tmp_path: Path) -> None:
    write_deepfashion2(tmp_path)
    photos = read_source("deepfashion2", tmp_path)
    assert [photo.split for photo in photos] == ["train", "train", "val"]
    assert all(photo.picture.is_file() and photo.is_complete for photo in photos)
    top, trousers = photos[0].garments
    assert top.categories == ("tshirt", "shirt", "top")
    assert top.box_xyxy == (5, 5, 40, 40)
    assert trousers.settled_region == "bottom"
    assert set(top.attributes) == {"scale=2", "occlusion=1", "zoom_in=1", "viewpoint=2"}


def test_pairs_of_the_two_sets_are_not_the_same_item(tmp_path: Path) -> None:
    write_deepfashion2(tmp_path)
    groups = [photo.group for photo in read_source("deepfashion2", tmp_path)]
    assert groups[0] == groups[1] != groups[2]


def _break(item: str, key: str, value: Any) -> Any:
    def change(content: dict[str, Any]) -> None:
        (content[item] if item else content)[key] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_break("", "source", "web"), r"000001\.json: source: .*'shop' or 'user'; came 'web'"),
        (_break("", "pair_id", "one"), r"000001\.json: pair_id: .*integer"),
        (_break("item2", "bounding_box", [1, 2, 3]), r"item2\.bounding_box\.3: Field required"),
        (_break("item1", "category_name", "kilt"), "item1.category_name: label 'kilt'"),
        (_break("item1", "category_id", 2), "item1.category_id: expected 1 for 'short sleeve top'"),
        (lambda content: content.pop("pair_id"), "pair_id: Field required"),
    ],
    ids=["source", "pair", "box", "name", "number", "missing"],
)
def test_a_broken_file_is_named_with_the_place(tmp_path: Path, change: Any, message: str) -> None:
    write_deepfashion2(tmp_path)
    path = tmp_path / "train" / "annos" / "000001.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        read_source("deepfashion2", tmp_path)


def test_a_file_that_is_no_json_is_named_with_its_line(tmp_path: Path) -> None:
    write_deepfashion2(tmp_path)
    (tmp_path / "train" / "annos" / "000002.json").write_text('{"source": "shop",\n"pair_id" 1}')
    with pytest.raises(DataError, match=r"000002\.json, line 2: expected JSON"):
        read_source("deepfashion2", tmp_path)


def test_a_folder_without_annotations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected train/annos"):
        read_source("deepfashion2", tmp_path)
