"""Frames full of clothes: made of held-out photos alone, and judged by who is seen in them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.flow import Detections
from model_build.data.clothing_dataset import GarmentPhoto
from model_build.data.published.annotated import DataError
from model_build.evaluate import clothes
from model_build.evaluate.clothes import evaluate_empty


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


def test_frames_are_of_held_out_photos_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images").mkdir()
    rows = ["image,sender_id,label,kids"]
    for number in range(60):
        path = tmp_path / "images" / f"{number}.jpg"
        photo = GarmentPhoto(path, str(number), "Shirt", ("shirt",))
        level = 200 if photo.is_held_out else 10
        cv2.imwrite(str(path), np.full((40, 30, 3), level, np.uint8))
        rows.append(f"{number},{number},Shirt,False")
    (tmp_path / "images.csv").write_text("\n".join(rows) + "\n")
    monkeypatch.setattr(clothes, "spoil", lambda picture, rng: picture)
    frames = list(clothes.clothes_frames(tmp_path))
    assert len(frames) >= 4
    assert all(frame.shape == (360, 640, 3) and frame.min() > 150 for frame in frames)


def test_the_frames_are_always_the_same(data_dir: Path) -> None:
    one, other = (clothes.clothes_frames(data_dir / "clothing-dataset") for _ in range(2))
    for _ in range(6):
        frame = next(one)
        assert frame.dtype == np.uint8
        assert np.array_equal(frame, next(other))


def test_no_frame_is_an_error() -> None:
    with pytest.raises(DataError, match="held-out photos"):
        evaluate_empty(SeesWhatIsBright(), iter(()))  # type: ignore[arg-type]
