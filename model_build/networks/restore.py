"""Reads weights back out of a model file, so that training can go on where only the file is left.

The exporter names an initializer after its parameter, with three exceptions, all undone here:
equal parameters are stored once behind an `Identity`, large ones may be stored in half precision
behind a `Cast`, and the transposed weight of a linear layer without bias has only its node's name.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from edge_app.errors import ModelError

Network = TypeVar("Network", bound=nn.Module)

_PREFIX = "network."


def load_exported(network: nn.Module, path: Path) -> None:
    """Give a network the weights of a file that `export_detector` or `export_classifier` wrote.

    Args:
        network: of the same architecture. What its attribute `only_in_training` names is not in
            model files, and stays as it is; so does what begins with a name of its attribute
            `younger_parts`, in files that have nothing of that part.
        path: the ONNX file.

    Raises:
        ModelError: the file cannot be read, or holds another network.
    """
    stored = _stored_weights(path)
    absent = (*getattr(network, "only_in_training", ()), *_missing_parts(network, stored))
    restored = {}
    for name, value in network.state_dict().items():
        if name.startswith(absent):
            restored[name] = value
            continue
        weights = stored.get(_PREFIX + name)
        if weights is None or weights.shape != tuple(value.shape):
            found = "nothing" if weights is None else f"shape {weights.shape}"
            raise ModelError(
                f"{path}: expected {name} of shape {tuple(value.shape)}, found {found}; "
                f"give a model file whose network is a {type(network).__name__}"
            )
        restored[name] = torch.from_numpy(weights.copy()).to(value.dtype)
    network.load_state_dict(restored)


def _missing_parts(network: nn.Module, stored: Iterable[str]) -> list[str]:
    parts = [f"{part}." for part in getattr(network, "younger_parts", ())]
    return [part for part in parts if not any(name.startswith(_PREFIX + part) for name in stored)]


def blend(start: Network, trained: Network, share: float) -> Network:
    """Weights between two networks: `share` 0 is the one training started from, 1 the trained one.

    Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022: in between, most of what
    was learnt is there, and what was known before comes back.
    """
    ours, theirs = start.state_dict(), trained.state_dict()
    result = copy.deepcopy(start)
    result.load_state_dict({name: ours[name].lerp(theirs[name], share) for name in ours})
    return result.eval()


def _stored_weights(path: Path) -> dict[str, NDArray[np.generic]]:
    try:
        graph = onnx.load(str(path)).graph
    # What protobuf raises on damage depends on its implementation.
    except Exception as error:
        raise ModelError(f"{path}: cannot be read as a model file: {error}") from error
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type in ("Cast", "Identity") and node.input[0] in arrays:
            arrays[node.output[0]] = arrays[node.input[0]]
        elif node.op_type == "MatMul" and node.input[1] in arrays:
            arrays[_layer(node.name) + ".weight"] = arrays[node.input[1]].T
    return arrays


def _layer(node_name: str) -> str:
    """The layer that a node belongs to.

    >>> _layer("/network/describe/describe.2/MatMul")
    'network.describe.2'
    """
    parts: list[str] = []
    for part in node_name.strip("/").split("/")[:-1]:
        if parts and part.startswith(parts[-1] + "."):
            parts.pop()  # a container's children carry its name
        parts.append(part)
    return ".".join(parts)
