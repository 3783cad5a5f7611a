"""Waking a thread that waits for the network."""

from __future__ import annotations

import select
import socket


class Wake:
    """An event with a file descriptor, so that one can wait for it and for a socket at once."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)

    def fileno(self) -> int:
        """Readable while the event is set."""
        return self._ours.fileno()

    def set(self) -> None:
        """Wake whoever waits; may be called from any thread, and never blocks."""
        try:
            self._theirs.send(b"!")
        except BlockingIOError:
            return  # the pipe is full of wake-ups already

    def clear(self) -> bool:
        """Whether it was set; it is not any more."""
        try:
            return bool(self._ours.recv(65536))
        except BlockingIOError:
            return False

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is set, at most so long; whether it was."""
        poll = select.poll()
        poll.register(self._ours, select.POLLIN)
        poll.poll(timeout_s * 1000)
        return self.clear()

    def close(self) -> None:
        """Free the descriptors."""
        self._ours.close()
        self._theirs.close()
