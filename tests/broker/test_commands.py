"""Commands through a real broker."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_app.delivery.audit import Audit, verify
from edge_app.delivery.commands import WAITING, Commands
from edge_app.delivery.mqtt import Connection, Received
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from tests.broker.mosquitto import Collector, Mosquitto, wait_until
from tests.edge_app.delivery.samples import MESSAGES, minute

OWN = "dresscode/v1/acme-0042"
COMMAND = f"{OWN}/cmd/edge-1/"


class Desk:
    """A box that takes commands, and somebody who gives them."""

    def __init__(self, broker: Mosquitto, outbox: Outbox, folder: Path) -> None:
        self.audit_file = folder / "audit.jsonl"
        self.commands = Commands(MESSAGES, outbox, Audit(self.audit_file), time.time)
        self.box = Sender(broker.settings(), outbox, MESSAGES, drain_per_s=100_000.0)
        self.box.obey(self.commands)
        self.collector = Collector(broker.port)
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()

    def order(self, verb: str, retain: bool = False, **fields: Any) -> None:
        self.client.publish(COMMAND + verb, json.dumps(fields), 1, retain).wait_for_publish(5)

    def answers(self) -> list[dict[str, Any]]:
        return self.collector.payloads("rsp")

    def wait_for(self, n: int) -> list[dict[str, Any]]:
        assert wait_until(lambda: len(self.answers()) >= n), self.answers()
        return self.answers()


@pytest.fixture
def desk(mosquitto: Mosquitto, outbox: Outbox, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(mosquitto, outbox, tmp_path)
    with made.collector, made.box:
        assert wait_until(lambda: made.box.status().is_connected)
        yield made
    made.client.disconnect()
    made.client.loop_stop()


def test_ping_is_answered_with_its_transaction(desk: Desk) -> None:
    desk.order("ping", transaction="t-1")
    (answer,) = desk.wait_for(1)
    assert (answer["verb"], answer["transaction"], answer["status"]) == ("ping", "t-1", "done")


def test_an_answer_goes_where_mqtt_5_asks_within_the_own_prefix(desk: Desk) -> None:
    for topic in ("dresscode/v1/acme-0042/rsp/me/1", "somewhere/else"):
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = topic
        properties.CorrelationData = b"c"
        desk.client.publish(COMMAND + "ping", b"", 1, properties=properties)
    desk.wait_for(2)
    topics = [m.topic for m in desk.collector.messages if "/rsp/" in m.topic]
    assert topics == ["dresscode/v1/acme-0042/rsp/me/1", "dresscode/v1/acme-0042/rsp/edge-1/ping"]


@pytest.mark.parametrize("topic", ["", *(f"{OWN}/rsp/me/{wrong}" for wrong in ("#", "+", "\0"))])
def test_what_is_no_topic_is_answered_where_all_are(desk: Desk, topic: str) -> None:
    desk.commands.receive("store", Received(COMMAND + "ping", b"", False, topic))
    desk.order("ping", transaction="t-1")
    assert [answer["transaction"] for answer in desk.wait_for(2)] == [None, "t-1"]
    assert desk.box.status().connections == 1


def test_the_pipeline_takes_a_command_and_answers(desk: Desk) -> None:
    desk.order("mute", rule="formalwear", minutes=15, transaction="m")
    taken: list[Any] = []
    assert wait_until(lambda: bool(taken.extend(desk.commands.take()) or taken))
    (command,) = taken
    assert (command.verb, command.arguments.rule, command.arguments.minutes) == (
        "mute", "formalwear", 15,
    )  # fmt: skip
    desk.commands.answer(command, "done", "muted until noon")
    (answer,) = desk.wait_for(1)
    assert answer["reason"] == "muted until noon"


def test_a_command_is_carried_out_once_per_transaction(desk: Desk) -> None:
    for _ in range(2):
        desk.order("pause", transaction="same")
        taken: list[Any] = []
        wait_until(lambda taken=taken: bool(taken.extend(desk.commands.take()) or taken), 1.0)  # type: ignore[misc]
        for command in taken:
            desk.commands.answer(command, "done", "paused")
    assert [answer["status"] for answer in desk.wait_for(2)] == ["done", "done"]
    assert desk.audit_file.read_text().count('"event":"done pause"') == 1


def test_a_command_that_comes_again_before_it_is_carried_out_is_answered_with_it(
    desk: Desk,
) -> None:
    for transaction in ("same", "other", "same", None, None):
        payload = json.dumps({"transaction": transaction}).encode()
        desk.commands.receive("store", Received(COMMAND + "pause", payload, False))
    taken = desk.commands.take()
    assert [c.arguments.transaction for c in taken] == ["same", "other", None, None]
    for command in taken:
        desk.commands.answer(command, "done", "paused")
    assert desk.commands.take() == []
    told = [answer["transaction"] for answer in desk.wait_for(5)]
    assert told == ["same", "other", None, None, "same"]


def test_a_command_that_was_refused_is_tried_when_it_comes_again(desk: Desk) -> None:
    for _ in range(2):
        desk.commands.receive("store", Received(COMMAND + "pause", b'{"transaction": "t"}', False))
    for _ in range(2):
        (command,) = desk.commands.take()
        desk.commands.answer(command, "refused", "not now")
    assert desk.commands.take() == []


@pytest.mark.parametrize(
    ("verb", "fields", "reason"),
    [
        ("explode", {}, "expected one of"),
        ("mute", {"rule": "formalwear"}, "mute needs minutes"),
        ("mute", {"rule": "Formal Wear!", "minutes": 1}, "rule"),
        ("mute", {"rule": "formalwear", "minutes": -1}, "minutes"),
        ("resend", {"start": "yesterday", "end": "today"}, "start: expected a time such as"),
        ("resend", {"start": "2026-05-08T10:00:00", "end": "x"}, "start: expected a time such as"),
        ("resend", {}, "resend needs start and end"),
        ("ping", {"transaction": "x" * 100}, "transaction"),
        ("ping", {"padding": "x" * 5000}, "at most 4096 bytes"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    desk: Desk, verb: str, fields: dict[str, Any], reason: str
) -> None:
    desk.order(verb, **fields)
    (answer,) = desk.wait_for(1)
    assert answer["status"] == "refused"
    assert reason in answer["reason"]
    assert desk.commands.take() == []


def test_an_error_in_the_callback_for_messages_ends_the_connection_only(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = []
    real = Connection._on_message

    def faulty(*arguments: Any) -> None:
        if not faults:
            faults.append(arguments)
            raise RuntimeError("injected")
        real(*arguments)

    # The callbacks of a connection are those of its class when it is made.
    monkeypatch.setattr(Connection, "_on_message", faulty)
    desk.box.reload()
    assert wait_until(lambda: desk.box.status().connections == 2)
    # Not acknowledged, so the broker gives it again.
    desk.order("ping", transaction="t-1")
    assert wait_until(lambda: desk.box.status().connections == 3)
    assert [answer["transaction"] for answer in desk.wait_for(1)] == ["t-1"]
    assert len(faults) == 1


def test_what_is_no_json_is_refused(desk: Desk) -> None:
    desk.client.publish(COMMAND + "pause", b"\xff{", 1)
    (answer,) = desk.wait_for(1)
    assert answer["status"] == "refused"


def test_a_refusal_names_the_command_that_it_is_about(desk: Desk) -> None:
    desk.order("resend", transaction="t-7", start="yesterday", end="today")
    (answer,) = desk.wait_for(1)
    assert (answer["status"], answer["transaction"]) == ("refused", "t-7")


def test_json_of_a_thousand_brackets_is_refused(desk: Desk) -> None:
    desk.client.publish(COMMAND + "pause", "[" * 4000, 1).wait_for_publish(5)
    (answer,) = desk.wait_for(1)
    assert answer["status"] == "refused"


def test_a_retained_command_is_refused(desk: Desk) -> None:
    desk.order("pause", retain=True)
    (answer,) = desk.wait_for(1)
    assert "must not be retained" in answer["reason"]
    assert desk.commands.take() == []


def test_too_many_commands_are_refused(desk: Desk) -> None:
    for n in range(WAITING + 3):
        desk.order("pause", transaction=str(n))
    answers = desk.wait_for(3)
    assert {answer["reason"] for answer in answers} == {"too many commands are waiting; try later"}
    assert len(desk.commands.take()) == WAITING


def test_windows_are_sent_again_on_request(desk: Desk, outbox: Outbox) -> None:
    outbox.publish([minute(n) for n in range(10)])
    assert wait_until(lambda: len(desk.collector.seqs("agg")) == 10)
    desk.order(
        "resend", zone="entrance", window="pt1m",
        start="2026-11-21T02:02:00.000Z", end="2026-11-21T02:05:00.000Z",
    )  # fmt: skip
    assert desk.wait_for(1)[0]["n"] == 3
    assert wait_until(lambda: len(desk.collector.seqs("agg")) == 13)
    again = desk.collector.payloads("agg")[10:]
    assert [one["seq"] for one in again] == [3, 4, 5]
    assert all(one["historical"] for one in again)


def test_everything_is_in_the_audit_log(desk: Desk) -> None:
    desk.order("ping")
    desk.order("explode")
    desk.wait_for(2)
    text = desk.audit_file.read_text()
    assert verify(desk.audit_file).problem is None
    assert all(word in text for word in ("command ping", "done ping", "command explode", "refused"))
