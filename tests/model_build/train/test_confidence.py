"""Confidence fits, for each kind of picture by itself."""

import pytest
import torch

from model_build.networks.classifier import GarmentClassifier
from model_build.train.confidence import Judged, calibrate, learn_kinds


def _judged(overconfidence: float, seed: int) -> Judged:
    generator = torch.Generator().manual_seed(seed)
    honest = torch.randn(4000, 15, generator=generator) * 2
    drawn = torch.multinomial(honest.softmax(1), 1, generator=generator)
    allowed = torch.zeros(4000, 15, dtype=torch.bool).scatter_(1, drawn, True)
    return Judged(honest * overconfidence, allowed)


def test_each_kind_gets_the_temperature_of_its_logits() -> None:
    network = GarmentClassifier()
    assert calibrate(network, [_judged(0.7, 0), _judged(2.0, 1)]) == pytest.approx(
        [0.7, 2.0], abs=0.15
    )
    torch.manual_seed(0)
    described = [torch.randn(500, 1024) - 0.3, torch.randn(500, 1024) + 0.3]
    assert network.temperature(described[0]).mean() == pytest.approx(1.35, abs=0.15)
    learn_kinds(network, described)
    found = [float(network.temperature(one).mean()) for one in described]
    assert found == pytest.approx([0.7, 2.0], abs=0.2)


def test_a_single_kind_gives_all_its_temperature() -> None:
    network = GarmentClassifier()
    calibrate(network, [_judged(2.0, 0)])
    temperature = network.temperature(torch.randn(3, 1024))
    assert temperature.flatten().tolist() == pytest.approx([2.0] * 3, abs=0.15)
