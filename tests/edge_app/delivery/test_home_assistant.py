"""The device of Home Assistant: as documented, made of topics and fields that exist."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from edge_app.config.load import loads
from edge_app.config.schema import Config, OutboxSettings
from edge_app.delivery.contract import CommandPayload, json_schemas
from edge_app.delivery.home_assistant import KEPT, HomeAssistant, config_topic, device
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.topics import VERBS, kind_of
from edge_app.flow import CameraState, LiveCount
from tests.edge_app.delivery.samples import MESSAGES

STORE = """
store: acme-0042
node: edge-1
timezone: Europe/Paris
mqtt: {url: "mqtt://127.0.0.1"}
home_assistant: {discovery: true}
cameras:
  door:
    source: sim://entrance
    zones:
      entrance: {line: [[0.1, 0.8], [0.9, 0.8]]}
      fitting-rooms: {area: [[0.6, 0.2], [0.9, 0.2], [0.9, 0.7]]}
alerts:
  formalwear: {any_of: [dress, suit], zones: [entrance]}
  coats: {any_of: [coat]}
"""

TOPIC = {"type": "string", "pattern": r"^[^+#\x00]+$"}
TEXT = {"type": "string", "minLength": 1}
COMMON = {
    "platform": TEXT,
    "unique_id": TEXT,
    "name": TEXT,
    "entity_category": {"enum": ["config", "diagnostic"]},
    "device_class": TEXT,
    "value_template": TEXT,
}
PLATFORMS: dict[str, dict[str, Any]] = {
    "sensor": {
        "required": ["state_topic"],
        "properties": {
            "state_topic": TOPIC,
            "options": {"type": "array", "minItems": 1, "items": TEXT},
            "state_class": {"enum": ["measurement", "total", "total_increasing"]},
            "json_attributes_topic": TOPIC,
            "json_attributes_template": TEXT,
        },
        "dependentRequired": {"json_attributes_template": ["json_attributes_topic"]},
        # "options" only beside the device class enum, which takes no state class.
        "if": {"required": ["options"]},
        "then": {
            "properties": {"device_class": {"const": "enum"}, "state_class": False},
            "required": ["device_class"],
        },
    },
    "event": {
        "required": ["state_topic", "event_types"],
        "properties": {
            "state_topic": TOPIC,
            "event_types": {"type": "array", "minItems": 1, "items": TEXT},
        },
    },
    "button": {
        "required": ["command_topic"],
        "properties": {"command_topic": TOPIC, "payload_press": TEXT, "retain": {"const": False}},
    },
}
DOCUMENTED = {
    "type": "object",
    "required": ["device", "origin", "components"],
    "additionalProperties": False,
    "properties": {
        "device": {
            "required": ["identifiers"],
            "additionalProperties": False,
            "properties": {
                "identifiers": {"type": "array", "minItems": 1, "items": TEXT},
                **dict.fromkeys(("name", "manufacturer", "model", "sw_version"), TEXT),
            },
        },
        "origin": {
            "required": ["name"],
            "additionalProperties": False,
            "properties": dict.fromkeys(("name", "sw_version", "support_url"), TEXT),
        },
        "availability": {
            "type": "array",
            "items": {
                "required": ["topic"],
                "additionalProperties": False,
                "properties": {"topic": TOPIC, "value_template": TEXT},
            },
        },
        "qos": {"enum": [0, 1, 2]},
        "components": {
            "minProperties": 1,
            "propertyNames": {"pattern": "^[a-zA-Z0-9_-]+$"},
            "additionalProperties": {
                "oneOf": [
                    {
                        **rest,
                        "required": ["platform", "unique_id", *rest["required"]],
                        "additionalProperties": False,
                        "properties": COMMON | rest["properties"] | {"platform": {"const": name}},
                    }
                    for name, rest in PLATFORMS.items()
                ]
            },
        },
    },
}
"""Of https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload and the pages of the
three platforms, the part that is used, with unknown keys refused."""


def store(**changes: Any) -> Config:
    return loads(STORE).model_copy(update=changes)


COMPONENTS: dict[str, dict[str, Any]] = device(store())["components"]


def test_the_device_is_as_documented() -> None:
    jsonschema.validate(device(store()), DOCUMENTED, jsonschema.Draft202012Validator)
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", config_topic(store()))


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it"])
def test_every_language_has_names_of_its_own(language: str) -> None:
    shown = device(store(language=language))["components"]
    names = [component["name"] for component in shown.values()]
    assert len(set(names)) == len(names)
    assert not any("{" in name for name in names)


def test_the_device_is_made_of_the_configuration() -> None:
    assert sorted(COMPONENTS) == sorted(
        [
            "state", "camera-door", "mute-formalwear", "mute-coats", "unmute-formalwear",
            "unmute-coats", "alert-entrance_formalwear", "alert-entrance_coats",
            "alert-fitting-rooms_coats",
            *(f"{what}-{zone}" for what in ("occupancy", "in_today", "out_today")
              for zone in ("entrance", "fitting-rooms", "all")),
        ]
    )  # fmt: skip
    ids = [component["unique_id"] for component in COMPONENTS.values()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_reads_fields_that_are_sent(name: str) -> None:
    component = COMPONENTS[name]
    if component["platform"] == "button":
        assert component["command_topic"].rpartition("/")[2] in VERBS
        assert CommandPayload.model_validate_json(component["payload_press"]).rule
        return
    kind = kind_of(component["state_topic"])
    assert kind is not None
    fields = json_schemas()[kind]["properties"]
    if component["platform"] == "event":
        assert kind == "alert"
        assert component["event_types"] == [component["state_topic"].rpartition("/")[2]]
        assert "event_type" in fields
        return
    *node, field = re.findall(r"value_json\.(\w+)", component["value_template"])
    assert node in ([], ["node"])
    assert field in fields
    assert component.get("options") == fields[field].get("enum")


def test_a_rule_is_muted_and_heard_again() -> None:
    pressed = {
        name: CommandPayload.model_validate_json(component["payload_press"])
        for name, component in COMPONENTS.items()
        if component["platform"] == "button"
    }
    minutes = {name: (command.rule, command.minutes) for name, command in pressed.items()}
    assert minutes == {
        "mute-formalwear": ("formalwear", 30.0), "unmute-formalwear": ("formalwear", 0.0),
        "mute-coats": ("coats", 30.0), "unmute-coats": ("coats", 0.0),
    }  # fmt: skip


def test_ids_with_dashes_are_not_taken_for_one_another() -> None:
    text = STORE.replace("entrance:", "a:").replace("fitting-rooms:", "a-b:")
    head, _, _ = text.partition("alerts:")
    rules = "{b-c: {any_of: [dress], zones: [a]}, c: {any_of: [suit], zones: [a-b]}}"
    shown = device(loads(f"{head}alerts: {rules}\n"))["components"]
    events = {c["state_topic"] for c in shown.values() if c["platform"] == "event"}
    assert {topic.partition("alert/")[2] for topic in events} == {"a/b-c", "a-b/c"}


@pytest.mark.parametrize(("node", "shown"), [("edge-1", "5"), ("edge-2", "")])
@pytest.mark.parametrize("zone", ["entrance", "all"])
def test_of_another_box_on_the_same_topic_no_number_is_taken(
    node: str, shown: str, zone: str
) -> None:
    """An empty value is ignored where a number is expected, as the page of the sensor says."""
    jinja2 = pytest.importorskip("jinja2")
    message = replace(MESSAGES, node=node).live(LiveCount(zone, 0.0, 5, 52, 47), 0.0)
    sensor = COMPONENTS[f"occupancy-{zone}"]
    assert sensor["state_topic"] == message.topic
    told = jinja2.Template(sensor["value_template"]).render(value_json=json.loads(message.payload))
    assert told == shown


def test_a_state_is_shown_with_its_reason() -> None:
    jinja2 = pytest.importorskip("jinja2")
    why = 'a broker is away: "store", <connection> refused'
    messages = {
        "state": MESSAGES.node_state("degraded", why, 1, 0.0),
        "camera-door": MESSAGES.camera_state(CameraState("door", "moved", why, 60.0), 0.0),
    }
    shown = {}
    for name, message in messages.items():
        sensor = COMPONENTS[name]
        assert sensor["state_topic"] == sensor["json_attributes_topic"] == message.topic
        template = jinja2.Template(sensor["json_attributes_template"])
        shown[name] = json.loads(template.render(value_json=json.loads(message.payload)))
    assert shown == {
        "state": {"reason": why},
        "camera-door": {"reason": why, "since": "1970-01-01T00:01:00.000Z"},
    }


def test_the_device_is_there_while_the_box_is() -> None:
    (available,) = device(store())["availability"]
    assert kind_of(available["topic"]) == "state"
    states = set(json_schemas()["state"]["properties"]["state"]["enum"])
    assert set(re.findall(r"'(\w+)'", available["value_template"])) <= states


class Ear:
    """Stands for a session: keeps what is said, and acknowledges when told to."""

    def __init__(self) -> None:
        self.said: dict[str, Any] = {}
        self.has_said_all = False

    def say(self, message: Any) -> None:
        assert message.is_retained
        assert message.qos == 1
        self.said[message.topic] = json.loads(message.payload) if message.payload else None


def told(config: Config, outbox: Outbox, is_acknowledged: bool = True) -> dict[str, Any]:
    """What a box that starts with this configuration says."""
    ear: Any = Ear()
    box = HomeAssistant(config, outbox)
    box.connected()
    box.turn(ear)
    ear.has_said_all = is_acknowledged
    box.turn(ear)
    return dict(ear.said)


@pytest.fixture
def outbox(tmp_path: Path) -> Any:
    with Outbox(tmp_path / "outbox.sqlite", OutboxSettings()) as made:
        yield made


OFF = store().home_assistant.model_copy(update={"discovery": False})
ELSEWHERE = store().home_assistant.model_copy(update={"prefix": "shop/ha"})
TOPIC_OF_BOX = "homeassistant/device/acme-0042-edge-1/config"


def test_nothing_is_said_unless_configured(outbox: Outbox) -> None:
    assert loads(STORE.replace("{discovery: true}", "{}")).home_assistant == OFF
    assert told(store(home_assistant=OFF), outbox) == {}


def test_switched_off_it_is_taken_back_until_the_broker_has_it(outbox: Outbox) -> None:
    assert told(store(), outbox)[TOPIC_OF_BOX]["components"]
    off = store(home_assistant=OFF)
    assert told(off, outbox, is_acknowledged=False) == {TOPIC_OF_BOX: None}
    assert told(off, outbox) == {TOPIC_OF_BOX: None}
    assert told(off, outbox) == {}


def test_what_is_gone_is_named_with_its_platform_alone(outbox: Outbox) -> None:
    told(store(), outbox)
    changed = store(alerts={"formalwear": store().alerts["formalwear"]})
    for _ in range(2):
        components = told(changed, outbox)[TOPIC_OF_BOX]["components"]
        assert components["mute-coats"] == {"platform": "button"}
        assert components["alert-entrance_coats"] == {"platform": "event"}
        assert components["mute-formalwear"]["command_topic"]


def test_another_prefix_takes_the_old_one_back(outbox: Outbox) -> None:
    told(store(), outbox)
    moved = told(store(home_assistant=ELSEWHERE), outbox)
    assert moved.pop(TOPIC_OF_BOX) is None
    assert list(moved) == ["shop/ha/device/acme-0042-edge-1/config"]
    assert list(outbox.state()[KEPT]) == list(moved)


def test_the_automation_in_the_documents_tells_news_of_an_entity_that_there_is(root: Path) -> None:
    """An event entity is unavailable while the box is off, and has its last alert again then."""
    example = (root / "deploy" / "README.md").read_text().partition("```yaml\n")[2]
    automation = yaml.safe_load(example.partition("```")[0])
    (trigger,), (condition,) = automation["triggers"], automation["conditions"]
    described = device(loads(STORE))
    name = described["components"]["alert-entrance_formalwear"]["name"]
    whole = f"{described['device']['name']} {name}".lower()
    assert trigger["entity_id"] == "event." + re.sub(r"[^a-z0-9]+", "_", whole).strip("_")
    assert (trigger["not_from"], trigger["not_to"]) == ("unavailable", "unavailable")
    assert "to_state.attributes.id != trigger.from_state" in condition
