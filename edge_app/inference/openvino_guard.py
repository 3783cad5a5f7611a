"""Keeps INT8 networks right in OpenVINO, which answers some of them wrongly.

Found with OpenVINO 2026.4 on x86-64: where a quantized tensor comes from a concatenation, the
low-precision passes move the rounding in front of it, change it from signed to unsigned, and lose
the offset; a network of ours then answers at random. A clamp keeps them from moving it. It has to
cut off something, or it is optimised away: the lowest of the 256 steps, which symmetric ranges do
without.

Processors without VNNI add two products of bytes in 16 bits, which overflow: 2 x 255 x 127 is more
than they hold. With weights of 7 bits, as NNCF writes them for such processors, it is not.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from edge_app.inference.silent_openvino import opset13 as ops

_MOVING = frozenset(
    {
        *("Concat", "Reshape", "Transpose", "Slice", "StridedSlice", "Split", "VariadicSplit"),
        *("Squeeze", "Unsqueeze", "MaxPool", "Interpolate", "ShuffleChannels", "Convert"),
    }
)


_WIDE_SUMS = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
_CPU_FACTS = Path("/proc/cpuinfo")
_CAP = "ONEDNN_MAX_CPU_ISA"
_NARROW_CAPS = frozenset({"SSE41", "AVX", "AVX2", "AVX512_CORE"})


def guard(network: Any) -> None:
    """All that a network needs on this processor, in place; one without rounding stays as it is.

    Args:
        network: as OpenVINO read it.
    """
    if guard_concatenations(network) + (guard_sums(network) if has_narrow_sums() else 0):
        network.validate_nodes_and_infer_types()


@cache
def cpu_flags() -> frozenset[str]:
    """What this processor can do, as Linux names it; empty where it does not tell, as on ARM."""
    facts = _CPU_FACTS.read_text(encoding="utf-8") if _CPU_FACTS.exists() else ""
    lines = (line for line in facts.splitlines() if line.startswith("flags"))
    return frozenset(flag for line in lines for flag in line.partition(":")[2].split())


def has_narrow_sums() -> bool:
    """Whether products of bytes are added in 16 bits: x86-64 without VNNI.

    So they are where OpenVINO was told by ``ONEDNN_MAX_CPU_ISA`` to do without.
    """
    if cpu_flags() and os.environ.get(_CAP, "").upper() in _NARROW_CAPS:
        return True
    return bool(cpu_flags()) and not cpu_flags() & _WIDE_SUMS


def guard_sums(network: Any) -> int:
    """Give INT8 weights 7 bits: half of each, and twice the scale.

    Args:
        network: as OpenVINO read it; one without INT8 weights is left as it is.

    Returns:
        How many layers' weights were halved.
    """
    count = 0
    for convert in network.get_ordered_ops():
        if convert.get_type_name() != "Convert" or not _are_bytes(convert):
            continue
        stored = convert.input(0).get_source_output().get_node()
        scaled = convert
        while scaled.get_type_name() in ("Convert", "Subtract"):
            scaled = next(iter(scaled.output(0).get_target_inputs())).get_node()
        if scaled.get_type_name() != "Multiply":
            continue
        half = np.rint(np.asarray(stored.data, np.float32) / 2).astype(np.int8)
        convert.input(0).replace_source_output(ops.constant(half).output(0))
        twice = ops.multiply(scaled.input(1).get_source_output(), ops.constant(np.float32(2)))
        scaled.input(1).replace_source_output(twice.output(0))
        count += 1
    return count


def _are_bytes(convert: Any) -> bool:
    """Whether stored INT8 weights, not their zero points, are converted."""
    stored = convert.input(0).get_source_output().get_node()
    return (
        stored.get_type_name() == "Constant"
        and convert.input(0).get_element_type().get_type_name() == "i8"
        and len(convert.input(0).get_shape()) >= 2
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
