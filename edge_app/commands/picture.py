"""A whole recording as one picture: where people walked, what was counted, and what is true.

::

    ┌───────────────────────────┐
    │  the empty scene, zones,  │   green: counted and true; red: counted and not true
    │  paths, crossings         │   yellow: counted, and the truth is not known
    ├───────────────────────────┤
    │ true    ╵  ╷   ╵          │   over time, in above and out below; orange: missed
    │ counted ╵      ╵          │
    └───────────────────────────┘
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from edge_app.commands.frame_times import FrameTimes
from edge_app.commands.truth import Truth
from edge_app.config.schema import ZoneSettings
from edge_app.draw import Colour, draw_text, draw_zones, unit_of
from edge_app.flow import Frame, UInt8
from edge_app.pipeline import Step

RIGHT: Colour = (80, 220, 80)
WRONG: Colour = (60, 60, 255)
MISSED: Colour = (0, 150, 255)
COUNTED: Colour = (60, 220, 255)
_TEXT: Colour = (220, 220, 220)

_SAMPLES = 15
"""Pictures that the empty scene is the median of."""
_STEP_PX = 2.0
"""Who moved less did not move."""
_ROW_PX = 22
_BEGIN_PX = 64
_END_PX = 48
"""Of a picture of up to 720 rows; more in larger ones."""


@dataclass(frozen=True)
class _Foot:
    at_s: float
    point: tuple[int, int]


@dataclass(frozen=True)
class _Crossing:
    """One counted entry, with the key that comparisons with a truth know it by."""

    frame: int
    zone: str
    direction: str
    point: tuple[int, int] | None

    @property
    def key(self) -> tuple[int, str, str]:
        return self.frame, self.zone, self.direction


class ScenePicture:
    """Collects what a picture of a whole recording needs, in bounded memory per person.

    Args:
        zones: of the recording's camera.
        times: of the recording, noted before its frames are watched.
    """

    def __init__(self, zones: Mapping[str, ZoneSettings], times: FrameTimes) -> None:
        self._zones = dict(zones)
        self._times = times
        self._paths: dict[int, list[_Foot]] = {}
        self._crossings: list[_Crossing] = []
        self._samples: list[UInt8] = []
        self._sample_every = 1
        self._frames = 0

    def watch(self, frame: Frame, step: Step) -> None:
        """Note one frame and what followed from it."""
        if frame.index >= self._frames:
            self._sample(frame)
            self._frames = frame.index + 1
        for people in step.tracked:
            width, height = people.size
            for track in people.tracks:
                if track.is_observed:
                    x1, _, x2, y2 = (float(v) for v in track.box_xyxy)
                    x, y = (x1 + x2) / 2, min(y2, height - 1.0)
                    point = (round(min(max(x, 0.0), width - 1.0)), round(y))
                    self._walk(track.track_id, _Foot(people.taken_at_s, point))
        for entry in step.entries:
            number = self._times.frame_of(entry.at_s)
            path = self._paths.get(entry.track_id, ())
            foot = min(path, key=lambda one: abs(one.at_s - entry.at_s), default=None)
            place = None if foot is None else foot.point
            self._crossings.append(_Crossing(number, entry.zone, entry.direction, place))

    def draw(self, truth: Truth | None, compared: Mapping[str, Any] | None) -> UInt8:
        """The picture.

        Args:
            truth: what really happened; None where nobody knows.
            compared: how the replay agrees with it, ``truth`` of its result.

        Returns:
            uint8 ``[H + rows, W, 3]``, BGR.
        """
        scene = self._empty_scene()
        thickness = round(2 * unit_of(scene.shape[0]))
        walked = scene.copy()
        for track_id, path in self._paths.items():
            points = np.array([foot.point for foot in path], np.int32)
            colour = _colour_of(track_id)
            cv2.polylines(walked, [points], False, colour, thickness, cv2.LINE_AA)
        cv2.addWeighted(walked, 0.75, scene, 0.25, 0.0, dst=scene)
        draw_zones(scene, self._zones)
        wrong = None if compared is None else _keys(compared["entries"]["wrong"])
        for crossing in self._crossings:
            _mark(scene, crossing, _verdict(crossing, wrong))
        rows = [self._row("counted", [(c.frame, c.direction, _verdict(c, wrong))
                                      for c in self._crossings])]  # fmt: skip
        if truth is not None and compared is not None:
            missed = _keys(compared["entries"]["missed"])
            ticks = [
                (e.frame, e.direction, MISSED if _take(missed, e.frame, e.zone, e.direction)
                 else RIGHT)
                for e in truth.entries
            ]  # fmt: skip
            rows.insert(0, self._row("true", ticks))
        return np.vstack([scene, *rows])

    def _sample(self, frame: Frame) -> None:
        """Keep pictures at even distances over however long the recording becomes."""
        if frame.index % self._sample_every == 0:
            self._samples.append(frame.frame_bgr.copy())
        if len(self._samples) > _SAMPLES:
            self._samples = self._samples[::2]
            self._sample_every *= 2

    def _empty_scene(self) -> UInt8:
        """The median over time: whoever moves is gone; darkened, so that what is drawn shows."""
        middle = np.sort(np.stack(self._samples), axis=0)[len(self._samples) // 2]
        return np.asarray(middle * 0.6, np.uint8)

    def _walk(self, track_id: int, foot: _Foot) -> None:
        path = self._paths.setdefault(track_id, [foot])
        if np.hypot(*np.subtract(foot.point, path[-1].point)) >= _STEP_PX:
            path.append(foot)

    def _row(self, name: str, ticks: Sequence[tuple[int, str, Colour]]) -> UInt8:
        """Ticks over time: in above the line, out below it."""
        height, width = self._samples[0].shape[:2]
        unit = unit_of(height)
        left, right, high = (round(px * unit) for px in (_BEGIN_PX, _END_PX, _ROW_PX))
        row = np.full((high, width, 3), 30, np.uint8)
        middle, thin = high // 2, round(unit)
        cv2.line(row, (left, middle), (width - right, middle), (90, 90, 90), thin)
        for frame, direction, colour in ticks:
            x = left + round(self._times.share(frame) * (width - left - right))
            end = 2 if direction == "in" else high - 3
            cv2.line(row, (x, middle), (x, end), colour, 2 * thin)
        seconds = round(self._times.length_s)
        below = middle + round(4 * unit)
        draw_text(row, name, (4, below), _TEXT, 0.4 * unit)
        draw_text(row, f"{seconds // 60}:{seconds % 60:02}", (width, below), _TEXT, 0.4 * unit)
        return row


def _keys(entries: Sequence[Mapping[str, Any]]) -> list[tuple[int, str, str]]:
    return [(e["frame"], e["zone"], e["direction"]) for e in entries]


def _take(keys: list[tuple[int, str, str]], *key: Any) -> bool:
    """Whether a key is among some; each of them answers once."""
    is_there = key in keys
    if is_there:
        keys.remove(key)
    return is_there


def _verdict(crossing: _Crossing, wrong: Sequence[tuple[int, str, str]] | None) -> Colour:
    if wrong is None:
        return COUNTED
    return WRONG if crossing.key in wrong else RIGHT


def _mark(picture_bgr: UInt8, crossing: _Crossing, colour: Colour) -> None:
    """A ring where somebody was counted, and which way."""
    if crossing.point is None:
        return
    x, y = crossing.point
    unit = unit_of(picture_bgr.shape[0])
    cv2.circle(picture_bgr, (x, y), round(6 * unit), colour, round(2 * unit), cv2.LINE_AA)
    place = (x + round(9 * unit), y + round(4 * unit))
    draw_text(picture_bgr, crossing.direction, place, colour, 0.4 * unit)


def _colour_of(track_id: int) -> Colour:
    """A colour for a person, far from the neighbours' (steps of the golden ratio in hue)."""
    red, green, blue = colorsys.hsv_to_rgb(track_id * 0.618034 % 1.0, 0.55, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)
