"""The doctor on this machine, against a real broker, real files and cameras that are ill."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import cv2
import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner

from edge_app.cli import cli
from edge_app.commands.doctor import Finding, _camera, _metrics, _state_folder, examine
from edge_app.config.load import load
from edge_app.config.schema import CameraSettings
from edge_app.config.yaml_tree import read_tree
from edge_app.delivery.broker import EmbeddedBroker, find_mosquitto
from edge_app.runtime.endpoint import ADDRESS, Endpoint
from tests.broker.mosquitto import Collector, Mosquitto, wait_until
from tests.tiny_models import save_all

ROOT = Path(__file__).resolve().parents[3]
CONFIG = """
store: acme-1
node: edge-1
timezone: UTC
state_dir: state
metrics: {{port: 0}}
mqtt: {{url: "{url}", username: me, password_file: password}}
inference: {{models: models, threads: 1}}
cameras:
  door: {{source: clip}}
  back: {{source: nothing.mp4}}
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    save_all(tmp_path / "models")
    (tmp_path / "clip").mkdir()
    cv2.imwrite(str(tmp_path / "clip" / "0.png"), np.zeros((48, 64, 3), np.uint8))
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "password").chmod(0o644)
    return tmp_path


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    with EmbeddedBroker("mosquitto") as running:
        yield running


def findings(store: Path, url: str) -> dict[str, Finding]:
    (store / "store.yaml").write_text(CONFIG.format(url=url))
    return {found.what: found for found in examine(load(store / "store.yaml"))}


def test_what_works_is_good_and_what_does_not_says_what_to_do(
    store: Path, broker: EmbeddedBroker
) -> None:
    found = findings(store, broker.url)
    assert found["broker store: MQTT"].verdict == "good"
    assert found["networks"] == Finding(
        "networks",
        "good",
        "detector tiny, garments tiny, classifier tiny; run by the CPU (OpenVINO)",
    )
    assert found["camera door"].verdict == "good"
    assert "64 x 48" in found["camera door"].said
    assert found["camera back"].verdict == "bad"
    assert found["camera back"].said.endswith("; check the path")
    assert found["mqtt.password_file"].verdict == "warning"
    assert "chmod 600" in found["mqtt.password_file"].said
    assert found["decoder"].verdict == "good"
    assert found["clock"].verdict in ("good", "warning")
    assert found[f"state folder {store / 'state'}"].verdict == "warning"


def test_a_state_folder_is_really_written_and_nothing_stays_in_it(tmp_path: Path) -> None:
    found = _state_folder(tmp_path, 0.0)
    assert (found.verdict, "can be written" in found.said) == ("good", True)
    missing = _state_folder(tmp_path / "not" / "yet", 0.0)
    assert missing.verdict == "warning"
    assert "is not there yet; the service makes it" in missing.said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("file", "cannot be written: Not a directory; choose another state_dir"),
        ("file/state", "/file: Not a directory; choose another state_dir"),
        ("/proc/nowhere", "cannot be made in /proc: No such file or directory"),
    ],
)
def test_a_state_folder_that_cannot_be(tmp_path: Path, folder: str, said: str) -> None:
    (tmp_path / "file").write_text("")
    found = _state_folder(tmp_path / folder, 0.0)
    assert found.verdict == "bad"
    assert said in found.said


def examined(store: Path, text: str, of_unit: bool = False) -> dict[str, Finding]:
    file = store / "store.yaml"
    file.write_text(text)
    return {found.what: found for found in examine(load(file), file if of_unit else None)}


def test_of_the_unit_only_what_its_sandbox_allows_is_good(store: Path) -> None:
    (store / "uniform").mkdir()
    cv2.imwrite(str(store / "uniform" / "ann.png"), np.full((256, 512, 3), 120, np.uint8))
    text = CONFIG.format(url="mqtt://127.0.0.1:1") + "staff: {uniform: uniform}\n"
    own = examined(store, text)
    assert own["staff.uniform"] == Finding("staff.uniform", "good", "examples: 1")
    found = examined(store, text, of_unit=True)
    assert found[f"state folder {store / 'state'}"].verdict == "bad"
    assert "leave state_dir out" in found[f"state folder {store / 'state'}"].said
    assert found["mqtt.password_file"].verdict == "bad"  # below /tmp, if nothing else
    assert "write ${CREDENTIALS_DIRECTORY}/password in" in found["mqtt.password_file"].said
    assert found["staff.uniform"].verdict == "bad"
    assert "ann.png" in found["staff.uniform"].said


def test_what_systemd_hands_over_is_for_root_alone(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(store))
    (store / "password").chmod(0o600)
    text = CONFIG.format(url="mqtt://127.0.0.1:1").replace(
        "password_file: password", 'password_file: "${CREDENTIALS_DIRECTORY}/password"'
    )
    assert examined(store, text, of_unit=True)["mqtt.password_file"].verdict == "good"


def test_pictures_of_the_uniform_that_are_of_no_use_are_named(store: Path) -> None:
    text = CONFIG.format(url="mqtt://127.0.0.1:1") + "staff: {uniform: uniform}\n"
    (store / "uniform").mkdir()
    (store / "uniform" / "bob.jpg").write_text("no picture")
    none = examined(store, text)["staff.uniform"]
    assert none.verdict == "bad"
    assert none.said.startswith("examples: 0; not used: ")
    assert "bob.jpg: not a picture" in none.said
    cv2.imwrite(str(store / "uniform" / "ann.png"), np.full((256, 512, 3), 120, np.uint8))
    one = examined(store, text)["staff.uniform"]
    assert one.verdict == "warning"
    assert one.said.startswith("examples: 1; not used: ")


def test_a_metrics_port_is_free_or_whose_it_is() -> None:
    with Endpoint(0, {}) as own:
        assert own.port is not None
        assert _metrics(own.port) == Finding(
            f"metrics port {own.port}", "good", "is in use by a dresscode that runs"
        )
    assert _metrics(own.port).said == "is free"
    with socket.create_server((ADDRESS, 0)) as other:
        port = other.getsockname()[1]
        found = _metrics(port)
    assert found.verdict == "warning"
    assert "is in use by another program" in found.said
    assert "choose another metrics.port" in found.said


def test_the_metrics_port_of_the_configuration_is_looked_at(store: Path) -> None:
    with socket.create_server((ADDRESS, 0)) as other:
        port = other.getsockname()[1]
        text = CONFIG.format(url="mqtt://127.0.0.1:1").replace("port: 0", f"port: {port}")
        (store / "store.yaml").write_text(text)
        found = {finding.what: finding for finding in examine(load(store / "store.yaml"))}
    assert found[f"metrics port {port}"].verdict == "warning"


def test_a_broken_recording_has_no_cable_and_no_password(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_text("no video")
    said = _camera("door", CameraSettings(source=str(tmp_path / "broken.mp4"))).said
    assert said.endswith("not a video that FFmpeg can decode; check it, or convert it")
    live = _camera("door", CameraSettings(source="rtsp://127.0.0.1:1/stream")).said
    assert live.endswith("; check source, cable and password")


def test_a_broker_that_is_not_there(store: Path) -> None:
    found = findings(store, "mqtt://127.0.0.1:1")["broker store"]
    assert (found.verdict, "Connection refused" in found.said) == ("bad", True)


def test_something_else_on_the_brokers_port(store: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        found = findings(store, f"mqtt://127.0.0.1:{silent.getsockname()[1]}")
    assert found["broker store"].verdict == "good"
    assert found["broker store: MQTT"].verdict == "bad"


@pytest.mark.parametrize(
    ("user", "verdict", "said"),
    [
        ("acme-1", "good", "welcomed with MQTT 5, and messages are taken"),
        (
            "acme-0042",
            "bad",
            "may not publish below dresscode/v1/acme-1/; check the user and the store's id in the "
            "broker's ACL",
        ),
    ],
)
def test_a_broker_that_lets_in_and_takes_nothing(
    store: Path, tmp_path: Path, user: str, verdict: str, said: str
) -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    (tmp_path / "store.acl").write_text(f"user {user}\ntopic write dresscode/v1/{user}/#\n")
    with Mosquitto(tmp_path / "m", [f"acl_file {tmp_path}/store.acl"]) as broker:
        text = CONFIG.format(url=broker.url).replace("username: me", "username: acme-1")
        found = examined(store, text)["broker store: MQTT"]
    assert found.verdict == verdict
    assert said in found.said


def test_what_the_doctor_sends_keeps_the_contract(store: Path) -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    with Mosquitto(store / "m") as broker, Collector(broker.port) as heard:
        examined(store, CONFIG.format(url=broker.url))
        assert wait_until(lambda: len(heard.messages) == 1)
        assert heard.messages[0].topic == "dresscode/v1/acme-1/rsp/edge-1/ping"
        assert not heard.messages[0].retain


def test_plain_text_where_tls_should_be(store: Path, broker: EmbeddedBroker) -> None:
    found = findings(store, broker.url.replace("mqtt://", "mqtts://"))
    assert found["broker store: TLS"].verdict == "bad"
    assert "check ca_file" in found["broker store: TLS"].said


def test_the_command_ends_with_1_where_something_is_bad(store: Path) -> None:
    (store / "store.yaml").write_text(CONFIG.format(url="mqtt://127.0.0.1:1"))
    done = CliRunner().invoke(cli, ["doctor", "-c", str(store / "store.yaml")])
    assert done.exit_code == 1
    assert "BAD" in done.output
    assert "secret" not in done.output


def test_the_schema_of_the_configuration_accepts_the_example() -> None:
    done = CliRunner().invoke(cli, ["schema", "config"])
    schema = json.loads(done.output)
    jsonschema.Draft202012Validator.check_schema(schema)
    example = read_tree((ROOT / "systemd" / "store.example.yaml").read_text()).value
    jsonschema.validate(example, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**example, "alarms": {}}, schema)
