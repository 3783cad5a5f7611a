"""Who or what a training sample shows: a person with all they wear, or one garment.

Where every garment of a picture is told and people are known, it is a person; else a garment.
What is not told of a person's clothes is unknown, not absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_app.vocabulary import CATEGORIES
from model_build.data.published.annotated import Annotated, Box
from model_build.vocabulary import CATEGORY_INDEX, REGION_INDEX, category_mask, region_index

LEAST_SIDE_PX = 16.0
"""Garments that are smaller in their picture are not worth a sample of their own."""
_LEAST_INSIDE = 0.7
_AS_GOOD = 0.95
"""Of the best share inside, that others may have too: it is the smallest one's, as a child's is."""
OPEN_REGION = -1
"""In place of an index into the regions, where a garment's label leaves its region open."""


class Placed(NamedTuple):
    """A garment with a box."""

    box_xyxy: Box
    categories: tuple[str, ...]
    region: int


@dataclass(frozen=True)
class Subject:
    """What a sample shows: a person, or a garment alone.

    Attributes:
        picture: the file.
        box: of the person or the garment, xyxy in the picture's pixels.
        garments: those that are told, with their boxes.
        worn: what is worn besides, by tags.
        is_person: whether everything else they might wear is known to be absent,
        unnamed: but for these categories.
        is_complete: whether every garment in the picture is told.
        unowned: garments that reach into their box, and may be anybody's.
    """

    picture: Path
    box: Box
    garments: tuple[Placed, ...]
    worn: tuple[tuple[str, ...], ...]
    is_person: bool
    unnamed: tuple[str, ...] = ()
    is_complete: bool = True
    unowned: tuple[Placed, ...] = ()

    @property
    def untold_regions(self) -> tuple[int, ...]:
        """The regions of which not every garment need have a box, so that none may be asked for."""
        told = {garment.region for garment in self.garments}
        unnamed = CATEGORIES if not self.is_complete else self.unnamed
        perhaps = [category for garment in self.unowned for category in garment.categories]
        return tuple(
            sorted(set(map(region_index, unnamed)) - told | set(map(region_index, perhaps)))
        )

    @property
    def knows_boxes(self) -> bool:
        """Whether every garment has a box and a region, so that the rest is background."""
        return bool(self.garments) and all(g.region != OPEN_REGION for g in self.garments)

    def wears(self) -> NDArray[np.float32]:
        """float32 `[15]`: 1 worn, 0 not worn, NaN where that is not known."""
        wears = np.full(len(CATEGORY_INDEX), 0.0 if self.is_person else np.nan, np.float32)
        wears[category_mask(self.unnamed)] = np.nan
        for garment in self.unowned:
            wears[category_mask(garment.categories)] = np.nan
        told = [*(garment.categories for garment in self.garments), *self.worn]
        for categories in sorted(told, key=len, reverse=True):
            wears[category_mask(categories)] = 1.0 if len(categories) == 1 else np.nan
        return wears


def subjects(photos: Iterable[Annotated]) -> Iterator[Subject]:
    """The people, or else the garments, that can be trained on."""
    for photo in photos:
        drawn = tuple(
            Placed(
                garment.box_xyxy,
                garment.categories,
                REGION_INDEX.get(garment.settled_region or "", OPEN_REGION),
            )
            for garment in photo.garments
            if garment.box_xyxy is not None
        )
        if not photo.is_complete or not photo.people:
            for garment in drawn:
                if is_large_enough(garment.box_xyxy):
                    alone = (photo.picture, garment.box_xyxy, drawn, (), False)
                    yield Subject(*alone, photo.unnamed, photo.is_complete)
        elif drawn:
            yield from _dressed(photo, drawn)
        elif photo.tags:
            largest = max(photo.people, key=_area)
            yield Subject(photo.picture, largest, (), photo.tags, True, photo.unnamed)
        elif photo.is_told:
            for person in photo.people:
                yield Subject(photo.picture, person, (), (), True, photo.unnamed)


def _dressed(photo: Annotated, drawn: tuple[Placed, ...]) -> Iterator[Subject]:
    """The people of a picture with the garments that lie in their boxes."""
    owned: dict[Box, list[Placed]] = {}
    unowned: list[Placed] = []
    for garment in drawn:
        shares = {person: _share_inside(garment.box_xyxy, person) for person in photo.people}
        best = max(shares.values())
        if best < _LEAST_INSIDE:
            unowned.append(garment)
            continue
        fitting = [person for person, share in shares.items() if share >= _AS_GOOD * best]
        owned.setdefault(min(fitting, key=_area), []).append(garment)
    is_alone = len(photo.people) == 1
    for person, garments in owned.items():
        yield Subject(
            photo.picture,
            person,
            tuple(garments),
            worn=photo.tags if is_alone else (),
            is_person=True,
            unnamed=photo.unnamed,
            unowned=tuple(one for one in unowned if _share_inside(one.box_xyxy, person) > 0.0),
        )


def is_large_enough(box: Box) -> bool:
    """Whether there is enough to see of a garment."""
    return min(box[2] - box[0], box[3] - box[1]) >= LEAST_SIDE_PX


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _share_inside(box: Box, around: Box) -> float:
    wide = min(box[2], around[2]) - max(box[0], around[0])
    tall = min(box[3], around[3]) - max(box[1], around[1])
    return max(wide, 0.0) * max(tall, 0.0) / max(_area(box), 1e-6)
