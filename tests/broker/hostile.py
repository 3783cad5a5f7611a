"""Brokers that misbehave: a small MQTT server that does exactly what a test tells it to."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from edge_app.config.schema import BrokerSettings
from tests.broker.mosquitto import keeps_contract

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = (
    1, 2, 3, 4, 8, 9, 12, 13, 14,
)  # fmt: skip


@dataclass
class Habits:
    """What the broker does; a test may change them while it runs.

    Attributes:
        welcome: ``ok``, ``silent``, ``close`` (after CONNACK), or how it refuses MQTT 5:
            ``v5 code``, ``v3 code``, ``v5 hang up``.
        connack_code: of the welcome.
        receive_maximum: told in the CONNACK; None for not told.
        maximum_packet: told in the CONNACK; None for not told.
        answer: from topic and number of the publish (from 0) to the PUBACK's reason code; None
            for no answer.
        delay_s: before each PUBACK, from the number of the publish.
        life_s: a connection is closed after this.
        goodbye: the reason code of a DISCONNECT in place of the first PUBACK; None for none.
    """

    welcome: Literal["ok", "silent", "close", "v5 code", "v3 code", "v5 hang up"] = "ok"
    connack_code: int = 0
    receive_maximum: int | None = None
    maximum_packet: int | None = None
    answer: Callable[[str, int], int | None] = field(default=lambda _topic, _n: 0)
    delay_s: Callable[[int], float] = field(default=lambda _n: 0.0)
    life_s: float = float("inf")
    goodbye: int | None = None


@dataclass(frozen=True)
class Published:
    """A message that a client sent, and what it was answered."""

    topic: str
    payload: bytes
    code: int | None


class HostileBroker:
    """Listens on the loopback from ``with`` to the end of its block."""

    def __init__(self, habits: Habits | None = None) -> None:
        self.habits = habits or Habits()
        self.published: list[Published] = []
        self.protocols: list[int] = []
        self.connected_at_s: list[float] = []
        self.most_unanswered = 0
        self.farewells = 0
        """Clients that disconnected in due form: nobody is told their wills."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def settings(self) -> BrokerSettings:
        return BrokerSettings(
            url=f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}",
            connect_timeout_s=0.5,
            stall_s=0.5,
            reconnect_max_s=1.0,
            settle_s=0.0,
        )

    def topics(self, level: str) -> list[Published]:
        """What was published below a level and answered with success."""
        return [p for p in list(self.published) if level in p.topic.split("/") and p.code == 0]

    def __enter__(self) -> HostileBroker:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()
        keeps_contract((message.topic, message.payload) for message in self.published)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue  # Nobody yet: look whether to end, and wait on.
            client.settimeout(0.1)
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(ConnectionError, EOFError):
            _Conversation(self, client, self._stopping).hold()


class _Conversation:
    """One client, from CONNECT to the end."""

    def __init__(self, broker: HostileBroker, client: Any, stopping: threading.Event) -> None:
        self._broker = broker
        self._client = client
        self._stopping = stopping
        self._is_v5 = False
        self._unanswered = 0
        self._buffer = b""
        self._began_s = time.monotonic()

    def hold(self) -> None:
        while not self._stopping.is_set():
            kind, flags, body = self._packet()
            if kind == CONNECT:
                if not self._welcome(body):
                    return
            elif kind == PUBLISH:
                if self._broker.habits.goodbye is not None:
                    self._send(DISCONNECT, bytes([self._broker.habits.goodbye, 0]))
                    return
                self._take(flags, body)
            elif kind == SUBSCRIBE:
                self._send(SUBACK, body[:2] + (b"\0" if self._is_v5 else b"") + b"\1")
            elif kind == PINGREQ:
                self._send(PINGRESP, b"")
            elif kind == DISCONNECT:
                self._broker.farewells += 1
                return

    def _welcome(self, body: bytes) -> bool:
        habits, level = self._broker.habits, body[6]
        self._is_v5 = level == 5
        self._broker.protocols.append(level)
        self._broker.connected_at_s.append(time.monotonic())
        if habits.welcome == "silent":
            while not self._stopping.is_set():
                self._packet()
        if self._is_v5 and habits.welcome.startswith("v"):
            if habits.welcome == "v5 code":
                self._send(CONNACK, b"\0\x84\0")
            elif habits.welcome == "v3 code":
                self._send(CONNACK, b"\0\1")
            return False
        properties = b""
        if habits.receive_maximum is not None:
            properties = b"\x21" + struct.pack(">H", habits.receive_maximum)
        if habits.maximum_packet is not None:
            properties += b"\x27" + struct.pack(">I", habits.maximum_packet)
        told = bytes([0, habits.connack_code])
        self._send(CONNACK, told + bytes([len(properties)]) + properties if self._is_v5 else told)
        return habits.welcome != "close" and habits.connack_code == 0

    def _take(self, flags: int, body: bytes) -> None:
        habits, n = self._broker.habits, len(self._broker.published)
        length = struct.unpack(">H", body[:2])[0]
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        mid = b""
        if flags & 0b110:
            mid, rest = rest[:2], rest[2:]
        if self._is_v5:
            size, used = _varint(rest)
            rest = rest[used + size :]
        code = habits.answer(topic, n)
        self._broker.published.append(Published(topic, rest, code))
        self._unanswered += bool(mid)
        if mid and code is not None:
            time.sleep(habits.delay_s(n))
        # What has arrived and was not read yet is unanswered too.
        unanswered = self._unanswered + self._unread()
        self._broker.most_unanswered = max(self._broker.most_unanswered, unanswered)
        if mid and code is not None:
            self._unanswered -= 1
            self._send(PUBACK, mid + bytes([code, 0]) if self._is_v5 else mid)

    def _packet(self) -> tuple[int, int, bytes]:
        first = self._read(1)[0]
        size, shift = 0, 0
        while True:
            byte = self._read(1)[0]
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return first >> 4, first & 15, self._read(size)

    def _unread(self) -> int:
        """PUBLISH packets that lie in the buffer."""
        if select.select([self._client], [], [], 0.0)[0]:
            self._buffer += self._client.recv(65536)
        packets, at = 0, 0
        while at + 1 < len(self._buffer):
            packets += self._buffer[at] >> 4 == PUBLISH
            size, used = _varint(self._buffer[at + 1 :])
            at += 1 + used + size
        return packets

    def _read(self, n: int) -> bytes:
        while len(self._buffer) < n:
            is_over = time.monotonic() - self._began_s > self._broker.habits.life_s
            if is_over or self._stopping.is_set():
                raise EOFError
            with suppress(TimeoutError):
                got = self._client.recv(65536)
                if not got:
                    raise EOFError
                self._buffer += got
        taken, self._buffer = self._buffer[:n], self._buffer[n:]
        return taken

    def _send(self, kind: int, body: bytes) -> None:
        self._client.sendall(bytes([kind << 4, len(body)]) + body)


def _varint(data: bytes) -> tuple[int, int]:
    """The number at the start, and how many bytes it takes."""
    value = 0
    for used, byte in enumerate(data[:4]):
        value |= (byte & 127) << 7 * used
        if byte < 128:
            return value, used + 1
    raise EOFError
