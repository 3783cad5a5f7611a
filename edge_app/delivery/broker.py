"""A broker for the demo and the tests, on the loopback of this machine only.

mosquitto where it is installed, in a process of its own; else amqtt (``pip install
dresscode[demo]``) in a thread. amqtt speaks MQTT 3.1.1 only, keeps nothing over a restart and shows
retained messages to clients that did not ask for them: good for a demo, not for a store.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

from edge_app.config.schema import BrokerSettings
from edge_app.errors import DeliveryError

log = logging.getLogger(__name__)

START_S: Final = 10.0
STOP_S: Final = 5.0
Kind = Literal["mosquitto", "amqtt"]


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_mosquitto() -> str | None:
    """The mosquitto program; it is often outside a user's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def which_broker() -> Kind:
    """The broker that this machine can run.

    Raises:
        DeliveryError: it can run none.
    """
    if find_mosquitto():
        return "mosquitto"
    if find_spec("amqtt"):
        return "amqtt"
    raise DeliveryError(
        "expected a broker to run on this machine, got neither mosquitto nor amqtt; install one: "
        "apt install mosquitto, or pip install 'dresscode[demo]'"
    )


class EmbeddedBroker:
    """A broker from ``with`` to the end of its block; ``url`` and ``kind`` say where and which.

    Args:
        kind: which one; None for the better one of those that are installed.
        port: of the loopback; 0 for a free one.
        websockets_port: where browsers may connect; None for nowhere.
    """

    def __init__(
        self, kind: Kind | None = None, port: int = 0, websockets_port: int | None = None
    ) -> None:
        self.kind: Kind = kind or which_broker()
        self._port = port
        self._websockets_port = websockets_port
        self._stop: Callable[[], None] = lambda: None

    @property
    def port(self) -> int:
        """The port of the loopback, once it runs."""
        return self._port

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"mqtt://127.0.0.1:{self._port}"

    @property
    def settings(self) -> BrokerSettings:
        """How to connect to it; amqtt hangs on a CONNECT of MQTT 5, so it is not sent one."""
        protocol: Literal["auto", "3.1.1"] = "auto" if self.kind == "mosquitto" else "3.1.1"
        return BrokerSettings(url=self.url, protocol=protocol)

    @property
    def description(self) -> str:
        """Which broker it is and why, for people."""
        if self.kind == "mosquitto":
            return f"mosquitto on {self.url} (found on this machine)"
        return f"amqtt on {self.url} (no mosquitto on this machine; MQTT 3.1.1, for a demo only)"

    def __enter__(self) -> EmbeddedBroker:
        self._port = self._port or free_port()
        if _is_served(self._port):
            raise DeliveryError(
                f"expected a free port for the broker, but something listens on {self._port}; "
                "choose another, or 0"
            )
        start = self._start_mosquitto if self.kind == "mosquitto" else self._start_amqtt
        self._stop = start()
        log.info("broker: %s", self.description)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start_mosquitto(self) -> Callable[[], None]:
        program = find_mosquitto()
        if program is None:
            raise DeliveryError("mosquitto is not installed; install it: apt install mosquitto")
        folder = tempfile.TemporaryDirectory(prefix="dresscode-broker-")
        lines = [f"listener {self._port} 127.0.0.1", "allow_anonymous true", "persistence false"]
        if self._websockets_port is not None:
            lines += [f"listener {self._websockets_port} 127.0.0.1", "protocol websockets"]
        config = Path(folder.name) / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        said = Path(folder.name) / "mosquitto.log"
        # A file and no pipe: it says something of each connection, and would wait for a reader.
        with said.open("wb") as stderr:
            process = subprocess.Popen(  # noqa: S603 - the program found above, our own file
                [program, "-c", str(config)],
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,  # a Ctrl-C is for us; the broker goes last
            )

        def stop() -> None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            folder.cleanup()

        def reason() -> str | None:
            if process.poll() is None:
                return None
            told = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return told[-1] if told else f"exit code {process.returncode}"

        _wait_for_port(self._port, reason, stop)
        return stop

    def _start_amqtt(self) -> Callable[[], None]:
        from amqtt.broker import Broker  # an extra: present only for the demo

        listeners: dict[str, Any] = {
            "default": {"type": "tcp", "bind": f"127.0.0.1:{self._port}", "max_connections": 100}
        }
        if self._websockets_port is not None:
            listeners["web"] = {"type": "ws", "bind": f"127.0.0.1:{self._websockets_port}"}
        config = {
            "listeners": listeners,
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="amqtt", daemon=True)
        thread.start()

        def call(coroutine: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result(START_S)

        async def make() -> Any:
            broker = Broker(config)
            await broker.start()
            return broker

        broker = call(make())

        async def end() -> None:
            await broker.shutdown()
            # Who connects at this very moment is not among the clients that amqtt hangs up on.
            for transport in list(getattr(loop, "_transports", {}).values()):
                transport.abort()
            await asyncio.sleep(0)

        def stop() -> None:
            try:
                call(end())
            finally:
                loop.call_soon_threadsafe(loop.stop)
                thread.join(STOP_S)
                loop.close()

        return stop


def _is_served(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_for_port(
    port: int, why_not: Callable[[], str | None], give_up: Callable[[], None]
) -> None:
    """Wait until something listens.

    Raises:
        DeliveryError: it ended, or does not listen in time.
    """
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        reason = why_not()
        if reason is not None:
            give_up()
            raise DeliveryError(f"the broker ended at once: {reason}")
        if _is_served(port):
            return
        time.sleep(0.02)
    give_up()
    raise DeliveryError(f"the broker does not listen on port {port} after {START_S:.0f} s")
