"""People and garments are cut out of the published layouts, once, and found again."""

from pathlib import Path

import numpy as np
import pytest

from edge_app.vocabulary import REGIONS
from model_build.data.ccp import read_label_names, read_photos
from model_build.data.garment_pieces import LAID_OUT, WORN, GarmentPieces, open_pieces
from model_build.data.seen_clothes import SeenClothes
from model_build.data.street_crops import StreetCrops
from model_build.data.street_people import open_people
from model_build.vocabulary import CATEGORY_INDEX
from tests.model_build.data.layouts import write_ccp, write_clothing_dataset


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_ccp(tmp_path / "ccp", mapped=3, tagged=2)
    write_clothing_dataset(tmp_path / "clothing-dataset")
    return tmp_path


def whole_picture(picture: np.ndarray) -> tuple[float, float, float, float]:
    return 0.0, 0.0, float(picture.shape[1]), float(picture.shape[0])


def test_people_come_with_what_they_wear_and_their_side_of_the_split(data: Path) -> None:
    store = open_people(data / "ccp", data / "cache", whole_picture)
    names = read_label_names(data / "ccp")
    sides = [StreetCrops(store, names, held_out) for held_out in (False, True)]
    assert [len(side) for side in sides] == [3, 2]
    assert [store.record(i)["categories"] for i in (0, 4)] == [["jeans", "tshirt"], ["dress"]]
    sample = sides[0].plain(0)
    assert sample.wears.sum() == 2
    assert sorted(sample.regions.tolist()) == [0, 1]


def _looked_at(data: Path, *told: str) -> dict[str, SeenClothes]:
    stems = [photo.stem for photo in read_photos(data / "ccp")]
    return {stem: SeenClothes.parse(clothes) for stem, clothes in zip(stems, told, strict=True)}


def test_what_was_seen_on_people_puts_their_labels_right(data: Path) -> None:
    seen = _looked_at(data, "dress", "tshirt jeans?", "top jeans", "dress", "skirt?")
    store = open_people(data / "ccp", data / "cache", whole_picture, seen)
    names = read_label_names(data / "ccp")
    worn = [store.record(i)["categories"] for i in range(5)]
    assert worn == [["dress"], ["jeans", "tshirt"], ["jeans", "top"], ["dress"], []]
    people = StreetCrops(store, names, False, seen)
    dressed, doubtful, _ = (people.plain(i) for i in range(3))
    assert dressed.regions.tolist() == [REGIONS.index("long")]
    assert dressed.wears[CATEGORY_INDEX["dress"]] == dressed.wears.sum() == 1
    assert np.isnan(doubtful.wears[CATEGORY_INDEX["jeans"]])
    assert sorted(doubtful.regions.tolist()) == [0, 1]
    unknown = StreetCrops(store, names, True, seen).plain(1)
    assert np.isnan(unknown.wears[CATEGORY_INDEX["skirt"]])
    assert unknown.wears[CATEGORY_INDEX["dress"]] == 0


def test_what_was_seen_on_people_puts_garments_right(data: Path) -> None:
    seen = _looked_at(data, "dress", "tshirt jeans", "top jeans", "dress", "dress")
    store = open_pieces(data / "clothing-dataset", data / "ccp", data / "cache", seen)
    records = (store.record(i) for i in range(len(store)))
    worn = [one["categories"] for one in records if one["source"] == WORN]
    assert sorted(worn) == [["dress"], ["jeans"], ["jeans"], ["top"], ["tshirt"]]


def test_people_with_tags_only_have_no_boxes(data: Path) -> None:
    store = open_people(data / "ccp", data / "cache", whole_picture)
    crops = StreetCrops(store, read_label_names(data / "ccp"), held_out=True)
    tagged = crops.plain(1)
    assert not tagged.has_boxes
    assert len(tagged.boxes) == 0
    assert tagged.wears.sum() == 1


def test_hard_people_follow_their_source_of_chance(data: Path) -> None:
    store = open_people(data / "ccp", data / "cache", whole_picture)
    crops = StreetCrops(store, read_label_names(data / "ccp"), held_out=False)
    for seed in range(10):
        first = crops.hard(0, np.random.default_rng(seed))
        again = crops.hard(0, np.random.default_rng(seed))
        assert (first.crop == again.crop).all()


def test_pieces_arewhole_picture_photos_and_worn_garments(data: Path) -> None:
    store = open_pieces(data / "clothing-dataset", data / "ccp", data / "cache")
    laid_out = [GarmentPieces(store, LAID_OUT, side) for side in (False, True)]
    worn = [GarmentPieces(store, WORN, side) for side in (False, True)]
    assert sum(len(side) for side in laid_out) == 3
    assert [len(side) for side in worn] == [4, 2]
    sample = worn[0].plain(0)
    assert sample.crop.shape == (192, 160, 3)
    assert sample.allowed.sum() == 1
    drawn = worn[0].draw(np.random.default_rng(0))
    assert drawn.crop.shape == sample.crop.shape


def test_a_worn_crop_is_its_box_and_five_percent(data: Path) -> None:
    store = open_pieces(data / "clothing-dataset", data / "ccp", data / "cache")
    shirt = GarmentPieces(store, WORN, held_out=False).plain(1)
    red = (shirt.crop[..., 2] > 150) & (shirt.crop[..., 0] < 90)
    if not red.any():  # the other garment of the photo
        shirt = GarmentPieces(store, WORN, held_out=False).plain(0)
        red = (shirt.crop[..., 2] > 150) & (shirt.crop[..., 0] < 90)
    for along, size in enumerate(red.shape):
        first, *_, last = np.flatnonzero(red.mean(1 - along) > 0.4)
        assert [first, size - 1 - last] == pytest.approx([size * 0.05 / 1.1] * 2, abs=3.0)
