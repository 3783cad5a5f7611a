"""YOLOX-nano in torch says what the published file says."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from edge_app.errors import ModelError
from model_build.networks.yolox import YoloxNano, cells, decode, load_published


def test_equals_the_published_network(data_dir: Path) -> None:
    path = data_dir / "weights" / "yolox_nano_416.onnx"
    picture = np.random.default_rng(1).uniform(0, 255, (1, 3, 416, 416)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"images": picture})
    with torch.no_grad():
        raw = load_published(path).raw(torch.from_numpy(picture))
    np.testing.assert_allclose(raw[..., :4], expected[..., :4], atol=1e-3)
    np.testing.assert_allclose(raw[..., 4:].sigmoid(), expected[..., 4:6], atol=1e-4)


def test_another_network_is_refused(data_dir: Path) -> None:
    with pytest.raises(ModelError, match="convolutions of YOLOX-nano"):
        load_published(data_dir / "weights" / "nanodet_m_416.onnx")


def test_one_answer_per_cell_of_each_level() -> None:
    boxes, scores = YoloxNano().eval()(torch.zeros(2, 3, 64, 96))
    assert boxes.shape == (2, 8 * 12 + 4 * 6 + 2 * 3, 4)
    assert scores.shape == (2, 8 * 12 + 4 * 6 + 2 * 3, 1)


def test_decoding_places_boxes_around_the_cell() -> None:
    grid = cells(32, 32)
    raw = torch.zeros(1, len(grid), 6)
    raw[..., 0:2] = 0.5
    raw[..., 2] = float(np.log(2))
    boxes = decode(raw, grid)[0]
    first_of_stride_16 = 16
    assert boxes[0].tolist() == pytest.approx([-4, 0, 12, 8])
    assert boxes[first_of_stride_16].tolist() == pytest.approx([-8, 0, 24, 16])
