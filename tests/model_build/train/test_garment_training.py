"""The garment losses point the right way; a run that was stopped ends like one that was not."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from model_build.data.garment_crops import CropSample
from model_build.networks.garments import STRIDE, GarmentNetwork, cell_centres
from model_build.train.checkpoint import load_averaged
from model_build.train.fitting import Run, Schedule
from model_build.train.garments import box_losses, losses, stack, train


def _sample(boxes: list[list[float]], regions: list[int], has_boxes: bool = True) -> CropSample:
    rng = np.random.default_rng(0)
    return CropSample(
        crop=rng.integers(0, 255, (128, 64, 3)).astype(np.uint8),
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        regions=np.array(regions, np.int64),
        has_boxes=has_boxes,
        wears=np.eye(15, dtype=np.float32)[3],
    )


class _Fixed:
    """A source of one sample with a little noise."""

    def __len__(self) -> int:
        return 4

    def hard(self, position: int, rng: np.random.Generator) -> CropSample:
        sample = _sample([[4, 8, 28, 40]], [0])
        noise = rng.integers(0, 20, sample.crop.shape).astype(np.uint8)
        return CropSample(
            sample.crop // 2 + noise, sample.boxes, sample.regions, True, sample.wears
        )


def _perfect(boxes: list[list[float]], regions: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions that fit: every cell inside a box says that box, and nothing else."""
    centres = cell_centres(8, 4)
    predicted = torch.cat((centres - STRIDE / 2, centres + STRIDE / 2), 1)
    predicted = predicted[:, None].repeat(1, 6, 1)
    logits = torch.full((len(centres), 6), -12.0)
    for box, region in zip(torch.tensor(boxes).float(), regions, strict=True):
        middle = (box[:2] + box[2:]) / 2
        near = (centres - middle).abs().amax(1) < 1.5 * STRIDE
        inside = (centres > box[:2]).all(1) & (centres < box[2:]).all(1)
        predicted[near & inside, region] = box
        logits[near & inside, region] = 12.0
    return predicted[None], logits[None]


def test_perfect_predictions_cost_next_to_nothing() -> None:
    truth: list[list[float]] = [[2, 2, 30, 30], [0, 30, 32, 62]]
    batch = stack([_sample(truth, [0, 1])])
    score_loss, box_loss = box_losses(*_perfect(truth, [0, 1]), batch)
    assert score_loss.item() < 1e-3
    assert box_loss.item() < 1e-3


@pytest.mark.parametrize("region", [1, 2])
def test_the_wrong_region_costs(region: int) -> None:
    truth: list[list[float]] = [[2, 2, 30, 30]]
    batch = stack([_sample(truth, [0])])
    score_loss, _ = box_losses(*_perfect(truth, [region]), batch)
    assert score_loss.item() > 1.0


def test_a_sample_without_known_boxes_asks_for_none() -> None:
    batch = stack([_sample([], [], has_boxes=False)])
    score_loss, box_loss = box_losses(*_perfect([[2, 2, 30, 30]], [0]), batch)
    assert score_loss.item() == 0.0
    assert box_loss.item() == 0.0


def test_an_unsure_region_asks_for_nothing_and_the_others_still_do() -> None:
    truth: list[list[float]] = [[2, 2, 30, 30]]
    said = _perfect([[2, 2, 30, 30], [0, 30, 32, 62]], [1, 2])
    for unsure, is_asked in (((), True), ((0, 1), True), ((1, 2), True), ((0, 1, 2), False)):
        sample = dataclasses.replace(_sample(truth, [1]), unsure_regions=unsure)
        score_loss, _ = box_losses(*said, stack([sample]))
        wrong = score_loss.item() > 1.0
        assert wrong == (is_asked and 2 not in unsure), unsure


def test_the_largest_garment_of_a_region_has_the_first_layer_and_another_the_second() -> None:
    under, over, trousers = [4.0, 4, 28, 30], [2.0, 2, 30, 34], [0.0, 30, 32, 62]
    batch = stack([_sample([under, over, trousers], [0, 0, 1])])
    boxes, logits = _perfect([over, trousers], [0, 1])
    second_boxes, second_logits = _perfect([under], [0])
    _, missed = box_losses(boxes, logits, batch)
    boxes[:, :, 3:], logits[:, :, 3:] = second_boxes[:, :, :3], second_logits[:, :, :3]
    found, apart = box_losses(boxes, logits, batch)
    assert found.item() < 1e-3
    assert apart.item() < 1e-3
    assert missed.item() > 0.2


def test_garments_of_the_same_size_do_not_share_a_layer() -> None:
    same = [2.0, 2, 30, 34]
    batch = stack([_sample([same, same], [2, 2])])
    boxes, logits = _perfect([same], [2])
    assert box_losses(boxes, logits, batch)[1].item() > 0.2
    boxes[:, :, 5], logits[:, :, 5] = boxes[:, :, 2], logits[:, :, 2]
    assert max(part.item() for part in box_losses(boxes, logits, batch)) < 1e-3


def test_padding_is_no_garment() -> None:
    batch = stack([_sample([[0, 0, 8, 8], [8, 8, 16, 16]], [0, 1]), _sample([], [])])
    assert batch.regions.tolist() == [[0, 1], [-1, -1]]


def test_losses_fall_on_one_sample(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = GarmentNetwork()
    schedule = Schedule(steps=12, batch=4, warm_up_steps=1, averaging=0.5)
    batch = stack([_Fixed().hard(0, np.random.default_rng(i)) for i in range(4)])
    before = sum(float(part.detach()) for part in losses(network.eval(), batch).values())
    trained = train(network, [(_Fixed(), 1.0)], schedule, tmp_path, is_apart=False)
    after = sum(float(part.detach()) for part in losses(trained, batch).values())
    assert after < 0.9 * before


def test_boxes_alone_leave_what_is_worn_as_it_is(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = GarmentNetwork()
    pictures = torch.rand(1, 3, 128, 64) * 255
    network.freeze_wears()
    boxes, _, wears = (part.detach().clone() for part in network.eval()(pictures))
    schedule = Schedule(steps=3, batch=2, warm_up_steps=1, averaging=0.5)
    trained = train(network, [(_Fixed(), 1.0)], schedule, tmp_path, is_apart=False)
    assert torch.equal(trained(pictures)[2], wears)
    assert not torch.equal(trained(pictures)[0], boxes)


def _train_for(steps: int, folder: Path) -> None:
    torch.manual_seed(1)
    network = GarmentNetwork()
    run = Run(network, network.backbone, Schedule(steps=6, batch=2), folder)
    batches = [
        stack([_Fixed().hard(0, np.random.default_rng((step, i))) for i in range(2)])
        for step in range(run.step, steps)
    ]
    run.fit(batches, lambda batch: losses(network, batch))
    run.save()


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    _train_for(6, tmp_path / "whole")
    _train_for(3, tmp_path / "parts")
    _train_for(6, tmp_path / "parts")
    whole = load_averaged(GarmentNetwork(), tmp_path / "whole").state_dict()
    parts = load_averaged(GarmentNetwork(), tmp_path / "parts").state_dict()
    for name, value in whole.items():
        assert torch.equal(value, parts[name]), name


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_batch(tmp_path: Path) -> None:
    network = GarmentNetwork()
    run = Run(network, network.backbone, Schedule(steps=2, batch=1), tmp_path)
    batch = stack([_sample([], [])])
    with pytest.raises(FloatingPointError, match="loss is nan at step 0"):
        run.fit([batch], lambda _: {"broken": torch.tensor(float("nan"), requires_grad=True)})
    saved = torch.load(tmp_path / "bad_batch.pt", weights_only=True)
    assert (saved["crops"] == batch.crops).all()
