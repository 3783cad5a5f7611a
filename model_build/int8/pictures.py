"""Pictures for INT8, at a model's input size: for ranges, for the gate, and held out.

The first two are of the training side of the split; no picture is in two parts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from edge_app.capture.simulated import Rendered
from edge_app.flow import UInt8
from edge_app.inference.model import Model
from edge_app.inference.preprocess import letterbox
from model_build.data.ccp import read_photos
from model_build.data.garment_pieces import LAID_OUT, WORN, GarmentPieces
from model_build.data.people import spoil
from model_build.data.rendered import rendered_frames
from model_build.evaluate.detection import measuring_frames
from model_build.folders import Folders
from model_build.int8.rendered import Judged, rendered_people

Part = Literal["ranges", "gate", "held out"]
_SEED = 20_241_117
_BORDER = 0.5
_FIRST_SCENE = {"ranges": 2_000, "gate": 3_000}
"""Scenes of training seeds that the networks were not trained on, either."""


def pictures_of(folders: Folders, model: Model, part: Part, photos: int, scenes: int) -> Judged:
    """The pictures of a part, always the same.

    Args:
        folders: the data sets.
        model: of the contract.
        part: what they are for.
        photos: how many photos at most, of which a detector sees people, others what was cut out.
        scenes: see :func:`people_of`; behind the photos of a detector.
    """
    # One order for both parts of the training side, of which each takes every second.
    order = np.random.default_rng(_SEED)
    turns = slice(None) if part == "held out" else slice(part == "gate", None, 2)
    draw = {"detector": _frames, "garments": _people, "classifier": _garments}[model.task]
    drawn = draw(folders, model, _Draw(part, turns, order, _rng(part)))
    taken = np.stack(list(itertools.islice(drawn, photos)))
    if model.task != "detector":
        return Judged(taken, {})
    return people_of(part, scenes, model.input_size).after(taken)


def people_of(part: Part, scenes: int, size: tuple[int, int]) -> Judged:
    """Rendered frames and parts of them, with what is known of the people in them.

    Args:
        part: training seeds, or measuring seeds, half with the camera over the door.
        scenes: of the simulated entrance; 20 frames each, 24 where held out.
        size: width and height of a model's input.
    """
    frames: Iterable[Rendered]
    if part == "held out":
        views = (measuring_frames(scenes, view) for view in ("door", "facing"))
        frames = itertools.chain(*views)
    else:
        frames = rendered_frames(range(_FIRST_SCENE[part], _FIRST_SCENE[part] + scenes))
    return rendered_people(frames, size, _rng(part))


@dataclass(frozen=True)
class _Draw:
    """Which of the pictures that are there a part takes, and what chance does to them."""

    part: Part
    turns: slice
    order: np.random.Generator
    rng: np.random.Generator

    @property
    def is_held_out(self) -> bool:
        """Whether it takes what training never saw."""
        return self.part == "held out"

    def of(self, count: int) -> list[int]:
        """The part's numbers among so many, in random order."""
        return [int(i) for i in self.order.permutation(count)[self.turns]]


def _rng(part: Part) -> np.random.Generator:
    return np.random.default_rng((_SEED, _FIRST_SCENE.get(part, 0)))


def _frames(folders: Folders, model: Model, draw: _Draw) -> Iterator[UInt8]:
    """Street photos as they are, and small and spoilt, in turns."""
    width, height = model.input_size
    every = read_photos(folders.data / "ccp")
    photos = [photo for photo in every if photo.is_held_out == draw.is_held_out]
    for turn, index in enumerate(draw.of(len(photos))):
        picture = photos[index].read_picture()
        if turn % 2:
            border = int(picture.shape[0] * _BORDER)
            wide = cv2.copyMakeBorder(picture, 0, border, border, border, cv2.BORDER_REPLICATE)
            picture = spoil(np.asarray(wide, np.uint8), draw.rng)
        canvas = np.empty((height, width, 3), np.uint8)
        letterbox(picture, canvas)
        yield canvas


def _people(folders: Folders, _model: Model, draw: _Draw) -> Iterator[UInt8]:
    """People as photographed, and as a bad camera would see them, in turns."""
    crops = folders.street_crops(held_out=draw.is_held_out)
    for turn, index in enumerate(draw.of(len(crops))):
        yield (crops.hard(index, draw.rng) if turn % 2 else crops.plain(index)).crop


def _garments(folders: Folders, _model: Model, draw: _Draw) -> Iterator[UInt8]:
    """Garments laid out and worn in turns, every other pair spoilt."""
    store = folders.pieces()
    sides = [GarmentPieces(store, source, draw.is_held_out) for source in (LAID_OUT, WORN)]
    for turn, pair in enumerate(zip(*(draw.of(len(side)) for side in sides), strict=False)):
        for side, index in zip(sides, pair, strict=True):
            crop = side.plain(index).crop
            yield spoil(crop, draw.rng) if turn % 2 else crop
