"""The garment network keeps the contract's shapes."""

import torch

from model_build.networks.garments import STRIDE, GarmentNetwork, cell_centres


def test_outputs_have_the_shapes_of_the_contract() -> None:
    boxes, scores, wears = GarmentNetwork().eval()(torch.rand(2, 3, 256, 128) * 255)
    cells = 16 * 8
    assert boxes.shape == (2, cells * 6, 4)
    assert scores.shape == (2, cells * 6, 3)
    assert wears.shape == (2, 15)
    assert ((wears >= 0) & (wears <= 1)).all()


def test_a_candidate_has_the_score_of_one_region_only() -> None:
    _, scores, _ = GarmentNetwork().eval()(torch.rand(1, 3, 128, 32) * 255)
    assert ((scores > 0).sum(2) == 1).all()


def test_a_new_network_begins_with_two_like_boxes_of_which_one_is_rarely_meant() -> None:
    boxes, logits, _ = GarmentNetwork().eval().predict(torch.rand(1, 3, 128, 32) * 255)
    assert torch.equal(boxes[:, :, :3], boxes[:, :, 3:])
    assert (logits[:, :, 3:] < logits[:, :, :3] - 2).all()


def test_boxes_surround_their_cell() -> None:
    boxes, _, _ = GarmentNetwork().eval().predict(torch.rand(1, 3, 128, 32) * 255)
    centres = cell_centres(8, 2)[:, None]
    assert (boxes[0, ..., :2] < centres).all()
    assert (boxes[0, ..., 2:] > centres).all()


def test_cell_centres_go_row_by_row() -> None:
    expected = [[8, 8], [24, 8], [8, 24], [24, 24]]
    assert cell_centres(2, 2).tolist() == expected
    assert STRIDE == 16
