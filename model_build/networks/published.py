"""Weights that others published as torch state dictionaries, under the names of torchvision."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from edge_app.errors import ModelError

# The statistics that torchvision's networks were trained with: RGB, 0..1.
_MEAN_RGB = (0.485, 0.456, 0.406)
_DEVIATION_RGB = (0.229, 0.224, 0.225)


def load_state(module: nn.Module, path: Path, replaced: Sequence[str]) -> None:
    """Copy published weights into a module by their names.

    Args:
        module: whose parameters and buffers have the published names.
        path: what `torch.save` wrote, a state dictionary.
        replaced: beginnings of names that are not taken, such as the last layer, whose classes
            are others; what the file has besides the module's own names is left alone.

    Raises:
        ModelError: the file cannot be read, lacks a weight or has it in another shape.
    """
    try:
        published = torch.load(path, weights_only=True, map_location="cpu")
    # Unpickling damage raises whatever the damage suggests.
    except Exception as error:
        raise ModelError(f"{path}: cannot be read as torch weights: {error}") from error
    if not isinstance(published, dict):
        raise ModelError(f"{path}: expected a state dictionary, found {type(published).__name__}")
    taken = {}
    for name, value in module.state_dict().items():
        if name.startswith(tuple(replaced)):
            continue
        weights = published.get(name)
        if not isinstance(weights, Tensor) or weights.shape != value.shape:
            found = f"shape {tuple(weights.shape)}" if isinstance(weights, Tensor) else "nothing"
            raise ModelError(
                f"{path}: expected {name} of shape {tuple(value.shape)}, found {found}; "
                "give the weights of the same network, as torchvision publishes them"
            )
        taken[name] = weights
    module.load_state_dict(taken, strict=False)


class NormaliseRgb(nn.Module):
    """Float pictures `[N,3,H,W]` BGR 0..255 → RGB in the range torchvision's networks expect."""

    def __init__(self) -> None:
        super().__init__()
        mean, deviation = torch.tensor(_MEAN_RGB) * 255, torch.tensor(_DEVIATION_RGB) * 255
        self.register_buffer("mean", mean.view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", 1 / deviation.view(1, 3, 1, 1), persistent=False)
        self.mean: Tensor
        self.scale: Tensor

    def forward(self, pictures: Tensor) -> Tensor:
        """`[N,3,H,W]` → `[N,3,H,W]`."""
        rgb = torch.cat((pictures[:, 2:], pictures[:, 1:2], pictures[:, :1]), dim=1)
        return (rgb - self.mean) * self.scale
