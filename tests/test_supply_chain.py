"""What the service is made of: pinned, hashed, within the bounds; and no secret in the checkout."""

from __future__ import annotations

import configparser
import math
import re
from collections import Counter
from importlib import metadata

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from tests.test_project import ROOT, tracked_files

LOCK = ROOT / "systemd" / "requirements.lock"
STORES = [
    {"python_full_version": f"3.{minor}.9", "python_version": f"3.{minor}", "sys_platform": "linux",
     "platform_system": "Linux", "platform_machine": machine}
    for minor in (10, 11, 12)
    for machine in ("x86_64", "aarch64")
]  # fmt: skip


class Pin:
    """One package of the lock, for some machines."""

    def __init__(self, text: str) -> None:
        first, *hashes = [line.strip().rstrip("\\").strip() for line in text.splitlines()]
        self.requirement = Requirement(first)
        (spec,) = self.requirement.specifier
        assert spec.operator == "=="
        self.name, self.version = self.requirement.name, Version(spec.version)
        self.hashes = [line.removeprefix("--hash=sha256:") for line in hashes]

    def is_for(self, store: dict[str, str]) -> bool:
        marker: Marker | None = self.requirement.marker
        return marker is None or marker.evaluate(store)


def pins() -> list[Pin]:
    text = re.sub(r"^#.*\n", "", LOCK.read_text(), flags=re.MULTILINE)
    return [Pin(part) for part in re.split(r"\n(?=[a-z])", text.strip())]


def required() -> list[Requirement]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].split("\n")
    return [Requirement(line) for line in lines if line.strip()]


@pytest.mark.parametrize(
    "store", STORES, ids=lambda s: f"{s['python_version']}-{s['platform_machine']}"
)
def test_every_machine_gets_one_version_of_everything_within_the_bounds(
    store: dict[str, str],
) -> None:
    chosen = [pin for pin in pins() if pin.is_for(store)]
    assert [name for name, n in Counter(pin.name for pin in chosen).items() if n > 1] == []
    versions = {pin.name.lower(): pin.version for pin in chosen}
    wrong = [r for r in required() if versions.get(r.name.lower()) not in r.specifier]
    assert wrong == []


def test_every_file_has_its_hash_and_no_address() -> None:
    assert all(pin.hashes for pin in pins())
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for pin in pins() for digest in pin.hashes)
    assert not re.search(r"https?://|--(?:extra-)?index-url|--find-links", LOCK.read_text())


def test_what_the_pinned_packages_need_is_pinned() -> None:
    """Seen from the packages that are installed here; what is only for others needs no check."""
    names = {pin.name.lower() for pin in pins()}
    missing = set()
    installed = {found.name.lower().replace("_", "-") for found in metadata.distributions()}
    assert {"numpy", "pydantic", "paho-mqtt"} <= names & installed
    for name in sorted(names & installed):
        needs = metadata.requires(name) or []
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                missing |= (
                    {f"{name} needs {need.name}"} if need.name.lower() not in names else set()
                )
    assert missing == set()


# Secrets by their looks. Written in pieces, so that this file does not find itself.
SECRETS = {
    "a private key": "-----BEGIN [A-Z ]*PRIVATE " + "KEY",
    "a key of a cloud": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}\b",
    "a token of a forge": r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{60,}|glpat-[\w-]{20,})",
    "a token of a package index": r"\bpypi-" + r"AgEI[\w-]{50,}|\bnpm_[0-9A-Za-z]{36}\b",
    "a token of a chat or a mailer": r"\bxox[abprs]-[\w-]{10,}|\bSG\.[\w-]{22}\.[\w-]{43}",
    "a JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "a password in a URL": r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"<>{}$\[\]]+:[^\s/@'\"<>{}$\[\]]{3,}@",
}
ASSIGNED = re.compile(
    r"(?i)\b[\w-]*(?:password|passwd|secret|token|api_?key)[\w-]*\s*[:=]\s*"
    r"[\"']?([\w+/=.-]{20,})[\"']?"
)
EXAMPLES = re.compile(r"viewer|hunter2|p@ss|me:|u:p@|user:|admin:|example|secret@")
"""What stands in tests and examples for a user and a password."""


def entropy_bits(text: str) -> float:
    """Shannon entropy per character; random letters and digits have more than 4."""
    shares = [n / len(text) for n in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)


def secrets_in(text: str) -> list[str]:
    found = []
    for line in text.splitlines():
        for what, pattern in SECRETS.items():
            match = re.search(pattern, line)
            if match and not (what == "a password in a URL" and EXAMPLES.search(match[0])):
                found.append(f"{what}: {line.strip()[:80]}")
        value = ASSIGNED.search(line)
        if value and entropy_bits(value[1]) > 4.0 and re.search(r"\d", value[1]):
            found.append(f"something random in {line.strip()[:80]}")
    return found


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE " + "KEY-----",
        "aws = AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "mqtts://box:s3cr3tpa55" + "@broker.store.lan",
        "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3",
        "mqtt_password = '" + "kJ8vQ2xZ9mN4bR7tY1wP'",
    ],
)
def test_the_scan_finds_secrets(text: str) -> None:
    assert secrets_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "password_file: /etc/dresscode/mqtt-password",
        "rtsp://10.0.0.11/stream1",
        "transaction: token = received.properties.get('user')",
    ],
)
def test_the_scan_leaves_the_rest_alone(text: str) -> None:
    assert secrets_in(text) == []


def test_no_secret_is_tracked() -> None:
    found = {}
    for path in tracked_files():
        if path.suffix not in (".onnx", ".lock", ".png", ".jpg"):
            secrets = secrets_in(path.read_text(errors="replace"))
            if secrets:
                found[str(path.relative_to(ROOT))] = secrets
    assert found == {}
