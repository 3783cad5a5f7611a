"""Pictures of people for the person detector, put together and then spoilt.

Four kinds: street photos side by side, cut-out people before other places (alone, in groups, hiding
each other, cut off by the picture's edges, first seen as heads at the lower edge, from above and
from behind), rendered scenes, and places without anybody; of these, some that were taken for people
may be shown more often. A picture depends on its number and the seed alone. A box holds the whole
person inside the picture, also what somebody in front hides.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from model_build.data.cutouts import Pasted, Placement, draw_party, paste, prepare_cutout
from model_build.data.degrade import add_haze, blur, change_colours, sharpen
from model_build.data.rendered import RenderedScenes
from model_build.data.scenery import Scenery
from model_build.data.staging import draw_background

Picture = NDArray[np.uint8]
Float32 = NDArray[np.float32]

_GRIDS = ((1, 1), (2, 1), (2, 1), (3, 1), (3, 1), (4, 1), (4, 2), (6, 2), (8, 3))
_LEAST_SIDE_PX = 9.0
_PADDING = 114
_ASPECTS = (16 / 9, 4 / 3, 8 / 5)
_ASPECT_SHARES = (0.6, 0.15, 0.25)


@dataclass(frozen=True)
class Scene:
    """One training picture.

    Attributes:
        picture: uint8 `[H,W,3]` BGR, spoilt.
        clean: the same before it was spoilt.
        boxes: float32 `[G,4]`, xyxy, clipped to the picture.
        is_ignored: bool `[G]`: too small or too hidden to be asked for, yet no background.
        is_complete: everybody in the picture has a box.
    """

    picture: Picture
    clean: Picture
    boxes: Float32
    is_ignored: NDArray[np.bool_]
    is_complete: bool


@dataclass(frozen=True)
class Mixture:
    """Shares of the four kinds, and the share of pictures that are spoilt.

    Attributes:
        hard: share of all pictures that are the places of :meth:`PeoplePictures.with_more_of`, if
            there are any; the four kinds share the rest.
    """

    street: float = 0.3
    pasted: float = 0.3
    rendered: float = 0.32
    nobody: float = 0.08
    spoilt: float = 0.75
    hard: float = 0.14


class PeoplePictures:
    """The endless sequence of training pictures of one seed.

    Args:
        scenery: what they are put together from.
        rendered: frames of the simulated entrance, if any.
        size_hw: height and width of a picture.
        mixture: of what kinds.
        seed: of everything.
    """

    def __init__(
        self,
        scenery: Scenery,
        rendered: RenderedScenes | None,
        size_hw: tuple[int, int],
        mixture: Mixture,
        seed: int,
    ) -> None:
        self._scenery = scenery
        self._rendered = rendered
        self._size_hw = size_hw
        self._mixture = mixture
        self._seed = seed
        self._hard: tuple[int, ...] = ()

    def with_more_of(self, places: Sequence[int]) -> PeoplePictures:
        """The same pictures, among which the :meth:`place` of these numbers come more often."""
        pictures = copy.copy(self)
        pictures._hard = tuple(places)
        return pictures

    def scene(self, number: int) -> Scene:
        """Picture `number`; the same however often it is asked for."""
        rng = np.random.default_rng((self._seed, number))
        if self._hard and rng.random() < self._mixture.hard:
            return self.place(self._hard[int(rng.integers(len(self._hard)))])
        return self._finish(self._draw(rng, self._draw_size(rng)), rng)

    def place(self, number: int) -> Scene:
        """Picture `number` of a sequence of its own: a place without anybody."""
        rng = np.random.default_rng((self._seed, number, 1))
        return self._finish(self._pasted(rng, self._draw_size(rng), parties=0), rng)

    def _finish(self, scene: Scene, rng: np.random.Generator) -> Scene:
        """The scene as a camera shows it, at the network's size."""
        if rng.random() < 0.5:
            scene = _mirror(scene)
        if rng.random() < self._mixture.spoilt:
            scene = replace(scene, picture=spoil(scene.clean, rng))
        return replace(scene, picture=self._pad(scene.picture), clean=self._pad(scene.clean))

    def _draw_size(self, rng: np.random.Generator) -> tuple[int, int]:
        """Height and width of a camera's picture fitted into the network's input."""
        height, width = self._size_hw
        aspect = float(rng.choice(_ASPECTS, p=_ASPECT_SHARES))
        return min(height, round(width / aspect)), min(width, round(height * aspect))

    def _pad(self, picture: Picture) -> Picture:
        padded = np.full((*self._size_hw, 3), _PADDING, np.uint8)
        padded[: picture.shape[0], : picture.shape[1]] = picture
        return padded

    def _draw(self, rng: np.random.Generator, size_hw: tuple[int, int]) -> Scene:
        mixture = self._mixture
        shares = np.array([mixture.street, mixture.pasted, mixture.rendered, mixture.nobody])
        kind = int(rng.choice(4, p=shares / shares.sum()))
        if kind == 0:
            return self._street(rng, size_hw)
        if kind == 2 and self._rendered is not None:
            frame, boxes, is_ignored = self._rendered.draw(rng, self._size_hw)
            return _scene(frame, boxes, is_ignored, True)
        return self._pasted(rng, size_hw, parties=0 if kind == 3 else int(rng.integers(1, 5)))

    def _street(self, rng: np.random.Generator, size_hw: tuple[int, int]) -> Scene:
        """Street photos in a grid; of those with tags only, nobody's box is known."""
        height, width = size_hw
        columns, rows = _GRIDS[int(rng.integers(len(_GRIDS)))]
        canvas = np.full((height, width, 3), 114, np.uint8)
        boxes: list[list[float]] = []
        lost: list[bool] = []
        for cell in range(columns * rows):
            x0, x1 = (width * (cell % columns + i) // columns for i in (0, 1))
            y0, y1 = (height * (cell // columns + i) // rows for i in (0, 1))
            number = int(rng.integers(len(self._scenery.street)))
            piece, box, share = _cover(
                self._scenery.street.picture(number),
                self._scenery.street.record(number)["box"],
                (y1 - y0, x1 - x0),
                rng,
            )
            canvas[y0:y1, x0:x1] = piece
            if box is not None:
                boxes.append([box[0] + x0, box[1] + y0, box[2] + x0, box[3] + y0])
                # Seams between photos cut people in a way that no camera does.
                lost.append(share < (0.12 if columns == 1 else 0.7))
        return _scene(
            canvas, np.array(boxes, np.float32).reshape(-1, 4), np.array(lost, bool), False
        )

    def _place(self, rng: np.random.Generator, size_hw: tuple[int, int]) -> Picture:
        height, width = size_hw
        if self._rendered is not None and rng.random() < 0.2:
            return self._rendered.draw_empty(rng, size_hw)
        store = self._scenery.places
        texture = store.picture(int(rng.integers(len(store))))
        if rng.random() < 0.3:
            return draw_background((height, width), texture, rng)
        if rng.random() < 0.3:
            canvas = np.empty((height, width, 3), np.uint8)
            edges = np.linspace(0, width, int(rng.integers(2, 6)) + 1).astype(int)
            for x0, x1 in itertools.pairwise(edges):
                texture = store.picture(int(rng.integers(len(store))))
                canvas[:, x0:x1] = _cover(texture, None, (height, int(x1 - x0)), rng)[0]
            return canvas
        if texture.shape[1] < texture.shape[0]:
            # Mirrored sideways, a narrow strip fills a wide picture without being enlarged.
            texture = np.concatenate((texture, texture[:, ::-1]), 1)
        return _cover(texture, None, (height, width), rng)[0]

    def _pasted(self, rng: np.random.Generator, size_hw: tuple[int, int], parties: int) -> Scene:
        placements = [p for _ in range(parties) for p in draw_party(size_hw, rng)]
        canvas = self._place(rng, size_hw).copy()
        pasted = Pasted.nobody(size_hw)
        for placement in sorted(placements, key=lambda placement: placement.foot_y):
            self._paste_one(canvas, pasted, placement, rng)
        if rng.random() < 0.2:
            self._cover_some(canvas, pasted, rng)
        boxes, is_ignored = pasted.boxes()
        return _scene(canvas, boxes, is_ignored, True)

    def _paste_one(
        self, canvas: Picture, pasted: Pasted, placement: Placement, rng: np.random.Generator
    ) -> None:
        number = int(rng.integers(len(self._scenery.cutouts)))
        picture = self._scenery.cutouts.picture(number)
        labels = self._scenery.cutouts.picture(number, "labels")
        paste(canvas, pasted, prepare_cutout(picture, labels, placement, rng), placement)

    def _cover_some(self, canvas: Picture, pasted: Pasted, rng: np.random.Generator) -> None:
        """A shelf, a table or a rail of clothes in front of people."""
        height, width = canvas.shape[:2]
        store = self._scenery.places
        texture = store.picture(int(rng.integers(len(store))))
        tall, wide = int(height * rng.uniform(0.08, 0.35)), int(width * rng.uniform(0.1, 0.45))
        top, left = int(rng.integers(height - tall)), int(rng.integers(width - wide))
        canvas[top : top + tall, left : left + wide] = cv2.resize(texture, (wide, tall))
        pasted.owner[top : top + tall, left : left + wide] = 0


def _scene(
    picture: Picture, boxes: Float32, is_ignored: NDArray[np.bool_], is_complete: bool
) -> Scene:
    sides = boxes[:, 2:] - boxes[:, :2]
    is_ignored = is_ignored | (sides.min(1, initial=1e9) < _LEAST_SIDE_PX)
    return Scene(picture, picture, boxes, is_ignored, is_complete)


def _mirror(scene: Scene) -> Scene:
    width = scene.clean.shape[1]
    boxes = scene.boxes.copy()
    boxes[:, [0, 2]] = width - scene.boxes[:, [2, 0]]
    clean = np.ascontiguousarray(scene.clean[:, ::-1])
    return replace(scene, picture=clean, clean=clean, boxes=boxes)


def _cover(
    picture: Picture,
    box: list[float] | None,
    size_hw: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Picture, list[float] | None, float]:
    """A random piece of a picture that fills `size_hw`, and the box and its share inside it.

    A box that fits is not cut at its sides.
    """
    height, width = size_hw
    scale = max(height / picture.shape[0], width / picture.shape[1]) * rng.uniform(1.0, 1.3)
    rows, columns = min(height / scale, picture.shape[0]), min(width / scale, picture.shape[1])
    top = rng.uniform(0, picture.shape[0] - rows)
    lowest, highest = 0.0, picture.shape[1] - columns
    if box is not None and box[2] - box[0] <= columns:
        lowest, highest = max(lowest, box[2] - columns), min(highest, box[0])
    left = rng.uniform(lowest, max(lowest, highest))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    y0, x0 = int(top), int(left)
    y1, x1 = int(np.ceil(top + rows)), int(np.ceil(left + columns))
    piece = np.asarray(
        cv2.resize(picture[y0:y1, x0:x1], (width, height), interpolation=way), np.uint8
    )
    if box is None:
        return piece, None, 0.0
    corners = (np.array(box).reshape(2, 2) - [left, top]) * scale
    inside = np.clip(corners, 0, [width, height])
    share = np.prod(inside[1] - inside[0]) / max(np.prod(corners[1] - corners[0]), 1e-6)
    return piece, [float(side) for side in inside.ravel()], float(share)


def spoil(picture: Picture, rng: np.random.Generator) -> Picture:
    """What a cheap camera does to a whole frame: colours, haze, blur, few pixels, noise, JPEG."""
    strength = float(rng.uniform(0.3, 1.1))
    picture = change_colours(picture, rng, strength)
    if rng.random() < 0.25:
        picture = add_haze(picture, rng)
    if rng.random() < 0.2:
        picture = blur(picture, rng)
    height, width = picture.shape[:2]
    scale = float(np.exp(rng.uniform(np.log(0.35), 0.0))) if rng.random() < 0.5 else 1.0
    size = (max(32, round(width * scale)), max(32, round(height * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    if rng.random() < 0.4:
        noise = rng.standard_normal(small.shape[:2], np.float32)[..., None]
        small = np.clip(small + noise * rng.uniform(1.0, 14.0), 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        small = sharpen(small, rng)
    if rng.random() < 0.7:
        quality = int(rng.uniform(15, 90))
        _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
        small = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
