"""Boxes for people of whom only tags are known: found by a garment model, allowed by the tags.

The tags say how many garments of each region a person wears. Where the model finds as many, those
are the region's boxes; where the tags name none, there is none; any other region is unsure. Lee,
"Pseudo-Label" (2013), with the tags as the judge of what is believed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_app.geometry import non_maximum_suppression
from edge_app.inference.model import load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.vocabulary import REGIONS
from model_build.data.garment_crops import CropSample, Person, plain_sample, plain_view
from model_build.vocabulary import region_index

_LEAST_SCORE = 0.3
_MAX_OVERLAP = 0.6
_BATCH = 32

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class FoundBoxes:
    """What is believed of a person.

    Attributes:
        boxes: float32 `[G,4]`, xyxy in the picture's pixels.
        regions: int64 `[G]`.
        unsure_regions: those of which not every box was found.
    """

    boxes: Float32
    regions: NDArray[np.int64]
    unsure_regions: tuple[int, ...]

    def given_to(self, person: Person) -> Person:
        """The person with these boxes."""
        return dataclasses.replace(
            person,
            boxes=self.boxes,
            regions=self.regions,
            has_boxes=True,
            unsure_regions=self.unsure_regions,
        )


def find_boxes(
    model: Path, people: Mapping[int, Person], tags: Mapping[int, Sequence[str]]
) -> dict[int, FoundBoxes]:
    """What a garment model finds on people, as far as their tags allow it.

    Args:
        model: a file of the model contract.
        people: by number.
        tags: categories that each of them wears, by the same number.
    """
    engine = OpenVinoEngine(load_model(model, "garments"), threads=1)
    found = {}
    numbers = list(people)
    for start in range(0, len(numbers), _BATCH):
        some = numbers[start : start + _BATCH]
        crops = [plain_sample(people[number], ()) for number in some]
        outputs = engine.infer(np.stack([sample.crop for sample in crops]))
        for row, number in enumerate(some):
            boxes = _in_picture(outputs["boxes"][row], people[number], crops[row])
            found[number] = believe(boxes, outputs["scores"][row], tags[number])
    return found


def believe(boxes: Float32, scores: Float32, tags: Sequence[str]) -> FoundBoxes:
    """Choose from a person's candidates what the tags allow.

    Args:
        boxes: `[K,4]`, xyxy.
        scores: `[K,3]`.
        tags: the categories that the person wears.

    >>> one = np.array([[0, 0, 9, 9]], np.float32)
    >>> believe(one, np.array([[0.1, 0.8, 0.7]], np.float32), ("top", "skirt")).unsure_regions
    (0,)
    """
    kept, regions, unsure = [np.zeros((0, 4), np.float32)], [], []
    named = [region_index(tag) for tag in tags]
    for region in range(len(REGIONS)):
        likely = scores[:, region] >= _LEAST_SCORE
        ours, how_sure = boxes[likely], scores[likely, region]
        best = non_maximum_suppression(ours, how_sure, _MAX_OVERLAP)[: named.count(region)]
        if len(best) < named.count(region):
            unsure.append(region)
            continue
        kept.append(ours[best])
        regions += [region] * len(best)
    return FoundBoxes(
        np.concatenate(kept).astype(np.float32), np.array(regions, np.int64), tuple(unsure)
    )


def _in_picture(boxes: Float32, person: Person, sample: CropSample) -> Float32:
    """Boxes `[K,4]` of a person's plain crop in their picture's pixels."""
    view = plain_view(person)
    height, width = sample.seen_hw
    scale = np.array([view[2] - view[0], view[3] - view[1]]) / (width, height)
    return np.asarray(boxes * np.tile(scale, 2) + np.tile(view[:2], 2), np.float32)
