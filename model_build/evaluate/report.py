"""Figures, curves, confusion and mistakes of a model on one set of pictures, and how they are kept.

OUT/figures.json  OUT/figures.csv          everything that is a number
OUT/SET/CURVE.csv and .png                 precision and recall, calibration, abstention …
OUT/SET/mistakes….png                      the worst ones, to look at
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.precision import Floats
from model_build.evaluate.plots import Curve, Matrix, draw_curve, draw_matrix
from model_build.evaluate.precision import Claims, reliability

_THRESHOLDS = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True)
class Report:
    """What is known of a model on one set of pictures.

    Attributes:
        figures: by name, such as `ap50/top`; the ones to look at first, first.
        curves, matrices: by the name of their files.
        sheets: contact sheets of mistakes by the name of their files, uint8 `[H,W,3]` BGR, or None
            where no mistake was made.
    """

    figures: Mapping[str, float]
    curves: Mapping[str, Curve] = field(default_factory=dict)
    matrices: Mapping[str, Matrix] = field(default_factory=dict)
    sheets: Mapping[str, NDArray[np.uint8] | None] = field(default_factory=dict)


def thresholds(claims: Mapping[str, Claims]) -> Curve:
    """Precision and recall of each kind of claim over the least certainty that is believed."""
    lines = {}
    for name, one in claims.items():
        values = np.array([one.at(threshold) for threshold in _THRESHOLDS])
        for column, figure in enumerate(("precision", "recall")):
            is_known = ~np.isnan(values[:, column])
            lines[f"{name}, {figure}"] = (_THRESHOLDS[is_known], values[is_known, column])
    return Curve("threshold", "share", lines)


def precision_recall(claims: Mapping[str, Claims]) -> Curve:
    """Precision over recall of each kind of claim that there was to make; its name has the area."""
    lines = {
        f"{name} {one.average_precision():.3f}": one.curve()
        for name, one in claims.items()
        if one.positives
    }
    return Curve("recall", "precision", lines)


def calibration(confidence: Floats, is_right: NDArray[np.bool_]) -> Curve:
    """Accuracy over confidence, a point for each bin that is not empty."""
    mean, accuracy, count = reliability(confidence, is_right)
    lines = {"model": (mean[count > 0], accuracy[count > 0])}
    return Curve("confidence", "accuracy", lines, is_identity_ideal=True)


def about(model: Path) -> dict[str, Any]:
    """What tells one model file from another."""
    content = model.read_bytes()
    return {
        "file": model.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def save_reports(reports: Mapping[str, Report], facts: Mapping[str, Any], folder: Path) -> None:
    """Write everything.

    Args:
        reports: by the name of the set of pictures.
        facts: about the model file and its latency.
        folder: is made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sets = {name: _plain(report.figures) for name, report in reports.items()}
    text = json.dumps({**facts, "sets": sets}, indent=1, allow_nan=False)
    (folder / "figures.json").write_text(text + "\n", encoding="utf-8")
    rows = [[name, figure, value] for name, one in sets.items() for figure, value in one.items()]
    write_table(folder / "figures.csv", ["set", "figure", "value"], rows)
    for name, report in reports.items():
        _save(report, folder / name, name)


def _save(report: Report, folder: Path, title: str) -> None:
    folder.mkdir(exist_ok=True)
    for stem, curve in report.curves.items():
        rows = [
            [line, f"{x:.5f}", f"{y:.5f}"]
            for line, points in curve.lines.items()
            for x, y in zip(*points, strict=True)
        ]
        write_table(folder / f"{stem}.csv", ["line", curve.x, curve.y], rows)
        draw_curve(curve, f"{title}: {stem}", folder / f"{stem}.png")
    for stem, matrix in report.matrices.items():
        rows = [
            [name, *counts]
            for name, counts in zip(matrix.names, matrix.counts.tolist(), strict=True)
        ]
        write_table(folder / f"{stem}.csv", ["truth", *matrix.names], rows)
        draw_matrix(matrix, f"{title}: {stem}", folder / f"{stem}.png")
    for stem, sheet in report.sheets.items():
        if sheet is not None:
            cv2.imwrite(str(folder / f"{stem}.png"), sheet)


def write_table(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _plain(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Rounded, and None for what is not a number, which JSON does not know."""
    return {name: None if math.isnan(value) else round(value, 5) for name, value in figures.items()}
