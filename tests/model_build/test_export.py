"""Model files keep the contract: cast first, best candidates first, any batch size, metadata."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from edge_app.errors import ModelError
from edge_app.inference.model import load_model
from model_build.export import (
    Card,
    ClassifierGraph,
    DetectorGraph,
    export_classifier,
    export_detector,
    largest_difference,
)

CARD = Card("detector", "1.2.3", ("person",), "Apache-2.0", "nothing", {"ap50": 0.5})


class BrightCells(nn.Module):
    """Scores each 8x8 cell by its mean blue; boxes are the cells."""

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        blue = nn.functional.avg_pool2d(planes[:, :1], 8) / 255
        rows, columns = blue.shape[-2:]
        y, x = torch.meshgrid(torch.arange(rows) * 8.0, torch.arange(columns) * 8.0, indexing="ij")
        boxes = torch.stack((x, y, x + 8, y + 8), -1).reshape(1, -1, 4)
        return boxes.expand(planes.shape[0], -1, -1), blue.flatten(2).transpose(1, 2)


class MeanColour(nn.Module):
    """Embedding: the unit vector of the mean colour; probabilities: its squares."""

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        unit = nn.functional.normalize(planes.mean((2, 3)), dim=1)
        return unit**2, unit


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 32, 64, 3), np.uint8)


@pytest.fixture
def detector_file(tmp_path: Path) -> Path:
    path = tmp_path / "detector.onnx"
    export_detector(BrightCells(), (32, 64), path, CARD, candidates=5)
    return path


def test_cast_is_the_first_node(detector_file: Path) -> None:
    graph = onnx.load(str(detector_file)).graph
    assert graph.node[0].op_type == "Cast"
    assert graph.node[0].input[0] == "images"


def test_best_candidates_come_first(detector_file: Path, pictures: np.ndarray) -> None:
    session = onnxruntime.InferenceSession(str(detector_file))
    boxes, scores = session.run(["boxes", "scores"], {"images": pictures})
    blue = pictures[..., 0].reshape(3, 4, 8, 8, 8).mean((2, 4)) / 255
    assert boxes.shape == (3, 5, 4)
    np.testing.assert_allclose(scores[..., 0], -np.sort(-blue.reshape(3, -1))[:, :5], atol=1e-5)
    best = int(blue[1].argmax())
    np.testing.assert_allclose(boxes[1, 0, :2], [best % 8 * 8, best // 8 * 8])


@pytest.mark.parametrize("count", [1, 2, 5])
def test_any_number_of_pictures(detector_file: Path, count: int) -> None:
    session = onnxruntime.InferenceSession(str(detector_file))
    boxes, _ = session.run(None, {"images": np.zeros((count, 32, 64, 3), np.uint8)})
    assert boxes.shape == (count, 5, 4)


def test_the_application_accepts_the_file(detector_file: Path) -> None:
    model = load_model(detector_file, "detector")
    assert model.input_size == (64, 32)
    assert model.version == "1.2.3"


def test_metadata_is_complete(detector_file: Path) -> None:
    found = {p.key: p.value for p in onnx.load(str(detector_file)).metadata_props}
    assert json.loads(found["labels"]) == ["person"]
    assert json.loads(found["metrics"]) == {"ap50": 0.5}
    assert set(found) == {"task", "version", "labels", "license", "training_data", "metrics"}


def test_openvino_equals_torch(detector_file: Path, pictures: np.ndarray) -> None:
    differences = largest_difference(DetectorGraph(BrightCells(), 5), detector_file, pictures)
    assert set(differences) == {"boxes", "scores"}
    assert max(differences.values()) < 1e-5


def test_a_different_network_is_noticed(detector_file: Path, pictures: np.ndarray) -> None:
    class Dimmer(BrightCells):
        def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
            boxes, scores = super().forward(planes)
            return boxes, scores * 0.9

    differences = largest_difference(DetectorGraph(Dimmer(), 5), detector_file, pictures)
    assert differences["scores"] > 0.01


def test_classifier_file_equals_torch(tmp_path: Path, pictures: np.ndarray) -> None:
    path = tmp_path / "classifier.onnx"
    export_classifier(MeanColour(), (32, 64), path, CARD)
    differences = largest_difference(ClassifierGraph(MeanColour()), path, pictures)
    assert set(differences) == {"probabilities", "embedding"}
    assert max(differences.values()) < 1e-5


def test_a_graph_that_does_not_cast_first_is_refused(tmp_path: Path) -> None:
    class Blind(nn.Module):
        def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
            return torch.ones(2, 9, 4), torch.rand(2, 9, 1)

    with pytest.raises(ModelError, match="expected Cast"):
        export_detector(Blind(), (32, 64), tmp_path / "bad.onnx", CARD, candidates=5)
