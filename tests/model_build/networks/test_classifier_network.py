"""The classifier keeps the contract: probabilities that add up to one, embeddings of length one."""

import torch

from model_build.networks.classifier import EMBEDDING_SIZE, GarmentClassifier


def test_outputs_keep_the_contract() -> None:
    probabilities, embedding = GarmentClassifier().eval()(torch.rand(3, 3, 160, 128) * 255)
    assert probabilities.shape == (3, 15)
    assert embedding.shape == (3, EMBEDDING_SIZE)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(3))
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(3))


def test_temperature_softens_but_keeps_the_order() -> None:
    network = GarmentClassifier().eval()
    pictures = torch.rand(2, 3, 64, 64) * 255
    sharp, _ = network(pictures)
    network.temperature.by_kind.fill_(5.0)
    soft, _ = network(pictures)
    assert (soft.argmax(1) == sharp.argmax(1)).all()
    assert (soft.amax(1) < sharp.amax(1)).all()
