"""Garment samples from the simulated entrance: people from above and behind, with an exact truth.

Only training seeds are rendered; the others are for measuring. The store's entries are like those
of :mod:`model_build.data.street_people`, with garment boxes instead of label maps.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_app.capture.simulated import PersonView, random_scene
from model_build.data.around import widened
from model_build.data.degrade import degrade
from model_build.data.garment_crops import CropSample, Person, hard_sample, plain_sample
from model_build.data.garment_pieces import PieceSample, stretch
from model_build.data.store import Entry, PictureStore, open_store
from model_build.data.street_people import cut_person
from model_build.vocabulary import category_mask, region_index

_FRAMES_PER_SCENE = 10
_FIRST_FRAME, _LAST_FRAME = 50, 3000
_LEAST_VISIBLE = 0.4
_STRENGTH = 0.5
_LEAST_HEIGHT_PX = 40
_LEAST_GARMENT_PX = 60
_REPEATS = {"suit": 3, "blazer": 3, "dress": 2, "skirt": 2, "jumpsuit": 2}
"""What alerts are about, and what is easily taken for it, is learned from more often."""


def open_rendered(cache: Path, people: int, seed: int = 0) -> PictureStore:
    """The store of about `people` rendered people in `cache`, rendered if it is not there."""
    return open_store(cache, lambda: _entries(people, np.random.default_rng((2, seed))))


def _entries(people: int, rng: np.random.Generator) -> Iterator[Entry]:
    written = 0
    while written < people:
        scene = random_scene(rng)
        for index in rng.integers(_FIRST_FRAME, _LAST_FRAME, _FRAMES_PER_SCENE):
            rendered = scene.render(int(index))
            for view in rendered.people:
                entry = _entry(rendered.frame_bgr, view, scene.settings.seed)
                if entry is not None:
                    written += 1
                    yield entry


def _entry(frame_bgr: NDArray[np.uint8], view: PersonView, seed: int) -> Entry | None:
    tall = view.box_xyxy[3] - view.box_xyxy[1]
    if view.visible_share < _LEAST_VISIBLE or tall < _LEAST_HEIGHT_PX or not view.wears:
        return None
    arrays, box = cut_person(frame_bgr, None, view.box_xyxy)
    scale = (box[3] - box[1]) / tall
    shift = np.array(box[:2] * 2) - np.array(view.box_xyxy[:2] * 2) * scale
    seen = [garment for garment in view.garments if garment.visible_px >= _LEAST_GARMENT_PX]
    facts = {
        "seed": seed,
        "person": view.person,
        "box": box,
        "categories": sorted(view.wears),
        "boxes": [(np.array(g.box_xyxy) * scale + shift).round(2).tolist() for g in seen],
        "garments": [garment.category for garment in seen],
    }
    return arrays, facts


class RenderedCrops:
    """People of a rendered store, by number, for the garment model.

    Those whose clothes decide an alert have several numbers.
    """

    def __init__(self, store: PictureStore) -> None:
        self._store = store
        self._indices = [
            index
            for index in range(len(store))
            for _ in range(max(_REPEATS.get(name, 1) for name in store.record(index)["categories"]))
        ]

    def __len__(self) -> int:
        return len(self._indices)

    def plain(self, position: int) -> CropSample:
        """The person's crop as rendered."""
        return plain_sample(self._person(position), ())

    def hard(self, position: int, rng: np.random.Generator) -> CropSample:
        """The person bent, cut and degraded further."""
        return hard_sample(self._person(position), (), rng, _STRENGTH)

    def _person(self, position: int) -> Person:
        index = self._indices[position]
        record = self._store.record(index)
        return Person(
            picture=self._store.picture(index),
            box=np.array(record["box"], np.float32),
            wears=category_mask(record["categories"]).astype(np.float32),
            labels=None,
            boxes=np.array(record["boxes"], np.float32).reshape(-1, 4),
            regions=np.array([region_index(name) for name in record["garments"]], np.int64),
            has_boxes=True,
        )


class RenderedPieces:
    """Garments of a rendered store, for the classifier."""

    def __init__(self, store: PictureStore) -> None:
        self._store = store
        self._pieces = [
            (index, box, name)
            for index in range(len(store))
            for box, name in zip(
                store.record(index)["boxes"], store.record(index)["garments"], strict=True
            )
        ]

    def __len__(self) -> int:
        return len(self._pieces)

    def draw(self, rng: np.random.Generator) -> PieceSample:
        """A random garment, moved and degraded."""
        index, box, name = self._pieces[int(rng.integers(len(self._pieces)))]
        view = widened(box, rng.normal(0.05, 0.06, 4))
        lean = float(np.radians(rng.normal(0.0, 4.0)))
        crop = stretch(self._store.picture(index), view, lean, bool(rng.random() < 0.5))
        if rng.random() < 0.4:
            crop = degrade(crop, rng, rng.uniform(0.2, 0.8))
        return PieceSample(crop, category_mask([name]))
