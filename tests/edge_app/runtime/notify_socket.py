"""The service manager's end of sd_notify: a real datagram socket that notes what it is told."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path


class NotifySocket:
    """Listens where ``NOTIFY_SOCKET`` points to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.told: list[tuple[float, dict[str, str]]] = []

    def listen(self, timeout_s: float) -> dict[str, str] | None:
        """The next message, or None within the time."""
        self._socket.settimeout(timeout_s)
        try:
            text = self._socket.recv(65536).decode()
        except TimeoutError:
            return None
        except OSError as error:
            if "timed out" in str(error) or isinstance(error, BlockingIOError):
                return None
            raise
        message = dict(line.split("=", 1) for line in text.split("\n"))
        self.told.append((time.monotonic(), message))
        return message

    def listen_until(
        self, done: Callable[[dict[str, str]], bool], timeout_s: float
    ) -> dict[str, str]:
        """Listen until a message is as wanted."""
        deadline = time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            message = self.listen(left_s)
            if message is not None and done(message):
                return message
        raise AssertionError(f"not told within {timeout_s} s; told: {self.told}")

    def close(self) -> None:
        self._socket.close()
