"""Kept batches are what the early layers give, and training on them ends where it must."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from model_build.data.garment_pieces import PieceSample
from model_build.networks.classifier import GarmentClassifier
from model_build.networks.efficientnet import EfficientNetLite0, Seeing
from model_build.networks.garments import GarmentNetwork
from model_build.train import classifier, garments
from model_build.train.classifier import PieceBatch, draw_batch
from model_build.train.fitting import Schedule
from model_build.train.garments import Batch
from model_build.train.kept import Seen, keep_batches

SCHEDULE = Schedule(3, batch=2, save_every=1, warm_up_steps=1)
QUICK = nn.Conv2d(3, 4, 8, 8)
"""Early layers for where it does not matter what they make of a batch: the real ones take seconds
to be compiled."""


class Noise:
    """Pieces of noise, each of a random category."""

    def __init__(self) -> None:
        self.drawn = 0

    def draw(self, rng: np.random.Generator) -> PieceSample:
        self.drawn += 1
        crop = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        return PieceSample(crop, np.eye(15, dtype=bool)[rng.integers(15)])


class StoppingNoise(Noise):
    """Noise of which one batch is interrupted."""

    def __init__(self, stop_at: int) -> None:
        super().__init__()
        self._stop_at = stop_at

    def draw(self, rng: np.random.Generator) -> PieceSample:
        if self.drawn == self._stop_at:
            raise KeyboardInterrupt
        return super().draw(rng)


def _draw(number: int) -> PieceBatch:
    return draw_batch([(Noise(), 1.0)], SCHEDULE, number)


def test_a_kept_batch_is_what_the_early_layers_make_of_the_drawn_one(tmp_path: Path) -> None:
    torch.manual_seed(0)
    see = Seeing(EfficientNetLite0(), is_fine_wanted=True).eval()
    kept = keep_batches(see, _draw, PieceBatch, 2, tmp_path, is_apart=False)
    drawn, found = _draw(1), kept[1]
    with torch.no_grad():
        expected = see(drawn.crops.permute(0, 3, 1, 2).float())
    assert len(found.features) == 2
    for ours, theirs in zip(found.features, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=2e-3, atol=2e-3)
    assert torch.equal(found.batch.allowed, drawn.allowed)
    assert found.batch.crops.shape == drawn.crops.shape


def test_what_is_there_is_not_drawn_again(tmp_path: Path) -> None:
    noise = Noise()

    def draw(number: int) -> PieceBatch:
        return draw_batch([(noise, 1.0)], SCHEDULE, number)

    keep_batches(QUICK, draw, PieceBatch, 2, tmp_path, is_apart=False)
    kept = keep_batches(QUICK, draw, PieceBatch, 3, tmp_path, is_apart=False)
    assert noise.drawn == 3 * SCHEDULE.batch
    assert torch.equal(kept[2].batch.allowed, _draw(2).allowed)


def test_each_turn_takes_every_batch_once_in_another_order(tmp_path: Path) -> None:
    kept = keep_batches(QUICK, _draw, PieceBatch, 6, tmp_path, is_apart=False)
    known = [float(kept[number].features[0].sum()) for number in range(6)]
    taken = [float(seen.features[0].sum()) for seen in kept.in_turn(range(12), seed=0)]
    assert sorted(taken[:6]) == sorted(taken[6:]) == sorted(known)
    assert taken[:6] != taken[6:]
    later = [float(seen.features[0].sum()) for seen in kept.in_turn(range(4, 12), seed=0)]
    assert later == taken[4:]


def test_the_early_part_stays_and_a_resumed_run_equals_a_whole_one(tmp_path: Path) -> None:
    def trained(folder: str, stop_at: int) -> GarmentClassifier:
        torch.manual_seed(7)
        network = GarmentClassifier()
        sources: list[tuple[classifier.PieceSource, float]] = [(StoppingNoise(stop_at), 1.0)]
        return classifier.train_late(
            network, sources, SCHEDULE, tmp_path / folder, 2, is_apart=False
        )

    whole = trained("whole", 99)
    (tmp_path / "halves").mkdir()
    with pytest.raises(KeyboardInterrupt):
        trained("halves", SCHEDULE.batch)
    resumed = trained("halves", 99)
    for ours, theirs in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    torch.manual_seed(7)
    before = GarmentClassifier()
    for ours, theirs in zip(
        whole.backbone.early.parameters(), before.backbone.early.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)
    assert not torch.equal(whole.categorise.weight, before.categorise.weight)


def test_losses_of_a_seen_batch_are_those_of_its_pictures() -> None:
    network = GarmentNetwork().eval()
    batch = Batch(
        torch.randint(0, 256, (2, 128, 64, 3), dtype=torch.uint8),
        torch.tensor([[[4.0, 8.0, 60.0, 70.0]], [[2.0, 50.0, 50.0, 120.0]]]),
        torch.tensor([[0], [2]]),
        torch.ones(2, 3, dtype=torch.bool),
        torch.zeros(2, 15),
    )
    with torch.no_grad():
        features = network.backbone.see(batch.crops.permute(0, 3, 1, 2).float())
        seen = garments.losses_of_seen(network, Seen(features, batch))
        direct = garments.losses(network, batch)
    for name, value in direct.items():
        torch.testing.assert_close(seen[name], value)
