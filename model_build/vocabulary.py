"""How the labels of public data sets map onto the fifteen categories.

A label that may be one of several categories is *partial*: the loss sums the probabilities that
it allows, and an evaluation accepts each of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_app.vocabulary import CATEGORIES, REGION_OF, REGIONS

CCP_CATEGORY: Final[dict[str, str]] = {
    "t-shirt": "tshirt",
    "shirt": "shirt",
    "blouse": "shirt",
    "top": "top",
    "vest": "top",
    "bra": "top",
    "sweater": "sweater",
    "jumper": "sweater",
    "cardigan": "sweater",
    "hoodie": "hoodie",
    "sweatshirt": "hoodie",
    "blazer": "blazer",
    "jacket": "jacket",
    "coat": "coat",
    "cape": "coat",
    "suit": "suit",
    "jeans": "jeans",
    "pants": "trousers",
    "leggings": "trousers",
    "shorts": "shorts",
    "skirt": "skirt",
    "dress": "dress",
    "romper": "jumpsuit",
    "bodysuit": "jumpsuit",
}
"""Clothing Co-Parsing: 24 of its 59 labels are garments; shoes, bags, skin … are not."""

CLOTHING_DATASET_CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "T-Shirt": ("tshirt",),
    "Polo": ("tshirt",),
    "Shirt": ("shirt",),
    "Blouse": ("shirt",),
    "Top": ("top",),
    "Undershirt": ("top",),
    "Longsleeve": ("sweater",),
    "Hoodie": ("hoodie",),
    "Blazer": ("blazer",),
    "Outwear": ("jacket", "coat"),
    "Pants": ("trousers", "jeans"),
    "Shorts": ("shorts",),
    "Skirt": ("skirt",),
    "Dress": ("dress",),
}
"""clothing-dataset: partial where one label covers two categories."""

DEEPFASHION_CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "Anorak": ("jacket",),
    "Blazer": ("blazer",),
    "Blouse": ("shirt",),
    "Bomber": ("jacket",),
    "Button-Down": ("shirt",),
    "Cardigan": ("sweater",),
    "Flannel": ("shirt",),
    "Halter": ("top",),
    "Henley": ("tshirt",),
    "Hoodie": ("hoodie",),
    "Jacket": ("jacket",),
    "Jersey": ("tshirt",),
    "Parka": ("coat",),
    "Peacoat": ("coat",),
    "Poncho": ("sweater", "coat"),
    "Sweater": ("sweater",),
    "Tank": ("top",),
    "Tee": ("tshirt",),
    "Top": ("top",),
    "Turtleneck": ("sweater",),
    "Capris": ("trousers",),
    "Chinos": ("trousers",),
    "Culottes": ("trousers",),
    "Cutoffs": ("jeans",),
    "Gauchos": ("trousers",),
    "Jeans": ("jeans",),
    "Jeggings": ("jeans",),
    "Jodhpurs": ("trousers",),
    "Joggers": ("trousers",),
    "Leggings": ("trousers",),
    "Sarong": ("skirt",),
    "Shorts": ("shorts",),
    "Skirt": ("skirt",),
    "Sweatpants": ("trousers",),
    "Sweatshorts": ("shorts",),
    "Trunks": ("shorts",),
    "Caftan": ("dress",),
    "Cape": ("coat",),
    "Coat": ("coat",),
    "Coverup": ("dress",),
    "Dress": ("dress",),
    "Jumpsuit": ("jumpsuit",),
    "Kaftan": ("dress",),
    "Kimono": ("coat", "dress"),
    "Nightdress": ("dress",),
    "Onesie": ("jumpsuit",),
    "Robe": ("coat", "dress"),
    "Romper": ("jumpsuit",),
    "Shirtdress": ("dress",),
    "Sundress": ("dress",),
}
"""DeepFashion, Category and Attribute Prediction: all fifty names of its category list."""

DEEPFASHION_REGION: Final[dict[int, str]] = {1: "top", 2: "bottom", 3: "long"}
"""DeepFashion's category types."""

CATEGORY_INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(CATEGORIES)}
REGION_INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(REGIONS)}


def category_mask(categories: Iterable[str]) -> NDArray[np.bool_]:
    """The categories as a mask, bool `[15]`, in the order of `CATEGORIES`.

    >>> [CATEGORIES[i] for i in category_mask(["coat", "jacket"]).nonzero()[0]]
    ['jacket', 'coat']
    """
    mask = np.zeros(len(CATEGORIES), np.bool_)
    for name in categories:
        mask[CATEGORY_INDEX[name]] = True
    return mask


def region_index(category: str) -> int:
    """Where a category is worn, as an index into `REGIONS`."""
    return REGION_INDEX[REGION_OF[category]]
