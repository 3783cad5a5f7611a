"""One look at people: the garments on them, what each is, and what the person wears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge_app.flow import Detections, Float32, Garment, Look, UInt8
from edge_app.geometry import widen
from edge_app.outfit.classifier import Classifier
from edge_app.outfit.colour import colour_name
from edge_app.outfit.crops import sharpness
from edge_app.vocabulary import REGIONS

CLASSIFIER_MARGIN = 0.05
"""Share added on each side of a garment's box, as the model contract says."""

_BEST = slice(5)
"""More boxes than this on one person are not clothes."""


class CropDetector(Protocol):
    """A detector of garments on person crops."""

    def detect(
        self, pictures_bgr: Sequence[UInt8], boxes: Sequence[npt.NDArray[np.int64]]
    ) -> list[Detections]:
        """One :class:`Detections` per box, best first, with ``wears`` where the network has it."""
        ...


class Looker:
    """Looks at person crops: one call of the garment detector, then one of the classifier."""

    def __init__(self, detector: CropDetector, classifier: Classifier) -> None:
        self._detector = detector
        self._classifier = classifier

    def look(
        self,
        people: Sequence[tuple[UInt8, npt.NDArray[np.int64]]],
        qualities: Sequence[float],
        margin: float = CLASSIFIER_MARGIN,
    ) -> list[Look]:
        """Look at people.

        Args:
            people: per person the picture, uint8 ``[h, w, 3]`` BGR, and the box to cut out of it,
                int64 ``[4]`` xyxy in whole pixels.
            qualities: how much each view promises, 0..1; sharpness is added here.
            margin: share added on each side of a garment's box for the classifier.

        Returns:
            One look per person; garments best first, boxes in the picture's pixels.
        """
        if not people:
            return []
        crops = [_cut(picture, box) for picture, box in people]
        pictures, spans = zip(*people, strict=True)
        found = [each[_BEST] for each in self._detector.detect(pictures, spans)]
        garments = []
        for person, detections in enumerate(found):
            height, width = crops[person].shape[:2]
            boxes = widen(detections.boxes_xyxy, margin, (width, height))
            corner = np.tile(spans[person][:2], 2)
            garments += [(pictures[person], box + corner) for box in boxes]
        if garments:
            probabilities, embeddings = self._classifier.classify(garments)
        looks = []
        start = 0
        for person, detections in enumerate(found):
            span = slice(start, start + len(detections))
            start = span.stop
            worn = (
                _garments(detections, people[person][1], probabilities[span], embeddings[span])
                if len(detections)
                else ()
            )
            looks.append(
                Look(
                    quality=qualities[person] * (0.3 + 0.7 * sharpness(crops[person])),
                    garments=worn,
                    wears=detections.wears,
                    colours=_colours(crops[person], detections),
                )
            )
        return looks


def _garments(
    detections: Detections,
    person_box: npt.NDArray[np.int64],
    probabilities: Float32,
    embeddings: Float32,
) -> tuple[Garment, ...]:
    """Garments in the picture's pixels from boxes in the crop's."""
    offset = np.tile(person_box[:2], 2).astype(np.float32)
    return tuple(
        Garment(
            region=REGIONS[int(detections.labels[i])],
            box_xyxy=np.asarray(detections.boxes_xyxy[i] + offset, np.float32),
            score=float(detections.scores[i]),
            probabilities=probabilities[i],
            embedding=embeddings[i],
        )
        for i in range(len(detections))
    )


def _colours(crop_bgr: UInt8, detections: Detections) -> dict[str, str]:
    """By region, the colour of the garment that covers most of the person there."""
    sides = detections.boxes_xyxy[:, 2:] - detections.boxes_xyxy[:, :2]
    covers = sides.prod(axis=1) * detections.scores
    height, width = crop_bgr.shape[:2]
    boxes = widen(detections.boxes_xyxy, 0.0, (width, height))
    # In ascending order: of one region's garments the one that covers most is left.
    shown = {REGIONS[int(detections.labels[i])]: i for i in np.argsort(covers)}
    return {region: colour_name(_cut(crop_bgr, boxes[i])) for region, i in shown.items()}


def _cut(picture_bgr: UInt8, box: npt.NDArray[np.int64]) -> UInt8:
    """A view of the pixels inside a box of whole pixels."""
    x1, y1, x2, y2 = (int(v) for v in box)
    return picture_bgr[y1:y2, x1:x2]
