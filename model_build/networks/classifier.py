"""The category classifier: a garment's crop to fifteen probabilities and an embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_app.vocabulary import CATEGORIES
from model_build.networks.shufflenet import (
    STAGE_CHANNELS,
    Normalise,
    ShuffleNetV2,
    activation,
)

EMBEDDING_SIZE = 128
_WIDTH = 512
_COSINE_SCALE = 16.0


class GarmentClassifier(nn.Module):
    """Float crops `[M,3,h,w]` BGR 0..255, h and w multiples of 32.

    Attributes:
        only_in_training: parameters that a model file does not hold.
    """

    only_in_training = ("prototypes",)

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        self.normalise = Normalise()
        self.backbone = ShuffleNetV2()
        self.describe = nn.Sequential(nn.Conv2d(STAGE_CHANNELS[2], _WIDTH, 1), activation())
        self.dropout = nn.Dropout(dropout)
        self.categorise = nn.Linear(2 * _WIDTH, len(CATEGORIES))
        self.embed = nn.Linear(2 * _WIDTH, EMBEDDING_SIZE, bias=False)
        self.prototypes = nn.Parameter(torch.randn(len(CATEGORIES), EMBEDDING_SIZE))
        self.register_buffer("temperature", torch.ones(()))
        self.temperature: Tensor
        with torch.no_grad():
            self.categorise.weight.mul_(0.1)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The model contract: probabilities `[M,15]` and unit-length embeddings `[M,D]`."""
        described = self._pooled(pictures)
        logits = self.categorise(described) / self.temperature
        return logits.softmax(1), functional.normalize(self.embed(described), dim=1)

    def predict(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """For training: logits `[M,15]`, and the embedding's own `[M,15]` by cosine similarity.

        The second pulls garments of one category together in the embedding (Wang et al.,
        "NormFace", 2017).
        """
        described = self.dropout(self._pooled(pictures))
        embedding = functional.normalize(self.embed(described), dim=1)
        cosine = embedding @ functional.normalize(self.prototypes, dim=1).T
        return self.categorise(described), _COSINE_SCALE * cosine

    def _pooled(self, pictures: Tensor) -> Tensor:
        features = self.describe(self.backbone(self.normalise(pictures))[2])
        return torch.cat((features.mean(dim=(2, 3)), features.amax(dim=(2, 3))), dim=1)
