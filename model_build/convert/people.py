"""People in pictures of garments, found by the shipped detector where the data set has none."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from edge_app.config.schema import InferenceSettings
from edge_app.detection.detector import Detector
from edge_app.inference.choose import open_engine, open_model
from model_build.data.published.annotated import Annotated

_MIN_SCORE = 0.4
_MAX_IOU = 0.6


class PeopleFinder:
    """Adds the boxes of people to pictures."""

    def __init__(self) -> None:
        settings = InferenceSettings(device="cpu")
        model = open_model(settings, "detector")
        self._detector = Detector(model, open_engine(settings, model), _MIN_SCORE, _MAX_IOU)

    def add(self, photo: Annotated) -> Annotated:
        """The picture with the people that are seen in it, best first.

        Only a picture of which every garment is told needs them: there a person's crop can be
        labelled as a whole.
        """
        if photo.people or not photo.is_complete:
            return photo
        picture = cv2.imread(str(photo.picture), cv2.IMREAD_COLOR)
        if picture is None:
            return photo
        (found,) = self._detector.detect([np.asarray(picture, np.uint8)])
        people = tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in found.boxes_xyxy.tolist())
        return dataclasses.replace(photo, people=people)
