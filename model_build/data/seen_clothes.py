"""What people in the street photos wear, told anew by looking at every photo.

The published label maps and tags of Clothing Co-Parsing are rough: many a dress is a skirt, most
suits are blazers. So the photos were looked at again, without their labels, by the rules that
`model_build/README.md` tells; the held-out ones twice, each time without the other answers.
`seen_clothes.json` holds what was told, by the photo's stem: the categories, with a question mark
behind those that are not sure (of the held-out ones: all that not both were sure of).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_app.vocabulary import CATEGORIES
from model_build.vocabulary import CATEGORY_INDEX, CCP_CATEGORY, category_mask

_FILE = Path(__file__).with_suffix(".json")
_RULES = 2
"""Counts up with every change of how labels are put right, so that no store of before is used."""
_DOUBT = "?"
_NOT_LOOKED_FOR = "hoodie"
"""Whether a sweatshirt is one: most were told as sweaters, so that what is published counts."""
_INNER = ("tshirt", "shirt", "top", "sweater")
_OUTER = ("blazer", "jacket", "coat", "suit")
_LOWER = ("jeans", "trousers", "shorts", "skirt")
_ONE_PIECE = ("dress", "jumpsuit")
_WHOLES = (*_ONE_PIECE, "suit")
"""One of these may be several garments of a label map."""
_PARTS_BY_KIN = {
    **dict.fromkeys(_INNER, (_INNER, _OUTER, _ONE_PIECE)),
    **dict.fromkeys(_OUTER, (_OUTER, _INNER, _ONE_PIECE)),
    **dict.fromkeys(_LOWER, (_LOWER, _ONE_PIECE, ("suit",))),
    **dict.fromkeys(_ONE_PIECE, (_ONE_PIECE, _LOWER, _OUTER, _INNER)),
}
_LABEL_OF = {"tshirt": "t-shirt", "trousers": "pants", "jumpsuit": "romper"} | {
    name: name for name in CATEGORIES if name in CCP_CATEGORY
}


@dataclass(frozen=True)
class SeenClothes:
    """What was seen on one person: the categories, and those that are not sure."""

    worn: frozenset[str]
    unsure: frozenset[str]

    @classmethod
    def parse(cls, told: str) -> SeenClothes:
        """From one line of the file.

        Raises:
            ValueError: a word is no category.

        >>> SeenClothes.parse("dress coat?").unsure
        frozenset({'coat'})
        """
        words = told.split()
        unknown = {word.rstrip(_DOUBT) for word in words} - set(CATEGORIES)
        if unknown:
            raise ValueError(f"{told!r}: no category is called {', '.join(sorted(unknown))}")
        return cls(
            frozenset(word for word in words if not word.endswith(_DOUBT)),
            frozenset(word.rstrip(_DOUBT) for word in words if word.endswith(_DOUBT)),
        )


@cache
def seen_clothes() -> dict[str, SeenClothes]:
    """What was seen, by the photo's stem."""
    told = json.loads(_FILE.read_text(encoding="utf-8"))
    return {stem: SeenClothes.parse(clothes) for stem, clothes in told.items()}


@cache
def seen_key() -> str:
    """Differs where what was seen differs, or how it is used: for the names of caches."""
    digest = hashlib.sha256(_FILE.read_bytes()).hexdigest()
    return f"{digest[:8]}-{_RULES}"


def told_clothes(published: Iterable[str], seen: SeenClothes | None) -> NDArray[np.float32]:
    """What a person wears, where that is known: what was seen; a hoodie as published.

    Args:
        published: categories of the label map or the tags, put right or not.
        seen: None for a photo that nobody looked at; then the published ones are all there is.

    Returns:
        Float32 `[15]`: 1 worn, 0 not, NaN not known. Where a hoodie is published, nothing is known
        of a sweater, which may be the same.
    """
    told = category_mask(published).astype(np.float32)
    if seen is None:
        return told
    wears = category_mask(seen.worn).astype(np.float32)
    wears[[CATEGORY_INDEX[name] for name in seen.unsure]] = np.nan
    hoodie, sweater = CATEGORY_INDEX[_NOT_LOOKED_FOR], CATEGORY_INDEX["sweater"]
    wears[hoodie] = told[hoodie]
    if told[hoodie]:
        wears[sweater] = np.nan
    return wears


def agreed_tags(published: Iterable[str], seen: SeenClothes | None) -> tuple[str, ...]:
    """The categories of a photo with tags only: what was seen, and tags that may be right.

    >>> agreed_tags(("dress", "shirt", "hoodie"), SeenClothes.parse("skirt shirt?"))
    ('skirt', 'shirt', 'hoodie')
    """
    published = tuple(published)
    if seen is None:
        return published
    left_out = {_NOT_LOOKED_FOR} | ({"sweater"} if _NOT_LOOKED_FOR in published else set())
    kept = seen.unsure | {_NOT_LOOKED_FOR}
    worn = [name for name in CATEGORIES if name in seen.worn - left_out]
    return (*worn, *(name for name in published if name in kept))


def renamed(published: Iterable[str], seen: SeenClothes) -> dict[str, str]:
    """What categories of a label map must be called instead, by what was seen.

    A category that nobody saw is one that was seen and that the map lacks, of the same part of the
    body before others; else one of the same part that the map has too, of which it is another
    piece. It stays as it is where there are several such, or one more that is not sure. One dress,
    jumpsuit or suit may be several of the map's categories; of two that could be the same garment,
    the first is.

    Args:
        published: the map's categories.
        seen: on the same person.

    >>> sorted(renamed(["dress", "shirt"], SeenClothes.parse("skirt shirt")).items())
    [('dress', 'skirt')]
    >>> sorted(renamed(["suit", "trousers", "shirt"], SeenClothes.parse("suit shirt")).items())
    [('trousers', 'suit')]
    """
    left = list(dict.fromkeys(published))
    names: dict[str, str] = {}
    for name in left:
        if name in seen.worn | seen.unsure | {_NOT_LOOKED_FOR}:
            continue
        taken = {*left, *names.values()}
        parts = _PARTS_BY_KIN[name]
        for part in parts:
            able = [
                one for one in part if one in seen.worn and (one not in taken or one in _WHOLES)
            ]
            if len(able) == 1:
                names[name] = able[0]
            if able or any(one in seen.unsure for one in part):
                break
        else:
            present = [one for one in parts[0] if one in seen.worn]
            if len(present) == 1:
                names[name] = present[0]
    return names


def rename_labels(
    labels: NDArray[np.uint8], names: tuple[str, ...], seen: SeenClothes | None
) -> NDArray[np.uint8]:
    """A label map `[H,W]` of Clothing Co-Parsing with its garments called what they are.

    Args:
        labels: indices into `names`.
        names: of the labels.
        seen: None for a photo that nobody looked at, whose map stays as it is.
    """
    if seen is None:
        return labels
    there = [names[label] for label in np.flatnonzero(np.bincount(labels.ravel())[: len(names)])]
    changes = renamed([CCP_CATEGORY[name] for name in there if name in CCP_CATEGORY], seen)
    table = np.arange(256, dtype=np.uint8)
    for name in there:
        better = _LABEL_OF.get(changes.get(CCP_CATEGORY.get(name, ""), ""))
        if better in names:
            table[names.index(name)] = names.index(better)
    return table[labels]


def without(
    wears: NDArray[np.float32], before: Iterable[str], left: Iterable[str]
) -> NDArray[np.float32]:
    """What is known to be worn once a label map shows no longer all that it showed before.

    Args:
        wears: float32 `[15]`, as :func:`told_clothes` gives it.
        before: categories of the label map as it was.
        left: those that can still be seen.

    Returns:
        The same, hidden ones 0; NaN for those that the label map calls something else, as far as
        anything was hidden.
    """
    was_there, is_there = category_mask(before), category_mask(left)
    hidden = was_there & ~is_there
    if not hidden.any():
        return wears
    is_named_otherwise = (wears > 0) & ~was_there
    return np.where(hidden, 0.0, np.where(is_named_otherwise, np.nan, wears)).astype(np.float32)
