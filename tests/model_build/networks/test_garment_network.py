"""The garment network keeps the contract's shapes, and its backbone is NanoDet's."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from model_build.networks.garments import STRIDE, GarmentNetwork, cell_centres
from model_build.networks.shufflenet import ShuffleNetV2, load_nanodet_weights


def test_outputs_have_the_shapes_of_the_contract() -> None:
    boxes, scores, wears = GarmentNetwork().eval()(torch.rand(2, 3, 256, 128) * 255)
    cells = 16 * 8
    assert boxes.shape == (2, cells * 3, 4)
    assert scores.shape == (2, cells * 3, 3)
    assert wears.shape == (2, 15)
    assert ((wears >= 0) & (wears <= 1)).all()


def test_a_candidate_has_the_score_of_one_region_only() -> None:
    _, scores, _ = GarmentNetwork().eval()(torch.rand(1, 3, 128, 32) * 255)
    assert ((scores > 0).sum(2) == 1).all()


def test_boxes_surround_their_cell() -> None:
    boxes, _, _ = GarmentNetwork().eval().predict(torch.rand(1, 3, 128, 32) * 255)
    centres = cell_centres(8, 2)[:, None]
    assert (boxes[0, ..., :2] < centres).all()
    assert (boxes[0, ..., 2:] > centres).all()


def test_cell_centres_go_row_by_row() -> None:
    expected = [[8, 8], [24, 8], [8, 24], [24, 24]]
    assert cell_centres(2, 2).tolist() == expected
    assert STRIDE == 16


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    weight = numpy_helper.from_array(np.zeros((4, 3, 3, 3), np.float32), "weight")
    bias = numpy_helper.from_array(np.zeros(4, np.float32), "bias")
    node = helper.make_node("Conv", ["picture", "weight", "bias"], ["features"])
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        for name in ("picture", "features")
    ]
    graph = helper.make_graph([node], "other", ends[:1], ends[1:], [weight, bias])
    onnx.save(helper.make_model(graph), str(path))
    with pytest.raises(ValueError, match=r"convolution 0 has shape"):
        load_nanodet_weights(ShuffleNetV2(), path)


def test_published_weights_fit_and_give_finite_features(data_dir: Path) -> None:
    backbone = ShuffleNetV2()
    load_nanodet_weights(backbone, data_dir / "weights" / "nanodet_m_416.onnx")
    features = backbone(torch.randn(1, 3, 64, 64))
    assert [tuple(f.shape[1:]) for f in features] == [(116, 8, 8), (232, 4, 4), (464, 2, 2)]
    assert all(torch.isfinite(f).all() and f.abs().max() > 0 for f in features)
