"""Put people into one frame, from the farthest to the nearest, and note what stays visible."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_app.capture.simulated.background import Background
from edge_app.capture.simulated.cloth import Floats, UInt8
from edge_app.capture.simulated.layout import Layout
from edge_app.capture.simulated.optics import Optics
from edge_app.capture.simulated.parts import COVER_LABEL, region_label
from edge_app.capture.simulated.person import Person
from edge_app.capture.simulated.solids import Canvas
from edge_app.capture.simulated.trolley import draw_trolley
from edge_app.capture.simulated.views import GarmentView, PersonView
from edge_app.capture.simulated.walk import Place
from edge_app.geometry import Box

_SMALLEST_PX = 4
"""Garments of which fewer pixels are seen are not annotated."""


@dataclass(frozen=True)
class _Note:
    """One drawn person: what :class:`PersonView` says, as far as known before others cover it."""

    number: int
    person: Person
    box_xyxy: Box
    own_px: int
    inside: float
    foot_xy: tuple[float, float]


class Stage:
    """One frame while people are drawn into it.

    Args:
        frame_bgr: uint8 [H, W, 3], the empty scene; drawn on in place.
        background: what hides people.
        optics: how people are lit.
        layout: the ground plan.
        annotate: whether :meth:`views` will be asked for.
    """

    def __init__(
        self,
        frame_bgr: UInt8,
        background: Background,
        optics: Optics,
        layout: Layout,
        annotate: bool,
    ) -> None:
        self._frame, self._background, self._optics = frame_bgr, background, optics
        self._camera = layout.camera
        # Which person (times 8) and which of its surfaces each pixel shows; below 8 nobody.
        self._owner = np.zeros(frame_bgr.shape[:2], np.uint16) if annotate else None
        self._notes: list[_Note] = []

    def add(self, number: int, person: Person, place: Place, umbrella: bool, trolley: bool) -> None:
        """Draw one person with shadow and belongings."""
        camera = self._camera
        window = self._window(person, place, umbrella or trolley)
        if window is None:
            return
        left, top, right, bottom = window
        foot = camera.project(np.array([place.x_m, 0.0, place.z_m]))
        below = self._frame[top:bottom, left:right]
        labels = np.zeros(below.shape[:2], np.uint8) if self._owner is not None else None
        canvas = Canvas(below.astype(np.float32), labels, left, top)
        light = self._optics.light_at(float(foot[0]), float(foot[1]), float(foot[2]))
        _shadow(canvas, self._optics.look.shadow, foot, camera.focal_px, camera.tilt_rad)
        walks_away = math.cos(place.heading_rad) > 0
        if trolley and walks_away:
            draw_trolley(canvas, camera, light, place)
        person.draw(canvas, camera, light, place, umbrella)
        if trolley and not walks_away:
            draw_trolley(canvas, camera, light, place)
        away_m = math.hypot(place.x_m - camera.x_m, place.z_m - camera.z_m)
        hidden = self._background.cover_range_m[top:bottom, left:right] < away_m
        drawn = np.clip(canvas.colours, 0, 255).astype(np.uint8)
        if hidden.any():
            drawn[hidden] = below[hidden]
        below[:] = drawn
        if labels is not None:
            self._note(number, person, place, foot, labels, hidden, (left, top))

    def _note(
        self,
        number: int,
        person: Person,
        place: Place,
        foot: Floats,
        labels: UInt8,
        hidden: NDArray[np.bool_],
        corner: tuple[int, int],
    ) -> None:
        if self._owner is None:
            return
        height, width = labels.shape
        owner = self._owner[corner[1] : corner[1] + height, corner[0] : corner[0] + width]
        is_cover = labels == COVER_LABEL
        is_own = (labels > 0) & ~is_cover
        owner[is_cover & ~hidden] = COVER_LABEL
        box = _bounds(is_own, corner)
        if box is None:
            return
        whole = self._whole(person, place)
        inside = min((box[3] - box[1]) / max(whole[3] - whole[1], 1.0), 1.0)
        inside *= min((box[2] - box[0]) / max(whole[2] - whole[0], 1.0), 1.0)
        self._notes.append(
            _Note(
                number,
                person,
                box,
                int(np.count_nonzero(is_own)),
                float(inside),
                (float(foot[0]), float(foot[1])),
            )
        )
        seen = is_own & ~hidden
        owner[seen] = np.uint16(len(self._notes) * 8) + labels[seen]

    def _window(self, person: Person, place: Place, wide: bool) -> tuple[int, int, int, int] | None:
        """The part of the picture that can hold a person; None if out of sight."""
        reach, tall = (1.15, 1.25) if wide else (0.62, 1.04)
        box = self._box(place, reach, person.body.height_m * tall)
        if box is None:
            return None
        height, width = self._frame.shape[:2]
        left, top = max(int(box[0]), 0), max(int(box[1]), 0)
        right, bottom = min(int(box[2]) + 1, width), min(int(box[3]) + 1, height)
        return (left, top, right, bottom) if right - left > 1 and bottom - top > 1 else None

    def _whole(self, person: Person, place: Place) -> Box:
        """About the person's box as if the picture had no edges."""
        return self._box(place, 0.16, person.body.height_m * 0.98) or (0.0, 0.0, 1.0, 1.0)

    def _box(self, place: Place, reach_m: float, tall_m: float) -> Box | None:
        corners = np.array(
            [
                (place.x_m + across * reach_m, up * tall_m, place.z_m + along * reach_m)
                for across in (-1, 1)
                for along in (-1, 1)
                for up in (0, 1)
            ]
        )
        seen = self._camera.project(corners)
        # Right under or behind the camera nothing can be drawn sensibly, nor seen.
        middle = self._camera.project(np.array([place.x_m, tall_m, place.z_m]))
        seen = seen[seen[:, 2] > 0.2]
        if float(middle[2]) < 0.35 or len(seen) == 0:
            return None
        low, high = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def views(self) -> tuple[PersonView, ...]:
        """What can be seen of everybody, once all are drawn."""
        if self._owner is None:
            return ()
        found = []
        for place, note in enumerate(self._notes, start=1):
            x1, y1, x2, y2 = (int(value) for value in note.box_xyxy)
            owner = self._owner[y1:y2, x1:x2]
            visible = int(np.count_nonzero(owner // 8 == place))
            if visible == 0:
                continue
            outfit = note.person.outfit
            garments = []
            for garment in outfit.garments:
                mask = owner == place * 8 + region_label(garment.region)
                box = _bounds(mask, (x1, y1))
                pixels = int(np.count_nonzero(mask))
                if box is not None and pixels >= _SMALLEST_PX:
                    garments.append(
                        GarmentView(garment.region, garment.category, garment.colour, box, pixels)
                    )
            found.append(
                PersonView(
                    note.number,
                    note.box_xyxy,
                    note.inside * visible / note.own_px,
                    note.inside,
                    note.foot_xy,
                    tuple(garments),
                    outfit.wears,
                )
            )
        return tuple(found)


def _bounds(mask: NDArray[np.bool_], corner: tuple[int, int]) -> Box | None:
    """The tight box of a mask, moved by the corner of its window; None if empty."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return None
    left, top = corner
    return (
        float(left + columns[0]),
        float(top + rows[0]),
        float(left + columns[-1] + 1),
        float(top + rows[-1] + 1),
    )


def _shadow(
    canvas: Canvas, strength: float, foot: Floats, focal_px: float, tilt_rad: float
) -> None:
    """Darken the floor under a person."""
    half_x = 0.36 * focal_px / float(foot[2])
    half_y = max(half_x * math.sin(tilt_rad) * 0.9, 1.0)
    window = canvas.window(
        (
            float(foot[0]) - half_x,
            float(foot[1]) - half_y,
            float(foot[0]) + half_x,
            float(foot[1]) + half_y,
        )
    )
    if window is None:
        return
    x1, y1, x2, y2 = window
    across = (np.arange(x1, x2, dtype=np.float32) + canvas.left - foot[0]) / np.float32(half_x)
    down = (np.arange(y1, y2, dtype=np.float32) + canvas.top - foot[1]) / np.float32(half_y)
    away = across[None, :] ** 2 + down[:, None] ** 2
    dark = 1 - np.float32(strength) * np.clip(1 - away, 0, 1) ** 1.3
    canvas.colours[y1:y2, x1:x2] *= dark[:, :, None]
