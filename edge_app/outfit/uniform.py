"""Who wears the staff's uniform: clothes compared with those of example pictures.

Two garments are alike as far as their embeddings point the same way and their colours are near.
The classifier learned to tell categories, for which colour says little, so its embedding alone
takes every T-shirt for the uniform's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge_app.flow import Float32, Garment, Look, UInt8

_TORSO = ("top", "long")
"""A uniform is worn on the upper body; trousers are everybody's."""

_FAR_IN_LAB = 200.0
"""Colours this far apart (CIE 1976 difference) have nothing in common: about black and white,
twice."""


@dataclass(frozen=True)
class Clothes:
    """What a garment on somebody's upper body looks like.

    Attributes:
        embedding: float32 ``[D]``, unit length, of the classifier.
        lab: float32 ``[3]``, CIE L*a*b*, of its middle.
    """

    embedding: Float32
    lab: Float32

    def similarity(self, other: Clothes) -> float:
        """How alike two are: up to 1, the cosine of the embeddings less the colours' distance."""
        cosine = float(self.embedding @ other.embedding)
        distance = float(np.linalg.norm(self.lab - other.lab))
        return cosine * max(1.0 - distance / _FAR_IN_LAB, 0.0)


class Uniform:
    """The staff's uniform, as examples show it.

    Args:
        examples: at least one; different views, lights and cameras help.
        min_similarity: from here on, 0..1, somebody wears it.
    """

    def __init__(self, examples: Sequence[Clothes], min_similarity: float) -> None:
        if not examples:
            raise ValueError("a uniform needs at least one example")
        self._examples = tuple(examples)
        self.min_similarity = min_similarity

    @property
    def count(self) -> int:
        """How many examples there are."""
        return len(self._examples)

    def similarity(self, clothes: Clothes) -> float:
        """Of clothes to the nearest example."""
        return max(clothes.similarity(example) for example in self._examples)


class UniformVote:
    """Many looks at one person: how alike their clothes are to the uniform, by quality."""

    def __init__(self, uniform: Uniform) -> None:
        self._uniform = uniform
        self._sum = self._weight = 0.0

    def add(self, picture_bgr: UInt8, look: Look) -> None:
        """Add one look; one that shows nothing of the upper body says nothing.

        Args:
            picture_bgr: uint8 ``[h, w, 3]``, that the look's boxes are in.
            look: at the person.
        """
        clothes = clothes_of(picture_bgr, look)
        if clothes is not None:
            self._sum += look.quality * self._uniform.similarity(clothes)
            self._weight += look.quality

    @property
    def is_worn(self) -> bool:
        """Whether the looks so far say that this person wears the uniform."""
        return self._weight > 0.0 and self._sum / self._weight >= self._uniform.min_similarity


def clothes_of(picture_bgr: UInt8, look: Look) -> Clothes | None:
    """What somebody wears on the upper body, by the best garment found there; None for nothing.

    Args:
        picture_bgr: uint8 ``[h, w, 3]``, that the look's boxes are in.
        look: at the person.
    """
    found = [garment for garment in look.garments if garment.region in _TORSO]
    if not found:
        return None
    best = max(found, key=lambda garment: garment.score)
    middle = _middle(picture_bgr, best)
    if middle.size == 0:
        return None
    lab = cv2.cvtColor(middle.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    return Clothes(best.embedding, np.median(lab.reshape(-1, 3), axis=0))


def _middle(picture_bgr: UInt8, garment: Garment) -> UInt8:
    """The pixels around a garment's middle, where hardly anything else shows."""
    height, width = picture_bgr.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in garment.box_xyxy)
    left, right = max(x1 + 0.3 * (x2 - x1), 0.0), min(x2 - 0.3 * (x2 - x1), width)
    top, bottom = max(y1 + 0.2 * (y2 - y1), 0.0), min(y2 - 0.2 * (y2 - y1), height)
    return picture_bgr[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))]
