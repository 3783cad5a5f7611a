"""The category classifier: a garment's crop to fifteen probabilities and an embedding."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_app.vocabulary import CATEGORIES
from model_build.networks.efficientnet import EfficientNetLite0, activation

EMBEDDING_SIZE = 128
_WIDTH = 512
_COSINE_SCALE = 16.0


class Temperature(nn.Module):
    """What logits are divided by before they become probabilities, by the kind of picture.

    One temperature for everything (Guo et al., "On calibration of modern neural networks", ICML
    2017) leaves garments laid out with too little confidence and worn ones with too much. So the
    kinds are told apart by the same description, and each has its own.

    Args:
        width: of the description.

    Attributes:
        weight: float `[2,width]`; with `bias` `[2]` the logits of the kinds.
        by_kind: float `[2]`, the temperatures of garments laid out and of worn ones.
    """

    weight: Tensor
    bias: Tensor
    by_kind: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        # None of it is learned together with the rest.
        self.register_buffer("weight", torch.zeros(2, width))
        self.register_buffer("bias", torch.zeros(2))
        self.register_buffer("by_kind", torch.ones(2))

    def forward(self, described: Tensor) -> Tensor:
        """The temperature `[M,1]` of garments described as `[M,width]`."""
        kinds = functional.linear(described, self.weight, self.bias).softmax(1)
        return (kinds * self.by_kind).sum(1, keepdim=True)


class Classifier(nn.Module, ABC):
    """Float crops `[M,3,h,w]` BGR 0..255 to the model contract, whatever describes the crops.

    Subclasses set `backbone`, call :meth:`add_heads` last, and override :meth:`describe_crops`.

    Attributes:
        backbone: the pretrained part.
        only_in_training: parameters that a model file does not hold.
        younger_parts: what older model files lack.
    """

    backbone: nn.Module
    only_in_training = ("prototypes",)
    younger_parts = ("temperature",)

    def add_heads(self, width: int) -> None:
        """Add what reads the description, `[M,width]`."""
        self.categorise = nn.Linear(width, len(CATEGORIES))
        self.embed = nn.Linear(width, EMBEDDING_SIZE, bias=False)
        self.prototypes = nn.Parameter(torch.randn(len(CATEGORIES), EMBEDDING_SIZE))
        self.temperature = Temperature(width)
        with torch.no_grad():
            self.categorise.weight.mul_(0.1)

    @abstractmethod
    def describe_crops(self, pictures: Tensor) -> Tensor:
        """The description `[M,width]` of pictures."""

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The model contract: probabilities `[M,15]` and unit-length embeddings `[M,D]`."""
        described = self.describe_crops(pictures)
        logits = self.categorise(described) / self.temperature(described)
        return logits.softmax(1), functional.normalize(self.embed(described), dim=1)

    def predict(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """For training: logits `[M,15]`, and the embedding's own `[M,15]` by cosine similarity.

        The second pulls garments of one category together in the embedding (Wang et al.,
        "NormFace", 2017).
        """
        return self._predict_described(self.describe_crops(pictures))

    def _predict_described(self, described: Tensor) -> tuple[Tensor, Tensor]:
        embedding = functional.normalize(self.embed(described), dim=1)
        cosine = embedding @ functional.normalize(self.prototypes, dim=1).T
        return self.categorise(described), _COSINE_SCALE * cosine


class GarmentClassifier(Classifier):
    """The shipped one; height and width of the crops are multiples of 32."""

    backbone: EfficientNetLite0

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        self.backbone = EfficientNetLite0()
        self.describe = nn.Sequential(nn.Conv2d(self.backbone.channels, _WIDTH, 1), activation())
        self.dropout = nn.Dropout(dropout)
        self.add_heads(2 * _WIDTH)

    def describe_crops(self, pictures: Tensor) -> Tensor:
        """Mean and maximum of the coarsest features, `[M,1024]`."""
        return self._describe_seen(self.backbone.see(pictures)[1])

    def predict_seen(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`predict`, of what the backbone's early part gives at stride 16."""
        return self._predict_described(self._describe_seen(seen))

    def _describe_seen(self, seen: Tensor) -> Tensor:
        features = self.describe(self.backbone.understand(seen)[1])
        pooled = torch.cat((features.mean(dim=(2, 3)), features.amax(dim=(2, 3))), dim=1)
        described: Tensor = self.dropout(pooled)
        return described
