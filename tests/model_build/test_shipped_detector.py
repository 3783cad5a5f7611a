"""The shipped person detector: keeps the contract, and finds the people of the recordings."""

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from edge_app.detection.detector import Detector
from edge_app.inference.model import load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.inference.preprocess import letterbox
from edge_app.inference.silent_openvino import CORE


@pytest.fixture(scope="module")
def path(root: Path) -> Path:
    return root / "edge_app" / "models" / "detector.onnx"


def read_frames(clip: Path, numbers: list[int]) -> list[np.ndarray]:
    recording = cv2.VideoCapture(str(clip))
    frames = []
    for number in range(max(numbers) + 1):
        is_read, frame = recording.read()
        assert is_read
        if number in numbers:
            frames.append(frame)
    return frames


def test_it_keeps_the_contract(path: Path) -> None:
    model = load_model(path, "detector")
    graph = onnx.load(str(path))
    assert model.labels == ("person",)
    assert graph.graph.node[0].op_type == "Cast"
    assert graph.opset_import[0].version == 17
    width, height = model.input_size
    assert width * height <= 416 * 416  # no dearer than YOLOX-nano


def test_its_card_tells_where_it_comes_from(path: Path) -> None:
    facts = {p.key: p.value for p in onnx.load(str(path)).metadata_props}
    assert facts["license"] == "Apache-2.0"
    assert "YOLOX-nano" in facts["training_data"]
    assert json.loads(facts["metrics"])["street_ap50"] > 0.9


def test_runtimes_agree(path: Path, clips_dir: Path) -> None:
    width, height = load_model(path, "detector").input_size
    batch = np.empty((2, height, width, 3), np.uint8)
    for canvas, frame in zip(
        batch, read_frames(clips_dir / "hall-dress.mp4", [3, 20]), strict=True
    ):
        letterbox(frame, canvas)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    boxes, scores = session.run(["boxes", "scores"], {"images": batch})
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    found = CORE.compile_model(str(path), "CPU", settings)(batch)
    sure = scores[..., 0] > 0.05
    assert sure.any()
    np.testing.assert_allclose(found["scores"], scores, atol=1e-4)
    np.testing.assert_allclose(found["boxes"][sure], boxes[sure], atol=0.05)


@pytest.mark.parametrize(
    ("clip", "people"),
    [
        ("hall-dress.mp4", {0: 2, 12: 2, 30: 2}),
        ("store-aisle.mp4", {2: 2, 12: 2, 26: 3, 60: 3}),
        ("worker-zone.mp4", {3: 1, 20: 1, 60: 1}),
        ("one-by-one-person.mp4", {50: 0, 64: 1, 120: 1, 210: 0, 231: 1, 300: 1}),
    ],
)
def test_it_finds_the_people_of_the_recordings(
    path: Path, clips_dir: Path, clip: str, people: dict[int, int]
) -> None:
    model = load_model(path, "detector")
    detector = Detector(model, OpenVinoEngine(model, threads=1), min_score=0.35, max_iou=0.6)
    frames = read_frames(clips_dir / clip, list(people))
    found = [len(detections) for detections in detector.detect(frames)]
    assert found == list(people.values())
