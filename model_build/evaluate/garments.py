"""How well a garment model of the contract finds garments and says what is worn."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from edge_app.geometry import non_maximum_suppression
from edge_app.vocabulary import CATEGORIES, REGIONS
from model_build.data.garment_crops import CropSample
from model_build.evaluate.precision import (
    average_precision,
    box_average_precision,
    calibration_error,
)

_BATCH = 32
_MAX_OVERLAP = 0.6


@dataclass(frozen=True)
class GarmentReport:
    """Figures of one model on one set of crops.

    Attributes:
        crops: how many crops were judged.
        box_ap50: average precision at an overlap of 0.5, by region.
        mean_ap50: its mean over the regions.
        wears_ap: average precision of `wears`, by category.
        wears_count: how many crops show each category.
        wears_mean_ap: mean over the categories that occur.
        wears_calibration_error: expected calibration error over all crops and categories.
    """

    crops: int
    box_ap50: dict[str, float]
    mean_ap50: float
    wears_ap: dict[str, float]
    wears_count: dict[str, int]
    wears_mean_ap: float
    wears_calibration_error: float

    def lines(self) -> list[str]:
        """The figures as a table to print."""
        table = [f"{self.crops} crops"]
        table += [f"  {region:<9} AP50 {self.box_ap50[region]:.3f}" for region in REGIONS]
        table.append(f"  {'mean':<9} AP50 {self.mean_ap50:.3f}")
        for name in CATEGORIES:
            table.append(f"  {name:<9} AP   {self.wears_ap[name]:.3f}  ({self.wears_count[name]})")
        table.append(f"  {'mean':<9} AP   {self.wears_mean_ap:.3f}")
        table.append(f"  wears calibration error {self.wears_calibration_error:.3f}")
        return table

    def save(self, path: Path) -> None:
        """Write the figures as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


@dataclass(frozen=True)
class GarmentOutputs:
    """What a garment model says: boxes `[N,K,4]`, scores `[N,K,3]`, wears `[N,15]`."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    wears: NDArray[np.float32]


def run_garments(model: Path, crops_nhwc: NDArray[np.uint8]) -> GarmentOutputs:
    """Run a garment model on uint8 crops `[N,256,128,3]` with one thread in float32."""
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    network = openvino.compile_model(str(model), "CPU", settings)
    parts = []
    for start in range(0, len(crops_nhwc), _BATCH):
        found = network(crops_nhwc[start : start + _BATCH])
        parts.append([found[name].copy() for name in ("boxes", "scores", "wears")])
    boxes, scores, wears = (np.concatenate(part) for part in zip(*parts, strict=True))
    return GarmentOutputs(boxes, scores, wears)


def evaluate_garments(model: Path, samples: list[CropSample]) -> GarmentReport:
    """Judge a model on crops whose truth is known; boxes only where they are known."""
    outputs = run_garments(model, np.stack([sample.crop for sample in samples]))
    box_ap50 = {}
    for index, region in enumerate(REGIONS):
        found, truth = [], []
        for row, sample in enumerate(samples):
            if sample.has_boxes:
                scores = outputs.scores[row, :, index]
                named = np.flatnonzero(scores > 0.01)
                boxes = outputs.boxes[row, named]
                kept = non_maximum_suppression(boxes, scores[named], _MAX_OVERLAP)
                found.append((boxes[kept], scores[named][kept]))
                truth.append(sample.boxes[sample.regions == index])
        box_ap50[region] = box_average_precision(found, truth)
    worn = np.stack([sample.wears for sample in samples]) > 0.5
    wears_ap = {
        name: average_precision(outputs.wears[:, i], worn[:, i], int(worn[:, i].sum()))
        for i, name in enumerate(CATEGORIES)
    }
    return GarmentReport(
        crops=len(samples),
        box_ap50=box_ap50,
        mean_ap50=float(np.mean(list(box_ap50.values()))),
        wears_ap=wears_ap,
        wears_count={name: int(worn[:, i].sum()) for i, name in enumerate(CATEGORIES)},
        wears_mean_ap=float(np.nanmean(list(wears_ap.values()))),
        wears_calibration_error=calibration_error(outputs.wears.ravel(), worn.ravel()),
    )
