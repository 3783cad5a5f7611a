"""How long certificates last, compared with what openssl says of them."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from edge_app.config.schema import BrokerSettings
from edge_app.delivery.certificates import Certificates, Lifetime, lifetimes, renewals_due
from tests.broker.certificates import Authority

DAY_S = 86400.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("openssl: not installed")
    return Authority(tmp_path_factory.mktemp("authority"))


def der_of(file: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(file.read_text())


def openssl_says(file: Path) -> tuple[float, float]:
    command = ["openssl", "x509", "-in", str(file), "-noout", "-dates"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    begins, ends = (line.partition("=")[2] for line in printed.splitlines())
    return ssl.cert_time_to_seconds(begins), ssl.cert_time_to_seconds(ends)


@pytest.mark.parametrize("days", [1, 825, 12_000], ids=["a day", "two years", "after 2050"])
def test_a_lifetime_is_what_openssl_says(authority: Authority, days: int) -> None:
    certificate, _ = authority.issue(f"lasts-{days}", days=days)
    lifetime = Lifetime.of(der_of(certificate))
    assert (lifetime.begins_s, lifetime.ends_s) == openssl_says(certificate)
    day = datetime.fromtimestamp(lifetime.ends_s, timezone.utc).date()
    assert lifetime.ends_on == day.isoformat()


@pytest.mark.parametrize("content", [b"", b"\x30", b"\x30\x03\x02\x01\x01", b"no certificate"])
def test_what_is_no_certificate_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no X\.509 certificate"):
        Lifetime.of(content)


@pytest.mark.parametrize(
    ("lasts_days", "left_days", "is_ending"),
    [(825, 22, False), (825, 20, True), (90, 19, False), (90, 17, True), (1, 0.25, False)],
    ids=["long", "three weeks", "ninety days", "a fifth of them", "renewed daily"],
)
def test_it_is_to_be_renewed_in_time(lasts_days: float, left_days: float, is_ending: bool) -> None:
    lifetime = Lifetime(0.0, lasts_days * DAY_S)
    assert (lifetime.renew_by_s < (lasts_days - left_days) * DAY_S) is is_ending


def test_each_that_should_be_renewed_is_named(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("own", days=100)
    chain = tmp_path / "chain.pem"
    chain.write_text("CN = own\n" + certificate.read_text() + authority.ca_file.read_text())
    shown, _ = authority.issue("broker", days=100)
    settings = BrokerSettings(
        url="mqtts://broker.lan", ca_file=authority.ca_file, certificate_file=chain, key_file=key
    )
    read = lifetimes(settings, der_of(shown))
    ends = {"broker": shown, "own": certificate, "ca": authority.ca_file}
    assert {name: lasts.ends_s for name, lasts in read.items()} == {
        name: openssl_says(file)[1] for name, file in ends.items()
    }

    now_s = openssl_says(certificate)[0]
    assert renewals_due(read, now_s) is None
    told = renewals_due(read, now_s + 1.9 * DAY_S)
    assert told is not None
    assert told.startswith("ca_file ends on")
    told = renewals_due(read, now_s + 90 * DAY_S)
    assert told is not None
    assert [part.split(" ends on ")[0] for part in told.split("; renew it, ")] == [
        "the broker's certificate", "certificate_file", "ca_file",
    ]  # fmt: skip


def test_of_several_authorities_one_that_lasts_is_enough(
    authority: Authority, tmp_path: Path
) -> None:
    longer, _ = authority.issue("longer", days=500)
    both = tmp_path / "authorities.pem"
    both.write_text(authority.ca_file.read_text() + longer.read_text())
    settings = BrokerSettings(url="mqtts://broker.lan", ca_file=both)
    assert lifetimes(settings, der_of(longer))["ca"].ends_s == openssl_says(longer)[1]


def test_a_file_that_has_gone_does_not_end_the_connection(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificates = Certificates(BrokerSettings(url="mqtts://broker.lan", ca_file=tmp_path / "no"))
    certificates.connected(der_of(authority.ca_file), 0.0)
    assert certificates.lifetimes == {}
    assert "until when its certificates last is not known" in caplog.text


def test_without_tls_there_are_none() -> None:
    certificates = Certificates(BrokerSettings(url="mqtt://127.0.0.1"))
    certificates.connected(None, 0.0)
    certificates.turn(1e12)
    assert certificates.lifetimes == {}
    assert certificates.renewals_due is None
