"""A model against itself in INT8: on held-out data, by the figures of its card, and in speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from calibration.accuracy import answers_of, figures_of, relative_loss
from calibration.gate import (
    ALLOWED_LOSS,
    Judge,
    Verdict,
    layer_costs,
    search_methods,
    stamp,
)
from calibration.graph import load_onnx
from calibration.quantize import Quantizer
from calibration.speed import Seconds, by_instructions
from edge_app.inference.model import Task, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from model_build.detector_model import CLOTHES
from model_build.evaluate.command import JUDGES
from model_build.folders import Folders
from model_build.int8.pictures import people_of, pictures_of

_PHOTOS: Mapping[str, tuple[int, int]] = {
    "detector": (100, 120),
    "garments": (160, 480),
    "classifier": (160, 480),
}
"""By task, for ranges and for the gate."""
_SCENES = (3, 20)
"""Rendered, of which a detector sees people, for ranges and for the gate."""
_HELD_OUT_SCENES = 10
_COST_PICTURES = 8
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
        speeds: seconds of a call by the instructions allowed; see
            :func:`calibration.speed.by_instructions`.
        counts: how many pictures ranges were measured on, and how many the gate had.
    """

    task: Task
    method: str
    layers: int
    verdict: Verdict
    before: Figures
    after: Figures
    speeds: Mapping[str, Seconds]
    counts: tuple[int, int]

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
) -> Comparison:
    """Write a model in INT8 and compare it with the float one.

    Args:
        folders: the data sets.
        task: of the model.
        source: the float model.
        target: where the INT8 one goes.
        say: told what was tried.

    Raises:
        ModelError: the gate refuses it.
    """
    graph, loaded = load_onnx(source), load_model(source, task)
    photos = _PHOTOS[task]
    seen = pictures_of(folders, loaded, "ranges", photos[0], _SCENES[0]).pictures
    quantizer = Quantizer(graph, seen)
    gate = pictures_of(folders, loaded, "gate", photos[1], _SCENES[1])
    say(f"{len(seen)} pictures for ranges; {len(gate.pictures)} others to judge")
    judge = Judge(graph, task, gate.pictures, allowed=ALLOWED_LOSS, groups=gate.groups)

    def costs() -> tuple[tuple[str, float], ...]:
        spread = np.linspace(0, len(seen) - 1, _COST_PICTURES).astype(int)
        return layer_costs(quantizer, graph, seen[spread])

    made, verdict = search_methods(quantizer, judge, costs, say)
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(stamp(made, verdict, quantizer.method), str(target))
    before, after = held_out(folders, task, source, target)
    return Comparison(
        task,
        quantizer.method,
        len(quantizer.layers),
        verdict,
        before,
        after,
        by_instructions(graph, made, task, seen),
        (len(seen), len(gate.pictures)),
    )


def held_out(folders: Folders, task: Task, *paths: Path) -> list[Figures]:
    """The figures of model files on held-out data that their card leads with.

    A detector has to find rendered people of measuring seeds besides, as many of them cut off by a
    picture's edge as not.
    """
    figures = [headlines(folders, task, path) for path in paths]
    if task == "detector":
        judged = people_of("held out", _HELD_OUT_SCENES, load_model(paths[0], task).input_size)
        for path, found in zip(paths, figures, strict=True):
            model = load_model(path, task)
            engine = OpenVinoEngine(model, threads=1, max_batch=4)
            answers = answers_of(model, engine, judged.pictures)
            engine.close()
            for group, truth in judged.groups.items():
                count = sum(len(people) for people in truth.objects)
                found[f"{group} ({count}), recall"] = figures_of(answers, truth)["recall"]
    return figures


def headlines(folders: Folders, task: Task, path: Path) -> Figures:
    """The figures of a model file on held-out data that its card leads with.

    Those of a detector name how many people a set has: in a small one, one of them is much.
    """
    reports: Mapping[str, Any] = JUDGES[task](folders, path)
    if task == "detector":
        reports = {
            f"{name} ({one.figures['people']})": one
            for name, one in reports.items()
            if name != CLOTHES
        }
    return {
        f"{name}, {figure}": report.figures[figure]
        for name, report in reports.items()
        for figure in HEADLINES[task]
    }
