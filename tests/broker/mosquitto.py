"""A real mosquitto that a test may configure, kill and start again; and a client that collects."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge_app.config.schema import BrokerSettings
from edge_app.delivery.broker import find_mosquitto, free_port
from edge_app.delivery.contract import PAYLOADS, json_schemas
from edge_app.delivery.topics import kind_of

SCHEMAS = {kind: jsonschema.Draft202012Validator(schema) for kind, schema in json_schemas().items()}
BY_SCHEMA = 20
"""Messages of a kind that are held against its JSON Schema too, which takes milliseconds each."""

ROOMY = ("max_queued_messages 100000",)
"""As in deploy/mosquitto/store.conf: of more than 1000 waiting for a subscriber that is away, or
slow, the rest would be dropped."""

DURABLE = ("persistence true", "autosave_interval 1", "autosave_on_changes true", *ROOMY)
"""What makes mosquitto keep what it acknowledged over a kill; by default it does not."""


def wait_until(is_so: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Whether something became so in time."""
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if is_so():
            return True
        time.sleep(0.01)
    return is_so()


def keeps_contract(messages: Iterable[tuple[str, bytes]]) -> None:
    """Every message, as topic and payload, is what its topic promises.

    Raises:
        ValidationError: one is not.
    """
    seen: Counter[str] = Counter()
    for topic, payload in messages:
        kind = kind_of(topic)
        if kind is not None:
            PAYLOADS[kind].model_validate_json(payload, strict=True)
            seen[kind] += 1
            if seen[kind] <= BY_SCHEMA:
                SCHEMAS[kind].validate(json.loads(payload))


class Mosquitto:
    """One mosquitto process with a folder of its own."""

    def __init__(self, folder: Path, lines: Sequence[str] = (), port: int | None = None) -> None:
        program = find_mosquitto()
        assert program is not None
        self.port = port or free_port()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "mosquitto.conf"
        base = [f"listener {self.port} 127.0.0.1", f"persistence_location {folder}/", "user root"]
        allow = [] if any("allow_anonymous" in line for line in lines) else ["allow_anonymous true"]
        config.write_text("\n".join([*base, *allow, *lines]) + "\n")
        self._command = [program, "-c", str(config)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def settings(self, **more: Any) -> BrokerSettings:
        """Impatient ones, so that tests are short."""
        return BrokerSettings(**{"url": self.url, "reconnect_max_s": 1.0, "stall_s": 2.0} | more)

    def start(self) -> None:
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        try:
            assert wait_until(self._listens, 10), (self.folder / "mosquitto.log").read_text()
        except BaseException:
            self.kill()
            raise

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """As a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        self.kill()

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Collector:
    """A subscriber with a session that the broker keeps, as a dashboard's ingestion has."""

    def __init__(self, port: int, pattern: str = "dresscode/#", client_id: str = "ingest") -> None:
        self.messages: list[paho.MQTTMessage] = []
        self._lock = threading.Lock()
        self._subscribed = threading.Event()
        self._pattern = pattern
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, clean_session=False, protocol=paho.MQTTv311
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda *_: self._client.subscribe(self._pattern, 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._keep
        self._client.connect("127.0.0.1", port, 5)
        self._client.loop_start()
        assert self._subscribed.wait(10)

    def _keep(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        with self._lock:
            self.messages.append(message)

    def payloads(self, level: str) -> list[dict[str, Any]]:
        """Payloads of the topics that have a certain level, such as ``alert``."""
        with self._lock:
            return [
                json.loads(message.payload)
                for message in self.messages
                if level in message.topic.split("/")
            ]

    def seqs(self, level: str) -> list[int]:
        return [payload["seq"] for payload in self.payloads(level)]

    def close(self) -> None:
        """Hang up, and hold everything that came against the contract."""
        self._client.disconnect()
        self._client.loop_stop()
        keeps_contract((message.topic, message.payload) for message in self.messages)

    def __enter__(self) -> Collector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
