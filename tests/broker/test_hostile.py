"""Brokers that misbehave: a clear state, the run goes on, and nothing is lost."""

from __future__ import annotations

import json
import logging
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge_app.delivery.mqtt import Connection
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from tests.broker.hostile import Habits, HostileBroker
from tests.broker.mosquitto import wait_until
from tests.edge_app.delivery.samples import MESSAGES, alert, minute, window

FAST = 100_000.0


@pytest.fixture
def broker() -> Iterator[HostileBroker]:
    with HostileBroker() as made:
        yield made


def sender(broker: HostileBroker, outbox: Outbox) -> Sender:
    return Sender(broker.settings, outbox, MESSAGES, drain_per_s=FAST)


def seqs(broker: HostileBroker, level: str = "agg") -> list[int]:
    """Numbers in the order of their first arrival."""
    return list(dict.fromkeys(json.loads(p.payload)["seq"] for p in broker.topics(level)))


def test_it_accepts_and_says_nothing(broker: HostileBroker, outbox: Outbox) -> None:
    broker.habits = Habits(welcome="silent")
    with sender(broker, outbox) as box:
        assert wait_until(lambda: "says nothing" in box.status().detail)
        outbox.publish([minute(0)])
        broker.habits = Habits()
        assert wait_until(lambda: seqs(broker) == [1])


def test_who_connects_anew_leaves_a_will(broker: HostileBroker, outbox: Outbox) -> None:
    """With a renewed password that is wrong, it is all that tells that the box is away."""
    with sender(broker, outbox) as box:
        assert wait_until(lambda: box.status().is_connected)
        box.reload()
        assert wait_until(lambda: box.status().connections == 2)
        assert broker.farewells == 0
    assert wait_until(lambda: broker.farewells == 1)


def test_a_farewell_that_is_not_acknowledged_leaves_a_will(
    broker: HostileBroker, outbox: Outbox
) -> None:
    broker.habits = Habits(answer=lambda topic, _n: None if "agg" in topic.split("/") else 0)
    patient = broker.settings.model_copy(update={"stall_s": 30.0})
    with Sender(patient, outbox, MESSAGES, drain_per_s=FAST):
        outbox.publish([minute(n) for n in range(30)])
        assert wait_until(lambda: any("agg" in p.topic.split("/") for p in broker.published))
        broker.habits = Habits(answer=lambda _topic, _n: None)
        began = time.monotonic()
    assert time.monotonic() - began < 4.9
    assert broker.farewells == 0


def test_stopping_is_quick_while_it_says_nothing(broker: HostileBroker, outbox: Outbox) -> None:
    broker.habits = Habits(welcome="silent")
    with sender(broker, outbox):
        assert wait_until(lambda: bool(broker.protocols))
        began = time.monotonic()
    assert time.monotonic() - began < 1.5


def test_it_never_acknowledges(
    broker: HostileBroker, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    broker.habits = Habits(answer=lambda topic, _n: None if "/agg/" in topic else 0)
    outbox.publish([minute(n) for n in range(20)])
    with caplog.at_level(logging.WARNING), sender(broker, outbox) as box:
        assert wait_until(lambda: box.status().connections >= 2)
        assert broker.most_unanswered == 8
        broker.habits = Habits()
        assert wait_until(lambda: set(seqs(broker)) == set(range(1, 21)))
    arrived = [json.loads(p.payload)["seq"] for p in broker.published if "/agg/" in p.topic]
    assert list(dict.fromkeys(arrived)) == list(range(1, 21))
    assert "no acknowledgement for" in caplog.text


def test_what_it_left_out_is_sent_again_although_later_ones_were_acknowledged(
    broker: HostileBroker, outbox: Outbox
) -> None:
    broker.habits = Habits(answer=lambda _topic, n: None if n == 1 else 0)
    outbox.publish([minute(n) for n in range(5)])
    with sender(broker, outbox):
        assert wait_until(lambda: set(seqs(broker)) == set(range(1, 6)))
    assert json.loads(broker.published[1].payload)["seq"] == 1


def test_it_closes_after_the_welcome(broker: HostileBroker, outbox: Outbox) -> None:
    broker.habits = Habits(welcome="close")
    outbox.publish([minute(0)])
    with sender(broker, outbox) as box:
        assert wait_until(lambda: box.status().connections >= 3)
        pauses = [b - a for a, b in pairwise(broker.connected_at_s)]
        assert min(pauses) > 0.05
        broker.habits = Habits()
        assert wait_until(lambda: seqs(broker) == [1])


@pytest.mark.parametrize("welcome", ["v5 code", "v3 code", "v5 hang up"])
def test_it_speaks_3_1_1_only(broker: HostileBroker, outbox: Outbox, welcome: Any) -> None:
    broker.habits = Habits(welcome=welcome)
    outbox.publish([minute(0)])
    with sender(broker, outbox) as box:
        assert wait_until(lambda: seqs(broker) == [1])
        assert broker.protocols == [5, 4]
        assert box.status().protocol == "3.1.1"


def test_connections_too_short_to_settle_get_further_all_the_same(
    broker: HostileBroker, outbox: Outbox
) -> None:
    broker.habits = Habits(life_s=0.9)
    settings = broker.settings.model_copy(update={"settle_s": 2.0})
    outbox.publish([minute(n) for n in range(250)])
    with Sender(settings, outbox, MESSAGES, drain_per_s=80.0) as box:
        assert wait_until(lambda: seqs(broker) == list(range(1, 251)), 60)
        assert box.status().connections >= 3


def test_a_long_backlog_is_sent_once_and_to_its_end(broker: HostileBroker, outbox: Outbox) -> None:
    patient = broker.settings.model_copy(update={"stall_s": 30.0})
    outbox.publish([minute(n) for n in range(600)])
    with Sender(patient, outbox, MESSAGES, drain_per_s=FAST):
        assert wait_until(lambda: outbox.depth("store").rows == 0)
    arrived = [json.loads(p.payload)["seq"] for p in broker.topics("agg")]
    assert arrived == list(range(1, 601))


def test_it_takes_one_at_a_time(broker: HostileBroker, outbox: Outbox) -> None:
    broker.habits = Habits(receive_maximum=1, delay_s=lambda _n: 0.002)
    outbox.publish([minute(n) for n in range(40)])
    with sender(broker, outbox):
        assert wait_until(lambda: seqs(broker) == list(range(1, 41)))
    assert broker.most_unanswered == 1


CONNACK_REFUSALS = (
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x9A,
    0x9B, 0x9C, 0x9D, 0x9F,
)  # fmt: skip
"""Of MQTT 5, section 3.2.2.2; 0x84, another version, leads to 3.1.1 unless that is ruled out."""


@pytest.mark.parametrize("code", CONNACK_REFUSALS, ids=hex)
def test_it_refuses_the_connection(broker: HostileBroker, outbox: Outbox, code: int) -> None:
    reason = str(ReasonCode(PacketTypes.CONNACK, identifier=code))
    broker.habits = Habits(connack_code=code)
    settings = broker.settings.model_copy(update={"protocol": "5"})
    outbox.publish([minute(0)])
    with Sender(settings, outbox, MESSAGES) as box:
        assert wait_until(lambda: box.status().detail == f"not connected: refused: {reason}")
        assert not box.status().is_connected
        broker.habits = Habits()
        assert wait_until(lambda: seqs(broker) == [1])


@pytest.mark.parametrize("code", [0x99, 0xEE], ids=hex)
def test_it_refuses_the_connection_with_a_code_that_paho_does_not_know(
    broker: HostileBroker, outbox: Outbox, code: int
) -> None:
    broker.habits = Habits(connack_code=code)
    outbox.publish([minute(0)])
    with sender(broker, outbox) as box:
        assert wait_until(lambda: box.status().detail.startswith("not connected: "))
        broker.habits = Habits()
        assert wait_until(lambda: seqs(broker) == [1])


@pytest.mark.parametrize("code", [2, 3, 4, 5])
def test_it_refuses_the_connection_in_3_1_1(
    broker: HostileBroker, outbox: Outbox, code: int
) -> None:
    broker.habits = Habits(connack_code=code)
    settings = broker.settings.model_copy(update={"protocol": "3.1.1"})
    with Sender(settings, outbox, MESSAGES) as box:
        assert wait_until(lambda: box.status().detail.startswith("not connected: refused: "))
        broker.habits = Habits()
        assert wait_until(lambda: box.status().is_connected)


@pytest.mark.parametrize(
    "code", [0x81, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x93, 0x95, 0x97, 0x98, 0x9C], ids=hex
)
def test_it_sends_us_away(broker: HostileBroker, outbox: Outbox, code: int) -> None:
    reason = str(ReasonCode(PacketTypes.DISCONNECT, identifier=code))
    outbox.publish([minute(n) for n in range(5)])
    broker.habits = Habits(goodbye=code)
    with sender(broker, outbox) as box:
        assert wait_until(lambda: box.status().detail.endswith(f"connection lost: {reason}"))
        broker.habits = Habits()
        assert wait_until(lambda: seqs(broker) == [1, 2, 3, 4, 5])


@pytest.mark.parametrize("code", [0x80, 0x83, 0x87, 0x91, 0x97])
def test_a_refusal_that_may_pass_is_tried_again_in_order(
    broker: HostileBroker, outbox: Outbox, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    has_passed = threading.Event()

    def answer(topic: str, _n: int) -> int:
        return code if "/agg/" in topic and not has_passed.is_set() else 0

    broker.habits = Habits(answer=answer, receive_maximum=1)
    outbox.publish([minute(n) for n in range(5)])
    with sender(broker, outbox) as box:
        assert wait_until(lambda: "but it refuses messages: " in box.status().detail)
        has_passed.set()
        assert wait_until(lambda: seqs(broker) == [1, 2, 3, 4, 5])
        assert box.status().detail == "connected with MQTT 5"
        assert wait_until(lambda: len(broker.topics("state")) == 3)
        states = [json.loads(p.payload)["state"] for p in broker.topics("state")]
    assert states == ["online", "degraded", "online"]
    assert outbox.depth("store").refused == 0
    assert ("the store's id in the broker's ACL; trying again" in caplog.text) == (code == 0x87)


def test_nothing_new_overtakes_what_was_refused(broker: HostileBroker, outbox: Outbox) -> None:
    """What was under way with it has arrived already; what comes after it waits."""
    broker.habits = Habits(answer=lambda topic, n: 0x97 if "/agg/" in topic and n == 1 else 0)
    outbox.publish([minute(n) for n in range(30)])
    with sender(broker, outbox):
        assert wait_until(lambda: set(seqs(broker)) == set(range(1, 31)))
    assert set(seqs(broker)[:8]) == set(range(1, 9))
    assert seqs(broker)[8:] == list(range(9, 31))


@pytest.mark.parametrize("code", [0x90, 0x99])
def test_a_refusal_for_good_is_set_aside(
    broker: HostileBroker, outbox: Outbox, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    broker.habits = Habits(answer=lambda t, _n: code if "/agg/entrance/pt1h" in t else 0)
    hour = MESSAGES.window(window(), 1.0)
    outbox.publish([minute(0), hour, minute(1)])
    with sender(broker, outbox):
        assert wait_until(lambda: seqs(broker) == [1, 3])
        assert wait_until(lambda: outbox.depth("store").refused == 1)
    assert outbox.depth("store").rows == 0
    assert "set aside" in caplog.text


def test_a_message_too_large_for_it_is_set_aside(broker: HostileBroker, outbox: Outbox) -> None:
    broker.habits = Habits(maximum_packet=4000)
    hour = MESSAGES.window(window(), 1.0)
    large = replace(hour, payload=hour.payload + b" " * 4000)
    outbox.publish([minute(0), large, minute(1), large])
    with sender(broker, outbox):
        assert wait_until(lambda: seqs(broker) == [1, 3])
        assert wait_until(lambda: outbox.depth("store").refused == 2)
    assert outbox.depth("store").rows == 0


def test_nobody_listening_is_no_refusal(broker: HostileBroker, outbox: Outbox) -> None:
    broker.habits = Habits(answer=lambda _t, _n: 0x10)
    outbox.publish([minute(0)])
    with sender(broker, outbox) as box:
        assert wait_until(lambda: box.status().sent == 2)
    assert outbox.depth("store").rows == 0


def test_a_refused_alert_expires_and_holds_no_window_back(
    broker: HostileBroker, outbox: Outbox
) -> None:
    broker.habits = Habits(answer=lambda t, _n: 0x97 if "/alert/" in t else 0)
    short = alert(settled_at_s=time.time(), expires_s=5.0)
    outbox.publish([MESSAGES.alert(short, time.time()), minute(0)])
    with sender(broker, outbox):
        assert wait_until(lambda: seqs(broker) == [1], 4.0)
        assert wait_until(lambda: outbox.depth("store").alerts_expired == 1)
        assert wait_until(lambda: outbox.depth("store").rows == 0)
        broker.habits = Habits()
        outbox.publish([MESSAGES.alert(alert(settled_at_s=time.time()), time.time())])
        assert wait_until(lambda: seqs(broker, "alert") == [2])
        assert wait_until(lambda: outbox.depth("store").rows == 0)
    assert outbox.depth("store").refused == 0


def test_an_alert_that_waited_too_long_for_its_turn_is_not_sent(
    broker: HostileBroker, outbox: Outbox
) -> None:
    broker.habits = Habits(receive_maximum=1, delay_s=lambda _n: 0.3)
    short = alert(settled_at_s=time.time(), expires_s=1.5)
    outbox.publish([MESSAGES.alert(short, time.time()) for _ in range(20)])
    patient = broker.settings.model_copy(update={"stall_s": 30.0})
    with Sender(patient, outbox, MESSAGES, drain_per_s=FAST):
        assert wait_until(lambda: outbox.depth("store").rows == 0)
        sent = len(seqs(broker, "alert"))
        assert sent <= 6
        assert outbox.depth("store").alerts_expired == 20 - sent


def test_the_limit_for_a_backlog_is_none_for_alerts(broker: HostileBroker, outbox: Outbox) -> None:
    outbox.publish([MESSAGES.alert(alert(settled_at_s=time.time()), time.time())] * 10)
    with Sender(broker.settings, outbox, MESSAGES, drain_per_s=1.0):
        assert wait_until(lambda: seqs(broker, "alert") == list(range(1, 11)), 4.0)


@pytest.mark.parametrize("windows", [1, 5])
def test_refused_windows_hold_no_alert_back(
    broker: HostileBroker, outbox: Outbox, windows: int
) -> None:
    """However few it takes at once, and while the windows are tried again."""
    broker.habits = Habits(
        receive_maximum=2,
        answer=lambda t, _n: 0x97 if "/agg/" in t else 0,
        delay_s=lambda n: 0.15 if n > 3 else 0.0,
    )
    outbox.publish([minute(n) for n in range(windows)])
    with sender(broker, outbox) as box:
        assert wait_until(lambda: "but it refuses messages: " in box.status().detail)
        now_s = time.time()
        outbox.publish([MESSAGES.alert(alert(settled_at_s=now_s), now_s) for _ in range(10)])
        assert wait_until(lambda: seqs(broker, "alert") == list(range(1, 11)), 10)
        states = [json.loads(p.payload)["state"] for p in broker.topics("state")]
    assert states == ["online", "degraded"], "for whoever looks it stays so, whatever goes through"
    assert broker.most_unanswered == 2


def test_it_stalls_now_and_then(broker: HostileBroker, outbox: Outbox) -> None:
    chance = random.Random(3)
    broker.habits = Habits(delay_s=lambda _n: 0.05 if chance.random() < 0.3 else 0.0)
    outbox.publish([minute(n) for n in range(100)])
    with sender(broker, outbox) as box:
        assert wait_until(lambda: seqs(broker) == list(range(1, 101)), 20)
        assert box.status().connections == 1


@pytest.mark.parametrize("callback", ["_on_connect", "_on_publish", "_on_disconnect"])
def test_an_error_in_a_callback_ends_the_connection_only(
    broker: HostileBroker, outbox: Outbox, callback: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = []
    real: Callable[..., None] = getattr(Connection, callback)

    def faulty(*arguments: Any) -> None:
        if not faults:
            faults.append(callback)
            raise RuntimeError("injected")
        real(*arguments)

    monkeypatch.setattr(Connection, callback, faulty)
    outbox.publish([minute(n) for n in range(20)])
    with sender(broker, outbox) as box:
        if callback == "_on_disconnect":
            assert wait_until(lambda: box.status().is_connected)
            broker.habits = Habits(life_s=0.0)
            assert wait_until(lambda: faults == [callback])
            connections = box.status().connections
            broker.habits = Habits()
            assert wait_until(lambda: box.status().connections > connections)
        assert wait_until(lambda: seqs(broker) == list(range(1, 21)))
        assert box.is_alive
    assert faults == [callback]


def test_many_threads_publish_without_deadlock(broker: HostileBroker, outbox: Outbox) -> None:
    """Threads change as often as Python can, while four of them publish and one delivers."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    messages = [minute(n) for n in range(50)]

    def publish() -> None:
        for _ in range(10):
            outbox.publish(messages)

    try:
        with sender(broker, outbox):
            threads = [threading.Thread(target=publish) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
                assert not thread.is_alive()
            assert wait_until(lambda: len(seqs(broker)) == 2000, 30)
    finally:
        sys.setswitchinterval(interval)
    assert seqs(broker) == list(range(1, 2001))
