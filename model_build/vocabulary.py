"""How the labels of public data sets map onto the fifteen categories.

A label that may be one of several categories is *partial*: the loss sums the probabilities that
it allows, and an evaluation accepts each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_app.vocabulary import CATEGORIES, REGION_OF, REGIONS


def _listed(names: str) -> frozenset[str]:
    return frozenset(name.strip() for name in names.split(";"))


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

CCP_UNUSED: Final = _listed(
    "null; accessories; bag; belt; boots; bracelet; clogs; earrings; flats; glasses; gloves; hair; "
    "hat; heels; intimate; loafers; necklace; panties; pumps; purse; ring; sandals; scarf; shoes; "
    "skin; sneakers; socks; stockings; sunglasses; swimwear; tie; tights; wallet; watch; wedges"
)

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

CLOTHING_DATASET_UNUSED: Final = _listed("Shoes; Hat; Body; Other; Not sure; Skip")

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

DEEPFASHION2_CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "short sleeve top": ("tshirt", "shirt", "top"),
    "long sleeve top": ("shirt", "top", "sweater", "hoodie"),
    "short sleeve outwear": ("sweater", "blazer", "jacket", "coat"),
    "long sleeve outwear": ("sweater", "hoodie", "blazer", "jacket", "coat"),
    "vest": ("top",),
    "sling": ("top",),
    "shorts": ("shorts",),
    "trousers": ("jeans", "trousers"),
    "skirt": ("skirt",),
    "short sleeve dress": ("dress",),
    "long sleeve dress": ("dress",),
    "vest dress": ("dress",),
    "sling dress": ("dress",),
}
"""DeepFashion2: its thirteen categories tell the sleeves, hence mostly partial; in its order."""

FASHIONPEDIA_CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "shirt, blouse": ("shirt",),
    "top, t-shirt, sweatshirt": ("tshirt", "top", "hoodie"),
    "sweater": ("sweater",),
    "cardigan": ("sweater",),
    "jacket": ("blazer", "jacket"),
    "vest": ("top",),
    "pants": ("jeans", "trousers"),
    "shorts": ("shorts",),
    "skirt": ("skirt",),
    "coat": ("coat",),
    "dress": ("dress",),
    "jumpsuit": ("jumpsuit",),
    "cape": ("coat",),
}
"""Fashionpedia: thirteen of its 46 categories are garments."""

FASHIONPEDIA_UNUSED: Final = _listed(
    "glasses; hat; headband, head covering, hair accessory; tie; glove; watch; belt; leg warmer; "
    "tights, stockings; sock; shoe; bag, wallet; scarf; umbrella; hood; collar; lapel; epaulette; "
    "sleeve; pocket; neckline; buckle; zipper; applique; bead; bow; flower; fringe; ribbon; rivet; "
    "ruffle; sequin; tassel"
)

FASHIONPEDIA_NICKNAMES: Final[dict[str, str]] = {
    "classic (t-shirt)": "tshirt",
    "ringer (t-shirt)": "tshirt",
    "raglan (t-shirt)": "tshirt",
    "undershirt": "top",
    "crop (top)": "top",
    "halter (top)": "top",
    "camisole": "top",
    "tank (top)": "top",
    "peasant (top)": "top",
    "tube (top)": "top",
    "tunic (top)": "top",
    "smock (top)": "top",
    "hoodie": "hoodie",
    "blazer": "blazer",
    "tuxedo (jacket)": "blazer",
    "puffer (jacket)": "jacket",
    "biker (jacket)": "jacket",
    "trucker (jacket)": "jacket",
    "bomber (jacket)": "jacket",
    "anorak": "jacket",
    "safari (jacket)": "jacket",
    "track (jacket)": "jacket",
    "windbreaker": "jacket",
    "varsity (jacket)": "jacket",
    "jeans": "jeans",
    "sweatpants": "trousers",
    "leggings": "trousers",
    "cargo (pants)": "trousers",
    "culottes": "trousers",
    "harem (pants)": "trousers",
    "jodhpur": "trousers",
    "track (pants)": "trousers",
}
"""Fashionpedia's attributes that settle which of the categories of a partial label it is."""

MODANET_CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "outer": ("top", "sweater", "hoodie", "blazer", "jacket", "coat", "suit", "jumpsuit"),
    "dress": ("dress",),
    "pants": ("jeans", "trousers"),
    "top": ("tshirt", "shirt", "top"),
    "shorts": ("shorts",),
    "skirt": ("skirt",),
}
"""ModaNet: six of its thirteen categories are garments; `outer` goes from vests to rompers."""

MODANET_UNUSED: Final = _listed(
    "bag; belt; boots; footwear; sunglasses; headwear; scarf/tie; scarf & tie"
)

OWN_CATEGORIES: Final[dict[str, tuple[str, ...]]] = {name: (name,) for name in CATEGORIES}
"""A retailer's own pictures: the fifteen by name."""


@dataclass(frozen=True)
class Labels:
    """The labels of a data set: what each may be, and which are no garments of the fifteen.

    `is_own`: labels are category names, several joined by "+" where it may be any of them.
    """

    categories: Mapping[str, tuple[str, ...]]
    unused: frozenset[str] = frozenset()
    is_own: bool = False

    @property
    def unnamed(self) -> tuple[str, ...]:
        """The categories that no label allows: where everything is told, they are unknown still.

        >>> LABELS["deepfashion2"].unnamed
        ('suit', 'jumpsuit')
        """
        return unnamed_by(self.categories.values())

    def allowed(self, label: str) -> tuple[str, ...]:
        """The categories that a label allows; none where it is not used.

        >>> LABELS["folders"].allowed("jacket+coat")
        ('jacket', 'coat')

        Raises:
            KeyError: the label is not in the table.
        """
        if label in self.unused:
            return ()
        if self.is_own:
            return tuple(name for part in label.split("+") for name in self.categories[part])
        return self.categories[label]


LABELS: Final[dict[str, Labels]] = {
    "deepfashion": Labels(DEEPFASHION_CATEGORIES),
    "deepfashion2": Labels(DEEPFASHION2_CATEGORIES),
    "fashionpedia": Labels(FASHIONPEDIA_CATEGORIES, FASHIONPEDIA_UNUSED),
    "modanet": Labels(MODANET_CATEGORIES, MODANET_UNUSED),
    "ccp": Labels({label: (name,) for label, name in CCP_CATEGORY.items()}, CCP_UNUSED),
    "clothing-dataset": Labels(CLOTHING_DATASET_CATEGORIES, CLOTHING_DATASET_UNUSED),
    "coco": Labels(OWN_CATEGORIES, is_own=True),
    "folders": Labels(OWN_CATEGORIES, is_own=True),
}
"""The one table: every source that `data` reads, by its name there."""

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


def unnamed_by(labels: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """The categories that none of the labels, each as what it allows, can name.

    >>> unnamed_by([["jeans", "trousers"], CATEGORIES[:9]])
    ('shorts', 'skirt', 'dress', 'jumpsuit')
    """
    named = {category for allowed in labels for category in allowed}
    return tuple(category for category in CATEGORIES if category not in named)


def settled_region(categories: Iterable[str]) -> str | None:
    """Where a garment is worn that may be any of the categories; None where they disagree.

    >>> settled_region(["jeans", "trousers"]), settled_region(["jacket", "coat"])
    ('bottom', None)
    """
    regions = {REGION_OF[name] for name in categories}
    return regions.pop() if len(regions) == 1 else None


def region_index(category: str) -> int:
    """Where a category is worn, as an index into `REGIONS`."""
    return REGION_INDEX[REGION_OF[category]]
