"""The detector's loss: silent where the teacher is right, loud where it is wrong or forgotten."""

from pathlib import Path

import numpy as np
import pytest
import torch

from model_build.data.people import Scene
from model_build.networks.restore import blend
from model_build.networks.yolox import YoloxNano, cells, decode, load_published
from model_build.train import detector as training
from model_build.train.detector import (
    RememberingLoss,
    Weights,
    stack,
)
from model_build.train.overlap import pairwise_overlap


@pytest.fixture(scope="module")
def published(data_dir: Path) -> YoloxNano:
    return load_published(data_dir / "weights" / "yolox_nano_416.onnx")


@pytest.fixture
def loss(published: YoloxNano) -> RememberingLoss:
    return RememberingLoss(published, Weights())


def total(parts: dict[str, torch.Tensor]) -> float:
    return float(torch.stack(list(parts.values())).sum().detach())


def copy_of(network: YoloxNano) -> YoloxNano:
    copy = YoloxNano()
    copy.load_state_dict(network.state_dict())
    return copy


def scene(boxes: list[list[float]], is_complete: bool = True) -> Scene:
    height, width = training.SIZE_HW
    picture = np.random.default_rng(0).integers(60, 90, (height, width, 3)).astype(np.uint8)
    return Scene(
        picture,
        picture,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.zeros(len(boxes), bool),
        is_complete,
    )


def test_nothing_to_learn_from_an_empty_place(loss: RememberingLoss, published: YoloxNano) -> None:
    parts = loss(copy_of(published), stack([scene([])]))
    assert total(parts) == pytest.approx(0.0, abs=1e-3)


def test_a_person_nobody_sees_is_to_be_learnt(loss: RememberingLoss, published: YoloxNano) -> None:
    network = copy_of(published)
    parts = loss(network, stack([scene([[200, 60, 280, 300]])]))
    assert float(parts["box"].detach()) > 0.1
    torch.stack(list(parts.values())).sum().backward()
    towards = [head.object_logit.bias.grad for head in network.heads]
    assert sum(float(gradient) for gradient in towards if gradient is not None) < 0


def test_forgetting_costs(loss: RememberingLoss, published: YoloxNano) -> None:
    network = copy_of(published)
    with torch.no_grad():
        for head in network.heads:
            head.object_logit.bias += 3.0
    parts = loss(network, stack([scene([])]))
    assert float(parts["objectness"].detach()) > 0.05


def test_invented_people_are_contradicted(loss: RememberingLoss, published: YoloxNano) -> None:
    network = copy_of(published)
    with torch.no_grad():
        for head in network.heads:
            head.object_logit.bias += 20.0
            head.class_logit.bias += 20.0
    batch = stack([scene([], is_complete=False)])
    parts = loss(network, batch)
    assert float(parts["objectness"].detach()) > 100


class Answers(YoloxNano):
    """A network that says the same of every picture."""

    def __init__(self, raw: torch.Tensor) -> None:
        super().__init__()
        self.answer = raw

    def raw(self, images_bgr: torch.Tensor) -> torch.Tensor:
        return self.answer


def test_a_second_box_that_suppression_would_leave_is_contradicted() -> None:
    grid = cells(*training.SIZE_HW)
    raw = torch.full((1, len(grid), 6), 3.0)  # every cell is sure of a person
    raw[..., :2] = 0.5
    raw[..., 2:4] = torch.log(64 / grid[:, 2:3])  # of 64 x 64 px, in its middle
    person = [200.0, 100.0, 264.0, 164.0]
    overlap = pairwise_overlap(decode(raw, grid)[0], torch.tensor([person]))[:, 0]
    loss = RememberingLoss(Answers(raw.clone()), Weights())  # and so is the teacher
    raw.requires_grad_()
    parts = loss(Answers(raw), stack([scene([person])]))
    parts["objectness"].backward()
    assert raw.grad is not None
    push = raw.grad[0, :, 4]
    beside = (overlap > 0.42) & (overlap < 0.58)
    assert beside.any()
    assert (push[beside] > 0.9 * push.max()).all(), "as much as those far away"


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_blend_lies_between(share: float) -> None:
    torch.manual_seed(0)
    ours, theirs = YoloxNano(), YoloxNano()
    mixed = blend(ours, theirs, share).state_dict()
    name = "heads.1.stem.convolution.weight"
    expected = (1 - share) * ours.state_dict()[name] + share * theirs.state_dict()[name]
    torch.testing.assert_close(mixed[name], expected)
