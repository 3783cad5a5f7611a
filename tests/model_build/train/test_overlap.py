"""Overlaps of boxes whose areas can be counted by hand."""

import pytest
import torch

from model_build.train.overlap import aligned_overlap, generalised_overlap, pairwise_overlap


def test_boxes_pair_by_pair() -> None:
    ours = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 2, 2]])
    theirs = torch.tensor([[0.0, 0, 10, 5], [20, 0, 30, 10], [1, 0, 3, 2]])
    assert aligned_overlap(ours, theirs).tolist() == pytest.approx([0.5, 0.0, 1 / 3])
    assert generalised_overlap(ours, theirs).tolist() == pytest.approx([0.5, -1 / 3, 1 / 3])


def test_every_pair() -> None:
    a = torch.tensor([[0.0, 0, 2, 2]])
    b = torch.tensor([[1.0, 0, 3, 2], [5, 5, 6, 6], [0, 0, 2, 2]])
    assert torch.allclose(pairwise_overlap(a, b), torch.tensor([[1 / 3, 0, 1]]))
