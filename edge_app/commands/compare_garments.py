"""How well a replay says what people wear, and how often it says that it does not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from edge_app.commands.intervals import share
from edge_app.vocabulary import REGION_OF, UNKNOWN

Outfit = Mapping[str, Mapping[str, Any]]
"""By region, ``category`` and ``probability``, as an entry of a replay's result has it."""

_NOTHING = "nothing"
_OTHER = "another region"


def compare_garments(people: Sequence[tuple[frozenset[str], Outfit]]) -> dict[str, Any]:
    """Compare what people wear with what was said of them.

    Each garment that is worn was either ``found``; or ``abstained`` from: its region was told
    ``unknown``, or nothing at all was made out on this person; or ``mistaken`` for something else.

    Args:
        people: of each matched entry, the true garments and the outfit that was told.

    Returns:
        ``accuracy``, of the categories that were told, the share that is worn; ``found``,
        ``abstained`` and ``mistaken``, of the garments that are worn; ``silent``, of the people,
        the share of whom no category was told; ``confusion``, by true garment, what was told
        instead of it.
    """
    told = [(worn, word) for worn, outfit in people for word in _categories(outfit)]
    fates = Counter[str]()
    confusion: dict[str, Counter[str]] = {}
    for worn, outfit in people:
        for garment in sorted(worn):
            said = _said(garment, outfit)
            fate = "found" if said == garment else "mistaken"
            fates["abstained" if said in (UNKNOWN, _NOTHING) else fate] += 1
            if said != garment:
                confusion.setdefault(garment, Counter())[said] += 1
    garments = fates.total()
    silent = sum(not _categories(outfit) for _, outfit in people)
    return {
        "accuracy": share(sum(word in worn for worn, word in told), len(told)).as_json(),
        **{
            fate: share(fates[fate], garments).as_json()
            for fate in ("found", "abstained", "mistaken")
        },
        "silent": share(silent, len(people)).as_json(),
        "confusion": {garment: dict(said) for garment, said in sorted(confusion.items())},
    }


def _categories(outfit: Outfit) -> list[str]:
    return [worn["category"] for worn in outfit.values() if worn["category"] != UNKNOWN]


def _said(garment: str, outfit: Outfit) -> str:
    """What was told in a garment's place."""
    worn = outfit.get(REGION_OF.get(garment, ""))
    if worn is not None:
        return str(worn["category"])
    return _OTHER if _categories(outfit) else _NOTHING
