"""Talking to the service manager: sd_notify(3) in one file, and silence where there is none.

A datagram of lines ``KEY=value`` to the Unix socket that ``NOTIFY_SOCKET`` names. Nothing that goes
wrong here may disturb the work: a box that cannot be watched still counts.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping

log = logging.getLogger(__name__)


class Notifier:
    """Tells the service manager how we are; does nothing without one.

    Args:
        environment: with ``NOTIFY_SOCKET``; None for ours.

    Attributes:
        has_manager: there is one, which starts us again when we end.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        told = os.environ if environment is None else environment
        address = told.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of an abstract address.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.has_manager = bool(address)
        self._said_status = ""

    def ready(self, status: str) -> None:
        """The start, or the reload, is complete."""
        self._send("READY=1", f"STATUS={_line(status)}")

    def status(self, status: str) -> None:
        """A line for ``systemctl status``; sent when it changes."""
        if status != self._said_status:
            self._said_status = status
            self._send(f"STATUS={_line(status)}")

    def alive(self) -> None:
        """Every stage is fresh."""
        self._send("WATCHDOG=1")

    def extend(self, seconds: float) -> None:
        """The start takes longer: wait for so long from now on."""
        self._send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def reloading(self) -> None:
        """The configuration is read again; :meth:`ready` ends it."""
        # systemd 253 and later tell two reloads apart by this time.
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now}")

    def stopping(self, status: str) -> None:
        """We end."""
        self._send("STOPPING=1", f"STATUS={_line(status)}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                # A manager that does not read must not hold us up.
                out.settimeout(1.0)
                out.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            log.warning("the service manager cannot be reached: %s", error)


def _line(text: str) -> str:
    return " ".join(text.split())
