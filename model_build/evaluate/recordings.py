"""Frames of the recordings in the data folder, with boxes checked by eye: for judging only.

The frames are those in which people come, go and overlap, the hardest ones of each clip. Boxes
hold what can be seen of a person; `ignored` people are hidden or blurred too much to ask for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_app.errors import SourceError
from model_build.data.people import spoil
from model_build.evaluate.detection import Truth

_BOXES = Path(__file__).with_name("recordings.json")
_SPOILT_TIMES = 3


def recording_truths(clips: Path, is_spoilt: bool) -> Iterator[Truth]:
    """The labelled frames as they are, or each spoilt three times, always the same.

    Raises:
        SourceError: a clip is missing or shorter than its labels.
    """
    rng = np.random.default_rng(5)
    for name, labelled in json.loads(_BOXES.read_text(encoding="utf-8")).items():
        recording = cv2.VideoCapture(str(clips / name))
        by_number = {entry["frame"]: entry for entry in labelled}
        for number in range(max(by_number) + 1):
            is_read, frame = recording.read()
            if not is_read:
                raise SourceError(f"{clips / name}: expected a frame {number}, could not read it")
            if number not in by_number:
                continue
            boxes = np.array(by_number[number]["boxes"], np.float32).reshape(-1, 4)
            is_ignored = np.array(by_number[number]["ignored"], bool)
            picture = np.asarray(frame, np.uint8)
            for _ in range(_SPOILT_TIMES if is_spoilt else 1):
                shown = spoil(picture, rng) if is_spoilt else picture
                yield Truth(shown, boxes, is_ignored)
