"""Crops are made as the application makes them, and boxes follow every bend of the picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_build.data.garment_crops import (
    CROP_HEIGHT,
    CROP_WIDTH,
    PADDING,
    Person,
    boxes_of_labels,
    hard_sample,
    plain_sample,
)
from model_build.data.staging import STRANGER
from model_build.vocabulary import category_mask
from tests.model_build.data.layouts import LABELS, labelled_person


def labelled(by_map: bool) -> Person:
    labels = labelled_person()
    picture = np.full((*labels.shape, 3), 200, np.uint8)
    picture[labels == LABELS.index("t-shirt")] = (0, 0, 255)
    return Person(
        picture=picture,
        box=np.array([40, 20, 80, 180], np.float32),
        wears=category_mask(["tshirt", "jeans"]).astype(np.float32),
        labels=labels if by_map else None,
        boxes=np.array([[40, 40, 80, 100], [45, 100, 75, 170]], np.float32),
        regions=np.array([0, 1]),
        has_boxes=True,
    )


@pytest.mark.parametrize("by_map", [True, False], ids=["label map", "boxes"])
def test_plain_crop_is_the_box_and_five_percent_letterboxed(by_map: bool) -> None:
    sample = plain_sample(labelled(by_map), LABELS)
    assert sample.crop.shape == (CROP_HEIGHT, CROP_WIDTH, 3)
    scale = CROP_HEIGHT / 176  # 160 pixels tall and 5 % on each side
    assert (sample.crop[:, round(44 * scale) :] == PADDING).all()
    expected = (np.array([40, 40, 80, 100]) - [38, 12, 38, 12]) * scale
    assert sorted(sample.regions.tolist()) == [0, 1]
    np.testing.assert_allclose(sample.boxes[sample.regions == 0][0], expected, atol=1.5)


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_hard_crops_keep_boxes_inside(seed: int, by_map: bool) -> None:
    sample = hard_sample(labelled(by_map), LABELS, np.random.default_rng(seed))
    assert sample.crop.shape == (CROP_HEIGHT, CROP_WIDTH, 3)
    assert len(sample.boxes) == len(sample.regions)
    assert (sample.boxes[:, :2] >= 0).all()
    assert (sample.boxes[:, 2] <= CROP_WIDTH).all()
    assert (sample.boxes[:, 3] <= CROP_HEIGHT).all()
    assert (sample.boxes[:, 2:] - sample.boxes[:, :2] >= 5.9).all()


def test_what_a_stranger_covers_is_no_garment() -> None:
    labels = labelled_person()
    labels[40:100] = np.where(labels[40:100] > 0, STRANGER, 0)
    _, regions = boxes_of_labels(labels, LABELS)
    assert regions.tolist() == [1]


def test_a_sample_follows_its_source_of_chance() -> None:
    first = hard_sample(labelled(True), LABELS, np.random.default_rng(4))
    again = hard_sample(labelled(True), LABELS, np.random.default_rng(4))
    assert (first.crop == again.crop).all()
    assert (first.boxes == again.boxes).all()
