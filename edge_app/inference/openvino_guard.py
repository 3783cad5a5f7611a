"""Keeps INT8 networks right in OpenVINO, whose low-precision passes break some of them.

Found with OpenVINO 2026.4 on x86-64: where a quantized tensor comes from a concatenation, the
passes move the rounding in front of it, change it from signed to unsigned, and lose the offset; a
network of ours then answers at random. A clamp keeps them from moving it. It has to cut off
something, or it is optimised away: the lowest of the 256 steps, which symmetric ranges do without.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_app.inference.silent_openvino import opset13 as ops

_MOVING = frozenset(
    {
        *("Concat", "Reshape", "Transpose", "Slice", "StridedSlice", "Split", "VariadicSplit"),
        *("Squeeze", "Unsqueeze", "MaxPool", "Interpolate", "ShuffleChannels", "Convert"),
    }
)


def guard_concatenations(network: Any) -> int:
    """Put a clamp before every rounding that follows a concatenation, in place.

    Args:
        network: as OpenVINO read it; one without rounding is left as it is.

    Returns:
        How many clamps were put in.
    """
    count = 0
    for rounding in network.get_ordered_ops():
        if rounding.get_type_name() != "FakeQuantize" or not _is_moved_concat(rounding):
            continue
        low, high = (_constant(rounding, index) for index in (1, 2))
        if low is None or high is None or not low < 0.0 < high:
            continue
        source = rounding.input(0).get_source_output()
        clamped = ops.clamp(source, max(low, -high), high)
        rounding.input(0).replace_source_output(clamped.output(0))
        count += 1
    if count:
        network.validate_nodes_and_infer_types()
    return count


def _is_moved_concat(rounding: Any) -> bool:
    node = rounding.input(0).get_source_output().get_node()
    while node.get_type_name() in _MOVING:
        if node.get_type_name() == "Concat":
            return True
        node = node.input(0).get_source_output().get_node()
    return False


def _constant(node: Any, index: int) -> float | None:
    source = node.input(index).get_source_output().get_node()
    if source.get_type_name() != "Constant":
        return None
    return float(np.min(source.data) if index == 1 else np.max(source.data))
