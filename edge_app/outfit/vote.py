"""The vote: many looks at one person become one outfit, or honestly ``unknown``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_app.config.schema import OutfitSettings
from edge_app.flow import Float32, Garment, Look, Outfit, Worn
from edge_app.vocabulary import CATEGORIES, REGION_OF, REGIONS, UNKNOWN

_FLOOR = 0.02
"""No single look is more certain than this: one odd frame must not decide."""

_FRESH_S = 0.3
"""Looks closer together than this show the same thing twice and count for less."""

_CLASSIFIER_SHARE = 0.1
"""Say of the garments' own categories beside the whole person's ``wears``."""

_ABSENT = 0.35
"""A region is taken for bare while everything in it together is less probable than this."""

REGION_INDICES = {
    region: np.array([i for i, c in enumerate(CATEGORIES) if REGION_OF[c] == region])
    for region in REGIONS
}
"""Which of the fifteen categories are of a region."""


class Vote:
    """Adds up the looks at one person.

    Log-odds of every category are averaged, weighted by the square of the looks' quality, so that a
    clear view outvotes many poor ones and repetition alone never makes certain. No single look has
    more say than all the others together.
    """

    def __init__(self, settings: OutfitSettings) -> None:
        self._settings = settings
        self._log_odds = np.zeros(len(CATEGORIES))
        self._trust = 0.0
        self._clearest = (0.0, np.zeros(len(CATEGORIES)))
        self.weight = 0.0
        """Evidence so far: the looks' qualities added up, repetition discounted."""
        self.looks = 0
        """How many looks were added."""
        self._last_at_s: float | None = None
        self._colours: dict[str, dict[str, float]] = {}

    def add(self, look: Look, at_s: float) -> None:
        """Add one look, taken at a frame's time."""
        since = _FRESH_S if self._last_at_s is None else at_s - self._last_at_s
        weight = look.quality * min(max(since / _FRESH_S, 0.2), 1.0)
        self._last_at_s = at_s
        self.looks += 1
        if weight <= 0.0:
            return
        worn = np.clip(wears_of(look), _FLOOR, 1.0 - _FLOOR)
        trust = weight * look.quality
        log_odds = trust * np.log(worn / (1.0 - worn))
        self._log_odds += log_odds
        self._trust += trust
        if trust > self._clearest[0]:
            self._clearest = (trust, log_odds)
        self.weight += weight
        for region, colour in look.colours.items():
            votes = self._colours.setdefault(region, {})
            votes[colour] = votes.get(colour, 0.0) + weight

    def outfit(self, is_final: bool) -> Outfit:
        """What the looks say.

        Args:
            is_final: no more looks will come: what is open now stays ``unknown``.
        """
        settings = self._settings
        if self._trust <= 0.0:
            return Outfit(is_final, dict.fromkeys(CATEGORIES, 0.0), {})
        wears = 1.0 / (1.0 + np.exp(-self._mean_log_odds()))
        evidence = min(self.weight / settings.min_weight, self.looks / max(settings.min_looks, 1))
        regions: dict[str, Worn] = {}
        is_open = False
        for region in REGIONS:
            worn = self._decide(wears[REGION_INDICES[region]], region)
            if worn is not None:
                regions[region] = worn if evidence >= 1.0 else Worn(UNKNOWN, worn.probability)
                is_open |= regions[region].category == UNKNOWN
        return Outfit(
            is_settled=is_final or (evidence >= 1.0 and not is_open and bool(regions)),
            wears=dict(zip(CATEGORIES, (float(p) for p in wears), strict=True)),
            regions=regions,
            colours={
                region: max(votes, key=lambda name: votes[name])
                for region, votes in self._colours.items()
            },
            evidence=evidence,
        )

    def _mean_log_odds(self) -> npt.NDArray[np.float64]:
        """Of every category, float64 ``[15]``; the clearest look counts at most like the rest."""
        most, clearest = self._clearest
        rest = self._trust - most
        excess = 1.0 - rest / most if 0.0 < rest < most else 0.0
        return (self._log_odds - excess * clearest) / (self._trust - excess * most)

    def _decide(self, wears: Float32, region: str) -> Worn | None:
        """The region's category, ``unknown`` where two compete, None where nothing is worn."""
        if 1.0 - np.prod(1.0 - wears) < _ABSENT:
            return None
        order = np.argsort(-wears)
        best = float(wears[order[0]])
        lead = best - float(wears[order[1]])
        is_clear = best >= self._settings.probability and lead >= self._settings.margin
        name = CATEGORIES[REGION_INDICES[region][order[0]]] if is_clear else UNKNOWN
        return Worn(name, best)


def wears_of(look: Look) -> Float32:
    """What one look says the person wears: float32 ``[15]`` probabilities.

    The whole person's ``wears`` and the categories of the garments found, where both are known;
    the same in recordings and in still pictures.
    """
    garments, seen = np.zeros(len(CATEGORIES), np.float32), np.zeros(len(CATEGORIES), bool)
    for garment in look.garments:
        np.maximum(garments, garment.score * _within_region(garment), out=garments)
        seen[REGION_INDICES[garment.region]] = True
    if look.wears is None:
        return garments
    mixed = (1.0 - _CLASSIFIER_SHARE) * look.wears + _CLASSIFIER_SHARE * garments
    return np.asarray(np.where(seen, mixed, look.wears), np.float32)


def category_of(garment: Garment) -> tuple[str, float]:
    """The most probable category of a garment among those of its region, and its probability."""
    share = _within_region(garment)
    best = int(np.argmax(share))
    return CATEGORIES[best], float(share[best])


def _within_region(garment: Garment) -> Float32:
    """The classifier's word given the region: other regions' categories are impossible.

    Returns:
        float32 ``[15]``, adds up to 1.
    """
    inside = REGION_INDICES[garment.region]
    word = garment.probabilities[inside]
    share = np.zeros(len(CATEGORIES), np.float32)
    share[inside] = word / max(float(word.sum()), 1e-6)
    return share
