"""A socket that sends and receives in few, large pieces.

paho hands every packet to the socket by itself and reads an acknowledgement in three pieces. A
system call each, and a packet on the network each, cost the broker and us more than everything else
about a message.
"""

from __future__ import annotations

import select
import socket
import ssl
from typing import Final

PIECE: Final = 16384
"""Bytes asked of the network at once."""


class BatchedSocket:
    """Keeps what is sent until :meth:`wait`, and reads ahead; offers what paho asks of a socket.

    Args:
        sock: connected, over TLS or not.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._is_tls = isinstance(sock, ssl.SSLSocket)
        self._unsent = bytearray()
        self._unread = b""
        self._at = 0
        self._is_drained = False
        # What is sent comes in whole batches; nothing is gained by waiting for more.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def fileno(self) -> int:
        """Of the network; -1 once closed."""
        return self._sock.fileno()

    @property
    def certificate(self) -> bytes | None:
        """What the other side showed, in DER; None without TLS."""
        return self._sock.getpeercert(True) if isinstance(self._sock, ssl.SSLSocket) else None

    def setblocking(self, flag: bool) -> None:
        """Whether to wait in ``recv``."""
        self._sock.setblocking(flag)

    def pending(self) -> int:
        """Bytes that were taken off the network and are yet to be received."""
        decrypted = self._sock.pending() if isinstance(self._sock, ssl.SSLSocket) else 0
        return len(self._unread) - self._at + decrypted

    def send(self, data: bytes | bytearray) -> int:
        """Keep bytes until the next :meth:`flush`; returns how many, always all of them."""
        self._unsent += data
        return len(data)

    def flush(self) -> None:
        """Send what the network takes now.

        Raises:
            OSError: the connection is broken.
        """
        while self._unsent:
            try:
                n = self._sock.send(self._unsent)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return
            del self._unsent[:n]

    def recv(self, size: int) -> bytes:
        """At most so many bytes; none at the end of the connection.

        Raises:
            BlockingIOError, SSLWantReadError: there are none now.
            OSError: the connection is broken.
        """
        if self._at == len(self._unread):
            if self._is_drained:
                raise BlockingIOError
            self._unread, self._at = self._sock.recv(PIECE), 0
            # TLS gives a record at a time, whatever is asked for.
            self._is_drained = 0 < len(self._unread) < PIECE and not self._is_tls
        start = self._at
        self._at = min(start + size, len(self._unread))
        return self._unread[start : self._at]

    def wait(self, timeout_s: float, wake_fd: int) -> bool:
        """Send what was kept, then wait for the network or a wake-up; whether there is to read.

        Raises:
            OSError: the connection is broken.
        """
        self.flush()
        self._is_drained = False
        has_bytes = self.pending() > 0
        poll = select.poll()
        poll.register(self._sock, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        poll.register(wake_fd, select.POLLIN)
        states = dict(poll.poll(0 if has_bytes else timeout_s * 1000))
        state = states.get(self._sock.fileno(), 0)
        if state & select.POLLOUT:
            self.flush()
        return has_bytes or bool(state & ~select.POLLOUT)

    def close(self) -> None:
        """Send what the network still takes, and close."""
        try:
            self.flush()
        except OSError:
            self._unsent.clear()  # it is broken already, which is what closing is for
        self._sock.close()
