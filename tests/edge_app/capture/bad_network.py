"""A relay between a camera and whoever reads it, that spoils what it passes on."""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
from typing import Literal

Mode = Literal["clean", "garbage", "silent", "cut"]


class BadNetwork:
    """Relays TCP connections to one port; within ``with``.

    Attributes:
        mode: ``garbage`` spoils what the camera sends, ``silent`` swallows it, ``cut`` hangs up.
    """

    def __init__(self, target_port: int) -> None:
        self.mode: Mode = "clean"
        self.spoilt = 0
        self._target_port = target_port
        self._random = random.Random(1)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._ends = threading.Event()

    def __enter__(self) -> BadNetwork:
        self._listener.settimeout(0.2)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(5.0)
        self._listener.close()

    def _accept(self) -> None:
        while not self._ends.is_set():
            try:
                client = self._listener.accept()[0]
            except TimeoutError:
                continue  # Nobody yet: look whether to end, and wait on.
            self._threads.append(threading.Thread(target=self._relay, args=(client,), daemon=True))
            self._threads[-1].start()

    def _relay(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            camera = socket.create_connection(("127.0.0.1", self._target_port), 5.0)
            with camera, selectors.DefaultSelector() as ready:
                ready.register(client, selectors.EVENT_READ, camera)
                ready.register(camera, selectors.EVENT_READ, client)
                while not self._ends.is_set() and self.mode != "cut":
                    for key, _ in ready.select(0.1):
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        key.data.sendall(self._spoil(data) if key.fileobj is camera else data)

    def _spoil(self, data: bytes) -> bytes:
        if self.mode == "silent":
            return b""
        if self.mode != "garbage":
            return data
        self.spoilt += 1
        spoilt = bytearray(data)
        kind = self._random.randrange(4)
        if kind == 0:  # a few bytes differ
            for _ in range(1 + len(spoilt) // 50):
                spoilt[self._random.randrange(len(spoilt))] = self._random.randrange(256)
        elif kind == 1:  # a piece is missing
            del spoilt[self._random.randrange(len(spoilt)) :]
        elif kind == 2:  # something else comes in between
            spoilt += self._random.randbytes(self._random.randrange(1, 3000))
        return bytes(spoilt)
