"""Scenes of boxes, and a tracker that follows them."""

from collections.abc import Callable, Iterable

import numpy as np

from edge_app.config.schema import TrackingSettings
from edge_app.flow import Detections, TrackedFrame
from edge_app.tracking.tracker import Tracker

SIZE = (640, 360)
START_S = 1_700_000_000.0
Box = tuple[float, float, float, float]
Seen = list[tuple[Box, float]]


def person(x: float, top: float, height: float = 160.0) -> Box:
    """A box as the picture shows it."""
    width = 0.38 * height
    return (
        max(x - width / 2, 0.0),
        max(top, 0.0),
        min(x + width / 2, float(SIZE[0])),
        min(top + height, float(SIZE[1])),
    )


def as_detections(seen: Seen) -> Detections:
    return Detections(
        np.array([box for box, _ in seen], np.float32).reshape(-1, 4),
        np.array([score for _, score in seen], np.float32),
        np.zeros(len(seen), np.int64),
    )


def follow(
    scene: Callable[[float], Seen],
    seconds: float,
    fps: float = 10.0,
    tracker: Tracker | None = None,
    skip: Iterable[int] = (),
) -> list[TrackedFrame]:
    tracker = tracker or Tracker("door", TrackingSettings())
    left_out = set(skip)
    return [
        tracker.update(as_detections(scene(index / fps)), index, START_S + index / fps, SIZE)
        for index in range(round(seconds * fps))
        if index not in left_out
    ]


def ids(frames: list[TrackedFrame]) -> set[int]:
    return {track.track_id for frame in frames for track in frame.tracks}


def id_at(frame: TrackedFrame, x: float) -> int:
    """The observed track whose box is nearest to a place."""
    observed = [track for track in frame.tracks if track.is_observed]
    nearest = min(observed, key=lambda t: abs(float(t.box_xyxy[0] + t.box_xyxy[2]) / 2 - x))
    return nearest.track_id
