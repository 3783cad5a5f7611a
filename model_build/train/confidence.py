"""Makes a trained classifier as sure as it should be, for each kind of picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_build.networks.classifier import Classifier

_DECAY = 1e-2


@dataclass(frozen=True)
class Judged:
    """Held-out garments of one kind of picture.

    Attributes:
        logits: float `[M,15]`, as the network gives them.
        allowed: bool `[M,15]`, the categories that each may be called.
    """

    logits: Tensor
    allowed: Tensor


def learn_kinds(network: Classifier, described: Sequence[Tensor]) -> None:
    """Teach a network to tell the kinds of pictures apart, by logistic regression.

    Args:
        network: whose :class:`~model_build.networks.classifier.Temperature` is set.
        described: float `[M,width]` by kind, descriptions of garments that training knows.
    """
    features = torch.cat(list(described))
    kinds = torch.cat([torch.full((len(one),), kind) for kind, one in enumerate(described)])
    mean, spread = features.mean(0), features.std(0) + 1e-3
    layer = nn.Linear(features.shape[1], len(described))
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    solver = torch.optim.LBFGS(layer.parameters(), max_iter=200)

    def loss() -> Tensor:
        solver.zero_grad()
        told = functional.cross_entropy(layer((features - mean) / spread), kinds)
        found = told + _DECAY * layer.weight.square().sum()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    solver.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        weight = layer.weight / spread
        network.temperature.weight.copy_(weight)
        network.temperature.bias.copy_(layer.bias - weight @ mean)


@torch.no_grad()
def calibrate(network: Classifier, judged: Sequence[Judged]) -> list[float]:
    """Set the temperature of each kind to the one that fits its held-out garments best.

    Args:
        network: whose kinds are told apart already, or are all alike.
        judged: by kind; a single one gives all kinds its temperature.

    Returns:
        The temperatures, by kind.
    """
    candidates = torch.linspace(0.3, 4.0, 371)
    found = []
    for one in judged:
        misfit = [
            -(one.logits / value)
            .log_softmax(1)
            .masked_fill(~one.allowed, -torch.inf)
            .logsumexp(1)
            .mean()
            for value in candidates
        ]
        found.append(float(candidates[int(torch.stack(misfit).argmin())]))
    network.temperature.by_kind.copy_(torch.tensor(found))
    return found
