"""How long the certificates of a connection last; nobody looks again before nothing is sent."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from edge_app.config.schema import BrokerSettings

log = logging.getLogger(__name__)

SOON_S: Final = 21 * 86400.0
"""So long before its end a certificate is to be renewed;"""
_SOON_SHARE: Final = 0.2
"""or, of one that is renewed more often, when less than this share of its time is left."""

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

    def is_ending(self, now_s: float) -> bool:
        """Whether it should have been renewed by now."""
        return self.ends_s - now_s < min(SOON_S, _SOON_SHARE * (self.ends_s - self.begins_s))


class Certificates:
    """Those of the connections to one broker.

    Args:
        settings: of the broker.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self._lifetimes: dict[str, Lifetime] = {}

    @property
    def end_s(self) -> dict[str, float]:
        """When each ends, Unix seconds: `broker`, `own`, `ca`; those of the last connection."""
        return {name: lifetime.ends_s for name, lifetime in self._lifetimes.items()}

    def connected(self, shown: bytes | None) -> None:
        """Look at them, now that they have served.

        Args:
            shown: the broker's in DER; None without TLS.
        """
        self._lifetimes = {}
        if shown is None:
            return
        try:
            self._lifetimes = lifetimes(self._settings, shown)
        except (OSError, ValueError) as error:
            log.warning(
                "%s: until when its certificates last is not known: %s", self._settings.url, error
            )

    def renewals_due(self, now_s: float) -> str | None:
        """Which should be renewed, for people; None for none."""
        return renewals_due(self._lifetimes, now_s)


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
        if lifetime.is_ending(now_s)
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
