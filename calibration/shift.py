"""What rounding moves the mean of a convolution's output by, to be taken off its bias.

Rounding errors do not wholly cancel: what a tensor holds between two levels lies mostly on one side
of their middle (the flat part of SiLU below zero; what a range clips), and a layer adds it up.

Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calibration.graph import Graph, Node, attribute
from calibration.observe import batches_of, run, with_outputs
from calibration.ranges import LEVELS
from edge_app.flow import UInt8

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Means:
    """Of the channels that a convolution reads, float64 ``[C]`` each.

    Attributes:
        exact: as they are.
        rounded: as INT8 holds them.
    """

    exact: Float64
    rounded: Float64


def input_means(graph: Graph, scales: Mapping[str, float], pictures: UInt8) -> dict[str, Means]:
    """Means of the tensors that convolutions read, over pictures.

    Args:
        graph: of the model in float32.
        scales: that tensors are rounded with; others are left out.
        pictures: uint8 ``[N, H, W, 3]``.
    """
    nodes = (graph.nodes[position] for position in graph.weighted())
    names = sorted({n.input[0] for n in nodes if n.op_type == "Conv"} & set(scales))
    sums: dict[str, Float64] = {}
    for values in run(with_outputs(graph, names), batches_of(pictures)):
        for name in names:
            scale = np.float32(scales[name])
            rounded = np.clip(np.rint(values[name] / scale), -LEVELS, LEVELS - 1) * scale
            both = np.stack([values[name], rounded]).mean(axis=(3, 4), dtype=np.float64)
            sums[name] = sums.get(name, np.float64(0)) + both.sum(axis=1) / len(pictures)
    return {name: Means(total[0], total[1]) for name, total in sums.items()}


def shift_of(node: Node, weights: Any, rounded: Any, means: Means) -> Float64:
    """How far rounding moves the mean of a convolution's output; borders are left out of account.

    Args:
        node: the convolution.
        weights: float ``[outwards, inwards / groups, ...]``.
        rounded: the same as INT8 holds them.
        means: of its input.

    Returns:
        float64 ``[outwards]``.
    """
    groups = attribute(node, "group", 1)
    taps = tuple(range(2, weights.ndim))
    exact, coarse = (np.asarray(w, np.float64).sum(axis=taps) for w in (weights, rounded))
    group_of = np.arange(len(exact)) // (len(exact) // groups)
    before, after = (m.reshape(groups, -1)[group_of] for m in (means.exact, means.rounded))
    return np.asarray((coarse * after - exact * before).sum(axis=1))
