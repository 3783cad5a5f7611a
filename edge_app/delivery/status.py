"""How the delivery to one broker is doing, in numbers and in words."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from edge_app.config.schema import BrokerSettings


@dataclass(frozen=True)
class Status:
    """How a sender is doing.

    Attributes:
        is_connected: the broker has welcomed us.
        url: of the broker.
        protocol: version of MQTT spoken now, or tried next.
        detail: a few words for people: what works, or what does not.
        trouble: the same where something does not; None while the broker takes what it is sent.
        in_flight: messages handed over and not acknowledged.
        puback_age_s: since deliveries last went forward; None before the first connection.
        sent: messages acknowledged since the start.
        connections: how often we were welcomed since the start.
    """

    is_connected: bool
    url: str
    protocol: str
    detail: str
    trouble: str | None
    in_flight: int
    puback_age_s: float | None
    sent: int
    connections: int


@dataclass(frozen=True)
class Deliveries:
    """How the senders of a box are doing.

    Attributes:
        by_broker: by the outbox's name of the broker, the store's among them.
    """

    by_broker: Mapping[str, Status]

    @property
    def store(self) -> Status:
        """Of the store's own broker."""
        return self.by_broker["store"]

    @property
    def words(self) -> str:
        """For people: how it is at the store's broker, and what is wrong at any other."""
        return "; ".join([self.store.detail, *self._troubles_elsewhere()])

    @property
    def troubles(self) -> list[str]:
        """What does not work, for people; empty while every broker takes what it is sent."""
        own = self.store.trouble
        return [*([own] if own else []), *self._troubles_elsewhere()]

    def _troubles_elsewhere(self) -> list[str]:
        return [
            f"{broker}: {status.trouble}"
            for broker, status in self.by_broker.items()
            if status.trouble and status is not self.store
        ]


def certificate_hint(settings: BrokerSettings) -> str:
    """What to add where TLS was agreed on and the broker then hung up: many say no more."""
    if settings.url.startswith("mqtts:") and settings.certificate_file is None:
        return "; it may want a client certificate (certificate_file and key_file)"
    return ""


def in_words(error: Exception) -> str:
    """Why a connection failed, for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
