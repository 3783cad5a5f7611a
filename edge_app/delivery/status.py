"""How the delivery to one broker is doing, in numbers and in words."""

from __future__ import annotations

import ssl
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
