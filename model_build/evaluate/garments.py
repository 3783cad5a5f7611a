"""How well a garment model of the contract finds garments and says what is worn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_app.config.schema import RuleSettings
from edge_app.events.rules import probability
from edge_app.flow import Detections, Outfit
from edge_app.geometry import intersection_over_union, non_maximum_suppression
from edge_app.inference.model import load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.vocabulary import CATEGORIES, REGIONS
from model_build.data.garment_crops import CropSample
from model_build.evaluate.coco import Annotated, coco_figures
from model_build.evaluate.mistakes import FALSE, MISSED, Mistakes, Outline
from model_build.evaluate.precision import Claims, box_claims, calibration_error
from model_build.evaluate.report import Report, calibration, precision_recall, thresholds

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

ALERTED = ("dress", "suit")
ALERTS = {
    **{name: RuleSettings(any_of=(name,)) for name in ALERTED},
    "dress or suit": RuleSettings(any_of=ALERTED),
}
"""The rules whose precision and recall are given, at their default threshold and at others."""

_MAX_OVERLAP = 0.6
_LEAST_SCORE = 0.01
_HIT = 0.5
_SURE = 0.3


@dataclass(frozen=True)
class GarmentOutputs:
    """What a garment model says: boxes `[N,K,4]`, scores `[N,K,3]`, wears `[N,15]`."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    wears: NDArray[np.float32]


def run_garments(model: Path, crops_nhwc: NDArray[np.uint8]) -> GarmentOutputs:
    """Run a garment model on uint8 crops `[N,256,128,3]` with one thread."""
    engine = OpenVinoEngine(load_model(model, "garments"), threads=1)
    found = engine.infer(crops_nhwc)
    return GarmentOutputs(found["boxes"], found["scores"], found["wears"])


def evaluate_garments(model: Path, samples: Sequence[CropSample]) -> Report:
    """Judge a model on crops: by their boxes, and each category worn or not, where it is known."""
    outputs = run_garments(model, np.stack([sample.crop for sample in samples]))
    boxed = [row for row, sample in enumerate(samples) if sample.has_boxes]
    found = [_detections(outputs, row) for row in boxed]
    boxes = _box_claims([samples[row] for row in boxed], found)
    truth = np.stack([sample.wears for sample in samples])
    worn, is_known = truth > 0.5, ~np.isnan(truth)
    wears = {
        name: Claims.where_known(outputs.wears[:, i], truth[:, i])
        for i, name in enumerate(CATEGORIES)
    }
    alerts = _alert_claims(outputs.wears, truth)
    curves = {
        "boxes-precision-recall": precision_recall(boxes),
        "wears-precision-recall": precision_recall(wears),
        "alert-precision-recall": precision_recall(alerts),
        "alert-thresholds": thresholds(alerts),
        "wears-calibration": calibration(outputs.wears[is_known], worn[is_known]),
    }
    figures = {"crops": len(samples), "crops_with_boxes": len(boxed)}
    whole = [i for i, row in enumerate(boxed) if not samples[row].unsure_regions]
    coco = coco_figures(
        [_annotated(samples[boxed[i]]) for i in whole], [found[i] for i in whole], REGIONS
    )
    return Report(
        {
            **figures,
            **_box_figures(boxes),
            **{f"coco/{name}": value for name, value in coco.items()},
            **_wears_figures(wears),
            "wears_calibration_error": calibration_error(outputs.wears[is_known], worn[is_known]),
            **_alert_figures(alerts),
        },
        curves,
        sheets={
            "mistakes-boxes": _box_mistakes([samples[row] for row in boxed], found),
            "mistakes-wears": _wears_mistakes(samples, outputs.wears, truth),
        },
    )


def _detections(outputs: GarmentOutputs, row: int) -> Detections:
    """What remains of a crop's candidates after suppression, the weak ones included."""
    candidates, labels = np.nonzero(outputs.scores[row] > _LEAST_SCORE)
    boxes, scores = outputs.boxes[row, candidates], outputs.scores[row, candidates, labels]
    kept = [
        np.flatnonzero(labels == label)[
            non_maximum_suppression(boxes[labels == label], scores[labels == label], _MAX_OVERLAP)
        ]
        for label in range(len(REGIONS))
    ]
    keep = np.concatenate(kept)
    return Detections(boxes[keep], scores[keep], labels[keep].astype(np.int64))


def _annotated(sample: CropSample) -> Annotated:
    return Annotated(sample.boxes, sample.regions, np.zeros(len(sample.boxes), np.bool_))


def _box_claims(samples: Sequence[CropSample], found: Sequence[Detections]) -> dict[str, Claims]:
    claims = {}
    for index, region in enumerate(REGIONS):
        told = [
            (sample, one)
            for sample, one in zip(samples, found, strict=True)
            if index not in sample.unsure_regions
        ]
        boxes = [
            (one.boxes_xyxy[one.labels == index], one.scores[one.labels == index])
            for _, one in told
        ]
        truth = [sample.boxes[sample.regions == index] for sample, _ in told]
        claims[region] = box_claims(boxes, truth)
    return claims


def _alert_claims(wears: Float32, worn: Float32) -> dict[str, Claims]:
    """What alert rules would say of a single look at each crop, by `wears` alone.

    Whoever surely wears one of a rule's garments is meant, whatever is not known of the others.
    """
    claims = {}
    for name, rule in ALERTS.items():
        scores = np.array(
            [
                probability(rule, Outfit(True, dict(zip(CATEGORIES, row, strict=True)), {}))
                for row in wears.tolist()
            ]
        )
        asked = worn[:, [CATEGORIES.index(category) for category in rule.any_of]]
        is_meant = np.where((asked > 0.5).any(1), 1.0, asked.max(1))  # the maximum keeps NaN
        claims[name] = Claims.where_known(scores, is_meant)
    return claims


def _box_figures(boxes: Mapping[str, Claims]) -> dict[str, float]:
    by_region = {f"ap50/{region}": one.average_precision() for region, one in boxes.items()}
    return {"ap50": _mean_of_known(by_region), **by_region}


def _wears_figures(wears: Mapping[str, Claims]) -> dict[str, float]:
    by_category = {f"wears_ap/{name}": _precision_over_all(one) for name, one in wears.items()}
    counts = {f"wears_count/{name}": one.positives for name, one in wears.items()}
    return {"wears_ap": _mean_of_known(by_category), **by_category, **counts}


def _mean_of_known(figures: Mapping[str, float]) -> float:
    known = [value for value in figures.values() if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _precision_over_all(claims: Claims) -> float:
    """Average precision; not a number where nobody is without, so that no claim could be false."""
    return float("nan") if claims.is_hit.all() else claims.average_precision()


def _alert_figures(alerts: Mapping[str, Claims]) -> dict[str, float]:
    figures = {}
    for name, claims in alerts.items():
        precision, recall = claims.at(ALERTS[name].min_probability)
        figures[f"alert_ap/{name}"] = _precision_over_all(claims)
        figures[f"alert_precision/{name}"] = float("nan") if claims.is_hit.all() else precision
        figures[f"alert_recall/{name}"] = recall
    return figures


def _box_mistakes(samples: Sequence[CropSample], found: Sequence[Detections]) -> UInt8 | None:
    """Crops by their garments that were missed or found where there is none, at a score of 0.3."""
    mistakes = Mistakes()
    for sample, detections in zip(samples, found, strict=True):
        is_sure = detections.scores >= _SURE
        boxes, labels = detections.boxes_xyxy[is_sure], detections.labels[is_sure]
        overlap = intersection_over_union(sample.boxes, boxes) * (
            sample.regions[:, None] == labels[None]
        )
        is_missed = overlap.max(1, initial=0.0) < _HIT
        is_false = overlap.max(0, initial=0.0) < _HIT
        scores = detections.scores[is_sure]
        captions = [f"missed {REGIONS[i]}" for i in sample.regions[is_missed]]
        captions += [
            f"false {REGIONS[i]} {score:.2f}"
            for i, score in zip(labels[is_false], scores[is_false], strict=True)
        ]
        if captions:
            outlines = [Outline(box, MISSED) for box in sample.boxes[is_missed]]
            outlines += [Outline(box, FALSE) for box in boxes[is_false]]
            badness = float(is_missed.sum() + scores[is_false].sum())
            mistakes.add(badness, _seen(sample), captions[:4], outlines)
    return mistakes.sheet()


def _wears_mistakes(samples: Sequence[CropSample], wears: Float32, worn: Float32) -> UInt8 | None:
    """Crops by the surest wrong claim of what the alerts ask for; `worn` is NaN where unknown."""
    mistakes = Mistakes()
    asked = [CATEGORIES.index(name) for name in ALERTED]
    for sample, claimed, truth in zip(samples, wears, worn, strict=True):
        gap = np.nan_to_num(np.abs(claimed[asked] - truth[asked]))
        worst = asked[int(gap.argmax())]
        if gap.max() > 0.5:
            said = f"{CATEGORIES[worst]} {claimed[worst]:.2f}"
            names = [CATEGORIES[i] for i in np.flatnonzero(truth > 0.5)]
            lines = [" ".join(names[i : i + 3]) for i in range(0, len(names), 3)]
            mistakes.add(float(gap.max()), _seen(sample), [f"said {said}; wears", *lines[:3]])
    return mistakes.sheet()


def _seen(sample: CropSample) -> UInt8:
    """The crop without its padding."""
    height, width = sample.seen_hw
    return sample.crop[:height, :width]
