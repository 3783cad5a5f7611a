"""Partial labels accept each of their categories; prototypes are placed."""

import pytest
import torch

from model_build.networks.classifier import GarmentClassifier
from model_build.train.classifier import (
    PieceBatch,
    partial_cross_entropy,
    place_prototypes,
)


def _logits(*certain: int) -> torch.Tensor:
    logits = torch.full((1, 15), -20.0)
    logits[0, list(certain)] = 0.0
    return logits


@pytest.mark.parametrize("named", [(6,), (7,), (6, 7)], ids=["jacket", "coat", "undecided"])
def test_any_allowed_category_costs_the_same(named: tuple[int, ...]) -> None:
    allowed = torch.zeros(1, 15, dtype=torch.bool)
    allowed[0, [6, 7]] = True
    right = partial_cross_entropy(_logits(*named), allowed)
    wrong = partial_cross_entropy(_logits(2), allowed)
    assert right.item() < 1.1
    assert wrong.item() > 15


def test_prototypes_move_to_the_garments_of_their_category() -> None:
    torch.manual_seed(0)
    network = GarmentClassifier()
    before = network.prototypes.detach().clone()
    crops = torch.randint(0, 255, (6, 64, 64, 3), dtype=torch.uint8)
    allowed = torch.zeros(6, 15, dtype=torch.bool)
    allowed[[0, 1, 2, 3], [0, 0, 1, 1]] = True
    allowed[4, [0, 1]] = allowed[5, [6, 7]] = True
    place_prototypes(
        network, [PieceBatch(crops[:3], allowed[:3]), PieceBatch(crops[3:], allowed[3:])]
    )
    with torch.no_grad():
        _, embedding = network(crops.float().permute(0, 3, 1, 2))
    torch.testing.assert_close(network.prototypes[0], embedding[0] + embedding[1])
    torch.testing.assert_close(network.prototypes[1], embedding[2] + embedding[3])
    assert torch.equal(network.prototypes[2:], before[2:])
