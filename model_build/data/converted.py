"""Training samples from converted data sets: a retailer's own pictures, or public ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.inference.preprocess import letterbox
from model_build.data.around import view_around
from model_build.data.degrade import degrade
from model_build.data.garment_crops import (
    CROP_HEIGHT,
    CROP_MARGIN,
    CROP_WIDTH,
    CropSample,
    Person,
    hard_sample,
    plain_sample,
)
from model_build.data.garment_pieces import PieceSample, laid_out_piece, stretch
from model_build.data.published.annotated import Annotated, Box, DataError, Garment
from model_build.data.published.coco import read_file
from model_build.data.street_people import cut_person
from model_build.data.subjects import OPEN_REGION, Subject, is_large_enough, subjects
from model_build.vocabulary import LABELS, category_mask

_LEAST_VISIBLE = 0.5
_LEAST_SIDE_PX = 6.0

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]


def read_for_training(path: Path) -> list[Annotated]:
    """The pictures of a file that `data` wrote, or of any COCO JSON with the fifteen categories.

    Raises:
        DataError: the file breaks the layout, or its pictures are kept for judging.
    """
    photos = read_for_judging(path)
    if {photo.split for photo in photos} & {"val", "test"}:
        raise DataError(f"{path}: its pictures are kept for judging; train on train.json")
    return photos


def read_for_judging(path: Path) -> list[Annotated]:
    """The pictures of a file that `data` wrote, on whatever side of the split.

    Raises:
        DataError: the file breaks the layout.
    """
    photos = [photo for photo in read_file(path, LABELS["coco"]) if photo.is_told]
    if not any(photo.shows_garments for photo in photos):
        raise DataError(f"{path}: no picture in it shows a garment of the fifteen categories")
    return photos


def _read(path: Path) -> UInt8:
    try:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error as error:  # more pixels than OpenCV takes
        raise DataError(f"{path}: not a readable picture: {error.err}") from error
    if picture is None:
        raise DataError(f"{path}: not a readable picture")
    return np.asarray(picture, np.uint8)


def _cut(path: Path, box: Box | None, others: Sequence[Box]) -> tuple[UInt8, Float32, Float32]:
    """The surroundings of a box, at most 320 pixels tall; the box and the others in them.

    Args:
        path: of the picture.
        box: xyxy in the picture's pixels; None for all of it.
        others: boxes that may lie anywhere.

    Raises:
        DataError: the picture cannot be read, the box is outside it, or one is not of numbers.
    """
    picture = _read(path)
    height, width = picture.shape[:2]
    box = box or (0.0, 0.0, float(width), float(height))
    wide = min(box[2], width) - max(box[0], 0.0)
    tall = min(box[3], height) - max(box[1], 0.0)
    if not np.isfinite([box, *others]).all() or wide < 1.0 or tall < 1.0:
        sides = ", ".join(f"{side:g}" for side in box)
        raise DataError(
            f"{path}: expected boxes in its {width}x{height} pixels; came {sides}; "
            "`python -m model_build data coco` leaves such boxes out"
        )
    arrays, placed = cut_person(picture, None, box)
    scale = (placed[3] - placed[1]) / (box[3] - box[1])
    shift = np.array(placed[:2] * 2) - np.array(box[:2] * 2) * scale
    moved = np.array(others, np.float32).reshape(-1, 4) * scale + shift
    return arrays["picture"], np.array(placed, np.float32), moved.astype(np.float32)


class ConvertedCrops:
    """People and garments of converted pictures, for the garment model.

    Raises:
        DataError: no picture has a box, nor a person with tags.
    """

    def __init__(self, photos: Sequence[Annotated]) -> None:
        self._subjects = list(subjects(photos))
        if not self._subjects:
            raise DataError(
                f"{photos[0].picture} and the other pictures: the garment model needs boxes; "
                "pictures without can train the classifier"
            )

    def __len__(self) -> int:
        return len(self._subjects)

    def known(self) -> list[int]:
        """The people of whom all is known that their file can name, by number: fit for judging."""
        return [
            number
            for number, subject in enumerate(self._subjects)
            if subject.is_person
            and not np.isnan(subject.wears()[~category_mask(subject.unnamed)]).any()
        ]

    def plain(self, position: int) -> CropSample:
        """The person's crop as the application would make it."""
        return plain_sample(_person(self._subjects[position]), ())

    def hard(self, position: int, rng: np.random.Generator) -> CropSample:
        """A person bent, cut and degraded; or a degraded crop around a garment."""
        subject = self._subjects[position]
        strength = rng.uniform(0.3, 1.0)
        if not subject.is_person:
            return _garment_sample(subject, rng, strength)
        return hard_sample(_person(subject), (), rng, strength)


def _person(subject: Subject) -> Person:
    around = [garment.box_xyxy for garment in subject.garments if subject.knows_boxes]
    picture, placed, boxes = _cut(subject.picture, subject.box, around)
    regions = np.array([garment.region for garment in subject.garments], np.int64)
    return Person(
        picture=picture,
        box=placed,
        wears=subject.wears(),
        labels=None,
        boxes=boxes,
        regions=regions[: len(boxes)],
        has_boxes=subject.knows_boxes,
        unsure_regions=subject.untold_regions,
    )


def _garment_sample(subject: Subject, rng: np.random.Generator, strength: float) -> CropSample:
    """A random crop around a garment, with all garments that are seen in it."""
    around = [garment.box_xyxy for garment in subject.garments]
    picture, placed, boxes = _cut(subject.picture, subject.box, around)
    x0, y0, x1, y1 = view_around(placed, (picture.shape[1], picture.shape[0]), rng).round()
    piece = picture[int(y0) : int(y1), int(x0) : int(x1)]
    size = np.array([x1 - x0, y1 - y0])
    inside = np.clip(boxes - np.array([x0, y0, x0, y0]), 0.0, np.tile(size, 2))
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
        inside[:, [0, 2]] = size[0] - inside[:, [2, 0]]
    crop = np.empty((CROP_HEIGHT, CROP_WIDTH, 3), np.uint8)
    fit = letterbox(np.ascontiguousarray(piece), crop)
    crop[: fit.height, : fit.width] = degrade(crop[: fit.height, : fit.width], rng, strength)
    scaled = inside * np.array([fit.scale_x, fit.scale_y] * 2)
    shares = (inside[:, 2:] - inside[:, :2]).prod(1) / (boxes[:, 2:] - boxes[:, :2]).prod(1)
    seen = (shares >= _LEAST_VISIBLE) & ((scaled[:, 2:] - scaled[:, :2]).min(1) >= _LEAST_SIDE_PX)
    garments = tuple(subject.garments[int(index)] for index in np.flatnonzero(seen))
    regions = np.array([garment.region for garment in garments], np.int64)
    has_boxes = bool((regions != OPEN_REGION).all())
    return CropSample(
        crop=crop,
        boxes=np.asarray(scaled[seen if has_boxes else seen & False], np.float32),
        regions=regions if has_boxes else regions[:0],
        has_boxes=has_boxes,
        wears=replace(subject, garments=garments).wears(),
        seen_hw=(fit.height, fit.width),
        unsure_regions=subject.untold_regions,
    )


class ConvertedPieces:
    """Garments of converted pictures, for the classifier; those in whole pictures, too."""

    def __init__(self, photos: Sequence[Annotated]) -> None:
        self._pieces = [
            (photo.picture, garment)
            for photo in photos
            for garment in photo.garments
            if garment.box_xyxy is None or is_large_enough(garment.box_xyxy)
        ]
        if not self._pieces:
            raise DataError(
                f"{photos[0].picture} and the other pictures: the classifier needs garments; "
                "pictures with tags only can train the garment model"
            )
        counts = Counter(garment.categories for _, garment in self._pieces)
        weights = np.array([counts[g.categories] ** -0.5 for _, g in self._pieces])
        self._cumulated = np.cumsum(weights) / weights.sum()

    def __len__(self) -> int:
        return len(self._pieces)

    def plain(self, position: int) -> PieceSample:
        """A garment as the application would cut it out: its box and 5 % on each side."""
        picture, box, garment = self._cut(position)
        if garment.box_xyxy is None:
            return PieceSample(laid_out_piece(picture), category_mask(garment.categories))
        margin = CROP_MARGIN * (box[2:] - box[:2])
        size = np.array([picture.shape[1], picture.shape[0]])
        view = np.concatenate((np.maximum(box[:2] - margin, 0), np.minimum(box[2:] + margin, size)))
        crop = stretch(picture, np.asarray(view, np.float64), 0.0, False)
        return PieceSample(crop, category_mask(garment.categories))

    def draw(self, rng: np.random.Generator) -> PieceSample:
        """A random garment, rarer categories more often, with its surroundings, degraded."""
        position = int(np.searchsorted(self._cumulated, rng.random()))
        picture, box, garment = self._cut(min(position, len(self) - 1))
        if garment.box_xyxy is None:
            # Nobody knows where in the picture it is: anything from most of it to all of it.
            moved = np.concatenate((box[2:], box[2:])) * rng.uniform(0.0, 0.12, 4)
            view = box + moved * np.array([1.0, 1.0, -1.0, -1.0])
        else:
            view = view_around(box, (picture.shape[1], picture.shape[0]), rng)
        lean = float(np.radians(rng.normal(0.0, 5.0)))
        crop = stretch(picture, np.asarray(view, np.float64), lean, bool(rng.random() < 0.5))
        if rng.random() < 0.5:
            crop = degrade(crop, rng, rng.uniform(0.2, 0.9))
        return PieceSample(crop, category_mask(garment.categories))

    def _cut(self, position: int) -> tuple[UInt8, Float32, Garment]:
        """A garment's surroundings, its box in them, and what is known of it."""
        path, garment = self._pieces[position]
        picture, box, _ = _cut(path, garment.box_xyxy, [])
        return picture, box, garment
