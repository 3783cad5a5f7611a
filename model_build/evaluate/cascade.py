"""How well the three models together see still pictures: what `dresscode look` says, judged.

The held-out photos of Clothing Co-Parsing show one person each, passers-by aside. Nothing is told
to the models: the person is found first, then the garments, then what each is. The truth are the
published labels put right by what was seen on every photo (:mod:`model_build.data.seen_clothes`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_app.app import Networks
from edge_app.commands.look import open_for_stills, see
from edge_app.config.schema import DetectionSettings, OutfitSettings, RuleSettings
from edge_app.flow import Garment, Look
from edge_app.geometry import intersection_over_union
from edge_app.outfit.vote import category_of, wears_of
from edge_app.vocabulary import CATEGORIES, REGIONS
from model_build.data.ccp import (
    StreetPhoto,
    garments_in,
    person_box,
    read_label_names,
    read_photos,
    tagged_categories,
)
from model_build.data.garment_crops import LEAST_SHARE_OF_BOXES
from model_build.data.seen_clothes import (
    SeenClothes,
    agreed_tags,
    rename_labels,
    seen_clothes,
    told_clothes,
)
from model_build.evaluate.plots import Curve, Matrix
from model_build.evaluate.precision import Claims, box_claims
from model_build.evaluate.report import Report, thresholds
from model_build.vocabulary import region_index

Float32 = NDArray[np.float32]

_HIT = 0.5
_WORN_OF_INTEREST = ("dress", "suit", "skirt")


@dataclass(frozen=True)
class Judged:
    """One photo: what its person wears, and what was said.

    Attributes:
        look: of the person; None where the detector found nobody who fits.
        person_score: of the detector.
        worn: float32 `[15]`: 1 worn, 0 not, NaN not known.
        boxes: float32 `[G,4]` of the garments, xyxy in the photo's pixels; None without label map.
        categories: int `[G]` of the garments, into `CATEGORIES`.
    """

    look: Look | None
    person_score: float
    worn: Float32
    boxes: Float32 | None
    categories: NDArray[np.int64]


def judge_cascade(
    folder: Path, models: Path | None = None, seen: Mapping[str, SeenClothes] | None = None
) -> Report:
    """Judge the shipped models, or those of another folder, on held-out street photos.

    Args:
        folder: of Clothing Co-Parsing.
        models: of the three model files.
        seen: what was seen on people, by stem; an empty one leaves everything as published.
    """
    seen = seen_clothes() if seen is None else seen
    networks = open_for_stills(models, DetectionSettings().min_score, threads=1)
    try:
        names = read_label_names(folder)
        photos = [photo for photo in read_photos(folder) if photo.is_held_out and _is_told(photo)]
        judged = [_look_at(networks, photo, names, seen.get(photo.stem)) for photo in photos]
    finally:
        networks.close()
    return report(judged, OutfitSettings().garment_score)


def report(judged: Sequence[Judged], least_score: float) -> Report:
    """The figures.

    Args:
        judged: the photos.
        least_score: of garments and their person together, to count as found by `look`.
    """
    boxed = [one for one in judged if one.boxes is not None]
    regions = {
        name: box_claims(
            [_boxes_of(one, name) for one in boxed], [_truth_of(one, name) for one in boxed]
        )
        for name in REGIONS
    }
    by_region = {f"ap50/{name}": claims.average_precision() for name, claims in regions.items()}
    named = np.array(
        [pair for one in boxed for pair in _named(one, least_score)], np.int64
    ).reshape(-1, 2)
    counts = np.zeros((len(CATEGORIES), len(CATEGORIES)), np.int64)
    np.add.at(counts, (named[:, 0], named[:, 1]), 1)
    garments = sum(len(one.categories) for one in boxed)
    wears = {name: _claims_of(judged, name) for name in _WORN_OF_INTEREST}
    figures = {
        "photos": float(len(judged)),
        "people_found": float(np.mean([one.look is not None for one in judged])),
        "garments_ap50": float(np.nanmean(list(by_region.values()))),
        **by_region,
        "garments_found": len(named) / max(garments, 1),
        "category_of_found": float(np.mean(named[:, 0] == named[:, 1])) if len(named) else np.nan,
    }
    for name, claims in wears.items():
        figures[f"wears_count/{name}"] = float(claims.positives)
        figures[f"wears_ap/{name}"] = claims.average_precision()
        precision, recall = claims.at(RuleSettings(any_of=(name,)).min_probability)
        figures[f"wears_precision/{name}"] = precision
        figures[f"wears_recall/{name}"] = recall
    return Report(
        figures,
        {
            "wears-thresholds": thresholds(wears),
            "boxes-precision-recall": Curve(
                "recall",
                "precision",
                {name: one.curve() for name, one in regions.items() if one.positives},
            ),
        },
        {"confusion": Matrix(CATEGORIES, counts)},
    )


def _is_told(photo: StreetPhoto) -> bool:
    """Whether anything is published of the photo; one label map is empty."""
    return photo.label_map is None or bool(photo.read_label_map().any())


def _look_at(
    networks: Networks, photo: StreetPhoto, names: tuple[str, ...], clothes: SeenClothes | None
) -> Judged:
    picture = photo.read_picture()
    seen = see(networks, picture, DetectionSettings().min_score)
    people = seen.people.boxes_xyxy
    boxes, garments = None, []
    subject = int(seen.people.scores.argmax()) if len(people) else None
    if photo.label_map is None:
        worn = agreed_tags(tagged_categories(photo.tags), clothes)
    else:
        labels = rename_labels(photo.read_label_map(), names, clothes)
        garments = garments_in(labels, names, LEAST_SHARE_OF_BOXES)
        worn = tuple(one.category for one in garments_in(labels, names))
        boxes = np.array([one.box_xyxy for one in garments], np.float32).reshape(-1, 4)
        truth = np.array([person_box(labels)], np.float32)
        overlap = intersection_over_union(truth, people)[0]
        subject = int(overlap.argmax()) if overlap.max(initial=0.0) >= _HIT else None
    return Judged(
        look=None if subject is None else seen.looks[subject],
        person_score=0.0 if subject is None else float(seen.people.scores[subject]),
        worn=told_clothes(worn, clothes),
        boxes=boxes,
        categories=np.array([CATEGORIES.index(one.category) for one in garments], np.int64),
    )


def _garments_of(one: Judged) -> tuple[Garment, ...]:
    return () if one.look is None else one.look.garments


def _boxes_of(one: Judged, region: str) -> tuple[Float32, Float32]:
    found = [garment for garment in _garments_of(one) if garment.region == region]
    boxes = np.array([garment.box_xyxy for garment in found], np.float32).reshape(-1, 4)
    return boxes, np.array([garment.score * one.person_score for garment in found], np.float32)


def _truth_of(one: Judged, region: str) -> Float32:
    if one.boxes is None:
        return np.zeros((0, 4), np.float32)
    is_here = [REGIONS[region_index(CATEGORIES[i])] == region for i in one.categories]
    return one.boxes[np.array(is_here, np.bool_)]


def _named(one: Judged, least_score: float) -> list[tuple[int, int]]:
    """Category and what was said of each garment that was found, wherever it was said to be."""
    kept = [g for g in _garments_of(one) if g.score * one.person_score >= least_score]
    if one.look is None or one.boxes is None or not kept or not len(one.boxes):
        return []
    overlap = intersection_over_union(one.boxes, np.array([g.box_xyxy for g in kept]))
    pairs = []
    for place in np.argsort(-overlap, axis=None):
        truth, found = divmod(int(place), len(kept))
        if overlap[truth, found] >= _HIT:
            said, _ = category_of(kept[found])
            pairs.append((int(one.categories[truth]), CATEGORIES.index(said)))
            overlap[truth, :] = overlap[:, found] = 0.0
    return pairs


def _claims_of(judged: Sequence[Judged], category: str) -> Claims:
    index = CATEGORIES.index(category)
    scores = [0.0 if one.look is None else float(wears_of(one.look)[index]) for one in judged]
    truth = np.array([one.worn[index] for one in judged])
    return Claims.where_known(np.array(scores), truth)
