"""Passwords and keys that systemd hands over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_app.config.credentials import OF_THE_UNIT, WRITTEN
from edge_app.config.load import file_problems, loads
from edge_app.config.secrets import read_password

STORE = """
store: acme-1
node: edge-1
timezone: UTC
mqtt:
  url: mqtts://broker.lan
  username: acme-1
  password_file: ${CREDENTIALS_DIRECTORY}/mqtt-password
  certificate_file: ${CREDENTIALS_DIRECTORY}/client.pem
  key_file: ${CREDENTIALS_DIRECTORY}/client.key
cameras:
  door: {source: sim://entrance, username: v, password_file: "${CREDENTIALS_DIRECTORY}/door"}
"""


def test_the_service_reads_what_it_was_handed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    for name in ("mqtt-password", "client.pem", "client.key", "door"):
        (tmp_path / name).write_text(f"of {name}\n")
    config = loads(STORE)
    assert file_problems(config) == []
    assert config.mqtt.password_file is not None
    assert read_password(config.mqtt.password_file) == "of mqtt-password"
    (tmp_path / "client.key").unlink()
    (problem,) = file_problems(config)
    assert problem.startswith("mqtt.key_file: expected a file")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", OF_THE_UNIT)  # where there are none
    assert len(file_problems(loads(STORE))) == 4


def test_whoever_checks_the_file_before_cannot_see_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    config = loads(STORE)
    assert config.mqtt.password_file == Path(OF_THE_UNIT, "mqtt-password")
    assert file_problems(config) == []


def test_other_files_are_checked_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    config = loads(STORE.replace(f"{WRITTEN}/mqtt-password", "passwords/${OTHER}"))
    (problem,) = file_problems(config)
    assert problem.startswith("mqtt.password_file: ")
    assert "passwords/${OTHER}" in problem


@pytest.mark.parametrize("name", ["systemd/dresscode.service", "systemd/README.md"])
def test_the_unit_names_what_the_configuration_reads(root: Path, name: str) -> None:
    text = (root / name).read_text()
    handed = re.findall(r"^#? ?LoadCredential=([\w-]+):/etc/dresscode/\1$", text, re.MULTILINE)
    assert handed == ["mqtt-password"]
    assert f"{WRITTEN}/{handed[0]}" in text
