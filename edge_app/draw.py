"""Drawing what Dresscode saw onto pictures, for the eyes of whoever aims or checks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from edge_app.config.schema import ZoneSettings
from edge_app.errors import SourceError
from edge_app.flow import Float32, UInt8

Colour = tuple[int, int, int]

PERSON: Colour = (80, 220, 80)
ZONE: Colour = (40, 170, 255)
REGION: dict[str, Colour] = {
    "top": (255, 160, 60),
    "bottom": (220, 90, 220),
    "long": (60, 90, 255),
}
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def unit_of(height: int) -> float:
    """By how much what is drawn grows with a picture, so that it can be read on a large one.

    Args:
        height: of the picture, pixels.

    >>> unit_of(270), unit_of(2160)
    (1.0, 3.0)
    """
    return max(height / 720, 1.0)


def draw_box(
    picture_bgr: UInt8,
    box_xyxy: Float32,
    colour: Colour,
    lines: Sequence[str] = (),
    is_below: bool = False,
) -> None:
    """Draw a box with lines of text onto a picture; a small box gets as many as fit into it.

    Args:
        picture_bgr: uint8 ``[h, w, 3]``, changed in place.
        box_xyxy: ``[4]``, pixels.
        colour: BGR.
        lines: ASCII text.
        is_below: the text ends at the box's lower edge instead of beginning at its upper one.
    """
    height = picture_bgr.shape[0]
    scale = max(height / 1100, 0.38)
    step = round(27 * scale)
    x1, y1, x2, y2 = (round(float(v)) for v in box_xyxy)
    cv2.rectangle(picture_bgr, (x1, y1), (x2, y2), colour, max(round(height / 400), 1))
    fitting = lines[: max((y2 - y1) // (2 * step), 0)]
    start = y2 - 4 - step * (len(fitting) - 1) if is_below else y1 + step
    for i, line in enumerate(fitting):
        draw_text(picture_bgr, line, (x1 + 3, start + i * step), colour, scale)


def draw_text(
    picture_bgr: UInt8, text: str, place: tuple[int, int], colour: Colour, scale: float
) -> None:
    """Write text on a dark ground, kept inside the picture.

    Args:
        picture_bgr: uint8 ``[h, w, 3]``, changed in place.
        text: ASCII.
        place: left end of the base line, pixels.
        colour: BGR.
        scale: of OpenCV's font.
    """
    height, width = picture_bgr.shape[:2]
    thickness = max(round(scale), 1)
    (text_width, text_height), below = cv2.getTextSize(text, _FONT, scale, thickness)
    x = min(max(place[0], 0), max(width - text_width, 0))
    y = min(max(place[1], text_height + 1), height - below)
    ground = picture_bgr[max(y - text_height - 1, 0) : y + below, x : x + text_width]
    ground //= 4
    cv2.putText(picture_bgr, text, (x, y), _FONT, scale, colour, thickness, cv2.LINE_AA)


def draw_zones(picture_bgr: UInt8, zones: Mapping[str, ZoneSettings]) -> None:
    """Draw the lines, with an arrow to where "in" is, and the areas of a camera."""
    height, width = picture_bgr.shape[:2]
    size = np.array([width, height])
    unit = unit_of(height)
    thickness = round(2 * unit)
    for name, zone in zones.items():
        if zone.line is not None:
            start, end = (np.array(point) * size for point in zone.line)
            middle, along = (start + end) / 2, end - start
            left_hand = np.array([along[1], -along[0]]) / max(float(np.hypot(*along)), 1.0)
            tip = middle + left_hand * height * 0.07
            cv2.line(picture_bgr, _pixel(start), _pixel(end), ZONE, thickness, cv2.LINE_AA)
            cv2.arrowedLine(picture_bgr, _pixel(middle), _pixel(tip), ZONE, thickness, cv2.LINE_AA)
            anchor = start
        else:
            corners = np.array(zone.area) * size
            points = [corners.astype(np.int32)]
            cv2.polylines(picture_bgr, points, True, ZONE, thickness, cv2.LINE_AA)
            anchor = corners[0]
        x, y = _pixel(anchor)
        draw_text(picture_bgr, name, (x, y - 4), ZONE, 0.45 * unit)


def save(picture_bgr: UInt8, path: Path) -> None:
    """Write a picture.

    Raises:
        SourceError: the folder cannot be written, or the ending is of no picture format.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_written = cv2.imwrite(str(path), picture_bgr)
    except (OSError, cv2.error) as error:
        raise SourceError(f"{path}: cannot write the picture: {error}") from error
    if not is_written:
        raise SourceError(f"{path}: cannot write the picture; is the folder writable?")


def _pixel(point: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
