"""The staff's uniform: from a folder of pictures to what the outfit stage compares people with."""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt

from edge_app.capture.replay import picture_paths, read_picture
from edge_app.config.schema import StaffSettings
from edge_app.detection.detector import Detector
from edge_app.errors import ConfigError
from edge_app.flow import Detections, UInt8
from edge_app.geometry import area, widen
from edge_app.outfit.crops import MARGIN
from edge_app.outfit.garments import Looker
from edge_app.outfit.uniform import Uniform, clothes_of

log = logging.getLogger(__name__)

SURE_PERSON = 0.5
"""A weaker box in an example picture is no person."""


def open_uniform(settings: StaffSettings, people: Detector, looker: Looker) -> Uniform | None:
    """The staff's uniform, from a folder of example pictures; only embeddings of them are kept.

    In each picture the largest person counts, or the whole picture where nobody is found: a cut-out
    of somebody from the store's own camera.

    Args:
        settings: where the pictures lie.
        people: finds people in pictures.
        looker: finds garments on people.

    Returns:
        None where no folder is named.

    Raises:
        ConfigError: there is no picture that shows clothes.
        SourceError: a picture cannot be decoded.
        EngineError: a network failed.
    """
    if settings.uniform is None:
        return None
    paths = picture_paths(settings.uniform) if settings.uniform.is_dir() else []
    examples = []
    for path in paths:
        picture = read_picture(path)
        box = _largest_person(people.detect([picture])[0], picture)
        (look,) = looker.look([(picture, box)], [1.0])
        clothes = clothes_of(picture, look)
        if clothes is None:
            log.warning("staff.uniform: no clothes are found in %s; it is not used", path)
        else:
            examples.append(clothes)
    if not examples:
        raise ConfigError(
            [
                f"staff.uniform: expected pictures of people in uniform in {settings.uniform}, got "
                f"{len(paths)} pictures and no clothes in them; cut them out of the camera's view"
            ]
        )
    return Uniform(examples, settings.min_similarity)


def _largest_person(people: Detections, picture_bgr: UInt8) -> npt.NDArray[np.int64]:
    """The box of the largest sure person with a margin, or of the whole picture."""
    height, width = picture_bgr.shape[:2]
    sure = people[people.scores >= SURE_PERSON]
    if not len(sure):
        return np.array([0, 0, width, height], np.int64)
    largest = np.argmax(area(sure.boxes_xyxy), keepdims=True)
    box: npt.NDArray[np.int64] = widen(sure.boxes_xyxy[largest], MARGIN, (width, height))[0]
    return box
