"""Training samples of the garment model: a person's crop, the garments in it, and what they wear.

A sample is made the way the running application makes a crop (the person's box and 5 % around it,
letterboxed top-left on 114), after the person has been put through what happens at a door: cut by
the picture's edge, seen from above, leaning, beside or behind others, dim, hazy, small, compressed.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.geometry import Letterbox
from model_build.data import staging
from model_build.data.around import widened
from model_build.data.ccp import garments_in
from model_build.data.degrade import degrade
from model_build.vocabulary import region_index

CROP_HEIGHT, CROP_WIDTH = 256, 128
PADDING = 114
CROP_MARGIN = 0.05
_LEAST_VISIBLE = 0.15
_MILD_STRENGTH = 0.35
LEAST_SHARE_OF_BOXES = 0.02
"""Of the person. Less of a garment is a sliver that shows under another: no box is asked for."""

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Person:
    """A person in a picture that is somewhat larger than they are.

    Attributes:
        picture: uint8 `[h,w,3]` BGR.
        box: float32 `[4]`, xyxy in the picture's pixels.
        wears: float32 `[15]`: 1 worn, 0 not, NaN not known.
        labels: uint8 `[h,w]` label map, or None.
        boxes: float32 `[G,4]` garments, where they are known without a label map.
        regions: int64 `[G]` of `boxes`.
        unsure_regions: of which some boxes are missing, so that nothing may be asked there.
    """

    picture: NDArray[np.uint8]
    box: Float32
    wears: Float32
    labels: NDArray[np.uint8] | None
    boxes: Float32
    regions: NDArray[np.int64]
    has_boxes: bool
    unsure_regions: tuple[int, ...] = ()


@dataclass(frozen=True)
class CropSample:
    """What the network learns from.

    Attributes:
        crop: uint8 `[256,128,3]` BGR.
        boxes: float32 `[G,4]`, xyxy in the crop's pixels.
        regions: int64 `[G]`.
        has_boxes: False where nothing is known about boxes, so that none may be asked for.
        wears: float32 `[15]`: 1 worn, 0 not, NaN not known.
        seen_hw: height and width of the part of the crop that is not padding.
        unsure_regions: as :class:`Person` has them.
    """

    crop: NDArray[np.uint8]
    boxes: Float32
    regions: NDArray[np.int64]
    has_boxes: bool
    wears: Float32
    seen_hw: tuple[int, int] = (CROP_HEIGHT, CROP_WIDTH)
    unsure_regions: tuple[int, ...] = ()


def plain_sample(person: Person, names: tuple[str, ...]) -> CropSample:
    """The person as the application would crop them, unchanged: for evaluation."""
    return _project(person, names, plain_view(person), None)


def plain_view(person: Person) -> NDArray[np.float64]:
    """What the application would crop, xyxy in the picture's pixels: the box and a margin."""
    left, top, right, bottom = person.box
    aside, above = CROP_MARGIN * (right - left), CROP_MARGIN * (bottom - top)
    height, width = person.picture.shape[:2]
    return np.array(
        [
            max(left - aside, 0),
            max(top - above, 0),
            min(right + aside, width),
            min(bottom + above, height),
        ],
        np.float64,
    )


def mild_sample(person: Person, names: tuple[str, ...], rng: np.random.Generator) -> CropSample:
    """The person nearly as photographed: hardly moved, mirrored or not, hardly degraded."""
    margins = np.clip(rng.normal(CROP_MARGIN, 0.03, 4), -0.02, 0.15)
    view = widened(person.box, margins[[0, 2, 1, 3]])
    warp = Warp(0.0, rng.uniform(0.93, 1.07), 0.0, bool(rng.random() < 0.5))
    return _degraded(_project(person, names, view, warp), rng, rng.uniform(0.0, _MILD_STRENGTH))


def hard_sample(
    person: Person, names: tuple[str, ...], rng: np.random.Generator, strength: float = 1.0
) -> CropSample:
    """The person as a bad camera in a bad place might see them: for training.

    Args:
        person: who.
        names: of the labels of the person's label map.
        rng: source of chance.
        strength: of the degradation, 0..1; people who come with a camera's faults need less.
    """
    view, warp = draw_view(person.box, rng)
    return _degraded(_project(person, names, view, warp), rng, strength)


def _degraded(sample: CropSample, rng: np.random.Generator, strength: float) -> CropSample:
    height, width = sample.seen_hw
    crop = sample.crop.copy()
    crop[:height, :width] = degrade(crop[:height, :width], rng, strength)
    return dataclasses.replace(sample, crop=crop)


@dataclass(frozen=True)
class Warp:
    """How a view is bent: all shares of the crop's size.

    Attributes:
        narrowing: how much narrower the lower edge is, on each side (seen from above).
        squash: height divided by that of the untouched view.
        lean_rad: rotation about the centre.
        is_mirrored: left and right exchanged.
    """

    narrowing: float
    squash: float
    lean_rad: float
    is_mirrored: bool


def draw_view(box: Float32, rng: np.random.Generator) -> tuple[NDArray[np.float64], Warp]:
    """Draw which part of the person (xyxy) is seen, and how it is bent."""
    left, top, right, bottom = (float(side) for side in box)
    wide, tall = right - left, bottom - top
    margins = np.clip(rng.normal(CROP_MARGIN, 0.05, 4), -0.07, 0.22)
    x0, y0, x1, y1 = widened(box, margins)
    chance = rng.random()
    if chance < 0.22:
        y1 = top + tall * rng.uniform(0.42, 0.97)
    elif chance < 0.29:
        y1 = top + tall * rng.uniform(0.18, 0.42)
    elif chance < 0.36:
        y0 = top + tall * rng.uniform(0.03, 0.3)
    if rng.random() < 0.12:
        cut = wide * rng.uniform(0.1, 0.45)
        x0, x1 = (x0 + cut, x1) if rng.random() < 0.5 else (x0, x1 - cut)
    from_above = rng.random() < 0.5
    warp = Warp(
        narrowing=rng.uniform(0.0, 0.22) if from_above else rng.uniform(-0.05, 0.06),
        squash=rng.uniform(0.62, 1.0) if from_above else rng.uniform(0.9, 1.12),
        lean_rad=float(np.radians(rng.normal(0.0, 6.0))) if rng.random() < 0.5 else 0.0,
        is_mirrored=bool(rng.random() < 0.5),
    )
    return np.array([x0, y0, x1, y1]), warp


def _project(
    person: Person,
    names: tuple[str, ...],
    view: NDArray[np.float64],
    warp: Warp | None,
) -> CropSample:
    tall = (view[3] - view[1]) * (warp.squash if warp is not None else 1.0)
    size = (max(1, round(view[2] - view[0])), max(1, round(tall)))
    fit = Letterbox.fit(size, (CROP_WIDTH, CROP_HEIGHT))
    matrix = _matrix(view, warp, (fit.width, fit.height))
    target = (fit.width, fit.height)
    piece = cv2.warpPerspective(
        person.picture, matrix, target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    crop = np.full((CROP_HEIGHT, CROP_WIDTH, 3), PADDING, np.uint8)
    crop[: fit.height, : fit.width] = piece
    if person.labels is not None:
        seen = cv2.warpPerspective(
            person.labels, matrix, target, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT
        )
        boxes, regions = boxes_of_labels(np.asarray(seen, np.uint8), names)
    else:
        boxes, regions = _move_boxes(person.boxes, person.regions, matrix, target)
    seen_hw = (fit.height, fit.width)
    return CropSample(
        crop, boxes, regions, person.has_boxes, person.wears, seen_hw, person.unsure_regions
    )


def _matrix(
    view: NDArray[np.float64], warp: Warp | None, size: tuple[int, int]
) -> NDArray[np.float64]:
    """The homography from the person's picture to the crop of (width, height) `size`."""
    x0, y0, x1, y1 = view
    width, height = size
    source = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    if warp is not None:
        narrow = warp.narrowing * width
        target[2, 0] -= narrow
        target[3, 0] += narrow
        centre = np.array([width / 2, height / 2], np.float32)
        sine, cosine = np.sin(warp.lean_rad), np.cos(warp.lean_rad)
        target = (target - centre) @ np.array([[cosine, sine], [-sine, cosine]]) + centre
        if warp.is_mirrored:
            target[:, 0] = width - target[:, 0]
    matrix = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    return np.asarray(matrix, np.float64)


def boxes_of_labels(
    labels: NDArray[np.uint8], names: tuple[str, ...]
) -> tuple[Float32, NDArray[np.int64]]:
    """Boxes float32 `[G,4]` and regions int64 `[G]` of the garments in a warped label map."""
    own = np.where(labels == staging.STRANGER, 0, labels).astype(np.uint8)
    garments = garments_in(own, names, LEAST_SHARE_OF_BOXES)
    boxes = np.array([garment.box_xyxy for garment in garments], np.float32).reshape(-1, 4)
    regions = np.array([region_index(garment.category) for garment in garments], np.int64)
    keep = (boxes[:, 2:] - boxes[:, :2]).min(1, initial=np.inf) >= 6
    return boxes[keep], regions[keep]


def _move_boxes(
    boxes: Float32, regions: NDArray[np.int64], matrix: NDArray[np.float64], size: tuple[int, int]
) -> tuple[Float32, NDArray[np.int64]]:
    """Boxes through a homography, cut at the crop's edge; those that are mostly cut away go."""
    if len(boxes) == 0:
        return boxes, regions
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 1, 2)
    moved = cv2.perspectiveTransform(corners, matrix).reshape(-1, 4, 2)
    bounds = np.concatenate([moved.min(1), moved.max(1)], 1)
    cut = np.clip(bounds, 0, [size[0], size[1], size[0], size[1]])
    sides, whole = cut[:, 2:] - cut[:, :2], bounds[:, 2:] - bounds[:, :2]
    keep = (sides.prod(1) >= _LEAST_VISIBLE * whole.prod(1)) & (sides.min(1) >= 6)
    return np.asarray(cut[keep], np.float32), regions[keep]
