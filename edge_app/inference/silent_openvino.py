"""OpenVINO without its usage reports; everything here imports it from this module.

It reports every import to its makers' statistics, over the network, unless a package of its own
cannot be found; a store's box speaks to its broker and cameras only.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402  # not before the line above
from openvino import opset13  # noqa: E402

__all__ = ["UNPINNED", "opset13", "ov"]

UNPINNED = {"ENABLE_CPU_PINNING": False}
"""A setting for every network: its threads may run on any core.

By itself OpenVINO ties each thread to a core while it computes, from the first core on, whatever
else runs there: another network, a decoder, another process that does the same. With both cores of
a machine asked for and one of them busy, a frame took ten times as long.
"""
