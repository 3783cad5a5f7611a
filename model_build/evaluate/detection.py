"""How well boxes are found: average precision, recall and precision at an overlap of one half."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.precision import hits
from edge_app.capture.simulated import Rendered, SimulatedEntrance, SimulationSettings
from edge_app.detection.detector import Detector
from edge_app.flow import Detections, Float32, UInt8
from edge_app.geometry import area, intersection_over_union
from edge_app.inference.model import load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from model_build.data.ccp import person_box, read_photos
from model_build.data.people import spoil
from model_build.data.rendered import is_cut_off, is_whole
from model_build.evaluate.coco import Annotated, coco_figures
from model_build.evaluate.mistakes import FALSE, MISSED, Mistakes, Outline
from model_build.evaluate.plots import Curve
from model_build.evaluate.precision import Claims
from model_build.evaluate.report import Report, thresholds

LEAST_OVERLAP = 0.5
_MAX_IOU = 0.65  # of non-maximum suppression
_LEAST_SCORE = 0.02  # average precision needs the weak boxes too
_FIRST_SEED = 500_000  # below the training seeds, and not those of the entries' own test
_FRAMES_PER_SEED = 12


@dataclass(frozen=True)
class Truth:
    """A picture and the people in it.

    Attributes:
        picture: uint8 `[H,W,3]` BGR.
        boxes: float32 `[G,4]`, xyxy, px.
        is_ignored: bool `[G]`: neither to be found nor wrong to find.
        is_complete: whether a box that matches nobody is false.
    """

    picture: UInt8
    boxes: Float32
    is_ignored: NDArray[np.bool_]
    is_complete: bool = True


@dataclass(frozen=True)
class Matched:
    """Detections of one picture against its truth; `[D]` each, best first."""

    scores: Float32
    is_right: NDArray[np.bool_]
    counts: NDArray[np.bool_]


def match(found: Detections, truth: Truth) -> Matched:
    """Give each box, best first, the free person it overlaps most.

    A box that overlaps nobody by half, but lies by half inside somebody ignored, does not count.
    """
    order = np.argsort(-found.scores, kind="stable")
    boxes, scores = found.boxes_xyxy[order], found.scores[order]
    wanted, ignored = truth.boxes[~truth.is_ignored], truth.boxes[truth.is_ignored]
    is_right = hits(scores, intersection_over_union(boxes, wanted), LEAST_OVERLAP)
    is_clear = [truth.is_complete and not _is_within(box, ignored) for box in boxes]
    return Matched(np.asarray(scores, np.float32), is_right, is_right | np.array(is_clear, bool))


def _is_within(box: Float32, others: Float32) -> bool:
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    return bool((shared > 0.5 * area(box[None])[0]).any())


def evaluate(detector: Detector, truths: Iterable[Truth], threshold: float) -> Report:
    """Run a detector over pictures and sum up.

    Args:
        detector: with its weak boxes.
        truths: pictures; none of them is kept.
        threshold: the score at which recall, precision and mistakes are given.
    """
    matches, found, annotated = [], [], []
    mistakes = _Mistakes(threshold)
    for truth in truths:
        detections = detector.detect([truth.picture])[0]
        matches.append(match(detections, truth))
        found.append(detections)
        labels = np.zeros(len(truth.boxes), np.int64)
        annotated.append(Annotated(truth.boxes, labels, truth.is_ignored))
        mistakes.note(truth, detections, matches[-1])
    claims = Claims(
        np.concatenate([m.scores[m.counts] for m in matches]),
        np.concatenate([m.is_right[m.counts] for m in matches]),
        sum(int((~one.is_ignored).sum()) for one in annotated),
    )
    precision, recall = claims.at(threshold)
    is_false = (claims.scores >= threshold) & ~claims.is_hit
    figures = {
        "pictures": len(matches),
        "people": claims.positives,
        "ap50": claims.average_precision(),
        "recall": recall,
        "precision": precision,
        "false_boxes": int(is_false.sum()),
    }
    coco = coco_figures(annotated, found, ("person",))
    return Report(
        figures | {f"coco/{name}": value for name, value in coco.items()},
        {
            "precision-recall": Curve("recall", "precision", {"person": claims.curve()}),
            "thresholds": thresholds({"person": claims}),
        },
        sheets={
            "mistakes-false": mistakes.false.sheet(),
            "mistakes-missed": mistakes.missed.sheet(),
        },
    )


@dataclass(frozen=True)
class _Mistakes:
    """The two kinds of mistakes at a threshold."""

    threshold: float
    false: Mistakes = field(default_factory=Mistakes)
    missed: Mistakes = field(default_factory=Mistakes)

    def note(self, truth: Truth, found: Detections, matched: Matched) -> None:
        """False boxes, the surest first; missed people, those without the faintest box first."""
        boxes = found.boxes_xyxy[np.argsort(-found.scores, kind="stable")]
        is_sure = matched.scores >= self.threshold
        for i in np.flatnonzero(is_sure & ~matched.is_right & matched.counts):
            score = float(matched.scores[i])
            outline = Outline(np.asarray(boxes[i], np.float32), FALSE)
            self.false.add(score, truth.picture, [f"false {score:.2f}"], [outline])
        right = matched.is_right
        for person in truth.boxes[~truth.is_ignored]:
            fits = intersection_over_union(person[None], boxes[right])[0] >= LEAST_OVERLAP
            score = float(matched.scores[right][fits].max(initial=0.0))
            if score < self.threshold:
                caption = f"missed; found at {score:.2f}" if score else "missed"
                self.missed.add(1 - score, truth.picture, [caption], [Outline(person, MISSED)])


def open_detector(path: Path) -> Detector:
    """A detector of the contract on one CPU thread, with its weak boxes."""
    model = load_model(path, "detector")
    return Detector(model, OpenVinoEngine(model, threads=1), _LEAST_SCORE, _MAX_IOU)


def street_truths(folder: Path, is_spoilt: bool, margin: float = 0.0) -> Iterator[Truth]:
    """The held-out street photos with label maps, one person each, as they are or spoilt.

    Passers-by have no boxes in this data set; most photos have none.

    Args:
        folder: Clothing Co-Parsing.
        is_spoilt: hazy, dim, blurred, compressed, the same for everybody who asks.
        margin: grey borders, as shares of the photo's height: makes people smaller.
    """
    rng = np.random.default_rng(0)
    for photo in read_photos(folder):
        if not photo.is_held_out or photo.label_map is None:
            continue
        labels = photo.read_label_map()
        if not labels.any():  # a published label map is empty, and nobody could be found by it
            continue
        picture = photo.read_picture()
        box = np.array([person_box(labels)], np.float32)
        border = int(picture.shape[0] * margin)
        sides = (0, border, border, border)
        picture = np.asarray(cv2.copyMakeBorder(picture, *sides, cv2.BORDER_REPLICATE), np.uint8)
        if is_spoilt:
            picture = spoil(picture, rng)
        shift = np.array([border, 0, border, 0], np.float32)
        yield Truth(picture, np.asarray(box + shift, np.float32), np.zeros(1, bool))


def measuring_frames(seeds: int, view: str = "any") -> Iterator[Rendered]:
    """Frames of the simulated entrance, of measuring seeds.

    Args:
        seeds: how many scenes; a dozen frames of each.
        view: of the simulation's settings.
    """
    for number in range(seeds):
        settings = SimulationSettings(
            people_per_min=14.0, seed=_FIRST_SEED + number, group_share=0.4, view=view
        )
        scene = SimulatedEntrance(settings)
        for index in np.random.default_rng(number).integers(50, 3000, _FRAMES_PER_SEED):
            yield scene.render(int(index))


def rendered_truths(seeds: int, view: str = "any") -> Iterator[tuple[Truth, Truth]]:
    """Frames of :func:`measuring_frames`, each judged in two ways.

    Yields:
        First, those of whom more than half is to be seen, and who are more than 50 px tall.
        Second, those of whom less is, because the picture's edge cuts them off, but at least 8 %
        (a head), more than 20 px tall.
    """
    for rendered in measuring_frames(seeds, view):
        people = rendered.people
        boxes = np.array([one.box_xyxy for one in people], np.float32).reshape(-1, 4)
        whole = np.array([is_whole(one) for one in people], bool)
        cut_off = np.array([is_cut_off(one) for one in people], bool)
        yield (
            Truth(rendered.frame_bgr, boxes, ~whole),
            Truth(rendered.frame_bgr, boxes, ~cut_off),
        )
