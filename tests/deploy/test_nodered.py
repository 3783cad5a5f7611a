"""The Node-RED flow, run by Node-RED: an alert is shown on the page, a button mutes its rule.

``make nodered`` fetches Node-RED and runs this; without it the test skips. Of the flow that is
shipped only the broker's port and the authority's file are changed, and there is no password.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish

from edge_app.delivery.audit import Audit
from edge_app.delivery.broker import free_port
from edge_app.delivery.commands import Commands
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from tests.broker.certificates import Authority
from tests.broker.mosquitto import wait_until
from tests.broker.test_tls import TlsBroker
from tests.deploy.test_storage import FLOW
from tests.edge_app.delivery.samples import MESSAGES, alert

PROGRAM = os.environ.get("NODE_RED") or shutil.which("node-red")
START_S = 60.0
SECOND = replace(MESSAGES, node="edge-2")
"""A box whose alerts must not be muted at another of the store."""

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="Node-RED: not installed (make nodered)"),
    pytest.mark.timeout(180),
]


@pytest.fixture
def broker(tmp_path: Path, has_mosquitto: None) -> Iterator[TlsBroker]:
    authority = Authority(tmp_path / "authority")
    with TlsBroker(
        tmp_path / "broker", authority, authority.issue("localhost", "DNS:localhost")
    ) as made:
        yield made


@pytest.fixture
def page(tmp_path: Path, broker: TlsBroker) -> Iterator[str]:
    """Address of the flow's page, without its scheme."""
    changes = {
        "mqtt-broker": {"port": str(broker.tls_port)},
        "tls-config": {"ca": str(tmp_path / "authority" / "ca.pem")},
    }
    flow = [node | changes.get(node["type"], {}) for node in FLOW]
    (tmp_path / "flow.json").write_text(json.dumps(flow))
    port = free_port()
    command = [str(PROGRAM), "-u", str(tmp_path), "-p", str(port), str(tmp_path / "flow.json")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        assert wait_until(lambda: is_ready(tmp_path / "log"), START_S), (
            tmp_path / "log"
        ).read_text()
        yield f"127.0.0.1:{port}/dresscode"
    finally:
        process.terminate()
        process.wait(20)


def is_ready(log: Path) -> bool:
    text = log.read_text()
    return "Started flows" in text and "Connected to broker" in text


class Telephone:
    """Somebody who has the page open."""

    def __init__(self, page: str) -> None:
        client = pytest.importorskip("websockets.sync.client")
        self._socket = client.connect(f"ws://{page}/live")
        self._socket.send('{"hello": true}')

    def press_mute(self, alert: dict[str, Any]) -> None:
        wish = {"node": alert["node"], "rule": alert["rule"], "minutes": 30}
        self._socket.send(json.dumps(wish))

    def read(self) -> dict[str, Any]:
        """What comes next, but for how the broker and the boxes are."""
        while "state" in (said := self._next()):
            pass
        return said

    def reads_state(self, words: str) -> bool:
        """Whether the page comes to say so of the broker and the boxes within 30 s."""
        until_s = time.monotonic() + 30
        while words not in (said := str(self._next().get("state"))) or (words == "" and said):
            if time.monotonic() > until_s:
                return False
        return True

    def _next(self) -> dict[str, Any]:
        return dict(json.loads(self._socket.recv(15)))

    def close(self) -> None:
        self._socket.close()


def test_an_alert_is_shown_once_and_its_rule_muted(
    page: str,
    broker: TlsBroker,
    outbox: Outbox,
    tmp_path: Path,
) -> None:
    with urllib.request.urlopen(f"http://{page}", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/html")
        assert b"new WebSocket" in answer.read()
    commands = Commands(SECOND, outbox, Audit(tmp_path / "audit.jsonl"), time.time)
    box = Sender(broker.settings(url=broker.url), outbox, SECOND)
    box.obey(commands)
    telephone = Telephone(page)
    with box:
        now_s = time.time()
        message = SECOND.alert(alert(settled_at_s=now_s), now_s)
        late = SECOND.alert(alert(settled_at_s=now_s - 70, expires_s=10.0), now_s)
        outbox.publish([late, message, message])
        shown = telephone.read()
        assert shown["text"] == json.loads(message.payload)["text"]
        telephone.press_mute(shown)
        taken: list[Any] = []
        assert wait_until(lambda: bool(taken.extend(commands.take()) or taken))
        (command,) = taken
        assert (command.verb, command.arguments.rule, command.arguments.minutes) == (
            "mute", "formalwear", 30,
        )  # fmt: skip
        commands.answer(command, "done", "rule formalwear is muted for 30 min")
        # The alert that came twice is not shown again: what comes next is the answer.
        assert telephone.read() == {"note": "done: rule formalwear is muted for 30 min"}
    later = Telephone(page)
    assert later.read() == shown
    later.close()
    telephone.close()


def test_the_page_says_why_no_alert_can_come(page: str, broker: TlsBroker, outbox: Outbox) -> None:
    telephone = Telephone(page)
    assert telephone.reads_state("no box")
    with Sender(broker.settings(url=broker.url), outbox, MESSAGES) as box:
        assert telephone.reads_state("")
        box.degrade("no camera is online")
        assert telephone.reads_state("edge-1: degraded, no camera is online")
    assert telephone.reads_state("edge-1: offline")
    broker.kill()
    assert telephone.reads_state("no broker")
    telephone.close()


def test_what_is_over_does_not_look_new(
    page: str, broker: TlsBroker, outbox: Outbox, browser: Any
) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(f"http://{page}")
    with Sender(broker.settings(url=broker.url), outbox, MESSAGES):
        now_s = time.time()
        outbox.publish([MESSAGES.alert(alert(settled_at_s=now_s, expires_s=20.0), now_s)])
        card = browser.find_element(By.TAG_NAME, "article")
        assert card.get_attribute("class") == ""
        WebDriverWait(browser, 30).until(lambda _: card.get_attribute("class") == "past")


def test_what_is_late_by_a_wrong_clock_is_shown(page: str, broker: TlsBroker) -> None:
    telephone = Telephone(page)
    then_s = time.time() - 9000
    for colour, is_clock_ok in (("blue", lambda: True), ("red", lambda: False)):
        box = replace(MESSAGES, is_clock_ok=is_clock_ok)
        late = box.alert(alert(settled_at_s=then_s, entered_at_s=then_s, colour=colour), then_s)
        publish.single(late.topic, late.payload, qos=1, port=broker.port)
    shown = telephone.read()
    assert "red" in shown["text"]
    assert shown["expires"] / 1000 == pytest.approx(time.time() + 60, abs=30)
    telephone.close()
