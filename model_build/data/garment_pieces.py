"""Training samples of the classifier: single garments, laid out or worn, cut out and degraded.

The store's entries are pictures stretched to a common size, with a margin around the garment:
`picture` uint8 `[224,176,3]` BGR, for worn garments also `mask` uint8 `[224,176]`. Facts: `name`,
`source`, `categories` (all that the label allows), `box` (xyxy in the entry's pixels),
`is_held_out`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model_build.data.around import widened
from model_build.data.ccp import StreetPhoto, garments_in, read_label_names, read_photos
from model_build.data.clothing_dataset import GarmentPhoto, read_garment_photos
from model_build.data.degrade import degrade, recolour
from model_build.data.seen_clothes import SeenClothes, rename_labels
from model_build.data.store import Entry, PictureStore, open_store
from model_build.vocabulary import category_mask

PIECE_HEIGHT, PIECE_WIDTH = 192, 160
_STORED_SIZE = (176, 224)
_WORN_MARGIN = 0.3
_CROP_MARGIN = 0.05
LAID_OUT, WORN = "clothing-dataset", "ccp"


@dataclass(frozen=True)
class PieceSample:
    """`crop` uint8 `[192,160,3]` BGR; `allowed` bool `[15]`: the categories it may be."""

    crop: NDArray[np.uint8]
    allowed: NDArray[np.bool_]


def open_pieces(
    clothing_folder: Path,
    ccp_folder: Path,
    cache: Path,
    seen: Mapping[str, SeenClothes] | None = None,
) -> PictureStore:
    """The store of garments in `cache`, written from the two data sets if it is not there.

    Args:
        clothing_folder: clothing-dataset.
        ccp_folder: Clothing Co-Parsing.
        cache: path of the store.
        seen: what was seen on people, by stem, which puts their label maps right; a store that is
            there is believed to have been written with the same.
    """
    return open_store(cache, lambda: _entries(clothing_folder, ccp_folder, seen or {}))


def _entries(
    clothing_folder: Path, ccp_folder: Path, seen: Mapping[str, SeenClothes]
) -> Iterator[Entry]:
    for photo in read_garment_photos(clothing_folder):
        yield _laid_out(photo)
    names = read_label_names(ccp_folder)
    for street in read_photos(ccp_folder):
        if street.label_map is not None:
            yield from _worn(street, names, seen.get(street.stem))


def _laid_out(photo: GarmentPhoto) -> Entry:
    picture = cv2.resize(photo.read_picture(), _STORED_SIZE, interpolation=cv2.INTER_AREA)
    facts = {
        "name": photo.picture.stem,
        "source": LAID_OUT,
        "categories": photo.categories,
        "box": (0.0, 0.0, float(_STORED_SIZE[0]), float(_STORED_SIZE[1])),
        "is_held_out": photo.is_held_out,
    }
    return {"picture": np.asarray(picture, np.uint8)}, facts


def _worn(photo: StreetPhoto, names: tuple[str, ...], seen: SeenClothes | None) -> Iterator[Entry]:
    picture = photo.read_picture()
    labels = rename_labels(photo.read_label_map(), names, seen)
    height, width = labels.shape
    for garment in garments_in(labels, names):
        left, top, right, bottom = garment.box_xyxy
        aside, above = _WORN_MARGIN * (right - left), _WORN_MARGIN * (bottom - top)
        x0, y0 = max(0, int(left - aside)), max(0, int(top - above))
        x1, y1 = min(width, int(right + aside)), min(height, int(bottom + above))
        piece = cv2.resize(picture[y0:y1, x0:x1], _STORED_SIZE, interpolation=cv2.INTER_AREA)
        mask = (labels[y0:y1, x0:x1] == garment.label).astype(np.uint8)
        mask = np.asarray(cv2.resize(mask, _STORED_SIZE, interpolation=cv2.INTER_NEAREST), np.uint8)
        scale = np.array([_STORED_SIZE[0] / (x1 - x0), _STORED_SIZE[1] / (y1 - y0)] * 2)
        box = (np.array(garment.box_xyxy) - [x0, y0, x0, y0]) * scale
        facts = {
            "name": photo.stem,
            "source": WORN,
            "categories": (garment.category,),
            "box": box.tolist(),
            "is_held_out": photo.is_held_out,
        }
        yield {"picture": np.asarray(piece, np.uint8), "mask": mask}, facts


class GarmentPieces:
    """The garments of one source and one side of the split."""

    def __init__(self, store: PictureStore, source: str, held_out: bool) -> None:
        self._store = store
        self._indices = [
            index
            for index in range(len(store))
            if store.record(index)["source"] == source
            and store.record(index)["is_held_out"] == held_out
        ]
        counts: dict[tuple[str, ...], int] = {}
        for index in self._indices:
            key = tuple(store.record(index)["categories"])
            counts[key] = counts.get(key, 0) + 1
        weights = [
            counts[tuple(store.record(index)["categories"])] ** -0.5 for index in self._indices
        ]
        self._cumulated = np.cumsum(weights) / np.sum(weights)

    def __len__(self) -> int:
        return len(self._indices)

    def plain(self, position: int) -> PieceSample:
        """The garment's box plus 5 % on each side, stretched: for evaluation."""
        record = self._store.record(self._indices[position])
        view = np.clip(widened(record["box"], _CROP_MARGIN), 0.0, _STORED_SIZE * 2)
        crop = stretch(self._store.picture(self._indices[position]), view, 0.0, False)
        return PieceSample(crop, category_mask(record["categories"]))

    def draw(self, rng: np.random.Generator) -> PieceSample:
        """A random garment, rarer categories more often, moved and degraded: for training."""
        position = int(np.searchsorted(self._cumulated, rng.random()))
        index = self._indices[min(position, len(self._indices) - 1)]
        record = self._store.record(index)
        picture = self._store.picture(index)
        is_worn = "mask" in record["arrays"]
        if is_worn and rng.random() < 0.3:
            picture = recolour(picture, self._store.picture(index, "mask") > 0, rng)
        spread = 0.06 if is_worn else 0.1
        view = widened(record["box"], rng.normal(_CROP_MARGIN if is_worn else -0.05, spread, 4))
        if is_worn and rng.random() < 0.15:
            _, top, _, bottom = record["box"]
            view[3] = top + (bottom - top) * rng.uniform(0.5, 1.0)
        lean = float(np.radians(rng.normal(0.0, 5.0 if is_worn else 9.0)))
        crop = stretch(picture, view, lean, bool(rng.random() < 0.5))
        if rng.random() < (0.6 if is_worn else 0.4):
            crop = degrade(crop, rng, rng.uniform(0.2, 0.9))
        return PieceSample(crop, category_mask(record["categories"]))


def laid_out_piece(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A photo of one garment as the classifier sees it: all of it, uint8 `[192,160,3]`."""
    size = (PIECE_WIDTH, PIECE_HEIGHT)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def stretch(
    picture: NDArray[np.uint8], view: NDArray[np.float64], lean_rad: float, is_mirrored: bool
) -> NDArray[np.uint8]:
    """The rectangle `view` (xyxy) of a picture, rotated about its centre, as 192x160."""
    x0, y0, x1, y1 = view
    source = np.array([[x0, y0], [x1, y0], [x0, y1]], np.float32)
    corner = np.array([[0, 0], [PIECE_WIDTH, 0], [0, PIECE_HEIGHT]], np.float32)
    centre = np.array([PIECE_WIDTH / 2, PIECE_HEIGHT / 2], np.float32)
    sine, cosine = np.sin(lean_rad), np.cos(lean_rad)
    corner = (corner - centre) @ np.array([[cosine, sine], [-sine, cosine]]) + centre
    if is_mirrored:
        corner[:, 0] = PIECE_WIDTH - corner[:, 0]
    matrix = cv2.getAffineTransform(source, corner.astype(np.float32))
    return np.asarray(
        cv2.warpAffine(
            picture, matrix, (PIECE_WIDTH, PIECE_HEIGHT), borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )
