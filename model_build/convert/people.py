"""People in pictures of garments, found by the shipped detector where the data set has none."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from edge_app.config.schema import InferenceSettings
from edge_app.detection.detector import Detector
from edge_app.inference.choose import open_engine, open_model
from model_build.data.published.annotated import Annotated, DataError

_MIN_SCORE = 0.4
_MAX_IOU = 0.6


def need_people(photo: Annotated) -> bool:
    """Whether a picture is to be searched: a person can be labelled only as a whole."""
    return photo.is_complete and not photo.people


class PeopleFinder:
    """Adds the boxes of people to pictures."""

    def __init__(self) -> None:
        settings = InferenceSettings(device="cpu")
        model = open_model(settings, "detector")
        self._detector = Detector(model, open_engine(settings, model), _MIN_SCORE, _MAX_IOU)

    def add(self, photo: Annotated) -> Annotated:
        """The picture with the people that are seen in it, best first.

        Raises:
            DataError: the picture cannot be read any more.
        """
        picture = cv2.imread(str(photo.picture), cv2.IMREAD_COLOR)
        if picture is None:
            raise DataError(f"{photo.picture}: not a readable picture")
        (found,) = self._detector.detect([np.asarray(picture, np.uint8)])
        people = tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in found.boxes_xyxy.tolist())
        return dataclasses.replace(photo, people=people)
