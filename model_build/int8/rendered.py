"""Rendered people as a door camera sees them, whole and cut off by the picture's edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from calibration.accuracy import Truth
from edge_app.capture.simulated import Rendered
from edge_app.flow import Detections, Float32, UInt8
from edge_app.geometry import Letterbox
from edge_app.inference.preprocess import letterbox
from model_build.data.rendered import is_cut_off, is_whole

WHOLE, CUT_OFF = "rendered people, whole", "rendered people, cut off"
_LEAST_SHARE, _MOST_SHARE = 0.12, 0.5
_LEAST_HEIGHT_PX = 60
_PARTS = 2
_LEAST_WINDOW = 0.35
_EDGES = ("lower", "lower", "left", "right")
_NOBODY: Float32 = np.zeros((0, 4), np.float32)


@dataclass(frozen=True)
class Judged:
    """Pictures to judge a model by.

    Attributes:
        pictures: uint8 ``[N, H, W, 3]`` at its input size.
        groups: truths about them by name, each of ``N`` pictures.
    """

    pictures: UInt8
    groups: Mapping[str, Truth]

    def after(self, pictures: UInt8) -> Judged:
        """The same behind other pictures, of which nothing is known."""
        none = tuple(_people(_NOBODY) for _ in pictures)
        groups = {n: replace(t, objects=none + t.objects) for n, t in self.groups.items()}
        return Judged(np.concatenate([pictures, self.pictures]), groups)


def rendered_people(
    frames: Iterable[Rendered], size: tuple[int, int], rng: np.random.Generator
) -> Judged:
    """Frames as they are, and two parts of each of them whose edge cuts one person off.

    Nobody but that person is asked for in such a part. Of the frames, those are asked for of whom
    more than half is to be seen, and, apart, those of whom an edge leaves less.

    Args:
        frames: of the simulated entrance.
        size: width and height of a model's input.
        rng: chooses the parts.
    """
    pictures, whole, cut_off = [], [], []
    for frame in frames:
        boxes = {
            test: np.array([p.box_xyxy for p in frame.people if test(p)], np.float32)
            for test in (is_whole, is_cut_off)
        }
        for picture, seen, part in (
            (frame.frame_bgr, boxes[is_whole], boxes[is_cut_off]),
            *((picture, _NOBODY, box) for picture, box in _parts(frame, rng)),
        ):
            pictures.append(_fitted(picture, size))
            whole.append(_people(_scaled(seen, picture, size)))
            cut_off.append(_people(_scaled(part, picture, size)))
    groups = {
        WHOLE: Truth(tuple(whole), is_complete=False),
        CUT_OFF: Truth(tuple(cut_off), is_complete=False),
    }
    return Judged(np.stack(pictures), groups)


def _parts(frame: Rendered, rng: np.random.Generator) -> Iterator[tuple[UInt8, Float32]]:
    """Parts of a frame and the box of the person in them that they cut off, if any can be."""
    found = 0
    for person in rng.permutation(np.array(frame.people, object)).tolist():
        height = person.box_xyxy[3] - person.box_xyxy[1]
        if not is_whole(person) or height < _LEAST_HEIGHT_PX:
            continue
        box = np.array(person.box_xyxy, np.float64)
        window = cutting_window(frame.frame_bgr.shape[:2], box, rng)
        if window is not None:
            left, top, right, bottom = window
            moved = np.clip(box - [left, top, left, top], 0, [right - left, bottom - top] * 2)
            yield frame.frame_bgr[top:bottom, left:right], np.asarray(moved[None], np.float32)
            found += 1
            if found == _PARTS:
                return


def cutting_window(
    size_hw: tuple[int, ...], box: np.ndarray, rng: np.random.Generator
) -> tuple[int, int, int, int] | None:
    """A part of a picture, of the same shape, that leaves an eighth to a half of a person.

    Args:
        size_hw: of the picture.
        box: float ``[4]``, xyxy, px, of the person.
        rng: chooses.

    Returns:
        Left, top, right, bottom; None where the chosen edge would leave too small a part.
    """
    height, width = size_hw
    share, scale = rng.uniform(_LEAST_SHARE, _MOST_SHARE), rng.uniform(0.5, 0.95)
    x1, y1, x2, y2 = box.tolist()
    edge = str(rng.choice(_EDGES))
    at = {
        "lower": y1 + share * (y2 - y1),
        "right": x1 + share * (x2 - x1),
        "left": x2 - share * (x2 - x1),
    }[edge]
    room = {"lower": at / height, "right": at / width, "left": 1 - at / width}[edge]
    scale = min(scale, room)
    high, wide = int(scale * height), int(scale * width)
    if scale < _LEAST_WINDOW:
        return None
    left = {"right": int(at) - wide, "left": int(at)}.get(edge, _around(x1, x2, wide, width, rng))
    top = int(at) - high if edge == "lower" else _around(y1, y2, high, height, rng)
    is_inside = left >= 0 and top >= 0 and left + wide <= width and top + high <= height
    return (left, top, left + wide, top + high) if is_inside else None


def _around(low: float, high: float, length: int, end: int, rng: np.random.Generator) -> int:
    """Where a window of a length begins that holds a person; -1 where none can."""
    first, last = max(0, int(np.ceil(high)) - length), min(int(low), end - length)
    return int(rng.integers(first, last + 1)) if first <= last else -1


def _fitted(picture: UInt8, size: tuple[int, int]) -> UInt8:
    canvas = np.empty((size[1], size[0], 3), np.uint8)
    letterbox(np.ascontiguousarray(picture), canvas)
    return canvas


def _scaled(boxes: Float32, picture: UInt8, size: tuple[int, int]) -> Float32:
    fit = Letterbox.fit((picture.shape[1], picture.shape[0]), size)
    return np.asarray(boxes.reshape(-1, 4) * ([fit.scale_x, fit.scale_y] * 2), np.float32)


def _people(boxes: Float32) -> Detections:
    return Detections(boxes, np.ones(len(boxes), np.float32), np.zeros(len(boxes), np.int64))
