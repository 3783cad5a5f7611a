"""The doctor's look at a broker, step by step: its name, its port, its certificate, its welcome."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

from edge_app.config.kinds import broker_address
from edge_app.config.schema import BrokerSettings
from edge_app.delivery.certificates import lifetimes, renewals_due, shown_on
from edge_app.delivery.contract import ResponsePayload
from edge_app.delivery.flight import FORBIDDEN, RIGHTS
from edge_app.delivery.kinds import rfc3339
from edge_app.delivery.mqtt import (
    Acknowledged,
    Connection,
    Event,
    Lost,
    Protocol,
    Refused,
)
from edge_app.delivery.status import in_words
from edge_app.delivery.topics import PREFIX, TOPICS
from edge_app.delivery.wake import Wake
from edge_app.errors import DeliveryError, DresscodeError

TIMEOUT_S = 5.0

Found = tuple[str, bool, str]
"""What was looked at, whether it is good, and what was found."""


def broker_findings(
    name: str,
    settings: BrokerSettings,
    store: str,
    node: str,
    wall: Callable[[], float] = time.time,
) -> Iterator[Found]:
    """What works on the way to a broker, up to the first thing that does not."""
    what = f"broker {name}"
    host, port = broker_address(settings.url)
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as plain:
            yield what, True, f"{host}:{port} can be reached"
            if settings.url.startswith("mqtts:"):
                yield f"{what}: TLS", *_tls(plain, settings, wall())
    except OSError as error:
        yield what, False, f"{host}:{port}: {in_words(error)}; check url, network and firewall"
        return
    try:
        yield f"{what}: MQTT", *_welcome(settings, store, node)
    except (OSError, DresscodeError) as error:
        yield f"{what}: MQTT", False, f"{in_words(error)}; check the files under {name}"


def _tls(plain: socket.socket, settings: BrokerSettings, now_s: float) -> tuple[bool, str]:
    try:
        certificates = lifetimes(settings, shown_on(plain, settings))
    except (OSError, ValueError, DeliveryError) as error:
        return False, f"{in_words(error)}; check ca_file, the broker's name, and this clock"
    if trouble := renewals_due(certificates, now_s):
        return False, trouble
    return True, f"the certificate is accepted, until {certificates['broker'].ends_on}"


def _welcome(settings: BrokerSettings, store: str, node: str) -> tuple[bool, str]:
    """Connect as the service does, under another name, so that a running one is not thrown out.

    MQTT 5 also says whether messages are taken, so it is sent one: an answer that nobody waits for.
    """
    protocol: Protocol = "5" if settings.protocol == "auto" else settings.protocol
    connection = Connection(settings, f"dresscode-doctor-{store}-{node}", protocol, will=None)
    welcome = f"welcomed with MQTT {protocol}"
    try:
        connection.open()
        event = _next_event(connection)
        if event is None:
            return False, f"no welcome within {TIMEOUT_S:.0f} s; is it an MQTT broker?"
        if isinstance(event, Refused):
            return False, f"refused: {event.reason}; check username and password_file"
        if isinstance(event, Lost):
            return False, f"closed without a welcome: {event.reason}"
        if protocol != "5":
            return True, welcome
        topic = TOPICS["response"].at(store, node=node, verb="ping")
        connection.answer(topic, _answer_to_nobody(store, node), None)
        event = _next_event(connection)
    finally:
        connection.close(is_clean=True)
    if isinstance(event, Acknowledged) and not event.is_failure:
        return True, f"{welcome}, and messages are taken"
    if isinstance(event, Acknowledged) and event.code == FORBIDDEN:
        return False, f"{welcome}, but may not publish below {PREFIX}/{store}/; {RIGHTS}"
    reason = getattr(event, "reason", f"no answer within {TIMEOUT_S:.0f} s")
    return False, f"{welcome}, but a message was not taken: {reason}; ask the broker's log"


def _next_event(connection: Connection) -> Event | None:
    """What happens first; None for nothing in time."""
    wake = Wake()
    until_s = time.monotonic() + TIMEOUT_S
    try:
        while time.monotonic() < until_s:
            if events := connection.step(0.2, wake.fileno()):
                return events[0]
    finally:
        wake.close()
    return None


def _answer_to_nobody(store: str, node: str) -> bytes:
    """To a ping that nobody sent: allowed wherever the box is, and kept nowhere."""
    return ResponsePayload(
        store=store,
        node=node,
        ts=rfc3339(time.time()),
        boot="doctor",
        verb="ping",
        transaction=None,
        status="done",
        reason="dresscode doctor tries the broker",
        n=None,
    ).to_json()
