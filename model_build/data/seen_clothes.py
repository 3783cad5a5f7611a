"""What people in the street photos wear, told anew by looking at every photo.

The published label maps and tags of Clothing Co-Parsing call one dress in three a skirt, a sweater
or nothing, and some skirts dresses. So every photo was looked at again, without its tags, by rules
that are written down in `model_build/README.md`; the held-out ones twice, by two who did not know
each other's answers. `seen_clothes.json` holds what was told, by the photo's stem: the categories,
with a question mark behind those that are not sure (of the held-out ones: on which the two differ).
"""

from __future__ import annotations

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
_DOUBT = "?"
_MATTERS_OF_TASTE = category_mask(("tshirt", "shirt", "top", "sweater", "jacket", "coat"))
_NOT_LOOKED_FOR = "hoodie"
"""Whether a sweatshirt is one: they were told as sweaters, so that what is published counts."""
_INNER = ("tshirt", "shirt", "top", "sweater")
_OUTER = ("blazer", "jacket", "coat", "suit")
_LOWER = ("jeans", "trousers", "shorts", "skirt")
_WHOLES = ("dress", "jumpsuit", "suit")
_ONE_PIECE = ("dress", "jumpsuit")
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
    """What somebody saw on one person: the categories, and those that are not sure."""

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

    def wears(self) -> NDArray[np.float32]:
        """Float32 `[15]`: 1 worn, 0 not, NaN where it is not sure."""
        wears = category_mask(self.worn).astype(np.float32)
        wears[[CATEGORIES.index(name) for name in self.unsure]] = np.nan
        return wears


@cache
def seen_clothes() -> dict[str, SeenClothes]:
    """What was seen, by the photo's stem."""
    told = json.loads(_FILE.read_text(encoding="utf-8"))
    return {stem: SeenClothes.parse(clothes) for stem, clothes in told.items()}


def agreed_tags(published: Iterable[str], seen: SeenClothes | None) -> tuple[str, ...]:
    """The categories of a photo with tags only: what was seen, and tags that may be right.

    >>> agreed_tags(("dress", "shirt", "hoodie"), SeenClothes.parse("skirt shirt?"))
    ('skirt', 'shirt', 'hoodie')
    """
    if seen is None:
        return tuple(published)
    kept = seen.unsure | {_NOT_LOOKED_FOR}
    worn = [name for name in CATEGORIES if name in seen.worn - {_NOT_LOOKED_FOR}]
    return (*worn, *(name for name in published if name in kept))


def renamed(published: Iterable[str], seen: SeenClothes) -> dict[str, str]:
    """What categories of a label map must be called instead, by what was seen.

    A category that nobody saw is one that was seen and that the map lacks, of the same part of the
    body before others; where there are several such, it stays as it is. One dress, jumpsuit or suit
    may be several of the map's categories.

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
    for name in [one for one in left if one not in seen.worn | seen.unsure | {_NOT_LOOKED_FOR}]:
        for part in _PARTS_BY_KIN[name]:
            taken = {*left, *names.values()}
            able = [
                one for one in part if one in seen.worn and (one not in taken or one in _WHOLES)
            ]
            if len(able) == 1:
                names[name] = able[0]
            if able or any(one in seen.unsure for one in part):
                break
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


def told_clothes(published: Iterable[str], seen: SeenClothes | None) -> NDArray[np.float32]:
    """What a person wears by the published labels and by what was seen, where that is known.

    What was seen decides. Only what the layers of the upper body are called is a matter of taste
    (see `_MATTERS_OF_TASTE`): where the two differ about one of these, nothing is known of it.

    Args:
        published: categories.
        seen: None for a photo that nobody looked at; then the published ones are all there is.

    Returns:
        Float32 `[15]`: 1 worn, 0 not, NaN not known.
    """
    told = category_mask(published).astype(np.float32)
    if seen is None:
        return told
    wears = seen.wears()
    wears[_MATTERS_OF_TASTE & (wears != told)] = np.nan
    wears[CATEGORY_INDEX[_NOT_LOOKED_FOR]] = told[CATEGORY_INDEX[_NOT_LOOKED_FOR]]
    return wears


def without(
    wears: NDArray[np.float32], before: Iterable[str], left: Iterable[str]
) -> NDArray[np.float32]:
    """What is known to be worn once a label map shows no longer all that it showed before.

    Args:
        wears: float32 `[15]`, as :func:`told_clothes` gives it.
        before: categories of the label map as published.
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
