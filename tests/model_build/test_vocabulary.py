"""The tables reach every category, and only the fifteen; no label of a source is left open."""

import pytest

from edge_app.vocabulary import CATEGORIES, REGION_OF
from model_build.vocabulary import (
    CCP_CATEGORY,
    CLOTHING_DATASET_CATEGORIES,
    DEEPFASHION_CATEGORIES,
    DEEPFASHION_REGION,
    FASHIONPEDIA_NICKNAMES,
    LABELS,
    category_mask,
    region_index,
    settled_region,
)

PUBLISHED_LABELS = {"deepfashion": 50, "deepfashion2": 13, "fashionpedia": 46, "ccp": 59}


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


@pytest.mark.parametrize("source", PUBLISHED_LABELS)
def test_every_label_of_a_source_is_mapped_or_unused(source: str) -> None:
    labels = LABELS[source]
    assert len(labels.categories) + len(labels.unused) == PUBLISHED_LABELS[source]


@pytest.mark.parametrize("source", LABELS)
def test_a_label_is_mapped_to_known_categories_or_unused_but_not_both(source: str) -> None:
    labels = LABELS[source]
    assert not set(labels.categories) & labels.unused
    for label in labels.categories:
        assert labels.allowed(label)
        assert set(labels.allowed(label)) <= set(CATEGORIES)
    assert all(labels.allowed(label) == () for label in labels.unused)


def test_an_own_label_may_name_several_categories() -> None:
    assert LABELS["folders"].allowed("jeans+trousers") == ("jeans", "trousers")


@pytest.mark.parametrize(
    ("source", "label"), [("ccp", "spacesuit"), ("folders", "jacket+anorak"), ("modanet", "jeans")]
)
def test_a_label_that_no_table_knows_is_an_error(source: str, label: str) -> None:
    with pytest.raises(KeyError):
        LABELS[source].allowed(label)


def test_nicknames_settle_labels_that_are_partial() -> None:
    partial = [c for c in LABELS["fashionpedia"].categories.values() if len(c) > 1]
    named = {name for categories in partial for name in categories}
    assert set(FASHIONPEDIA_NICKNAMES.values()) == named


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


def test_the_region_of_a_partial_label_is_open_where_its_categories_disagree() -> None:
    assert settled_region(["jeans", "trousers"]) == "bottom"
    assert settled_region(["jacket", "coat"]) is None
