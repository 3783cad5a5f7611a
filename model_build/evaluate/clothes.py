"""Clothes that nobody wears, side by side as on a rail: none of them may be counted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_app.detection.detector import Detector
from edge_app.flow import UInt8
from model_build.data.clothing_dataset import read_garment_photos
from model_build.data.people import spoil
from model_build.data.published.annotated import DataError
from model_build.evaluate.mistakes import FALSE, Mistakes, Outline
from model_build.evaluate.report import Report

_SIZE_HW = (360, 640)
_SIDE_BY_SIDE = (1, 2, 3, 4, 6)
_THRESHOLDS = (0.35, 0.5, 0.7)


def clothes_frames(folder: Path) -> Iterator[UInt8]:
    """Frames of held-out photos of clothes, one to six beside each other, each as it is and spoilt.

    Nobody wears any of them: those in which a detector suspects somebody were looked at.

    Args:
        folder: clothing-dataset.

    Yields:
        uint8 `[360,640,3]`, BGR; the same for everybody who asks.

    Raises:
        DataError: the folder does not hold the published layout.
    """
    rng = np.random.default_rng(0)
    photos = (photo for photo in read_garment_photos(folder) if photo.is_held_out)
    for count in itertools.cycle(_SIDE_BY_SIDE):
        beside = [photo.read_picture() for photo in itertools.islice(photos, count)]
        if len(beside) < count:
            return
        edges = np.linspace(0, _SIZE_HW[1], count + 1).astype(int)
        widths = np.diff(edges)
        frame = np.concatenate(
            [_cover(p, int(width)) for p, width in zip(beside, widths, strict=True)], 1
        )
        yield frame
        yield spoil(frame, rng)


def _cover(picture: UInt8, width: int) -> UInt8:
    """The middle of a picture, at the frame's height and so wide."""
    height = _SIZE_HW[0]
    scale = max(height / picture.shape[0], width / picture.shape[1])
    size = (
        max(width, round(picture.shape[1] * scale)),
        max(height, round(picture.shape[0] * scale)),
    )
    large = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    return large[top : top + height, left : left + width]


def evaluate_empty(detector: Detector, frames: Iterator[UInt8]) -> Report:
    """How often a detector sees somebody in frames without anybody.

    Args:
        detector: with its weak boxes.
        frames: uint8 `[H,W,3]`, BGR; none of them is kept.

    Raises:
        DataError: there is none.
    """
    best = []
    mistakes = Mistakes()
    for frame in frames:
        found = detector.detect([frame])[0]
        score = float(found.scores.max(initial=0.0))
        best.append(score)
        if score >= _THRESHOLDS[0]:
            box = found.boxes_xyxy[int(found.scores.argmax())]
            mistakes.add(score, frame, [f"false {score:.2f}"], [Outline(box, FALSE)])
    if not best:
        raise DataError("clothing-dataset: expected held-out photos to judge by, there are none")
    scores = np.array(best)
    shares = {f"frames_with_somebody/{at}": float((scores >= at).mean()) for at in _THRESHOLDS}
    return Report({"pictures": len(best), **shares}, sheets={"mistakes-false": mistakes.sheet()})
