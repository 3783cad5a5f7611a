"""The people of Clothing Co-Parsing, cut out of their photos once and kept decoded.

Each entry of the store is a person with a quarter of their size around them, at most 320 pixels
tall: `picture` uint8 `[h,w,3]` BGR and, where the photo has one, `labels` uint8 `[h,w]`. Facts:
`stem`, `box` (xyxy in the entry's pixels), `categories`, `is_held_out`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.geometry import Letterbox
from edge_app.inference.silent_openvino import CORE
from model_build.data.ccp import (
    StreetPhoto,
    garments_in,
    person_box,
    read_label_names,
    read_photos,
    tagged_categories,
)
from model_build.data.seen_clothes import SeenClothes, agreed_tags, rename_labels
from model_build.data.store import Entry, PictureStore, open_store

MARGIN = 0.25
PERSON_HEIGHT_PX = 320

FindPerson = Callable[[NDArray[np.uint8]], tuple[float, float, float, float]]


def open_people(
    folder: Path,
    cache: Path,
    find_person: FindPerson,
    seen: Mapping[str, SeenClothes] | None = None,
) -> PictureStore:
    """The store of people in `cache`, written from the data set in `folder` if it is not there.

    Args:
        folder: Clothing Co-Parsing.
        cache: path of the store.
        find_person: for photos with tags only.
        seen: what was seen on people, by stem, which puts their label maps and tags right; a store
            that is there is believed to have been written with the same.
    """
    return open_store(
        cache,
        lambda: _entries(read_photos(folder), read_label_names(folder), find_person, seen or {}),
    )


def best_person(model: Path) -> FindPerson:
    """A function that gives the box of the most certain person, by a detector of the contract.

    The whole picture is the answer where the detector sees nobody.
    """
    network = CORE.compile_model(str(model), "CPU", {"INFERENCE_NUM_THREADS": 1})
    _, height, width, _ = network.input(0).partial_shape
    size = (width.get_length(), height.get_length())

    def find(picture: NDArray[np.uint8]) -> tuple[float, float, float, float]:
        fit = Letterbox.fit((picture.shape[1], picture.shape[0]), size)
        canvas = np.full((1, size[1], size[0], 3), 114, np.uint8)
        canvas[0, : fit.height, : fit.width] = cv2.resize(picture, (fit.width, fit.height))
        found = network(canvas)
        scores = found["scores"][0, :, 0]
        if scores.max() < 0.3:
            return 0.0, 0.0, float(picture.shape[1]), float(picture.shape[0])
        box = fit.to_picture(found["boxes"][0, scores.argmax()][None])[0]
        return float(box[0]), float(box[1]), float(box[2]), float(box[3])

    return find


def _entries(
    photos: list[StreetPhoto],
    names: tuple[str, ...],
    find_person: FindPerson,
    seen: Mapping[str, SeenClothes],
) -> Iterator[Entry]:
    for photo in photos:
        picture = photo.read_picture()
        clothes = seen.get(photo.stem)
        labels = photo.read_label_map() if photo.label_map is not None else None
        if labels is not None:
            labels = rename_labels(labels, names, clothes)
            box = person_box(labels)
            worn = tuple(dict.fromkeys(g.category for g in garments_in(labels, names)))
        else:
            box = find_person(picture)
            worn = agreed_tags(tagged_categories(photo.tags), clothes)
        if not worn and clothes is None:
            continue
        arrays, placed = cut_person(picture, labels, box)
        yield (
            arrays,
            {
                "stem": photo.stem,
                "box": placed,
                "categories": worn,
                "is_held_out": photo.is_held_out,
            },
        )


def cut_person(
    picture: NDArray[np.uint8],
    labels: NDArray[np.uint8] | None,
    box_xyxy: tuple[float, float, float, float],
) -> tuple[dict[str, NDArray[np.uint8]], list[float]]:
    """A person with a margin, scaled down to the common height, and their box in that picture."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box_xyxy
    aside, above = MARGIN * (right - left), MARGIN * (bottom - top)
    x0, y0 = max(0, int(left - aside)), max(0, int(top - above))
    x1, y1 = min(width, int(right + aside)), min(height, int(bottom + above))
    scale = min(1.0, PERSON_HEIGHT_PX / max(bottom - top, 1.0))
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    piece = cv2.resize(picture[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    arrays = {"picture": np.asarray(piece, np.uint8)}
    if labels is not None:
        piece = cv2.resize(labels[y0:y1, x0:x1], size, interpolation=cv2.INTER_NEAREST)
        arrays["labels"] = np.asarray(piece, np.uint8)
    placed = [(left - x0) * scale, (top - y0) * scale, (right - x0) * scale, (bottom - y0) * scale]
    return arrays, placed
