"""The gate: an INT8 model that costs more accuracy than allowed does not get through.

Default post-training quantization can silently ruin a detector. So the model is measured before
and after, on the same pictures, through the code that the store runs; where it loses too much, the
layers that cost most go back to float, worst first, until it holds, or it is refused.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from calibration.accuracy import Answers, Truth, answers_of, figures_of, relative_loss, truth_of
from calibration.observe import Progress, head_names, no_progress, noise, values_of
from calibration.quantize import Quantizer
from calibration.ranges import Method
from edge_app.errors import ModelError
from edge_app.flow import UInt8
from edge_app.inference.model import Task, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine

ALLOWED_LOSS = 0.01
_MOST_FLOAT = 0.5
_METHODS_IN_TURN: tuple[Method, ...] = ("mse", "percentile", "entropy", "minmax")
_GROUP = 8
_SHARE = 0.05


@dataclass(frozen=True)
class Verdict:
    """What the gate found.

    Attributes:
        before: figures of the float model.
        after: figures of the INT8 model.
        loss: the largest relative loss of any figure.
        allowed: the most that it may be.
        costs: layers and what each costs alone, dearest first; empty where nobody had to ask.
        kept_in_float: layers that were taken back.
    """

    before: dict[str, float]
    after: dict[str, float]
    loss: float
    allowed: float
    costs: tuple[tuple[str, float], ...] = ()
    kept_in_float: tuple[str, ...] = ()

    @property
    def is_passed(self) -> bool:
        """Whether the INT8 model may be used."""
        return self.loss <= self.allowed


class Judge:
    """Measures models of one task on the same pictures.

    Args:
        model: the float model, ONNX.
        task: of it.
        pictures: uint8 ``[N, H, W, 3]`` at its input size.
        truth: hand-made labels; None to take the float model's own answers, as is done for what
            the labels leave open.
        allowed: largest relative loss of any figure.
        groups: by name, truths about the same pictures of which no figure may lose more either:
            what is rare, or hard, drowns in the figures of all. Recall is theirs alone, then.

    Raises:
        ModelError: a figure of the float model is 0, so that no loss of it would be seen.

    Attributes:
        model: the float model.
        truth: what is right.
        before: the float model's figures.
    """

    def __init__(
        self,
        model: Any,
        task: Task,
        pictures: UInt8,
        truth: Truth | None = None,
        allowed: float = ALLOWED_LOSS,
        groups: Mapping[str, Truth] | None = None,
    ) -> None:
        self.model = model
        self._groups = dict(groups or {})
        self._task = task
        self._pictures = pictures
        self._allowed = allowed
        answers = self._answers(model)
        own = truth_of(answers)
        self.truth = replace(truth, worn=truth.worn or own.worn) if truth else own
        self.before = self._figures(answers)
        if blind := [name for name, value in self.before.items() if value == 0.0]:
            do = "give more pictures, with people who are seen better"
            if truth is not None:
                do = "are the labels those of these pictures, and boxes xyxy in their pixels?"
            raise ModelError(
                f"the float model has 0 as {' and '.join(blind)}, so that any would pass; {do}"
            )

    def judge(self, candidate: Any) -> Verdict:
        """Measure a model."""
        after = self._figures(self._answers(candidate))
        loss = relative_loss(self.before, after)
        return Verdict(self.before, after, loss, self._allowed)

    def _figures(self, answers: Answers) -> dict[str, float]:
        figures = figures_of(answers, self.truth)
        if self._groups:
            # Groups tell it by what is really there, the float model's own answers only by those.
            figures.pop("recall", None)
        for group, truth in self._groups.items():
            figures |= {f"{group}, {k}": v for k, v in figures_of(answers, truth).items()}
        return figures

    def _answers(self, model: Any) -> Answers:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            onnx.save(model, str(path))
            loaded = load_model(path, self._task)
            engine = OpenVinoEngine(loaded, threads=1, max_batch=4)
            try:
                return answers_of(loaded, engine, self._pictures)
            finally:
                engine.close()


def layer_costs(
    quantizer: Quantizer, model: Any, pictures: UInt8, progress: Progress = no_progress
) -> tuple[tuple[str, float], ...]:
    """What layers cost when they alone are in INT8: the noise at the network's heads.

    Every cost takes compiling the network anew; so groups of neighbours are asked first, and layer
    by layer only those that make a twentieth of the noise. Layers of the others share theirs.

    Args:
        quantizer: of the model.
        model: in float.
        pictures: uint8 ``[N, H, W, 3]``; a few are enough.
        progress: told about every step.

    Returns:
        Layers with the share of the heads' variance that is noise, dearest first.
    """
    heads = head_names(model)
    expected = values_of(model, heads, pictures)

    def cost(layers: tuple[str, ...]) -> float:
        found = values_of(quantizer.draft(set(quantizer.layers) - set(layers)), heads, pictures)
        return float(np.mean(noise(found, expected)))

    starts = range(0, len(quantizer.layers), _GROUP)
    groups = [quantizer.layers[i : i + _GROUP] for i in starts]
    by_group = {}
    for group in groups:
        by_group[group] = cost(group)
        progress(len(by_group), len(groups) + len(quantizer.layers))
    least = _SHARE * sum(by_group.values())
    costs: dict[str, float] = {}
    for group in groups:
        if by_group[group] < least:
            costs |= dict.fromkeys(group, by_group[group] / len(group))
        else:
            costs |= {layer: cost((layer,)) for layer in group}
        progress(len(groups) + len(costs), len(groups) + len(quantizer.layers))
    return tuple(sorted(costs.items(), key=lambda pair: -pair[1]))


def search_methods(
    quantizer: Quantizer,
    judge: Judge,
    costs: Callable[[], tuple[tuple[str, float], ...]],
    say: Callable[[str], None],
) -> tuple[Any, Verdict]:
    """What :func:`search` finds, with the first way of choosing ranges that the gate lets through.

    How much a way loses with all layers in INT8 says little: it is the few layers that cost most,
    and those go back to float.

    Returns:
        The model and its verdict; of the way that loses least, where none passes. The quantizer is
        left at that way.
    """
    tried: dict[Method, tuple[Any, Verdict]] = {}
    for method in _METHODS_IN_TURN:
        quantizer.use(method)
        say(f"ranges by {method}")
        tried[method] = search(quantizer, judge, costs, say)
        if tried[method][1].is_passed:
            return tried[method]
    best = min(tried, key=lambda method: tried[method][1].loss)
    quantizer.use(best)
    return tried[best]


def search(
    quantizer: Quantizer,
    judge: Judge,
    costs: Callable[[], tuple[tuple[str, float], ...]],
    say: Callable[[str], None],
) -> tuple[Any, Verdict]:
    """The fastest model that the gate lets through.

    Args:
        quantizer: of the float model.
        judge: that measures.
        costs: asked for the layers' costs only where the whole model does not pass.
        say: told what was tried.

    Returns:
        The model and its verdict; where even half of the layers in float does not help, the one
        that loses least.
    """
    model = quantizer.write()
    verdict = judge.judge(model)
    say(f"all {len(quantizer.layers)} layers in INT8: loss {verdict.loss:.2%}")
    if verdict.is_passed:
        return model, verdict
    ranked = costs()

    def leave(count: int) -> tuple[Any, Verdict]:
        kept = tuple(layer for layer, _ in ranked[:count])
        model = quantizer.write(kept)
        verdict = judge.judge(model)
        say(f"{count} layers in float: loss {verdict.loss:.2%}")
        return model, replace(verdict, costs=ranked, kept_in_float=kept)

    most = max(1, int(len(ranked) * _MOST_FLOAT))
    failed, refused = 0, [(model, replace(verdict, costs=ranked))]
    for count in sorted({*(2**i for i in range(16) if 2**i < most), most}):
        model, verdict = leave(count)
        if verdict.is_passed:
            break
        failed = count
        refused.append((model, verdict))
    if not verdict.is_passed:
        return min(refused, key=lambda made: made[1].loss)
    while verdict.is_passed and count - failed > 1:
        middle = (count + failed) // 2
        fewer = leave(middle)
        if fewer[1].is_passed:
            (model, verdict), count = fewer, middle
        else:
            failed = middle
    return model, verdict


def stamp(model: Any, verdict: Verdict, method: str) -> Any:
    """Write into a model's metadata how it was quantized and what that cost.

    Raises:
        ModelError: the gate did not let it through.
    """
    if not verdict.is_passed:
        raise ModelError(refusal(verdict))
    told = {"method": method, "before": verdict.before, "after": verdict.after}
    told["kept_in_float"] = list(verdict.kept_in_float)
    for key, value in (("precision", "int8"), ("quantization", json.dumps(told, sort_keys=True))):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    return model


def refusal(verdict: Verdict) -> str:
    """Why a model is refused, and what to do."""
    changes = ", ".join(
        f"{name} {verdict.before[name]:.4f} to {verdict.after[name]:.4f}" for name in verdict.before
    )
    worst = ", ".join(layer for layer, _ in verdict.costs[:3])
    return (
        f"refused: INT8 loses {verdict.loss:.2%} ({changes}), allowed are {verdict.allowed:.2%}. "
        "Use FP16, try another --method, or more and more varied frames"
        + (f"; the dearest layers are {worst}" if worst else "")
    )
