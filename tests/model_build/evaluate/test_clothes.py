"""Frames full of clothes: made of held-out photos alone, and judged by who is seen in them."""

from pathlib import Path

import numpy as np
import pytest

from edge_app.flow import Detections
from model_build.evaluate.clothes import clothes_frames, evaluate_empty


class SeesWhatIsBright:
    """Stands in for a detector: the brighter a frame, the surer it is of somebody."""

    def detect(self, frames: list[np.ndarray]) -> list[Detections]:
        score = float(frames[0].mean()) / 255
        box = np.array([[10, 10, 60, 90]], np.float32)
        return [Detections(box, np.array([score], np.float32), np.zeros(1, np.int64))]


def test_somebody_in_an_empty_frame_is_counted_once_by_threshold() -> None:
    frames = [np.full((100, 100, 3), round(255 * level), np.uint8) for level in (0.2, 0.4, 0.6)]
    report = evaluate_empty(SeesWhatIsBright(), iter(frames))  # type: ignore[arg-type]
    assert report.figures["pictures"] == 3
    assert report.figures["frames_with_somebody/0.35"] == pytest.approx(2 / 3)
    assert report.figures["frames_with_somebody/0.5"] == pytest.approx(1 / 3)
    assert report.figures["frames_with_somebody/0.7"] == 0
    assert report.sheets["mistakes-false"] is not None


def test_photos_with_somebody_are_left_out_and_frames_repeat(data_dir: Path) -> None:
    folder = data_dir / "clothing-dataset"
    seen: list[np.ndarray] = []

    def sees_nobody(picture: np.ndarray) -> bool:
        seen.append(picture)
        return len(seen) % 2 == 0

    first = [next(frames) for frames in [clothes_frames(folder, sees_nobody)] for _ in range(6)]
    assert all(frame.shape == (360, 640, 3) and frame.dtype == np.uint8 for frame in first)
    # One photo, two, three; of each the frame and the spoilt one; every second photo is left out.
    assert len(seen) == 2 * (1 + 2 + 3)
    seen.clear()
    again = clothes_frames(folder, sees_nobody)
    assert all(np.array_equal(frame, next(again)) for frame in first)
