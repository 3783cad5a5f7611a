"""How good a model is on pictures: by hand-made labels, or by the answers of the float model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration import precision
from calibration.observe import batches_of
from edge_app.detection.detector import Detector
from edge_app.errors import ModelError
from edge_app.flow import Detections, Float32, UInt8
from edge_app.geometry import intersection_over_union
from edge_app.inference.model import Model
from edge_app.ports import Engine

SURE = 0.5
"""What a person wears by self-made labels, the float model is at least so sure of."""

NAMED = 0.3
"""So is it of the one category of a garment, of fifteen: hesitant answers are the first to turn."""

FOUND = (0.35, 0.4, 0.45, 0.5, 0.55)
"""From such a score on a box counts as found. Average precision, which looks at the order of scores
only, does not see that all of them fell; and one score alone, not whether a box that crossed it did
so by chance: recall is the mean over these. All lie well above the score that makes a box of the
float model's a truth, around which boxes could only be lost."""

_PERSON = 0.3
_LOWEST_SCORE = 0.05
_MAX_IOU = 0.6


@dataclass(frozen=True)
class Answers:
    """What a model says about pictures.

    Attributes:
        objects: of a detector, one per picture.
        probabilities: float32 ``[N, 15]`` of a classifier.
        wears: float32 ``[N, 15]`` of a garment detector that tells it.
    """

    objects: tuple[Detections, ...] = ()
    probabilities: Float32 | None = None
    wears: Float32 | None = None


@dataclass(frozen=True)
class Truth:
    """What is right about pictures.

    Attributes:
        objects: boxes and labels of a detector's pictures; the scores say nothing.
        categories: per picture of one garment, those that are right; empty where nobody knows.
        worn: per picture of a person, the categories worn; empty where nobody knows.
        is_complete: whether a box around none of the objects is wrong; if not, nothing but recall
            can be told.
    """

    objects: tuple[Detections, ...] = ()
    categories: tuple[frozenset[int], ...] = ()
    worn: tuple[frozenset[int], ...] = ()
    is_complete: bool = True


def answers_of(model: Model, engine: Engine, pictures: UInt8) -> Answers:
    """Run a model on pictures at its input size.

    Args:
        model: that the engine runs.
        engine: for a network call of a few pictures at a time.
        pictures: uint8 ``[N, H, W, 3]``.
    """
    parts = batches_of(pictures)
    if model.task == "classifier":
        told = [engine.infer(np.ascontiguousarray(part))["probabilities"] for part in parts]
        return Answers(probabilities=np.concatenate(told))
    detector = Detector(model, engine, _LOWEST_SCORE, _MAX_IOU)
    objects = [found for part in parts for found in detector.detect(list(part))]
    worn = [found.wears for found in objects if found.wears is not None]
    return Answers(tuple(objects), wears=np.stack(worn) if worn else None)


def truth_of(answers: Answers) -> Truth:
    """The labels that a model's own answers make, where it is sure."""
    objects = tuple(found[found.scores >= _PERSON] for found in answers.objects)
    return Truth(objects, _named_in(answers.probabilities), _worn_in(answers.wears))


def _named_in(probabilities: Float32 | None) -> tuple[frozenset[int], ...]:
    rows = () if probabilities is None else probabilities
    return tuple(frozenset({int(r.argmax())} if r.max() >= NAMED else ()) for r in rows)


def _worn_in(wears: Float32 | None) -> tuple[frozenset[int], ...]:
    rows = () if wears is None else wears
    return tuple(frozenset(np.flatnonzero(row >= SURE).tolist()) for row in rows)


def figures_of(answers: Answers, truth: Truth) -> dict[str, float]:
    """Figures of merit, each 0..1, best 1; only those that the truth allows.

    ``ap50``: average precision at an overlap of 0.5, mean over the labels; ``recall``: share of the
    objects that are found, at scores from 0.35 to 0.55 on the average; ``top1``: share of pictures
    whose most probable category is right; ``wears_ap``: average precision of all claims that a
    person wears a category.

    Raises:
        ModelError: the truth has neither an object nor a category.
    """
    figures = {}
    labels = sorted({int(label) for found in truth.objects for label in found.labels})
    if labels and truth.is_complete:
        each = [average_precision(answers.objects, truth.objects, label) for label in labels]
        figures["ap50"] = float(np.mean(each))
    if labels:
        figures["recall"] = recall(answers.objects, truth.objects)
    known = [i for i, right in enumerate(truth.categories) if right]
    if known and answers.probabilities is not None:
        best = answers.probabilities.argmax(axis=1)
        figures["top1"] = float(np.mean([int(best[i]) in truth.categories[i] for i in known]))
    if any(truth.worn) and answers.wears is not None:
        is_worn = np.zeros(answers.wears.shape, bool)
        for row, worn in zip(is_worn, truth.worn, strict=True):
            row[list(worn)] = True
        figures["wears_ap"] = _area(answers.wears.ravel(), is_worn.ravel(), int(is_worn.sum()))
    if not figures:
        raise ModelError(
            "nothing was found in the pictures, so that no accuracy can be measured; "
            "give pictures with people, and more of them"
        )
    return figures


def average_precision(found: Sequence[Detections], true: Sequence[Detections], label: int) -> float:
    """Area under precision over recall of one label, at an overlap of 0.5 (PASCAL VOC 2010).

    Everingham et al., "The PASCAL Visual Object Classes Challenge", IJCV 2010.
    """
    scores, hits, count = [], [], 0
    for all_ours, all_right in zip(found, true, strict=True):
        ours = all_ours[all_ours.labels == label]
        right = all_right[all_right.labels == label]
        count += len(right)
        scores += list(ours.scores)
        hits += list(_hits(ours, right))
    return _area(np.asarray(scores, np.float32), np.asarray(hits, bool), count)


def recall(found: Sequence[Detections], true: Sequence[Detections]) -> float:
    """Share of the objects that a box of their label has, on the average of scores around 0.45."""
    hits = 0
    for all_ours, right in zip(found, true, strict=True):
        for label in {int(label) for label in right.labels}:
            ours = all_ours[all_ours.labels == label]
            scores = ours.scores[_hits(ours, right[right.labels == label])]
            hits += sum(int((scores >= least).sum()) for least in FOUND)
    return hits / max(len(FOUND) * sum(len(right) for right in true), 1)


def _area(scores: Float32, is_hit: npt.NDArray[np.bool_], count: int) -> float:
    """Average precision; 0 where nothing is to be found."""
    return precision.average_precision(scores, is_hit, count) if count else 0.0


def _hits(ours: Detections, right: Detections) -> npt.NDArray[np.bool_]:
    overlaps = intersection_over_union(ours.boxes_xyxy, right.boxes_xyxy)
    return precision.hits(ours.scores, overlaps)


def relative_loss(before: dict[str, float], after: dict[str, float]) -> float:
    """The largest share that any figure lost; negative where all grew.

    >>> round(relative_loss({"ap50": 0.8, "top1": 0.5}, {"ap50": 0.8, "top1": 0.45}), 3)
    0.1
    """
    return max((before[n] - after[n]) / before[n] if before[n] > 0 else 0.0 for n in before)
