"""Annotated frames for ``--draw``: zones, tracked people, what they wear, what happened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from edge_app.config.schema import CameraSettings
from edge_app.draw import PERSON, draw_box, draw_text, draw_zones, save, unit_of
from edge_app.flow import Alert, Entry, Frame, Outfit, TrackedFrame, TrackKey, UInt8
from edge_app.pipeline import Step

_NEWS_S = 2.0
_UNSEEN = (160, 160, 160)
_NEWS = (60, 220, 255)


class Annotator:
    """Draws every frame with its people and the latest news, and saves it as a JPEG."""

    def __init__(self, folder: Path, cameras: dict[str, CameraSettings]) -> None:
        self._folder = folder
        self._cameras = cameras
        self._outfits: dict[TrackKey, Outfit] = {}
        self._news: list[tuple[float, str]] = []

    def save(self, frame: Frame, step: Step) -> None:
        """Draw one frame of a step.

        Raises:
            SourceError: the folder cannot be written.
        """
        self._note(frame, step)
        for people in step.tracked:
            if people.camera == frame.camera:
                drawn = self._draw(frame, people)
                save(drawn, self._folder / f"{frame.camera}-{frame.index:06d}.jpg")
                for track_id in people.ended:
                    self._outfits.pop((people.camera, track_id), None)

    def _note(self, frame: Frame, step: Step) -> None:
        self._outfits.update(step.outfits)
        for entry in step.entries:
            self._news.append((frame.taken_at_s, entry_in_words(entry)))
        for alert in step.alerts:
            self._news.append((frame.taken_at_s, alert_in_words(alert)))
        self._news = [news for news in self._news if news[0] > frame.taken_at_s - _NEWS_S]

    def _draw(self, frame: Frame, people: TrackedFrame) -> UInt8:
        drawn: UInt8 = np.array(frame.frame_bgr)
        draw_zones(drawn, self._cameras[frame.camera].zones)
        draw_people(drawn, people, self._outfits)
        unit = unit_of(drawn.shape[0])
        for i, (_, news) in enumerate(self._news):
            place = (6, drawn.shape[0] - round((10 + 20 * i) * unit))
            draw_text(drawn, news, place, _NEWS, 0.5 * unit)
        return drawn


def draw_people(
    picture_bgr: UInt8, people: TrackedFrame, outfits: Mapping[TrackKey, Outfit]
) -> None:
    """Draw everybody with their id, what they seem to wear, and a dot where they stand.

    Args:
        picture_bgr: uint8 ``[h, w, 3]``, changed in place.
        people: of this picture.
        outfits: as far as known.
    """
    for track in people.tracks:
        outfit = outfits.get((people.camera, track.track_id))
        words = [f"{track.track_id}", *([] if outfit is None else _wearing(outfit))]
        colour = PERSON if track.is_observed else _UNSEEN
        draw_box(picture_bgr, track.box_xyxy, colour, words)
        left, _, right, lower = (float(value) for value in track.box_xyxy)
        feet = round((left + right) / 2), round(lower)
        cv2.circle(picture_bgr, feet, max(len(picture_bgr) // 120, 3), colour, -1, cv2.LINE_AA)


def entry_in_words(entry: Entry) -> str:
    """A crossing as a line of news."""
    return f"{entry.direction}: {entry.zone}, person {entry.track_id}"


def alert_in_words(alert: Alert) -> str:
    """An alert as a line of news."""
    return f"ALERT {alert.rule}: {alert.garment} {alert.probability:.2f}"


def _wearing(outfit: Outfit) -> list[str]:
    """Lines such as ``dress 0.91``; while the vote is open, its best guesses as ``dress? 0.45``."""
    if outfit.is_settled:
        return [f"{worn.category} {worn.probability:.2f}" for worn in outfit.regions.values()]
    likely = sorted(outfit.wears.items(), key=lambda pair: -pair[1])[:2]
    return [f"{category}? {probability:.2f}" for category, probability in likely]
