"""What is said of a connection that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_app.config.schema import BrokerSettings
from edge_app.delivery.status import certificate_hint, in_words
from edge_app.errors import DeliveryError

OWN = {"certificate_file": Path("client.pem"), "key_file": Path("client.key")}


def test_a_broker_that_hangs_up_may_want_a_certificate() -> None:
    assert "certificate_file" in certificate_hint(BrokerSettings(url="mqtts://broker.lan"))


@pytest.mark.parametrize(
    "settings",
    [BrokerSettings(url="mqtts://broker.lan", **OWN), BrokerSettings(url="mqtt://127.0.0.1")],
    ids=["it was shown one", "there is no TLS"],
)
def test_otherwise_that_is_not_why(settings: BrokerSettings) -> None:
    assert certificate_hint(settings) == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "no answer in time"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (OSError("odd"), "odd"),
        (DeliveryError("no key"), "no key"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_errors_are_said_in_words(error: Exception, words: str) -> None:
    assert words in in_words(error)
