"""A client that reads what a box publishes, as a dashboard or a phone would; for the demo."""

from __future__ import annotations

import time

from edge_app.config.schema import BrokerSettings
from edge_app.delivery.mqtt import Connected, Connection, Lost, Received, Refused
from edge_app.delivery.wake import Wake
from edge_app.errors import DeliveryError


class Subscriber:
    """Subscribed from ``with`` on; one thread at a time.

    Args:
        settings: the broker.
        client_id: unique at the broker.
        pattern: topics, with MQTT's wildcards.
    """

    def __init__(self, settings: BrokerSettings, client_id: str, pattern: str) -> None:
        protocol = "5" if settings.protocol == "auto" else settings.protocol
        self._settings = settings
        self._pattern = pattern
        self._connection = Connection(settings, client_id, protocol, will=None)
        self._wake = Wake()

    def __enter__(self) -> Subscriber:
        """Connect and subscribe.

        Raises:
            DeliveryError: the broker refuses, or does not answer in time.
        """
        try:
            self._connection.open()
        except OSError as error:
            raise DeliveryError(f"{self._settings.url}: cannot connect: {error}") from error
        until_s = time.monotonic() + self._settings.connect_timeout_s
        while time.monotonic() < until_s:
            for event in self._connection.step(0.2, self._wake.fileno()):
                if isinstance(event, Connected):
                    self._connection.subscribe(self._pattern)
                    return self
                if isinstance(event, Refused | Lost):
                    raise DeliveryError(f"{self._settings.url}: {event.reason}")
        raise DeliveryError(f"{self._settings.url}: no welcome in time")

    def __exit__(self, *_: object) -> None:
        self._connection.close(is_clean=True)
        self._wake.close()

    def read(self, timeout_s: float) -> list[Received]:
        """Everything that arrives within a time, perhaps nothing.

        Raises:
            DeliveryError: the connection was lost.
        """
        received: list[Received] = []
        until_s = time.monotonic() + timeout_s
        while True:
            left_s = max(0.0, until_s - time.monotonic())
            for event in self._connection.step(left_s, self._wake.fileno()):
                if isinstance(event, Lost | Refused):
                    raise DeliveryError(f"{self._settings.url}: {event.reason}")
                if isinstance(event, Received):
                    received.append(event)
            if left_s <= 0.0:
                return received
