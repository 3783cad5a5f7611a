"""The shipped broker files, run: rights in the store, two brokers bridged, shared subscriptions."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_app.commands.doctor_network import broker_findings
from edge_app.config.schema import BrokerSettings, OutboxSettings
from edge_app.delivery.broker import find_mosquitto, free_port
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from tests.broker.certificates import Authority
from tests.broker.conftest import FAST
from tests.broker.mosquitto import Mosquitto, wait_until
from tests.edge_app.delivery.samples import MESSAGES, every_message, minute

FILES = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto"
ROOT = "dresscode/v1/acme-0042"
USERS = ("acme-0042", "staff", "nodered", "operator", "homeassistant")


DEBIAN = """
persistence true
persistence_location /var/lib/mosquitto/
"""
"""What Debian's mosquitto.conf says before it includes ours; some keys may stand only once."""


class Broker(Mosquitto):
    """A mosquitto with one of the shipped files, its paths and ports replaced."""

    def __init__(self, folder: Path, authority: Authority, *names: str, centre: int = 0) -> None:
        folder.mkdir()
        self.folder = folder
        self.port, self.websockets_port = free_port(), free_port()
        text = "\n".join([DEBIAN, *((FILES / name).read_text() for name in names)])
        for old, new in {
            "listener 8883": f"listener {self.port} 127.0.0.1",
            "listener 1883 127.0.0.1": f"listener {self.port} 127.0.0.1",
            "listener 9001": f"listener {self.websockets_port} 127.0.0.1",
            "mqtt.example.org:8883": f"127.0.0.1:{centre}",
            "restart_timeout 5 60": "restart_timeout 4",
            "keepalive_interval 20": "keepalive_interval 5",
            "/etc/mosquitto/certs": str(authority.folder),
            "/etc/mosquitto": str(folder),
            "/var/lib/mosquitto": str(folder),
        }.items():
            text = text.replace(old, new)
        config = folder / "mosquitto.conf"
        config.write_text("user root\n" + text)
        for acl in FILES.glob("*.acl"):
            (folder / acl.name).write_text(acl.read_text())
            (folder / acl.name).chmod(0o600)
        passwords = folder / "passwords"
        passwords.touch(0o600)
        for user in USERS:
            subprocess.run(["mosquitto_passwd", "-b", passwords, user, f"of {user}"], check=True)
        self._command = [find_mosquitto(), "-c", str(config)]
        self._process = None


class Reader:
    """A client of the broker, by password or by certificate."""

    def __init__(
        self, port: int, authority: Authority, name: str, topic: str, transport: Any = "tcp",
        has_certificate: bool = False, client_id: str = "",
    ) -> None:  # fmt: skip
        self.topics: list[str] = []
        self.payloads: list[dict[str, Any]] = []
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5, transport=transport
        )
        certificate, key = authority.issue(name) if has_certificate else (None, None)
        self.client.tls_set(
            str(authority.ca_file), certificate and str(certificate), key and str(key)
        )
        if not has_certificate:
            self.client.username_pw_set(name, f"of {name}")
        self.client.on_message = self._keep
        # Telegraf subscribes at every connection, too.
        self.client.on_connect = lambda *_: self.client.subscribe(topic, 1)
        self._is_ready = False
        self.client.on_subscribe = self._ready
        # With a name, a session that outlives the connection, as Telegraf's.
        properties: Any = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600 if client_id else 0
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port, clean_start=not client_id, properties=properties)
        self.client.loop_start()
        assert wait_until(lambda: self._is_ready)

    def _ready(self, *_: Any) -> None:
        self._is_ready = True

    def _keep(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.topics.append(message.topic)
        self.payloads.append(json.loads(message.payload))

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def numbers(reader: Reader) -> list[int]:
    """Of the windows, in the order of their first arrival."""
    return list(dict.fromkeys(payload["seq"] for payload in list(reader.payloads)))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if find_mosquitto() is None:
        pytest.skip("mosquitto: not installed (apt install mosquitto)")
    made = Authority(tmp_path_factory.mktemp("certificates"))
    for name, file in {"server": "server", "acme-0042": "bridge"}.items():
        certificate, key = made.issue(name)
        certificate.replace(made.folder / f"{file}.pem")
        key.replace(made.folder / f"{file}.key")
    return made


@pytest.fixture
def stack(outbox: Outbox) -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def started(stack: ExitStack, broker: Broker) -> Broker:
    broker.start()
    stack.callback(broker.kill)
    return broker


def box(stack: ExitStack, broker: Broker, authority: Authority, outbox: Outbox) -> Sender:
    """The store's own box, with its password."""
    password = broker.folder / "box-password"
    password.write_text("of acme-0042\n")
    settings = BrokerSettings(
        url=f"mqtts://127.0.0.1:{broker.port}",
        username="acme-0042",
        password_file=password,
        ca_file=authority.ca_file,
        reconnect_max_s=1.0,
        settle_s=0.5,
    )
    return stack.enter_context(Sender(settings, outbox, MESSAGES, drain_per_s=FAST))


def reader(stack: ExitStack, *arguments: Any, **more: Any) -> Reader:
    made = Reader(*arguments, **more)
    stack.callback(made.close)
    return made


def watched_centre(folder: Path, stack: ExitStack, authority: Authority) -> tuple[Broker, Reader]:
    """The central broker, and its operator, who hears everything."""
    centre = started(stack, Broker(folder / "centre", authority, "central.conf"))
    everything = ("operator", "dresscode/#")
    return centre, reader(stack, centre.port, authority, *everything, has_certificate=True)


def test_in_the_store_everybody_sees_what_is_theirs(
    tmp_path: Path, stack: ExitStack, authority: Authority, outbox: Outbox
) -> None:
    broker = started(stack, Broker(tmp_path / "store", authority, "store.conf"))
    staff = reader(stack, broker.port, authority, "staff", "dresscode/#")
    browser = reader(
        stack, broker.websockets_port, authority, "operator", "dresscode/#", transport="websockets"
    )
    sender = box(stack, broker, authority, outbox)
    assert wait_until(lambda: sender.status().is_connected)
    outbox.publish([m for m in every_message(now_s=time.time()).values() if m.lane != "state"])
    assert wait_until(lambda: f"{ROOT}/agg/entrance/pt1h" in browser.topics)
    kinds = {"alert", "live", "node"}
    assert wait_until(lambda: {topic.split("/")[3] for topic in staff.topics} == kinds)
    # A telephone of the staff gives no commands; Node-RED may mute, and no more.
    nodered = reader(stack, broker.port, authority, "nodered", f"{ROOT}/alert/#")
    staff.client.publish(f"{ROOT}/cmd/edge-1/pause", "{}", 1).wait_for_publish(5)
    nodered.client.publish(f"{ROOT}/cmd/edge-1/pause", "{}", 1).wait_for_publish(5)
    nodered.client.publish(f"{ROOT}/cmd/edge-1/mute", "{}", 1).wait_for_publish(5)
    assert wait_until(lambda: f"{ROOT}/cmd/edge-1/mute" in browser.topics)
    assert f"{ROOT}/cmd/edge-1/pause" not in browser.topics


def test_a_broker_for_one_box_takes_its_password_and_nobody_without(
    tmp_path: Path, stack: ExitStack, authority: Authority, outbox: Outbox
) -> None:
    broker = started(stack, Broker(tmp_path / "store", authority, "box.conf"))
    password, wrong = tmp_path / "password", tmp_path / "wrong"
    password.write_text("of acme-0042\n")
    wrong.write_text("guess\n")
    for file, is_welcome in ((password, True), (wrong, False), (None, False)):
        settings = BrokerSettings(
            url=f"mqtt://127.0.0.1:{broker.port}",
            username="acme-0042" if file else None,
            password_file=file,
        )
        [*_, (_, is_good, said)] = broker_findings("store", settings, "acme-0042", "edge-1")
        assert is_good == is_welcome, said


def test_home_assistant_is_told_of_the_box(
    tmp_path: Path, stack: ExitStack, authority: Authority
) -> None:
    broker = started(stack, Broker(tmp_path / "store", authority, "store.conf"))
    home = reader(stack, broker.port, authority, "homeassistant", "homeassistant/#")
    own = reader(stack, broker.port, authority, "acme-0042", "homeassistant/status")
    own.client.publish("homeassistant/device/acme-0042-edge-1/config", "{}", 1).wait_for_publish(5)
    own.client.publish("homeassistant/light/kitchen/config", "{}", 1).wait_for_publish(5)
    home.client.publish("homeassistant/status", "null", 1).wait_for_publish(5)
    assert wait_until(lambda: own.topics == ["homeassistant/status"])
    assert home.topics[0] == "homeassistant/device/acme-0042-edge-1/config"
    assert "homeassistant/light/kitchen/config" not in home.topics


def test_windows_cross_the_bridge_through_kills_of_both_brokers(
    tmp_path: Path, stack: ExitStack, authority: Authority, outbox: Outbox
) -> None:
    """A reader with a session of its own lacks nothing; readers who share divide the work."""
    centre = started(stack, Broker(tmp_path / "centre", authority, "central.conf"))
    files = ("store.conf", "bridge.conf")
    store = started(stack, Broker(tmp_path / "store", authority, *files, centre=centre.port))
    kept, one, two = (
        reader(
            stack, centre.port, authority, "ingest", topic, has_certificate=True, client_id=client
        )
        for client, topic in {
            "ingest-kept": "dresscode/v1/+/agg/#",
            "ingest-1": "$share/ingest/dresscode/v1/+/agg/#",
            "ingest-2": "$share/ingest/dresscode/v1/+/agg/#",
        }.items()
    )
    sender = box(stack, store, authority, outbox)
    assert wait_until(lambda: sender.status().is_connected)
    outbox.publish([minute(k) for k in range(40)])
    assert wait_until(lambda: len(numbers(one)) + len(numbers(two)) == 40, 20)
    assert set(numbers(one)) | set(numbers(two)) == set(range(1, 41))
    assert numbers(one)
    assert numbers(two)
    published = 40
    for victims in ((centre,), (store,), (store, centre), (store,)):
        for n in range(published, published + 40):
            outbox.publish([minute(n)])
            if n == published + 20:
                for victim in victims:
                    victim.kill()
            time.sleep(0.005)
        published += 40
        for victim in victims:
            victim.start()
    # The bridge tries again after restart_timeout, and the last kill is in the middle of that.
    assert wait_until(lambda: len(numbers(kept)) == published, 40), numbers(kept)
    assert numbers(kept) == list(range(1, published + 1))


def test_a_store_cannot_speak_for_another(
    tmp_path: Path, stack: ExitStack, authority: Authority
) -> None:
    centre, operator = watched_centre(tmp_path, stack, authority)
    other = reader(stack, centre.port, authority, "acme-0007", "dresscode/#", has_certificate=True)
    other.client.publish(f"{ROOT}/agg/all/p1d", "{}", 1).wait_for_publish(5)
    other.client.publish("dresscode/v1/acme-0007/alert/door/x", "{}", 1).wait_for_publish(5)
    other.client.publish("dresscode/v1/acme-0007/agg/all/p1d", "{}", 1).wait_for_publish(5)
    assert wait_until(lambda: operator.topics == ["dresscode/v1/acme-0007/agg/all/p1d"])
    # Nor does it hear what is said to the other: of two commands in a row, only its own arrives.
    for store in ("acme-0042", "acme-0007"):
        topic = f"dresscode/v1/{store}/cmd/edge-1/ping"
        operator.client.publish(topic, "{}", 1).wait_for_publish(5)
    assert wait_until(lambda: bool(other.topics))
    assert other.topics == ["dresscode/v1/acme-0007/cmd/edge-1/ping"]


def test_headquarters_gets_what_its_rights_allow_and_the_box_stays_online(
    tmp_path: Path, stack: ExitStack, authority: Authority
) -> None:
    centre, operator = watched_centre(tmp_path, stack, authority)
    brokers = ("store", "headquarters")
    outbox = stack.enter_context(Outbox(tmp_path / "o.sqlite", OutboxSettings(), brokers))
    settings = BrokerSettings(
        url=f"mqtts://127.0.0.1:{centre.port}",
        ca_file=authority.ca_file,
        certificate_file=authority.folder / "bridge.pem",
        key_file=authority.folder / "bridge.key",
        settle_s=0.0,
    )
    kinds = every_message(now_s=time.time())
    live, camera = kinds["live"].topic, kinds["camera"].topic
    with Sender(settings, outbox, MESSAGES, "headquarters", FAST) as sender:
        assert wait_until(lambda: sender.status().is_connected)
        outbox.keep_retained("acme-0042/edge-1", [live, camera])
        outbox.publish([kinds[name] for name in ("alert", "live", "health", "camera", "agg")])
        outbox.keep_retained("acme-0042/edge-1", [camera])  # the zone is gone
        outbox.publish([minute(1)])
        assert wait_until(lambda: f"{ROOT}/agg/entrance/pt1m" in operator.topics)
        assert wait_until(lambda: outbox.depth("headquarters").rows == 0)
        assert sender.status().detail == "connected with MQTT 5"
    depth = outbox.depth("headquarters")
    assert (depth.alerts_expired, depth.refused, depth.live_dropped) == (0, 0, 0)
    assert wait_until(lambda: operator.payloads[-1].get("state") == "offline")
    assert {topic.split("/")[3] for topic in operator.topics} == {"node", "cam", "agg"}
    states = [payload["state"] for payload in operator.payloads if "birth" in payload]
    assert states == ["online", "stopping", "offline"]


def test_the_box_of_the_files_is_one_store() -> None:
    for name in ("store.acl", "bridge.conf"):
        stores = re.findall(r"dresscode/v1/([^/\s]+)/", (FILES / name).read_text())
        assert set(stores) == {"acme-0042"}
