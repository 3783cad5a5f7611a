"""Pictures of the simulated entrance with the boxes of the people in them, for training.

Scenes are drawn from training seeds only (1,000,000 and above). Rendering costs far more than
reading, so frames are rendered once and kept decoded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.capture.simulated import PersonView, Rendered, SimulatedEntrance, random_scene
from edge_app.geometry import Letterbox
from model_build.data.store import Entry, PictureStore, open_store

logger = logging.getLogger(__name__)

Picture = NDArray[np.uint8]
Float32 = NDArray[np.float32]

FRAMES_PER_SCENE = 20
_FIRST_FRAME, _LAST_FRAME = 50, 3000
_LEAST_WEIGHT = 0.1
_WIDEST_PX = 640
_SCENES_PER_EMPTY_ONE = 4
LEAST_UNHIDDEN = 0.2
"""Share of a person's part inside the picture that must be visible for them to be asked for."""
_LEAST_UNHIDDEN_JUDGED = 0.45
"""The same where people who are cut off by an edge are judged."""


def rendered_frames(scenes: Iterable[int]) -> Iterator[Rendered]:
    """Frames of numbered training scenes, several of each; the same number gives the same scene.

    Crowded moments are drawn more often, for people are missed behind others: a frame with twice
    the people is four times as likely.
    """
    for number in scenes:
        rng = np.random.default_rng((1_000_000, number))
        scene = random_scene(rng)
        crowd = np.zeros(_LAST_FRAME, np.int64)
        for person in scene.truth(_LAST_FRAME / scene.settings.fps).people:
            crowd[person.first_frame : person.last_frame + 1] += 1
        weights = crowd[_FIRST_FRAME:].astype(np.float64) ** 2 + _LEAST_WEIGHT
        frames = rng.choice(len(weights), FRAMES_PER_SCENE, p=weights / weights.sum())
        for index in frames:
            yield scene.render(_FIRST_FRAME + int(index))


def empty_frames(scenes: Iterable[int]) -> Iterator[Picture]:
    """The same scenes before anybody came."""
    for number in scenes:
        rng = np.random.default_rng((1_000_000, number))
        settings = random_scene(rng).settings
        yield SimulatedEntrance(replace(settings, people_per_min=0.0)).frame_at(0)


def is_hidden(person: PersonView, least_unhidden: float = LEAST_UNHIDDEN) -> bool:
    """Whether others or things hide too much of what lies inside the picture."""
    return person.visible_share < least_unhidden * person.in_picture_share


def is_whole(person: PersonView) -> bool:
    """Whether more than half of a person of more than 50 px is to be seen."""
    _, y1, _, y2 = person.box_xyxy
    return person.visible_share > 0.5 and y2 - y1 > 50


def is_cut_off(person: PersonView) -> bool:
    """Whether an edge of the picture leaves a head (8 %) to half of a person of over 20 px."""
    _, y1, _, y2 = person.box_xyxy
    is_seen = not is_hidden(person, _LEAST_UNHIDDEN_JUDGED)
    return 0.08 < person.visible_share <= 0.5 and is_seen and y2 - y1 > 20


class RenderedScenes:
    """Rendered frames, kept decoded; `Rendered` people become boxes.

    Args:
        frames: with facts `boxes` and `is_ignored`.
        empty: frames without anybody.
    """

    def __init__(self, frames: PictureStore, empty: PictureStore) -> None:
        self._frames = frames
        self._empty = empty

    def __len__(self) -> int:
        return len(self._frames)

    def draw(
        self, rng: np.random.Generator, size_hw: tuple[int, int]
    ) -> tuple[Picture, Float32, NDArray[np.bool_]]:
        """A frame or a part of one, fitted into `size_hw` without padding, and its people.

        Returns:
            uint8 `[h,w,3]` BGR, boxes float32 `[G,4]` xyxy, and bool `[G]`: not to be asked for.
        """
        number = int(rng.integers(len(self._frames)))
        facts = self._frames.record(number)
        boxes = np.array(facts["boxes"], np.float32).reshape(-1, 4)
        is_ignored = np.array(facts["is_ignored"], bool)
        picture = self._frames.picture(number)
        if rng.random() < 0.4:
            return _part(picture, boxes, is_ignored, rng, size_hw)
        return _fitted(picture, boxes, is_ignored, size_hw)

    def draw_empty(self, rng: np.random.Generator, size_hw: tuple[int, int]) -> Picture:
        """A place without anybody, stretched to `size_hw`."""
        picture = self._empty.picture(int(rng.integers(len(self._empty))))
        height, width = size_hw
        return np.asarray(cv2.resize(picture, (width, height)), np.uint8)


def open_rendered(cache: Path, scenes: int) -> RenderedScenes:
    """The rendered frames in `cache`, made from so many training scenes if they are not there."""
    frames, total = rendered_frames(range(scenes)), scenes * FRAMES_PER_SCENE
    empty = range(0, scenes, _SCENES_PER_EMPTY_ONE)
    return RenderedScenes(
        open_store(cache / "rendered", lambda: _entries(frames, total)),
        open_store(cache / "empty", lambda: _empty_entries(empty)),
    )


def _entries(frames: Iterable[Rendered], total: int) -> Iterator[Entry]:
    for done, frame in enumerate(frames, start=1):
        small, scale = _shrink(frame.frame_bgr)
        boxes = [[side * scale for side in person.box_xyxy] for person in frame.people]
        hidden = [is_hidden(person) for person in frame.people]
        yield {"picture": small}, {"boxes": boxes, "is_ignored": hidden}
        if done % 100 == 0:
            logger.info("rendered %d of %d frames", done, total)


def _empty_entries(scenes: Iterable[int]) -> Iterator[Entry]:
    for picture in empty_frames(scenes):
        yield {"picture": _shrink(picture)[0]}, {}


def _shrink(picture: Picture) -> tuple[Picture, float]:
    height, width = picture.shape[:2]
    scale = min(1.0, _WIDEST_PX / width)
    if scale == 1.0:
        return picture, 1.0
    size = (_WIDEST_PX, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _fitted(
    picture: Picture,
    boxes: Float32,
    is_ignored: NDArray[np.bool_],
    size_hw: tuple[int, int],
) -> tuple[Picture, Float32, NDArray[np.bool_]]:
    fit = Letterbox.fit((picture.shape[1], picture.shape[0]), (size_hw[1], size_hw[0]))
    small = cv2.resize(picture, (fit.width, fit.height), interpolation=cv2.INTER_LINEAR)
    scaled = boxes * np.array([fit.scale_x, fit.scale_y] * 2, np.float32)
    return np.asarray(small, np.uint8), np.asarray(scaled, np.float32), is_ignored


def _part(
    picture: Picture,
    boxes: Float32,
    is_ignored: NDArray[np.bool_],
    rng: np.random.Generator,
    size_hw: tuple[int, int],
) -> tuple[Picture, Float32, NDArray[np.bool_]]:
    """A window of a frame: larger people, cut off where no frame would cut them."""
    height, width = picture.shape[:2]
    share = rng.uniform(0.45, 0.95)
    rows, columns = int(height * share), int(width * share)
    top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    moved = boxes - np.array([left, top, left, top], np.float32)
    inside = np.clip(moved, 0, [columns, rows, columns, rows])
    kept_share = (inside[:, 2:] - inside[:, :2]).prod(1) / np.maximum(
        (moved[:, 2:] - moved[:, :2]).prod(1), 1e-6
    )
    is_there = kept_share > 0
    is_ignored = is_ignored | (kept_share < 0.12)
    window = picture[top : top + rows, left : left + columns]
    return _fitted(window, np.asarray(inside[is_there], np.float32), is_ignored[is_there], size_hw)
