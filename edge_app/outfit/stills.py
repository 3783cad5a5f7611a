"""One still picture, several looks: in recordings time shows a person anew, here other cuts do.

Each person is cut out closer and wider, and so is each garment on them, as they are and mirrored,
and what is said of the cuts is averaged (test-time augmentation, Krizhevsky et al., NeurIPS 2012).
Then all that was asked has a say in whether a garment is one, and in what it is called: garment
detector, classifier, what the whole person wears, and what else was found in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_app.flow import Float32, Garment, Look, UInt8
from edge_app.geometry import intersection_over_union, widen
from edge_app.outfit.crops import MARGIN
from edge_app.outfit.garments import CLASSIFIER_MARGIN, Looker
from edge_app.outfit.vote import REGION_INDICES

LEAST_SCORE = 0.02
"""How weak a garment a single view may tell of: whether it is one, all views decide together."""
_MARGINS = ((MARGIN, CLASSIFIER_MARGIN), (0.02, 0.1), (0.125, 0.2))
"""Shares of a person's box, and of a garment's, added on each side; first those of recordings."""
_SAME = 0.5
"""Two views' boxes of a region that overlap by more are of one garment."""
_SAME_PLACE = 0.6
"""Garments of two regions that overlap by more are mostly one, taken for the other too."""
_LEAST_PROBABILITY = 1e-4
_SAY = 0.15
"""Share of the classifier, and of ``wears``, in the score of a garment that was found."""
_SAY_IN_NAMES = 0.2
"""Share of ``wears`` in what a garment is called; the rest is the classifier's."""


def look_at_still(
    looker: Looker, picture_bgr: UInt8, boxes_xyxy: Float32, qualities: Sequence[float]
) -> list[Look]:
    """Look at the people of a still picture, at each several times.

    Args:
        looker: finds and names garments, from a score of :data:`LEAST_SCORE` on.
        picture_bgr: uint8 ``[h, w, 3]``, BGR.
        boxes_xyxy: float32 ``[N, 4]``, the people, pixels.
        qualities: how much each promises, 0..1.

    Returns:
        One look per person: log-odds of ``wears`` averaged; garments best first, a garment's score
        averaged over all views, 0 where it was not found, its box and what it is over those where
        it was; then score and probabilities become the :func:`agreed_score` and the
        :func:`agreed_names`, and scores heed each other where they are :func:`contested`. Quality
        and colours are those of the first view, which recordings have too.
    """
    height, width = picture_bgr.shape[:2]
    mirrored_bgr: UInt8 = np.ascontiguousarray(picture_bgr[:, ::-1])
    views = []
    for margin, around in _MARGINS:
        spans = widen(boxes_xyxy, margin, (width, height))
        views.append(looker.look([(picture_bgr, span) for span in spans], qualities, around))
        turned = [(mirrored_bgr, _mirrored(span, width)) for span in spans]
        seen = looker.look(turned, qualities, around)
        views.append([_turned_back(look, width) for look in seen])
    return [_together(looks) for looks in zip(*views, strict=True)]


def _mirrored(box_xyxy: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    """A box, ``[4]``, in the mirrored picture."""
    turned: npt.NDArray[Any] = box_xyxy.copy()
    turned[0], turned[2] = width - box_xyxy[2], width - box_xyxy[0]
    return turned


def _turned_back(look: Look, width: int) -> Look:
    garments = (replace(g, box_xyxy=_mirrored(g.box_xyxy, width)) for g in look.garments)
    return replace(look, garments=tuple(garments))


def _together(looks: Sequence[Look]) -> Look:
    """Several looks at one person as one."""
    said = [look.wears for look in looks if look.wears is not None]
    wears = _mean_probabilities(said) if said else None
    found = (_mean_garment(same, len(looks)) for same in _same_garments(looks))
    garments = contested([_agreed(garment, wears) for garment in found])
    best_first = sorted(garments, key=lambda garment: -garment.score)
    return replace(looks[0], garments=tuple(best_first), wears=wears)


def _agreed(garment: Garment, wears: Float32 | None) -> Garment:
    names = agreed_names(garment.probabilities, wears)
    return replace(garment, score=agreed_score(garment, wears), probabilities=names)


def agreed_names(probabilities: Float32, wears: Float32 | None) -> Float32:
    """What a garment is, by the classifier and by what the whole person wears.

    The logarithmic opinion pool of both (Genest and Zidek, see :func:`agreed_score`).

    Args:
        probabilities: float32 ``[15]`` of the classifier, adding up to 1.
        wears: float32 ``[15]``; None where nothing judged the whole person, and has no say.

    Returns:
        float32 ``[15]``, adding up to 1.
    """
    if wears is None:
        return probabilities
    named, worn = (np.maximum(said, _LEAST_PROBABILITY) for said in (probabilities, wears))
    pooled = named ** (1.0 - _SAY_IN_NAMES) * worn**_SAY_IN_NAMES
    return np.asarray(pooled / pooled.sum(), np.float32)


def agreed_score(garment: Garment, wears: Float32 | None) -> float:
    """How sure it is that there is a garment of this region, 0..1, by all that was asked.

    The weighted geometric mean (as in a logarithmic opinion pool, Genest and Zidek, "Combining
    Probability Distributions", Statistical Science 1986, but not normalised) of the detector's
    score, of the classifier's probability of the region, and of the one by ``wears`` that anything
    is worn there.

    Args:
        garment: with the detector's score.
        wears: float32 ``[15]``; None where nothing judged the whole person, and has no say.
    """
    inside = REGION_INDICES[garment.region]
    of_region = [float(garment.probabilities[inside].sum())]
    if wears is not None:
        of_region.append(1.0 - float(np.prod(1.0 - wears[inside])))
    score = garment.score ** (1.0 - _SAY * len(of_region))
    for probability in of_region:
        score *= min(probability, 1.0) ** _SAY
    return float(score)


def contested(garments: Sequence[Garment]) -> list[Garment]:
    """Garments whose scores heed what other regions have found in the same place.

    A coat that may be a jacket is found as both: a score is multiplied by twice its share of itself
    and of the best rival's, so that of two the better keeps its own, and the other loses the more
    the farther it is behind.
    """
    boxes = np.array([garment.box_xyxy for garment in garments], np.float32).reshape(-1, 4)
    scores = np.array([garment.score for garment in garments])
    regions = np.array([garment.region for garment in garments])
    is_rival = intersection_over_union(boxes, boxes) > _SAME_PLACE
    is_rival &= regions[:, None] != regions
    best_rival = np.where(is_rival, scores, 0.0).max(axis=1, initial=0.0)
    share = scores / np.maximum(scores + best_rival, _LEAST_PROBABILITY)
    kept = scores * np.minimum(2.0 * share, 1.0)
    return [replace(g, score=float(score)) for g, score in zip(garments, kept, strict=True)]


class _Sighting(NamedTuple):
    view: int
    garment: Garment


def _same_garments(looks: Sequence[Look]) -> list[list[Garment]]:
    """Each garment as the views found it, at most once in each; the best sighting leads."""
    left = [
        _Sighting(view, garment) for view, look in enumerate(looks) for garment in look.garments
    ]
    left.sort(key=lambda sighting: -sighting.garment.score)
    groups = []
    while left:
        lead = left.pop(0)
        group = {lead.view: lead}
        for other in _overlapping(lead, left):
            group.setdefault(other.view, other)
        groups.append([sighting.garment for sighting in group.values()])
        left = [one for one in left if group.get(one.view) is not one]
    return groups


def _overlapping(lead: _Sighting, others: Sequence[_Sighting]) -> list[_Sighting]:
    """Which of the others are of the same region and place, those that fit best first."""
    same = [other for other in others if other.garment.region == lead.garment.region]
    if not same:
        return []
    boxes = np.array([other.garment.box_xyxy for other in same], np.float32)
    overlap = intersection_over_union(lead.garment.box_xyxy[None], boxes)[0]
    return [same[i] for i in np.argsort(-overlap, kind="stable") if overlap[i] > _SAME]


def _mean_garment(found: Sequence[Garment], views: int) -> Garment:
    scores = np.array([garment.score for garment in found], np.float32)
    boxes = np.array([garment.box_xyxy for garment in found], np.float32)
    likely = np.array([garment.probabilities for garment in found], np.float32)
    likely = np.exp(np.log(np.maximum(likely, _LEAST_PROBABILITY)).mean(axis=0))
    embedding = np.mean([garment.embedding for garment in found], axis=0)
    return replace(
        found[0],
        box_xyxy=np.average(boxes, axis=0, weights=np.maximum(scores, _LEAST_PROBABILITY)).astype(
            np.float32
        ),
        score=float(scores.sum()) / views,
        probabilities=(likely / likely.sum()).astype(np.float32),
        embedding=(embedding / max(float(np.linalg.norm(embedding)), 1e-6)).astype(np.float32),
    )


def _mean_probabilities(said: Sequence[Float32]) -> Float32:
    """The mean of the log-odds of several answers, float32 ``[15]`` each, as probabilities."""
    kept = np.clip(np.stack(said), _LEAST_PROBABILITY, 1.0 - _LEAST_PROBABILITY)
    log_odds = np.log(kept / (1.0 - kept)).mean(axis=0)
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), np.float32)
