"""OpenVINO without its usage reports; everything here imports it from this module.

It reports every import to its makers' statistics, over the network, unless a package of its own
cannot be found; a store's box speaks to its broker and cameras only.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402  # not before the line above
from openvino import opset13  # noqa: E402

__all__ = ["CORE", "opset13", "ov"]

CORE = ov.Core()
"""The only one of the process, for as long as it lives; its networks are tied to no processor core.

With its first network a Core gives the thread another stack for signal handlers; when it is freed,
the one before comes back. Of two that are freed in the order in which they were made, the second
brings back the first one's, which is gone: the next signal, a SIGTERM or SIGHUP, is a segmentation
fault (seen with OpenVINO 2026.4.1).
"""

# By itself OpenVINO ties each thread to a core while it computes, from the first core on, whatever
# else runs there: another network, a decoder, another process that does the same. With both cores
# of a machine asked for and one of them busy, a frame took ten times as long.
CORE.set_property("CPU", {"ENABLE_CPU_PINNING": False})
