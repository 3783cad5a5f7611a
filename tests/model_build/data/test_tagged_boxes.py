"""Boxes that a garment model finds are believed as far as the tags allow, and land in place."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app.inference.model import SHIPPED
from model_build.data.ccp import read_label_names
from model_build.data.garment_crops import mild_sample, plain_sample
from model_build.data.street_crops import MildStreetCrops, StreetCrops
from model_build.data.street_people import open_people
from model_build.data.tagged_boxes import believe, find_boxes
from tests.model_build.data.layouts import write_ccp
from tests.model_build.data.test_garment_crops import LABELS, labelled
from tests.model_build.data.test_people_and_pieces import whole_picture

TOP, BOTTOM, LONG = 0, 1, 2
BOXES = np.array([[0, 0, 40, 50], [2, 0, 40, 50], [0, 50, 40, 99], [0, 0, 40, 99]], np.float32)


def _scores(*strongest: tuple[int, float]) -> NDArray[np.float32]:
    scores = np.zeros((len(BOXES), 3), np.float32)
    for row, (region, score) in enumerate(strongest):
        scores[row, region] = score
    return scores


SEEN = _scores((TOP, 0.9), (TOP, 0.8), (BOTTOM, 0.7), (LONG, 0.6))


@pytest.mark.parametrize(
    ("tags", "regions", "unsure"),
    [
        (("shirt", "jeans"), [TOP, BOTTOM], ()),
        (("dress",), [LONG], ()),
        (("shirt", "jacket", "jeans"), [BOTTOM], (TOP,)),
        (("coat", "dress"), [], (LONG,)),
        ((), [], ()),
    ],
    ids=["as many", "others are none", "too few", "one of two", "nothing worn"],
)
def test_tags_decide_what_is_believed(
    tags: tuple[str, ...], regions: list[int], unsure: tuple[int, ...]
) -> None:
    found = believe(BOXES, SEEN, tags)
    assert found.regions.tolist() == regions
    assert found.unsure_regions == unsure
    assert len(found.boxes) == len(regions)


def test_the_best_box_is_taken() -> None:
    assert believe(BOXES, SEEN, ("shirt",)).boxes.tolist() == [BOXES[0].tolist()]


def test_a_weak_box_is_not_believed() -> None:
    assert believe(BOXES, _scores((TOP, 0.25)), ("shirt",)).unsure_regions == (TOP,)


def test_boxes_are_those_of_the_crop_in_the_picture() -> None:
    person = labelled(by_map=False)
    found = find_boxes(SHIPPED / "garments.onnx", {7: person}, {7: ("tshirt", "jeans")})[7]
    picture = person.picture.shape
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [picture[1], picture[0]] * 2).all()
    told = plain_sample(found.given_to(person), LABELS)
    assert told.unsure_regions == found.unsure_regions
    assert told.has_boxes


def test_only_people_with_tags_alone_get_boxes_found(tmp_path: Path) -> None:
    write_ccp(tmp_path / "ccp", mapped=3, tagged=2)
    store = open_people(tmp_path / "ccp", tmp_path / "cache", whole_picture)
    crops = StreetCrops(store, read_label_names(tmp_path / "ccp"), held_out=True)
    mapped, tagged = (crops.indices.index(i) for i in (crops.mapped[0], crops.indices[-1]))
    before = crops.plain(mapped)
    crops.find_boxes(SHIPPED / "garments.onnx")
    assert (crops.plain(mapped).boxes == before.boxes).all()
    assert crops.plain(tagged).has_boxes
    drawn = MildStreetCrops(crops).hard(tagged, np.random.default_rng(0))
    again = crops.mild(tagged, np.random.default_rng(0))
    assert (drawn.crop == again.crop).all()
    assert np.isnan(drawn.wears).all()
    assert drawn.unsure_regions == crops.plain(tagged).unsure_regions


def test_a_mild_sample_shows_the_whole_person() -> None:
    for seed in range(20):
        sample = mild_sample(labelled(by_map=True), LABELS, np.random.default_rng(seed))
        tall = float(np.ptp(sample.boxes[:, 1::2])) / sample.seen_hw[0]
        assert sorted(sample.regions.tolist()) == [TOP, BOTTOM]
        assert (
            130 / 208 - 0.01 < tall < 130 / 154 + 0.01
        )  # 130 of 160 pixels; margins of -2 to 15 %
