"""Garment samples from street photos: the person is restaged, then seen through a bad camera."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_build.data import staging
from model_build.data.ccp import garments_in
from model_build.data.garment_crops import (
    CropSample,
    Person,
    hard_sample,
    mild_sample,
    plain_sample,
)
from model_build.data.seen_clothes import SeenClothes, told_clothes, without
from model_build.data.store import PictureStore
from model_build.data.tagged_boxes import FoundBoxes, find_boxes
from model_build.vocabulary import CCP_CATEGORY

_OPEN_IN_FRONT = ("cardigan", "coat", "cape", "jacket", "blazer", "suit", "vest")


class StreetCrops:
    """People of the store of :mod:`model_build.data.street_people`, by number, on demand.

    Args:
        store: of the people.
        names: of the labels of their label maps.
        held_out: which side of the split.
        seen: what was seen on them, by stem; what is published counts for the others.
    """

    def __init__(
        self,
        store: PictureStore,
        names: tuple[str, ...],
        held_out: bool,
        seen: Mapping[str, SeenClothes] | None = None,
    ) -> None:
        self._store = store
        self._names = names
        self._seen = seen or {}
        entries = range(len(store))
        self.indices = [i for i in entries if store.record(i)["is_held_out"] == held_out]
        self.mapped = [i for i in self.indices if "labels" in store.record(i)["arrays"]]
        self._hair, self._skin = names.index("hair"), names.index("skin")
        self._kept = [names.index(name) for name in ("hair", "bag", "hat") if name in names]
        self._found: Mapping[int, FoundBoxes] = {}

    def __len__(self) -> int:
        return len(self.indices)

    def find_boxes(self, model: Path) -> None:
        """Give those of whom only tags are known the boxes that a garment model finds."""
        tagged = {i: self._person(i) for i in sorted(set(self.indices) - set(self.mapped))}
        tags = {i: self._store.record(i)["categories"] for i in tagged}
        self._found = find_boxes(model, tagged, tags)

    def person(self, position: int) -> Person:
        """The person as photographed."""
        return self._person(self.indices[position])

    def plain(self, position: int) -> CropSample:
        """The person's crop, unchanged."""
        return plain_sample(self.person(position), self._names)

    def hard(self, position: int, rng: np.random.Generator) -> CropSample:
        """The person restaged and degraded."""
        person = self.person(position)
        if person.labels is not None:
            person = self._restage(person, rng)
        return hard_sample(person, self._names, rng, rng.uniform(0.3, 1.0))

    def mild(self, position: int, rng: np.random.Generator) -> CropSample:
        """The person nearly as photographed."""
        return mild_sample(self.person(position), self._names, rng)

    def _person(self, index: int) -> Person:
        record = self._store.record(index)
        has_labels = "labels" in record["arrays"]
        person = Person(
            picture=self._store.picture(index),
            box=np.array(record["box"], np.float32),
            wears=told_clothes(record["categories"], self._seen.get(record["stem"])),
            labels=self._store.picture(index, "labels") if has_labels else None,
            boxes=np.zeros((0, 4), np.float32),
            regions=np.zeros(0, np.int64),
            has_boxes=has_labels,
        )
        found = self._found.get(index)
        return person if found is None else found.given_to(person)

    def _restage(self, person: Person, rng: np.random.Generator) -> Person:
        picture, labels, before = person.picture, person.labels, person.labels
        if labels is None or before is None:
            return person
        present = np.flatnonzero(np.bincount(labels.ravel(), minlength=len(self._names)))
        garments = [int(label) for label in present if self._names[label] in CCP_CATEGORY]
        if garments and rng.random() < 0.45:
            picture = staging.dye_garments(picture, labels, garments, rng)
        wears = person.wears
        if rng.random() < 0.45:
            for outer in (label for label in garments if self._names[label] in _OPEN_IN_FRONT):
                picture, labels = staging.close_back(picture, labels, outer, self._kept, rng)
            picture = staging.turn_around(picture, labels, self._hair, self._skin, rng)
            wears = without(wears, *(self._categories(map_) for map_ in (before, labels)))
        if rng.random() < 0.5:
            texture = self._store.picture(self._draw(self.indices, rng))
            size = (picture.shape[0], picture.shape[1])
            background = staging.draw_background(size, texture, rng)
            picture = staging.place_before(picture, labels, background, rng)
        if rng.random() < 0.3:
            other = self._draw(self.mapped, rng)
            stranger = (self._store.picture(other), self._store.picture(other, "labels"))
            picture, labels = staging.add_stranger(picture, labels, stranger, rng)
        return dataclasses.replace(person, picture=picture, labels=labels, wears=wears)

    def _categories(self, labels: NDArray[np.uint8]) -> list[str]:
        return [garment.category for garment in garments_in(labels, self._names)]

    @staticmethod
    def _draw(indices: list[int], rng: np.random.Generator) -> int:
        return indices[int(rng.integers(len(indices)))]


class MildStreetCrops:
    """The same people, seen in training nearly as photographed, and for the boxes alone.

    What is told of so few people would soon be known by heart where they always look the same.
    """

    def __init__(self, street: StreetCrops) -> None:
        self._street = street

    def __len__(self) -> int:
        return len(self._street)

    def hard(self, position: int, rng: np.random.Generator) -> CropSample:
        """One of them, hardly moved and hardly degraded."""
        sample = self._street.mild(position, rng)
        return dataclasses.replace(sample, wears=np.full_like(sample.wears, np.nan))
