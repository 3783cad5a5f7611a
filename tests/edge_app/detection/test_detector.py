"""The detector's boxes: in the picture's own pixels, suppressed, thresholded, finite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_app.detection.detector import Detector
from edge_app.errors import EngineError
from edge_app.flow import Float32, UInt8
from edge_app.inference.model import load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from tests.tiny_models import save_detector

WHITE = np.full((128, 256, 3), 255, np.uint8)
BLACK = np.zeros((128, 256, 3), np.uint8)


def detector(path: Path, boxes: list[list[float]], scores: list[float]) -> Detector:
    save_detector(path, np.array(boxes), np.array(scores)[:, None])
    model = load_model(path, "detector")
    return Detector(model, OpenVinoEngine(model, threads=1), min_score=0.3, max_iou=0.5)


def test_boxes_are_in_the_pictures_pixels(tmp_path: Path) -> None:
    found = detector(tmp_path / "d.onnx", [[10, 20, 30, 60]], [0.9]).detect([WHITE])[0]
    np.testing.assert_allclose(found.boxes_xyxy, [[20, 40, 60, 120]], rtol=1e-5)
    np.testing.assert_allclose(found.scores, [0.9], rtol=1e-3)
    assert found.wears is None


def test_boxes_are_clipped_to_the_picture(tmp_path: Path) -> None:
    found = detector(tmp_path / "d.onnx", [[-5, -5, 300, 90]], [0.9]).detect([WHITE])[0]
    np.testing.assert_allclose(found.boxes_xyxy, [[0, 0, 256, 128]])


def test_weak_boxes_and_doubles_are_dropped(tmp_path: Path) -> None:
    boxes = [[10, 10, 30, 60], [11, 10, 31, 60], [80, 10, 100, 60], [50, 10, 60, 60]]
    found = detector(tmp_path / "d.onnx", boxes, [0.6, 0.8, 0.5, 0.2]).detect([WHITE])[0]
    np.testing.assert_allclose(found.scores, [0.8, 0.5], rtol=1e-3)


def test_a_batch_of_pictures_of_different_sizes(tmp_path: Path) -> None:
    both = detector(tmp_path / "d.onnx", [[10, 20, 30, 60]], [0.9])
    small = np.full((64, 64, 3), 255, np.uint8)
    first, second, third = both.detect([WHITE, BLACK, small])
    assert (len(first), len(second)) == (1, 0)
    np.testing.assert_allclose(third.boxes_xyxy, [[10, 20, 30, 60]], rtol=1e-5)


def test_no_pictures_no_call(tmp_path: Path) -> None:
    assert detector(tmp_path / "d.onnx", [[1, 1, 9, 9]], [0.9]).detect([]) == []


class _Broken:
    """An engine whose network overflows."""

    def infer(self, batch_nhwc: UInt8) -> dict[str, Float32]:
        n = len(batch_nhwc)
        return {
            "boxes": np.full((n, 1, 4), np.nan, np.float32),
            "scores": np.ones((n, 1, 1), np.float32),
        }

    def close(self) -> None:
        """Nothing to free."""


def test_numbers_that_are_not_finite_are_an_error_not_a_result(tmp_path: Path) -> None:
    path = save_detector(tmp_path / "d.onnx", np.array([[1, 1, 9, 9]]), np.array([[0.9]]))
    broken = Detector(load_model(path, "detector"), _Broken(), 0.3, 0.5)
    with pytest.raises(EngineError, match="not finite"):
        broken.detect([WHITE])
