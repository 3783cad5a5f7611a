"""TLS with a real broker: what is trusted connects, anything else is said clearly."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_app.commands.doctor_network import broker_findings
from edge_app.config.schema import BrokerSettings, OutboxSettings
from edge_app.delivery.broker import free_port
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from edge_app.delivery.session import Clocks
from edge_app.delivery.tls import Renewal
from tests.broker.certificates import Authority
from tests.broker.mosquitto import DURABLE, Collector, Mosquitto, wait_until
from tests.edge_app.delivery.samples import MESSAGES, minute


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory, has_mosquitto: None) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("openssl: not installed")
    return Authority(tmp_path_factory.mktemp("authority"))


class TlsBroker(Mosquitto):
    """A mosquitto with TLS on one port, and plain text on another for the test's eyes."""

    def __init__(
        self, folder: Path, authority: Authority, certificate: tuple[Path, Path], *more: str
    ) -> None:
        self.tls_port = free_port()
        super().__init__(
            folder,
            [
                f"listener {self.tls_port} 127.0.0.1",
                f"certfile {certificate[0]}",
                f"keyfile {certificate[1]}",
                f"cafile {authority.ca_file}",
                *more,
            ],
        )

    def settings(self, **more: Any) -> BrokerSettings:
        return super().settings(**{"url": f"mqtts://127.0.0.1:{self.tls_port}"} | more)


@pytest.fixture
def good(tmp_path: Path, authority: Authority) -> Iterator[TlsBroker]:
    own = authority.issue("good")
    with TlsBroker(tmp_path / "m", authority, own, *DURABLE) as broker:
        yield broker


def detail_of(settings: BrokerSettings, outbox: Outbox) -> str:
    """What a sender says that cannot connect."""
    with Sender(settings, outbox, MESSAGES) as box:
        assert wait_until(lambda: box.status().detail.startswith("not connected:"))
        assert not box.status().is_connected
        return box.status().detail


def test_messages_arrive_over_tls(good: TlsBroker, authority: Authority, outbox: Outbox) -> None:
    outbox.publish([minute(n) for n in range(200)])
    settings = good.settings(ca_file=authority.ca_file)
    with Collector(good.port) as collector, Sender(settings, outbox, MESSAGES, "store", 1e5) as box:
        assert wait_until(lambda: len(collector.seqs("agg")) == 200)
        assert box.status().is_connected


def test_an_unknown_authority_is_not_trusted(good: TlsBroker, outbox: Outbox) -> None:
    assert "certificate is not accepted" in detail_of(good.settings(), outbox)


def test_another_authority_is_not_trusted(good: TlsBroker, outbox: Outbox, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", "other")
    assert "certificate is not accepted" in detail_of(good.settings(ca_file=other.ca_file), outbox)


@pytest.mark.parametrize(
    ("how", "reason"),
    [({"days": -1}, "expired"), ({"host": "DNS:elsewhere.example"}, "not valid for '127.0.0.1'")],
    ids=["expired", "wrong host"],
)
def test_a_bad_certificate_is_refused(
    tmp_path: Path, authority: Authority, outbox: Outbox, how: dict[str, Any], reason: str
) -> None:
    bad = authority.issue(f"bad-{len(reason)}", **how)
    with TlsBroker(tmp_path / "m", authority, bad) as broker:
        detail = detail_of(broker.settings(ca_file=authority.ca_file), outbox)
    assert reason in detail
    outbox.publish([minute(0)])
    assert outbox.depth("store").rows == 1


@pytest.fixture
def strict(tmp_path: Path, authority: Authority) -> Iterator[TlsBroker]:
    """Wants a certificate of the client, whose name becomes its user name."""
    own = authority.issue("strict")
    more = ("require_certificate true", "use_identity_as_username true")
    with TlsBroker(tmp_path / "m", authority, own, *more) as broker:
        yield broker


def settings_of_client(broker: TlsBroker, authority: Authority) -> BrokerSettings:
    """With a certificate of its own."""
    certificate, key = authority.issue("acme-0042")
    return broker.settings(ca_file=authority.ca_file, certificate_file=certificate, key_file=key)


def test_a_client_certificate_is_shown(
    strict: TlsBroker, authority: Authority, outbox: Outbox
) -> None:
    settings = settings_of_client(strict, authority)
    outbox.publish([minute(0)])
    with Collector(strict.port) as collector, Sender(settings, outbox, MESSAGES):
        assert wait_until(lambda: collector.seqs("agg") == [1])


def test_certificates_that_end_soon_are_told_while_there_is_time(
    strict: TlsBroker, authority: Authority, outbox: Outbox
) -> None:
    """To whoever watches the box, and through the broker; they last two days."""
    settings = settings_of_client(strict, authority)
    clocks = Clocks(lambda: time.time() + 1.9 * 86400)
    with (
        Collector(strict.port) as collector,
        Sender(settings, outbox, MESSAGES, clocks=clocks) as box,
    ):
        assert wait_until(lambda: box.status().is_connected)
        assert sorted(box.status().certificates) == ["broker", "ca", "own"]
        trouble = box.status().renewals_due or ""
        assert "the broker's certificate ends on" in trouble
        assert "certificate_file ends on" in trouble
        assert wait_until(lambda: collector.payloads("state") != [])
        state = collector.payloads("state")[-1]
        assert (state["state"], state["reason"]) == ("degraded", trouble)


@pytest.mark.parametrize(
    ("days", "states"),
    [(2, ["online", "degraded"]), (10, ["online"])],
    ids=["not renewed", "renewed"],
)
def test_what_was_renewed_while_connected_does_not_end(
    tmp_path: Path, outbox: Outbox, days: int, states: list[str]
) -> None:
    """Brokers take up new certificates without ending a connection, which may last for years."""
    lasting = Authority(tmp_path / "lasting", days=3650)
    shown, own = lasting.issue("broker"), lasting.issue("acme-0042")
    ahead_s = 0.0
    with (
        TlsBroker(tmp_path / "m", lasting, shown, "require_certificate true") as broker,
        Collector(broker.port) as collector,
    ):
        settings = broker.settings(
            ca_file=lasting.ca_file, certificate_file=own[0], key_file=own[1]
        )
        clocks = Clocks(lambda: time.time() + ahead_s)
        with Sender(settings, outbox, MESSAGES, clocks=clocks) as box:
            assert wait_until(lambda: collector.payloads("state") != [])
            lasting.issue("broker", days=days)
            lasting.issue("acme-0042", days=days)
            os.kill(broker.pid, signal.SIGHUP)
            address, renewed = ("127.0.0.1", broker.tls_port), shown[0].read_text()
            assert wait_until(lambda: ssl.get_server_certificate(address) == renewed)
            ahead_s = 1.9 * 86400
            outbox.publish([minute(0)])
            assert wait_until(lambda: len(collector.payloads("state")) == len(states))
            assert wait_until(lambda: collector.seqs("agg") == [1])
            assert [told["state"] for told in collector.payloads("state")] == states
            assert (box.status().renewals_due is None) is (states == ["online"])
            assert box.status().connections == 1


def test_the_doctor_sees_certificates_that_end_soon(
    strict: TlsBroker, authority: Authority
) -> None:
    settings = settings_of_client(strict, authority)

    def of_tls(ahead_s: float) -> tuple[bool, str]:
        then = lambda: time.time() + ahead_s  # noqa: E731
        found = broker_findings("mqtt", settings, "acme-0042", "edge-1", then)
        return next((good, words) for what, good, words in found if what.endswith("TLS"))

    good, words = of_tls(0.0)
    assert good
    assert "the certificate is accepted, until 20" in words
    good, words = of_tls(1.9 * 86400)
    assert not good
    assert "certificate_file ends on" in words


def test_a_missing_client_certificate_is_said(
    strict: TlsBroker, authority: Authority, outbox: Outbox
) -> None:
    detail = detail_of(strict.settings(ca_file=authority.ca_file), outbox)
    assert "certificate" in detail.lower()


def test_a_renewed_certificate_is_taken_up_on_reload(
    strict: TlsBroker, authority: Authority, outbox: Outbox, tmp_path: Path
) -> None:
    """The files are there only later; the sender is told so."""
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    settings = strict.settings(
        ca_file=authority.ca_file, certificate_file=certificate, key_file=key, reconnect_max_s=600
    )
    with Sender(settings, outbox, MESSAGES) as box:
        assert wait_until(lambda: "expected certificates in PEM" in box.status().detail)
        new_certificate, new_key = authority.issue("renewed")
        new_certificate.replace(certificate)
        new_key.replace(key)
        box.renew()
        assert wait_until(lambda: box.status().is_connected)
        box.renew()  # nothing has changed: the connection stays
        assert not wait_until(lambda: not box.status().is_connected, 0.5)


def test_a_secret_that_cannot_even_be_looked_for_is_one_that_is_missing(tmp_path: Path) -> None:
    """As those of a unit without LoadCredential=, whose folder belongs to root."""
    secret = tmp_path / ("x" * 300)  # no file system takes such a name; root may look everywhere
    with pytest.raises(OSError, match="File name too long"):
        secret.stat()
    settings = BrokerSettings(url="mqtt://127.0.0.1", username="x", password_file=secret)
    assert not Renewal(settings).is_due()


def test_a_broker_without_tls_is_said(mosquitto: Mosquitto, outbox: Outbox) -> None:
    settings = mosquitto.settings(url=f"mqtts://127.0.0.1:{mosquitto.port}")
    assert "not connected" in detail_of(settings, outbox)


def test_two_brokers_are_served_independently(
    tmp_path: Path, authority: Authority, good: TlsBroker
) -> None:
    """The store's broker over plain text, headquarters over TLS; each may be away."""
    store = Mosquitto(tmp_path / "store")
    with (
        Outbox(tmp_path / "o.sqlite", OutboxSettings(), ("store", "headquarters")) as outbox,
        Collector(good.port, client_id="hq") as at_hq,
        Sender(store.settings(), outbox, MESSAGES, "store", 1e5),
        Sender(good.settings(ca_file=authority.ca_file), outbox, MESSAGES, "headquarters", 1e5),
    ):
        outbox.publish([minute(n) for n in range(30)])
        assert wait_until(lambda: at_hq.seqs("agg") == list(range(1, 31)))
        with store, Collector(store.port) as at_store:
            assert wait_until(lambda: at_store.seqs("agg") == list(range(1, 31)))
            good.kill()
            outbox.publish([minute(30)])
            assert wait_until(lambda: at_store.seqs("agg") == list(range(1, 32)))
            good.start()
            assert wait_until(lambda: set(at_hq.seqs("agg")) == set(range(1, 32)))
