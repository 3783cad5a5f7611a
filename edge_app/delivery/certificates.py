"""How long the certificates of a connection last; nobody looks again before nothing is sent."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from edge_app.config.kinds import broker_address
from edge_app.config.schema import BrokerSettings
from edge_app.delivery.tls import tls_context
from edge_app.errors import DeliveryError

log = logging.getLogger(__name__)

SOON_S: Final = 21 * 86400.0
"""So long before its end a certificate is to be renewed;"""
_SOON_SHARE: Final = 0.2
"""or, of one that is renewed more often, when less than this share of its time is left."""
AGAIN_S: Final = 3600.0
"""How often it is looked whether those that are due were renewed,"""
_PATIENCE_S: Final = 5.0
"""and how long the broker is waited for."""

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17


@dataclass(frozen=True)
class Lifetime:
    """From when until when a certificate is valid, Unix seconds."""

    begins_s: float
    ends_s: float

    @classmethod
    def of(cls, der: bytes) -> Lifetime:
        """Read it from a certificate in DER (RFC 5280, 4.1).

        Raises:
            ValueError: that is no certificate.
        """
        try:
            (_, certificate), *_ = _parts(der)
            (_, told), *_ = _parts(certificate)
            parts = [content for tag, content in _parts(told) if tag != _VERSION]
            # Serial number, signature, issuer, validity.
            begins, ends = (_seconds(tag, content) for tag, content in _parts(parts[3]))
        except (IndexError, ValueError) as error:
            raise ValueError("no X.509 certificate") from error
        return cls(begins, ends)

    @property
    def ends_on(self) -> str:
        """The day of its end, UTC."""
        return f"{datetime.fromtimestamp(self.ends_s, timezone.utc):%Y-%m-%d}"

    @property
    def renew_by_s(self) -> float:
        """When it should have been renewed, Unix seconds."""
        return self.ends_s - min(SOON_S, _SOON_SHARE * (self.ends_s - self.begins_s))


class Certificates:
    """Those of the connections to one broker.

    Args:
        settings: of the broker.

    Attributes:
        lifetimes: of each that is known: `broker`, `own`, `ca`.
        renewals_due: which should have been renewed, for people; None for none.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self.lifetimes: Mapping[str, Lifetime] = {}
        self.renewals_due: str | None = None
        self._looked_at_s = 0.0

    def connected(self, shown: bytes | None, now_s: float) -> None:
        """Look at them, now that they have served.

        Args:
            shown: the broker's in DER; None without TLS.
            now_s: Unix time.
        """
        self.lifetimes = {} if shown is None else self._look(shown, now_s)
        self.renewals_due = renewals_due(self.lifetimes, now_s)

    def turn(self, now_s: float) -> None:
        """See which are due. A connection outlives renewals, so what is due is looked at again."""
        due = renewals_due(self.lifetimes, now_s)
        if due and not 0.0 <= now_s - self._looked_at_s < AGAIN_S:
            self.lifetimes = {**self.lifetimes, **self._look(None, now_s)}
            due = renewals_due(self.lifetimes, now_s)
        self.renewals_due = due

    def _look(self, shown: bytes | None, now_s: float) -> Mapping[str, Lifetime]:
        self._looked_at_s = now_s
        try:
            return lifetimes(self._settings, shown or _shown_to_others(self._settings))
        except (OSError, ValueError, DeliveryError) as error:
            log.warning(
                "%s: until when its certificates last is not known: %s", self._settings.url, error
            )
            return {}


def _shown_to_others(settings: BrokerSettings) -> bytes:
    """The certificate, in DER, that a broker shows to a new connection, which ends with that.

    Raises:
        OSError, DeliveryError: a new connection would fail.
    """
    with socket.create_connection(broker_address(settings.url), _PATIENCE_S) as plain:
        return shown_on(plain, settings)


def shown_on(plain: socket.socket, settings: BrokerSettings) -> bytes:
    """The certificate, in DER, that a broker shows on a new connection, which ends with that.

    Raises:
        OSError, DeliveryError: it is not accepted, or ours is not, or a file cannot be read.
    """
    host, _ = broker_address(settings.url)
    with tls_context(settings).wrap_socket(plain, server_hostname=host) as secure:
        return secure.getpeercert(True) or b""


_WORDS: Final = {
    "broker": "the broker's certificate",
    "own": "certificate_file",
    "ca": "ca_file",
}


def renewals_due(certificates: Mapping[str, Lifetime], now_s: float) -> str | None:
    """Which of them should be renewed, for people; None for none."""
    due = (
        f"{_WORDS[name]} ends on {lifetime.ends_on}; renew it"
        for name, lifetime in certificates.items()
        if lifetime.renew_by_s < now_s
    )
    return ", ".join(due) or None


def lifetimes(settings: BrokerSettings, shown: bytes) -> dict[str, Lifetime]:
    """Of the broker's certificate and those of the configuration, as far as they can be read.

    Args:
        settings: of the broker.
        shown: the broker's, in DER.

    Raises:
        OSError, ValueError: a file cannot be read, or holds something else.
    """
    found = {"broker": [shown]}
    if settings.certificate_file is not None:
        found["own"] = _in_file(settings.certificate_file)[:1]  # what follows signed it
    if settings.ca_file is not None:
        found["ca"] = _in_file(settings.ca_file)
    read = {name: [Lifetime.of(der) for der in ders] for name, ders in found.items()}
    # Of several authorities the one that lasts may be the broker's.
    return {name: max(some, key=lambda one: one.ends_s) for name, some in read.items() if some}


def _in_file(file: Path) -> list[bytes]:
    """The certificates of a PEM file, in DER."""
    _, *blocks = file.read_text(encoding="utf-8", errors="replace").split(_BEGIN)
    return [ssl.PEM_cert_to_DER_cert(_BEGIN + block.split(_END)[0] + _END) for block in blocks]


def _parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each DER element."""
    at = 0
    while at < len(content):
        tag, size = content[at], content[at + 1]
        at += 2
        if size >= 0x80:
            at, size = at + size - 0x80, int.from_bytes(content[at : at + size - 0x80], "big")
        yield tag, content[at : at + size]
        at += size


def _seconds(tag: int, content: bytes) -> float:
    """Unix seconds of a UTCTime, whose years are 1950 to 2049, or a GeneralizedTime."""
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("20" if text < "5" else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
