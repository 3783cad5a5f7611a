"""TLS to a broker: what we trust, and what we show."""

from __future__ import annotations

import ssl
from pathlib import Path

from edge_app.config.schema import BrokerSettings
from edge_app.errors import DeliveryError


class ClosingSocket(ssl.SSLSocket):
    """Closed when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        """Perform the handshake."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def tls_context(settings: BrokerSettings) -> ssl.SSLContext:
    """TLS 1.2 or later, the broker's certificate checked; ours shown where there is one.

    Raises:
        DeliveryError: a certificate or key cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        context.sslsocket_class = ClosingSocket
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate_file is not None:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        files = (settings.ca_file, settings.certificate_file, settings.key_file)
        named = ", ".join(str(file) for file in files if file is not None)
        raise DeliveryError(
            f"expected certificates in PEM in {named}, got: {error}; check the files and that the "
            "service may read them"
        ) from error
    return context


class Renewal:
    """Notices that a password or certificate file was replaced.

    Args:
        settings: of the broker that names the files.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        named = (
            settings.password_file, settings.ca_file, settings.certificate_file, settings.key_file,
        )  # fmt: skip
        self._files = [file for file in named if file is not None]
        self._seen = self._stamps()

    def is_due(self) -> bool:
        """Whether a file is another one than at the last call, or has come or gone."""
        before, self._seen = self._seen, self._stamps()
        return before != self._seen

    def _stamps(self) -> list[tuple[int, int] | None]:
        return [_stamp(file) for file in self._files]


def _stamp(file: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced; None where it is missing, or not for us to see."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino
