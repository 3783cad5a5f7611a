"""One MQTT connection, from CONNECT to its loss: the only module that knows paho.

paho is run here without its network thread: the sender's thread calls :meth:`Connection.step`,
which reads and writes the socket and returns what happened. So no callback runs beside anybody
(paho's thread dies of an exception in a callback while ``is_connected()`` stays true, and its locks
deadlock with a caller's), nothing is sent that was not asked for (paho queues without limit while
offline and sends all of it at once on reconnecting), and a connection that misbehaves is dropped
with its client. One connection, one client: paho's own reconnecting is never used.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, cast

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge_app.config.kinds import broker_address
from edge_app.config.schema import BrokerSettings
from edge_app.config.secrets import read_password
from edge_app.delivery.batched import BatchedSocket
from edge_app.delivery.packed import PublishProperties
from edge_app.delivery.tls import tls_context
from edge_app.delivery.topics import TOPICS
from edge_app.errors import DeliveryError
from edge_app.flow import Message

Protocol = Literal["5", "3.1.1"]
WILL_DELAY_S: Final = 20
SESSION_EXPIRY_S: Final = 60
"""Longer than the will's delay, which ends with the session."""

LARGEST_PACKET: Final = 268_435_455
"""Bytes; the protocol knows no larger one."""

UNSUPPORTED_VERSION: Final = 0x84


@dataclass(frozen=True)
class Connected:
    """The broker said welcome.

    Attributes:
        receive_maximum: how many unacknowledged messages it takes.
        maximum_bytes: the largest packet that it takes; a larger one would end the connection.
        certificate: that it showed, in DER; None without TLS.
    """

    receive_maximum: int
    maximum_bytes: int
    certificate: bytes | None = None


@dataclass(frozen=True)
class Refused:
    """The broker did not let us in."""

    reason: str
    is_version: bool


@dataclass(frozen=True)
class Lost:
    """The connection is gone."""

    reason: str


class Acknowledged(NamedTuple):
    """The broker answered a message: it took it, or ``code`` (0x80 and up) says why not."""

    mid: int
    code: int
    reason: str

    @property
    def is_failure(self) -> bool:
        """The broker did not take it; on 3.1.1 it cannot say so."""
        return self.code >= 0x80


@dataclass(frozen=True)
class Received:
    """A message for us."""

    topic: str
    payload: bytes
    is_retained: bool
    response_topic: str | None = None
    correlation: bytes | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


Event = Connected | Refused | Lost | Acknowledged | Received


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]


_NO_PROPERTIES: Final = _properties(PacketTypes.PUBACK)
_TAKEN: Final = {
    after: ReasonCode(PacketTypes.PUBACK, identifier=after[0] if after else 0x00)
    for after in (b"", b"\x00", b"\x10")
}
"""What follows the message's id where a broker took it; 0x10 where nobody had subscribed."""


class _Hint(logging.Logger):
    """Keeps the last error that paho logs, the only place where it says why a socket broke."""

    def __init__(self) -> None:
        super().__init__("paho", logging.ERROR)
        self.text = ""

    def log(self, level: int, msg: object, *args: object, **_: object) -> None:
        """Take what paho says; it says much, and only errors are worth being put into words."""
        if level >= logging.ERROR:
            self.text = str(msg) % args


class _Client(paho.Client):
    """paho on a socket of ours, and quick about plain acknowledgements."""

    def _create_socket(self) -> Any:
        return BatchedSocket(cast(socket.socket, super()._create_socket()))

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        """Take an acknowledgement; for each, paho makes lists of all reasons and properties."""
        packet = bytes(self._in_packet["packet"])
        mid, reason = int.from_bytes(packet[:2], "big"), _TAKEN.get(packet[2:])
        is_plain = len(packet) == 2 or (len(packet) == 3 and self.protocol == paho.MQTTv5)
        if reason is None or not is_plain or mid not in self._out_messages:
            return super()._handle_pubackcomp(cmd)
        with self._out_message_mutex:
            return self._do_on_publish(mid, reason, _NO_PROPERTIES)


class Connection:
    """One connection to one broker.

    Args:
        settings: where, and as whom.
        client_id: unique at the broker.
        protocol: the version of MQTT to speak.
        will: what the broker says when we are lost; None for nothing.
    """

    def __init__(
        self, settings: BrokerSettings, client_id: str, protocol: Protocol, will: Message | None
    ) -> None:
        self._settings = settings
        self._is_v5 = protocol == "5"
        self._events: list[Event] = []
        self._client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if self._is_v5 else True,
            protocol=paho.MQTTv5 if self._is_v5 else paho.MQTTv311,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = settings.connect_timeout_s
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._hint = _Hint()
        self._client.enable_logger(self._hint)
        if will is not None:
            self._set_will(will)

    def _set_will(self, will: Message) -> None:
        properties = None
        if self._is_v5:
            properties = _properties(PacketTypes.WILLMESSAGE)
            properties.WillDelayInterval = WILL_DELAY_S
        self._client.will_set(will.topic, will.payload, will.qos, will.is_retained, properties)

    def open(self) -> None:
        """Connect and send CONNECT; the answer comes as an event.

        Raises:
            DeliveryError: a password or certificate cannot be used.
            ConfigError: the password file cannot be read.
            OSError: the broker cannot be reached.
        """
        settings = self._settings
        if settings.username is not None:
            file = settings.password_file
            self._client.username_pw_set(settings.username, read_password(file) if file else None)
        if settings.url.startswith("mqtts:"):
            self._client.tls_set_context(tls_context(settings))
        host, port = broker_address(settings.url)
        if self._is_v5:
            properties = _properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            # Not a clean start: that would end the old session, and with it the will's delay.
            self._client.connect(
                host, port, settings.keepalive_s, clean_start=False, properties=properties
            )
        else:
            self._client.connect(host, port, settings.keepalive_s)

    def step(self, timeout_s: float, wake_fd: int) -> list[Event]:
        """Send what was published, wait for the network or ``wake_fd``, tell what happened."""
        sock: Any = self._client.socket()
        if sock is None:
            return self._taken("closed")
        broken = None
        try:
            is_readable = sock.wait(timeout_s, wake_fd)
        except OSError as error:
            is_readable, broken = True, str(error)  # it may have said why, before it went
        outcome = self._client.loop_read() if is_readable else paho.MQTT_ERR_SUCCESS
        if not outcome:
            outcome = self._client.loop_misc()
        return self._taken(paho.error_string(outcome) if outcome else broken)

    def publish(self, message: Message, expiry_s: float | None = None) -> int:
        """Hand a message to the network; returns the id that its acknowledgement will carry.

        Raises:
            DeliveryError: paho did not take it.
        """
        properties: Any = None
        if self._is_v5:
            properties = PublishProperties(expiry_s, message.properties)
        sent = self._client.publish(
            message.topic, message.payload, message.qos, message.is_retained, properties
        )
        if sent.rc != paho.MQTT_ERR_SUCCESS:
            raise DeliveryError(f"cannot publish: {paho.error_string(sent.rc)}")
        return sent.mid

    def answer(self, topic: str, payload: bytes, correlation: bytes | None) -> None:
        """Publish the answer to a command, at QoS 1."""
        properties: Any = None
        if self._is_v5:
            properties = PublishProperties(TOPICS["response"].expiry_s, None, correlation)
        self._client.publish(topic, payload, 1, False, properties)

    def subscribe(self, pattern: str) -> None:
        """Ask for messages at QoS 1."""
        if self._is_v5:
            # Retained as published, so that a retained command is known for one and refused.
            self._client.subscribe(pattern, options=SubscribeOptions(1, retainAsPublished=True))
        else:
            self._client.subscribe(pattern, 1)
        if (sock := cast(Any, self._client.socket())) is not None:
            sock.flush()  # at once: whoever learns that we are connected may send a command

    def close(self, is_clean: bool) -> None:
        """End the connection; a clean end tells the broker to forget the will."""
        if is_clean:
            self._client.disconnect()
        sock: Any = self._client.socket()
        if sock is not None:
            sock.close()

    def _taken(self, loss: str | None) -> list[Event]:
        events, self._events = self._events, []
        if loss is not None and not any(isinstance(event, Lost | Refused) for event in events):
            events.append(Lost(loss))
        return events

    def _on_connect(
        self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._events.append(Refused(str(code), code.value == UNSUPPORTED_VERSION))
        else:
            self._events.append(
                Connected(
                    getattr(properties, "ReceiveMaximum", 65535),
                    getattr(properties, "MaximumPacketSize", LARGEST_PACKET),
                    cast(Any, self._client.socket()).certificate,
                )
            )

    def _on_disconnect(
        self, _client: Any, _data: Any, flags: Any, code: ReasonCode, _properties: Any
    ) -> None:
        is_told = flags.is_disconnect_packet_from_server
        self._events.append(Lost(str(code) if is_told else self._hint.text or "closed"))

    def _on_publish(
        self, _client: Any, _data: Any, mid: int, code: ReasonCode, _properties: Any
    ) -> None:
        # paho looks the words up in lists, which is not worth it for a plain success.
        reason = str(code) if code.value >= 0x80 else ""
        self._events.append(Acknowledged(mid, code.value, reason))

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        properties = message.properties
        self._events.append(
            Received(
                message.topic,
                bytes(message.payload),
                message.retain,
                getattr(properties, "ResponseTopic", None),
                getattr(properties, "CorrelationData", None),
                dict(getattr(properties, "UserProperty", ())),
            )
        )
