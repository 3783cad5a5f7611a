"""OpenVINO without its usage reports; everything here imports it from this module.

It reports every import to its makers' statistics, over the network, unless a package of its own
cannot be found; a store's box speaks to its broker and cameras only.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402  # not before the line above
from openvino import opset13  # noqa: E402

__all__ = ["opset13", "ov"]
