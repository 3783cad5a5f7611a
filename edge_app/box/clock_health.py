"""Whether the machine's clock is synchronised, as the kernel or systemd knows it."""

from __future__ import annotations

import ctypes
import logging
import time
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

TIMESYNC_MARK: Final = Path("/run/systemd/timesync/synchronized")
TIME_ERROR: Final = 5
"""What adjtimex(2) returns while nobody disciplines the clock, or has for too long."""

SETTLED_S: Final = 3600.0
"""A machine that runs for so long has the time it is going to get: nobody there tells a better."""

STRUCT_BYTES: Final = 1024
"""More than the kernel's ``struct timex`` takes on any machine (208 on 64 bits)."""


def is_clock_synchronised(mark: Path = TIMESYNC_MARK) -> bool:
    """Ask the kernel, then the mark that systemd-timesyncd leaves.

    Nothing is set: an ``adjtimex`` of zeros only reads. Where the kernel cannot be asked, as in a
    sandbox, only the mark counts.

    Args:
        mark: exists once systemd-timesyncd has set the clock.
    """
    return kernel_says() or mark.exists()


def is_clock_believed() -> bool:
    """Whether to go by the clock even where it seems to be behind, as after a start without time.

    The clock is synchronised, or the machine runs for long enough that it would be.
    """
    return is_clock_synchronised() or time.clock_gettime(time.CLOCK_BOOTTIME) > SETTLED_S


def kernel_says() -> bool:
    """Whether ``adjtimex`` calls the clock synchronised; chrony, ntpd and PTP tell the kernel."""
    try:
        read = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError) as error:
        log.debug("adjtimex cannot be asked: %s", error)
        return False
    state = int(read(ctypes.create_string_buffer(STRUCT_BYTES)))
    return 0 <= state < TIME_ERROR
