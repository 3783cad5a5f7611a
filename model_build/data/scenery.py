"""What pictures of people are put together from, decoded once: cut-outs, street photos, places.

Three stores in one folder, written when first opened; held-out photos never enter them.

    cutouts  a person of a label map: `picture` uint8 `[h,w,3]` BGR, `labels` uint8 `[h,w]`
    street   a whole photo: `picture`; fact `box` (xyxy, in its pixels) where there is a label map
    places   a picture in which the untouched detector sees nobody: `picture`
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model_build.data.ccp import StreetPhoto, person_box, read_photos
from model_build.data.clothing_dataset import read_garment_photos
from model_build.data.store import Entry, PictureStore, open_store

CUTOUT_HEIGHT_PX = 480
PHOTO_HEIGHT_PX = 480
_NARROWEST_PLACE_PX = 70
_MOST_CLOTHES = 1500

Picture = NDArray[np.uint8]
SeesNobody = Callable[[Picture], bool]


@dataclass(frozen=True)
class Scenery:
    """The three stores."""

    cutouts: PictureStore
    street: PictureStore
    places: PictureStore


def open_scenery(data: Path, cache: Path, sees_nobody: SeesNobody) -> Scenery:
    """Open the stores in `cache`, written from the data folder if they are not there.

    Args:
        data: the data folder, with `ccp` and `clothing-dataset`.
        cache: an ignored folder.
        sees_nobody: whether a picture shows nobody at all, as the untouched detector sees it.
    """
    photos = [photo for photo in read_photos(data / "ccp") if not photo.is_held_out]
    places = itertools.chain(
        _strips(photos, sees_nobody), _clothes(data / "clothing-dataset", sees_nobody)
    )
    return Scenery(
        open_store(cache / "cutouts", lambda: _cutouts(photos)),
        open_store(cache / "street", lambda: _street(photos)),
        open_store(cache / "places", lambda: places),
    )


def shrink(picture: Picture, height_px: int, way: int = cv2.INTER_AREA) -> Picture:
    """The picture at most so tall, its aspect kept."""
    height, width = picture.shape[:2]
    if height <= height_px:
        return picture
    size = (max(1, round(width * height_px / height)), height_px)
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)


def _cutouts(photos: list[StreetPhoto]) -> Iterator[Entry]:
    for photo in photos:
        if photo.label_map is None:
            continue
        labels = photo.read_label_map()
        left, top, right, bottom = (int(side) for side in person_box(labels))
        if bottom - top < 200:
            continue
        picture = photo.read_picture()[top:bottom, left:right]
        labels = labels[top:bottom, left:right]
        arrays = {
            "picture": shrink(picture, CUTOUT_HEIGHT_PX),
            "labels": shrink(labels, CUTOUT_HEIGHT_PX, cv2.INTER_NEAREST),
        }
        yield arrays, {"stem": photo.stem}


def _street(photos: list[StreetPhoto]) -> Iterator[Entry]:
    for photo in photos:
        picture = photo.read_picture()
        small = shrink(picture, PHOTO_HEIGHT_PX)
        box = None
        if photo.label_map is not None:
            scale = small.shape[0] / picture.shape[0]
            box = [side * scale for side in person_box(photo.read_label_map())]
        yield {"picture": small}, {"stem": photo.stem, "box": box}


def _strips(photos: list[StreetPhoto], sees_nobody: SeesNobody) -> Iterator[Entry]:
    """What is left and right of the person in a street photo."""
    for photo in photos:
        if photo.label_map is None:
            continue
        picture = photo.read_picture()
        left, _, right, _ = (int(side) for side in person_box(photo.read_label_map()))
        for side in (picture[:, : max(left - 12, 0)], picture[:, right + 12 :]):
            if side.shape[1] >= _NARROWEST_PLACE_PX:
                small = shrink(np.ascontiguousarray(side), PHOTO_HEIGHT_PX)
                if sees_nobody(small):
                    yield {"picture": small}, {"stem": photo.stem, "kind": "strip"}


def _clothes(folder: Path, sees_nobody: SeesNobody) -> Iterator[Entry]:
    """Photos of clothes that nobody wears: places, and hard negatives."""
    photos = [photo for photo in read_garment_photos(folder) if not photo.is_held_out]
    for photo in photos[:: max(1, len(photos) // _MOST_CLOTHES)]:
        picture = photo.read_picture()
        if sees_nobody(picture):
            yield {"picture": picture}, {"stem": photo.picture.stem, "kind": "clothes"}
