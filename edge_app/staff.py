"""The staff's uniform: from a folder of pictures to what the outfit stage compares people with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.capture.replay import picture_paths, read_picture
from edge_app.config.schema import StaffSettings
from edge_app.detection.detector import Detector
from edge_app.errors import SourceError
from edge_app.flow import Detections, UInt8
from edge_app.geometry import area, widen
from edge_app.outfit.crops import MARGIN
from edge_app.outfit.garments import Looker
from edge_app.outfit.uniform import Uniform, clothes_of

log = logging.getLogger(__name__)

SURE_PERSON = 0.5
"""A weaker box in an example picture is no person."""


def open_uniform(
    settings: StaffSettings,
    people: Detector,
    looker: Looker,
    tell: Callable[[str], None] = log.warning,
) -> Uniform | None:
    """The staff's uniform, from a folder of example pictures; only embeddings of them are kept.

    In each picture the largest person counts, or the whole picture where nobody is found: a cut-out
    of somebody from the store's own camera. A picture that cannot be used is told of and passed
    over: whoever puts one there must not stop the counting at the next start.

    Args:
        settings: where the pictures lie.
        people: finds people in pictures.
        looker: finds garments on people.
        tell: of each picture that is of no use and why, and of there being no other.

    Returns:
        None where no folder is named, or it has no picture that can be used.

    Raises:
        EngineError: a network failed.
    """
    if settings.uniform is None:
        return None
    examples = []
    for path in _paths(settings.uniform, tell):
        try:
            picture = read_picture(path)
        except SourceError as error:
            tell(f"staff.uniform: not used: {error}")
            continue
        box = _largest_person(people.detect([picture])[0], picture)
        (look,) = looker.look([(picture, box)], [1.0])
        clothes = clothes_of(picture, look)
        if clothes is None:
            tell(f"staff.uniform: not used: {path}: no clothes are found in it")
        else:
            examples.append(clothes)
    if not examples:
        tell(
            f"staff.uniform: expected pictures of people in uniform in {settings.uniform}, got "
            "none that can be used, so that staff count as customers; cut some out of the "
            "camera's view"
        )
        return None
    return Uniform(examples, settings.min_similarity)


def _paths(folder: Path, tell: Callable[[str], None]) -> list[Path]:
    try:
        return picture_paths(folder)
    except OSError as error:
        tell(f"staff.uniform: {folder} cannot be looked into: {error.strerror}")
        return []


def _largest_person(people: Detections, picture_bgr: UInt8) -> npt.NDArray[np.int64]:
    """The box of the largest sure person with a margin, or of the whole picture."""
    height, width = picture_bgr.shape[:2]
    sure = people[people.scores >= SURE_PERSON]
    if not len(sure):
        return np.array([0, 0, width, height], np.int64)
    largest = np.argmax(area(sure.boxes_xyxy), keepdims=True)
    box: npt.NDArray[np.int64] = widen(sure.boxes_xyxy[largest], MARGIN, (width, height))[0]
    return box
