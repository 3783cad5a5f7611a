"""A contact sheet: pictures of a converted data set with what they are said to show."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.draw import PERSON, REGION, Colour, draw_box, draw_text
from edge_app.inference.preprocess import letterbox
from edge_app.vocabulary import CATEGORIES
from model_build.data.published.annotated import Annotated

TILE_WIDTH, TILE_HEIGHT = 200, 260
_CAPTION_PX = 34
_COLUMNS = 8
_OPEN: Colour = (200, 200, 200)
_INK: Colour = (235, 235, 235)

UInt8 = NDArray[np.uint8]


def contact_sheet(photos: Sequence[Annotated], most: int = 48, seed: int = 0) -> UInt8:
    """Pictures of every category in turn, as far as there are any; uint8 `[H,W,3]` BGR.

    Boxes have the colour of their region, grey where the label leaves that open; people are
    green. Below each picture are its split and the labels that have no box.
    """
    chosen = choose(photos, most, np.random.default_rng(seed))
    tiles = [_tile(photo) for photo in chosen]
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % min(_COLUMNS, len(tiles)))
    columns = min(_COLUMNS, len(tiles))
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    return np.asarray(np.vstack(rows), np.uint8)


def choose(photos: Sequence[Annotated], most: int, rng: np.random.Generator) -> list[Annotated]:
    """At most so many of the pictures, the categories taking turns."""
    waiting: dict[str, list[int]] = {name: [] for name in CATEGORIES}
    for index in rng.permutation(len(photos)):
        photo = photos[int(index)]
        told = {c for garment in photo.garments for c in garment.categories}
        told |= {c for categories in photo.tags for c in categories}
        for name in told:
            waiting[name].append(int(index))
    chosen: dict[int, None] = {}
    while len(chosen) < most and any(waiting.values()):
        for queue in waiting.values():
            while queue and queue[-1] in chosen:
                queue.pop()
            if queue and len(chosen) < most:
                chosen[queue.pop()] = None
    return [photos[index] for index in chosen]


def _tile(photo: Annotated) -> UInt8:
    tile = np.zeros((TILE_HEIGHT + _CAPTION_PX, TILE_WIDTH, 3), np.uint8)
    picture = cv2.imread(str(photo.picture), cv2.IMREAD_COLOR)
    if picture is not None:
        seen = tile[:TILE_HEIGHT]
        fit = letterbox(np.asarray(picture, np.uint8), seen)
        scale = np.array([fit.scale_x, fit.scale_y] * 2, np.float32)
        for person in photo.people:
            draw_box(seen, np.array(person, np.float32) * scale, PERSON)
        for garment in photo.garments:
            if garment.box_xyxy is not None:
                colour = REGION[garment.settled_region] if garment.settled_region else _OPEN
                box = np.array(garment.box_xyxy, np.float32) * scale
                draw_box(seen, box, colour, _lines(garment.categories))
    unplaced = [garment.categories for garment in photo.garments if garment.box_xyxy is None]
    told = ", ".join("|".join(categories) for categories in [*unplaced, *photo.tags])
    draw_text(tile, f"{photo.split} {photo.picture.stem[:18]}", (3, TILE_HEIGHT + 13), _INK, 0.38)
    draw_text(tile, told[:34], (3, TILE_HEIGHT + 28), _INK, 0.34)
    return tile


def _lines(categories: tuple[str, ...]) -> list[str]:
    return (
        list(categories) if len(categories) <= 3 else [*categories[:2], f"+{len(categories) - 2}"]
    )
