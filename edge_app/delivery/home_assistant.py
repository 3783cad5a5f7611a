"""The box as a device of Home Assistant, where that is wanted: MQTT device discovery.

One retained message on ``{prefix}/device/{store}-{node}/config`` describes everything that Home
Assistant may show, as https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
lays it out. It is made of the configuration, said at every connection and whenever Home Assistant
says that it has started. What was said is kept in the outbox's state, so that it can be taken back:
a component that is gone is sent with its platform alone, a device that is gone as an empty message.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any, Final, get_args

from edge_app import __version__
from edge_app.config.schema import Config
from edge_app.delivery.kinds import CameraWord, NodeWord
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.phrases import LABELS, Labels
from edge_app.delivery.session import Session
from edge_app.delivery.topics import PREFIX, TOPICS
from edge_app.flow import ALL, Message

KEPT: Final = "home_assistant"
"""Name of the state in the outbox."""

MUTE_MIN: Final = 30
"""What a button mutes a rule for; other times can be sent as a command."""

_ALIVE: Final = "{{ 'online' if value_json.state in ['online', 'degraded'] else 'offline' }}"


def config_topic(config: Config) -> str:
    """Where the device of a box is described."""
    return f"{config.home_assistant.prefix}/device/{config.store}-{config.node}/config"


def device(config: Config) -> dict[str, Any]:
    """What Home Assistant is told of a box.

    Args:
        config: its cameras, zones and rules become sensors, events and buttons.
    """
    state = TOPICS["state"].at(config.store, node=config.node)
    return {
        "device": {
            "identifiers": [f"dresscode-{config.store}-{config.node}"],
            "name": f"Dresscode {config.store} {config.node}",
            "manufacturer": "Dresscode",
            "sw_version": __version__,
        },
        "origin": {"name": "dresscode", "sw_version": __version__},
        "availability": [{"topic": state, "value_template": _ALIVE}],
        "qos": 1,
        "components": {
            name: {"unique_id": f"dresscode-{config.store}-{config.node}-{name}", **component}
            for name, component in _components(config, LABELS[config.language])
        },
    }


def _components(config: Config, words: Labels) -> Iterator[tuple[str, dict[str, Any]]]:
    state = TOPICS["state"].at(config.store, node=config.node)
    yield "state", _enumeration(words.state, state, get_args(NodeWord), "reason")
    for camera in config.cameras:
        topic = TOPICS["camera"].at(config.store, camera=camera)
        name = words.camera.format(camera)
        yield f"camera-{camera}", _enumeration(name, topic, get_args(CameraWord), "reason", "since")
    for zone in (*config.zones, *([ALL] if len(config.zones) > 1 else [])):
        topic = TOPICS["live"].at(config.store, zone=zone)
        shown = words.everywhere if zone == ALL else zone
        for field, name, kind in (
            ("occupancy", words.inside, "measurement"),
            ("in_today", words.entries, "total_increasing"),
            ("out_today", words.exits, "total_increasing"),
        ):
            yield (
                f"{field}-{zone}",
                {
                    "platform": "sensor",
                    "name": name.format(shown),
                    "state_topic": topic,
                    "value_template": _of_node(config.node, field),
                    "state_class": kind,
                },
            )
    for rule, settings in config.alerts.items():
        for zone in settings.zones or config.zones:
            yield (
                f"alert-{zone}_{rule}",  # no id has an underscore
                {
                    "platform": "event",
                    "name": f"{rule} ({zone})",
                    "state_topic": TOPICS["alert"].at(config.store, zone=zone, rule=rule),
                    "event_types": [rule],
                },
            )
        mute = words.mute.format(rule, MUTE_MIN)
        for verb, name, minutes in (
            ("mute", mute, MUTE_MIN),
            ("unmute", words.unmute.format(rule), 0),
        ):
            yield (
                f"{verb}-{rule}",
                {
                    "platform": "button",
                    "name": name,
                    "command_topic": f"{PREFIX}/{config.store}/cmd/{config.node}/mute",
                    "payload_press": json.dumps({"rule": rule, "minutes": minutes}),
                    "retain": False,
                },
            )


def _of_node(node: str, field: str) -> str:
    """A number of this box's messages; of another's on the same topic nothing, which is ignored."""
    return f"{{% if value_json.node == '{node}' %}}{{{{ value_json.{field} }}}}{{% endif %}}"


def _enumeration(
    name: str, topic: str, options: tuple[str, ...], *attributes: str
) -> dict[str, Any]:
    told = ", ".join(f"'{field}': value_json.{field}" for field in attributes)
    return {
        "platform": "sensor",
        "name": name,
        "state_topic": topic,
        "value_template": "{{ value_json.state }}",
        "json_attributes_topic": topic,
        "json_attributes_template": f"{{{{ {{{told}}} | tojson }}}}",
        "device_class": "enum",
        "options": list(options),
        "entity_category": "diagnostic",
    }


class HomeAssistant:
    """Keeps Home Assistant told of the box through one broker; nothing is said unless configured.

    Args:
        config: of the box.
        outbox: keeps what was said.
    """

    def __init__(self, config: Config, outbox: Outbox) -> None:
        self._outbox = outbox
        self._lock = threading.Lock()
        self._status_topic = f"{config.home_assistant.prefix}/status"
        self._is_wanted = config.home_assistant.discovery
        # Per topic that was said, the platform of each component that was ever named there.
        self._said: dict[str, dict[str, str]] = outbox.state().get(KEPT, {})
        self._messages: list[Message] = []
        self._is_due = False
        self.change(config)

    def change(self, config: Config) -> None:
        """Zones and rules may be others now; to be said soon."""
        told: dict[str, dict[str, Any]] = {}
        with self._lock:
            if self._is_wanted:
                topic, described = config_topic(config), device(config)
                components: dict[str, dict[str, Any]] = described["components"]
                gone = self._said.get(topic, {})
                described["components"] = {
                    **{name: {"platform": platform} for name, platform in gone.items()},
                    **components,
                }
                told[topic] = described
                self._said[topic] = gone | {
                    name: component["platform"] for name, component in components.items()
                }
            self._messages = [_message(topic, told.get(topic)) for topic in self._said]
            self._is_due = bool(self._messages)
            # Before it is said: what was said and forgotten could not be taken back.
            self._outbox.publish([], {KEPT: self._said}, is_durable=self._is_due)

    @property
    def pattern(self) -> str | None:
        """The topic on which Home Assistant says that it has started; None if that is no matter."""
        return self._status_topic if self._is_wanted else None

    def connected(self) -> None:
        """There is a new connection, to a broker that may have forgotten everything."""
        with self._lock:
            self._is_due = bool(self._messages)

    def heard(self, topic: str, payload: bytes) -> bool:
        """Take a message if it is Home Assistant's; whether it was."""
        if topic != self.pattern:
            return False
        if payload == b"online":
            self.connected()
        return True

    def turn(self, session: Session) -> None:
        """Say what is to be said, in the sender's thread; forget what was taken back."""
        with self._lock:
            if self._is_due:
                self._is_due = False
                for message in self._messages:
                    session.say(message)
            elif session.has_said_all and any(not message.payload for message in self._messages):
                self._messages = [message for message in self._messages if message.payload]
                self._said = {
                    message.topic: self._said[message.topic] for message in self._messages
                }
                self._outbox.publish([], {KEPT: self._said})


def _message(topic: str, described: dict[str, Any] | None) -> Message:
    text = "" if described is None else json.dumps(described, ensure_ascii=False)
    return Message(topic, text.encode(), 1, True, "state")
