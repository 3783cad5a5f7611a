"""How well a classifier of the contract names garments, and how honest its probabilities are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_app.inference.model import load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.vocabulary import CATEGORIES
from model_build.data.garment_pieces import PieceSample
from model_build.evaluate.mistakes import Mistakes
from model_build.evaluate.plots import Curve, Matrix
from model_build.evaluate.precision import Claims, abstention, calibration_error
from model_build.evaluate.report import Report, calibration, precision_recall


def run_classifier(
    model: Path, crops_nhwc: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Probabilities `[M,15]` and embeddings `[M,D]` of uint8 crops, one thread."""
    engine = OpenVinoEngine(load_model(model, "classifier"), threads=1)
    found = engine.infer(crops_nhwc)
    return found["probabilities"], found["embedding"]


def evaluate_classifier(model: Path, samples: Sequence[PieceSample]) -> Report:
    """Judge a model on garments whose labels are known.

    A partial label accepts each of its categories, and has figures of its own (`top1/jacket|coat`);
    in the confusion it is the category that was named if the label allows it, else its first one.
    """
    crops = np.stack([sample.crop for sample in samples])
    allowed = np.stack([sample.allowed for sample in samples])
    probabilities, embedding = run_classifier(model, crops)
    named, confidence = probabilities.argmax(1), probabilities.max(1)
    is_right = allowed[np.arange(len(named)), named]
    truth = np.where(is_right, named, allowed.argmax(1))
    counts = np.zeros((len(CATEGORIES), len(CATEGORIES)), np.int64)
    np.add.at(counts, (truth, named), 1)
    share, accuracy = abstention(confidence, is_right)
    # A label that allows several categories does not say which of them it is.
    is_open = allowed & (allowed.sum(1, keepdims=True) > 1)
    known = np.where(is_open, np.nan, allowed.astype(np.float64))
    claims = {
        name: Claims.where_known(probabilities[:, i], known[:, i])
        for i, name in enumerate(CATEGORIES)
    }
    figures = {
        "garments": len(samples),
        "top1": float(is_right.mean()),
        "calibration_error": calibration_error(confidence, is_right),
        "risk_when_abstaining": float(1 - accuracy.mean()),
        "neighbour_top1": _neighbour_accuracy(embedding, allowed),
    }
    for least in (0.5, 0.7, 0.9):
        is_answered = confidence >= least
        figures[f"answered/{least}"] = float(is_answered.mean())
        figures[f"top1_answered/{least}"] = (
            float(is_right[is_answered].mean()) if is_answered.any() else float("nan")
        )
    labels = np.array(["|".join(CATEGORIES[i] for i in np.flatnonzero(row)) for row in allowed])
    for name in dict.fromkeys([*CATEGORIES, *sorted(labels)]):
        is_it = labels == name
        figures[f"top1/{name}"] = float(is_right[is_it].mean()) if is_it.any() else float("nan")
        figures[f"count/{name}"] = int(is_it.sum())
    return Report(
        figures,
        {
            "precision-recall": precision_recall(claims),
            "calibration": calibration(confidence, is_right),
            "abstention": Curve("share answered", "accuracy", {"model": (share, accuracy)}),
        },
        {"confusion": Matrix(CATEGORIES, counts)},
        {"mistakes": _mistakes(crops, allowed, probabilities)},
    )


def _neighbour_accuracy(embedding: NDArray[np.float32], allowed: NDArray[np.bool_]) -> float:
    """Share whose nearest other garment in the embedding has a category in common.

    Not a number for a garment alone.
    """
    if len(embedding) < 2:
        return float("nan")
    alike = embedding @ embedding.T
    np.fill_diagonal(alike, -np.inf)
    return float((allowed & allowed[alike.argmax(1)]).any(1).mean())


def _mistakes(
    crops: NDArray[np.uint8], allowed: NDArray[np.bool_], probabilities: NDArray[np.float32]
) -> NDArray[np.uint8] | None:
    """Wrong names, the surest first."""
    mistakes = Mistakes()
    for crop, labels, row in zip(crops, allowed, probabilities, strict=True):
        named = int(row.argmax())
        if not labels[named]:
            names = " or ".join(CATEGORIES[i] for i in np.flatnonzero(labels))
            said = f"said {CATEGORIES[named]} {row[named]:.2f}"
            mistakes.add(float(row[named]), crop, [said, f"is {names}"])
    return mistakes.sheet()
