"""How well a classifier of the contract names garments, and how honest its probabilities are."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from edge_app.vocabulary import CATEGORIES
from model_build.data.garment_pieces import PieceSample
from model_build.evaluate.precision import calibration_error

_BATCH = 64


@dataclass(frozen=True)
class ClassificationReport:
    """Figures of one model on one set of garments; a partial label accepts each of its categories.

    Attributes:
        garments: how many garments were judged.
        top1: share named rightly.
        calibration_error: expected calibration error of the winning probability.
        accuracy: share named rightly, by true category (the first that a label allows).
        confusion: counts `[15][15]`, true category by named category.
        neighbour_top1: share whose nearest other garment in the embedding has a category in common.
    """

    garments: int
    top1: float
    calibration_error: float
    accuracy: dict[str, float]
    confusion: list[list[int]]
    neighbour_top1: float

    def lines(self) -> list[str]:
        """The figures as a table to print."""
        counts = np.array(self.confusion).sum(1)
        table = [f"{self.garments} garments: top-1 {self.top1:.3f}"]
        table.append(f"  calibration error {self.calibration_error:.3f}")
        table.append(f"  nearest neighbour of the same category {self.neighbour_top1:.3f}")
        for index, (name, share) in enumerate(self.accuracy.items()):
            row = np.array(self.confusion[index])
            taken = [(CATEGORIES[i], int(row[i])) for i in np.argsort(-row)[:3] if row[i]]
            said = ", ".join(f"{other} {count}" for other, count in taken)
            table.append(f"  {name:<9} {share:.2f} of {counts[index]:>3}: {said}")
        return table

    def save(self, path: Path) -> None:
        """Write the figures as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def run_classifier(
    model: Path, crops_nhwc: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Probabilities `[M,15]` and embeddings `[M,D]` of uint8 crops, one thread, float32."""
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    network = openvino.compile_model(str(model), "CPU", settings)
    parts = []
    for start in range(0, len(crops_nhwc), _BATCH):
        found = network(crops_nhwc[start : start + _BATCH])
        parts.append([found[name].copy() for name in ("probabilities", "embedding")])
    probabilities, embedding = (np.concatenate(part) for part in zip(*parts, strict=True))
    return probabilities, embedding


def evaluate_classifier(model: Path, samples: list[PieceSample]) -> ClassificationReport:
    """Judge a model on garments whose labels are known."""
    crops = np.stack([sample.crop for sample in samples])
    allowed = np.stack([sample.allowed for sample in samples])
    probabilities, embedding = run_classifier(model, crops)
    named = probabilities.argmax(1)
    is_right = allowed[np.arange(len(named)), named]
    confusion = np.zeros((len(CATEGORIES), len(CATEGORIES)), int)
    truth = np.where(is_right, named, allowed.argmax(1))
    np.add.at(confusion, (truth, named), 1)
    first = allowed.argmax(1)
    accuracy = {
        name: float(is_right[first == i].mean()) if (first == i).any() else float("nan")
        for i, name in enumerate(CATEGORIES)
    }
    alike = embedding @ embedding.T
    np.fill_diagonal(alike, -np.inf)
    shares_category = (allowed & allowed[alike.argmax(1)]).any(1)
    return ClassificationReport(
        garments=len(samples),
        top1=float(is_right.mean()),
        calibration_error=calibration_error(probabilities.max(1), is_right),
        accuracy=accuracy,
        confusion=confusion.tolist(),
        neighbour_top1=float(shares_category.mean()),
    )
