"""A model against itself in INT8: on held-out data, by the figures of its card, and in speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from calibration.accuracy import relative_loss
from calibration.gate import ALLOWED_LOSS, Judge, Verdict, layer_costs, search, stamp
from calibration.graph import load_onnx
from calibration.observe import Progress, no_progress
from calibration.quantize import Quantizer
from calibration.speed import speed_up
from edge_app.inference.model import Task, load_model
from model_build.evaluate.command import JUDGES
from model_build.garment_model import Folders
from model_build.int8.pictures import training_pictures

PICTURES = 160
COST_PICTURES = 4
HEADLINES: Mapping[str, tuple[str, ...]] = {
    "detector": ("ap50", "recall", "precision"),
    "garments": ("ap50", "wears_ap"),
    "classifier": ("top1", "neighbour_top1"),
}
"""Figures by task, each better the higher it is."""

Figures = dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """What INT8 costs and gains.

    Attributes:
        task: of the model.
        method: how ranges were chosen.
        layers: how many layers can run in INT8.
        verdict: of the gate, on training pictures, by the float model's own answers.
        before: held-out figures of the float model by set and name.
        after: those of the INT8 model.
        speeds: how many times as fast, by the number of pictures in a call.
    """

    task: Task
    method: str
    layers: int
    verdict: Verdict
    before: Figures
    after: Figures
    speeds: Mapping[int, float]

    @property
    def loss(self) -> float:
        """The largest relative loss of any held-out figure."""
        return relative_loss(self.before, self.after)


def make_int8(
    folders: Folders,
    task: Task,
    source: Path,
    target: Path,
    say: Callable[[str], None],
    progress: Progress = no_progress,
) -> Comparison:
    """Write a model in INT8 and compare it with the float one.

    Args:
        folders: the data sets.
        task: of the model.
        source: the float model.
        target: where the INT8 one goes.
        say: told what was tried.
        progress: told about every layer whose cost is measured.

    Raises:
        ModelError: the gate refuses it.
    """
    graph = load_onnx(source)
    pictures = training_pictures(folders, load_model(source, task), PICTURES)
    quantizer = Quantizer(graph, pictures, None)
    say(f"ranges by {quantizer.method}, over {len(pictures)} pictures")
    judge = Judge(graph, task, pictures, allowed=ALLOWED_LOSS)

    def costs() -> tuple[tuple[str, float], ...]:
        return layer_costs(quantizer, graph, pictures[:COST_PICTURES], progress)

    made, verdict = search(quantizer, judge, costs, say)
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(stamp(made, verdict, quantizer.method), str(target))
    return Comparison(
        task,
        quantizer.method,
        len(quantizer.layers),
        verdict,
        headlines(folders, task, source),
        headlines(folders, task, target),
        speed_up(graph, made, task, pictures),
    )


def headlines(folders: Folders, task: Task, path: Path) -> Figures:
    """The figures of a model file on held-out data that its card leads with."""
    reports: Mapping[str, Any] = JUDGES[task](folders, path)
    return {
        f"{name}, {figure}": report.figures[figure]
        for name, report in reports.items()
        for figure in HEADLINES[task]
    }
