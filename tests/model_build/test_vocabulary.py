"""The mapping tables reach every category, and only the fifteen."""

import pytest

from edge_app.vocabulary import CATEGORIES, REGION_OF
from model_build.vocabulary import (
    CCP_CATEGORY,
    CLOTHING_DATASET_CATEGORIES,
    DEEPFASHION_CATEGORIES,
    DEEPFASHION_REGION,
    category_mask,
    region_index,
)


def test_every_table_names_known_categories_only() -> None:
    named = set(CCP_CATEGORY.values())
    for table in (CLOTHING_DATASET_CATEGORIES, DEEPFASHION_CATEGORIES):
        named |= {category for categories in table.values() for category in categories}
    assert named == set(CATEGORIES)


def test_ccp_alone_covers_all_fifteen() -> None:
    assert set(CCP_CATEGORY.values()) == set(CATEGORIES)


def test_deepfashion_table_is_its_whole_category_list() -> None:
    assert len(DEEPFASHION_CATEGORIES) == 50
    assert list(DEEPFASHION_REGION) == [1, 2, 3]


@pytest.mark.parametrize(
    ("label", "categories"),
    [("Outwear", ["jacket", "coat"]), ("Pants", ["jeans", "trousers"]), ("Dress", ["dress"])],
)
def test_partial_labels_allow_each_of_their_categories(label: str, categories: list[str]) -> None:
    mask = category_mask(CLOTHING_DATASET_CATEGORIES[label])
    assert [CATEGORIES[i] for i in mask.nonzero()[0]] == categories


def test_region_index_follows_the_vocabulary() -> None:
    assert [region_index(name) for name in ("shirt", "jeans", "dress")] == [0, 1, 2]
    assert {REGION_OF[name] for name in CATEGORIES} == {"top", "bottom", "long"}
