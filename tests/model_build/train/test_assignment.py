"""SimOTA: who answers for whom."""

import torch

from model_build.networks.yolox import cells
from model_build.train.assignment import assign
from model_build.train.overlap import pairwise_overlap

GRID = cells(64, 64)


def _boxes_like_cells(size: float) -> torch.Tensor:
    centre = GRID[:, :2] + GRID[:, 2:] / 2
    return torch.cat((centre - size / 2, centre + size / 2), 1)


def test_overlap_of_known_boxes() -> None:
    a = torch.tensor([[0.0, 0, 2, 2]])
    b = torch.tensor([[1.0, 0, 3, 2], [5, 5, 6, 6], [0, 0, 2, 2]])
    assert torch.allclose(pairwise_overlap(a, b), torch.tensor([[1 / 3, 0, 1]]))


def test_nobody_is_nobodys() -> None:
    owner, overlap = assign(GRID, _boxes_like_cells(16), torch.ones(len(GRID)), torch.zeros(0, 4))
    assert (owner == -1).all()
    assert (overlap == 0).all()


def test_two_people_get_cells_of_their_own() -> None:
    people = torch.tensor([[2.0, 2, 22, 30], [40, 30, 60, 62]])
    boxes = _boxes_like_cells(20)
    owner, overlap = assign(GRID, boxes, torch.full((len(GRID),), 0.5), people)
    centre = GRID[:, :2] + GRID[:, 2:] / 2
    for person, box in enumerate(people):
        mine = owner == person
        assert mine.any()
        assert ((centre[mine] > box[:2]) & (centre[mine] < box[2:])).all()
        assert torch.allclose(overlap[mine], pairwise_overlap(boxes[mine], box[None])[:, 0])


def test_the_surer_of_two_equal_cells_wins() -> None:
    person = torch.tensor([[16.0, 16, 48, 48]])
    boxes = person.expand(len(GRID), 4).clone()
    boxes[:, 2:] += 200.0  # all the same poor fit, so that one cell is wanted
    scores = torch.full((len(GRID),), 0.1)
    centre = GRID[:, :2] + GRID[:, 2:] / 2
    sure = int(((centre - 28.0).abs().sum(1) + (GRID[:, 2] != 8) * 99).argmin())
    scores[sure] = 0.9
    owner, _ = assign(GRID, boxes, scores, person)
    assert torch.nonzero(owner == 0).flatten().tolist() == [sure]


def test_a_person_smaller_than_a_cell_is_not_lost() -> None:
    owner, _ = assign(
        GRID, _boxes_like_cells(8), torch.ones(len(GRID)), torch.tensor([[9.0, 9, 11, 12]])
    )
    assert (owner == 0).any()
