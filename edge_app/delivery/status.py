"""How the delivery to one broker is doing, in numbers and in words."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_app.config.schema import BrokerSettings
from edge_app.delivery.certificates import Lifetime


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
        certificates: how long each lasts; empty without TLS.
        renewals_due: which of them should be renewed; None for none.
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
    certificates: Mapping[str, Lifetime] = field(default_factory=dict)
    renewals_due: str | None = None

    @property
    def troubles(self) -> list[str]:
        """What does not work, and what soon will not."""
        return [*filter(None, (self.trouble, self.renewals_due))]


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
        told = (self.store.detail, self.store.renewals_due, *self._troubles_elsewhere())
        return "; ".join(filter(None, told))

    @property
    def troubles(self) -> list[str]:
        """What does not work, for people; empty while every broker takes what it is sent."""
        return [*self.store.troubles, *self._troubles_elsewhere()]

    def _troubles_elsewhere(self) -> list[str]:
        return [
            f"{broker}: {trouble}"
            for broker, status in self.by_broker.items()
            for trouble in status.troubles
            if status is not self.store
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
