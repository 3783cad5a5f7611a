"""Pictures that training saw, at a model's input size: what INT8 ranges are measured on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import cv2
import numpy as np

from edge_app.flow import UInt8
from edge_app.inference.model import Model
from edge_app.inference.preprocess import letterbox
from model_build.data.ccp import read_photos
from model_build.data.garment_pieces import LAID_OUT, WORN, GarmentPieces, open_pieces
from model_build.data.people import spoil
from model_build.data.rendered import FRAMES_PER_SCENE, rendered_frames
from model_build.garment_model import Folders

_SEED = 20_241_117
_BORDER = 0.5


def training_pictures(folders: Folders, model: Model, count: int) -> UInt8:
    """So many pictures of the training side of the split, always the same.

    Args:
        folders: the data sets.
        model: of the contract.
        count: how many.

    Returns:
        uint8 ``[N, H, W, 3]``, BGR.
    """
    rng = np.random.default_rng(_SEED)
    drawn = {"detector": _frames, "garments": _people, "classifier": _garments}[model.task]
    return np.stack(list(itertools.islice(drawn(folders, model, count, rng), count)))


def _frames(
    folders: Folders, model: Model, count: int, rng: np.random.Generator
) -> Iterator[UInt8]:
    """A third each of street photos, of the same small and spoilt, and of rendered entrances."""
    width, height = model.input_size

    def fitted(picture: UInt8) -> UInt8:
        canvas = np.empty((height, width, 3), np.uint8)
        letterbox(picture, canvas)
        return canvas

    rendered = count // 3
    scenes = range(-(-rendered // FRAMES_PER_SCENE))
    for frame in itertools.islice(rendered_frames(scenes), rendered):
        yield fitted(frame.frame_bgr)
    photos = [photo for photo in read_photos(folders.data / "ccp") if not photo.is_held_out]
    for turn, index in enumerate(rng.permutation(len(photos))):
        picture = photos[index].read_picture()
        if turn % 2:
            border = int(picture.shape[0] * _BORDER)
            wide = cv2.copyMakeBorder(picture, 0, border, border, border, cv2.BORDER_REPLICATE)
            picture = spoil(np.asarray(wide, np.uint8), rng)
        yield fitted(picture)


def _people(
    folders: Folders, _model: Model, _count: int, rng: np.random.Generator
) -> Iterator[UInt8]:
    """People as photographed, and as a bad camera would see them, in turns."""
    crops = folders.street_crops(held_out=False)
    for turn, index in enumerate(rng.permutation(len(crops)).tolist()):
        yield (crops.hard(index, rng) if turn % 2 else crops.plain(index)).crop


def _garments(
    folders: Folders, _model: Model, _count: int, rng: np.random.Generator
) -> Iterator[UInt8]:
    """Garments laid out and worn in turns, every other pair moved and degraded."""
    data = folders.data
    store = open_pieces(data / "clothing-dataset", data / "ccp", folders.cache / "pieces")
    sides = [GarmentPieces(store, source, held_out=False) for source in (LAID_OUT, WORN)]
    for turn, pair in enumerate(
        zip(*(rng.permutation(len(s)).tolist() for s in sides), strict=False)
    ):
        for side, index in zip(sides, pair, strict=True):
            yield (side.draw(rng) if turn % 2 else side.plain(index)).crop
