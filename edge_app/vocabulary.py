"""The clothing vocabulary: fifteen categories in three regions, as published in every message.

The regions are the three generic categories of DeepFashion (Liu et al., CVPR 2016): upper-body,
lower-body and full-body clothes. The order of both tuples is the order of every model's outputs.
"""

from __future__ import annotations

from typing import Final

REGIONS: Final = ("top", "bottom", "long")
"""Where a garment is worn; the labels of the garment detector, in its order."""

REGION_OF: Final[dict[str, str]] = {
    "tshirt": "top",
    "shirt": "top",
    "top": "top",
    "sweater": "top",
    "hoodie": "top",
    "blazer": "top",
    "jacket": "top",
    "coat": "long",
    "suit": "long",
    "jeans": "bottom",
    "trousers": "bottom",
    "shorts": "bottom",
    "skirt": "bottom",
    "dress": "long",
    "jumpsuit": "long",
}

CATEGORIES: Final = tuple(REGION_OF)
"""The fifteen categories; the labels of the classifier and of ``wears``, in their order."""

UNKNOWN: Final = "unknown"
"""Not a category: what the vote says when the evidence does not settle."""
