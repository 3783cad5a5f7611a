"""The device of Home Assistant's MQTT discovery: keys as documented, topics and fields as sent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from edge_app.delivery.contract import CommandPayload, json_schemas
from edge_app.delivery.topics import VERBS, kind_of

FILE = Path(__file__).resolve().parents[2] / "deploy" / "homeassistant" / "device.json"
DEVICE = json.loads(FILE.read_text())
COMPONENTS: dict[str, dict[str, Any]] = DEVICE["cmps"]


def test_the_device_has_what_the_documentation_requires() -> None:
    assert {"dev", "o", "cmps"} <= set(DEVICE)
    assert DEVICE["dev"]["ids"]
    assert DEVICE["o"]["name"]
    ids = [component["unique_id"] for component in COMPONENTS.values()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_reads_fields_that_are_sent(name: str) -> None:
    component = COMPONENTS[name]
    if component["p"] == "button":
        assert component["command_topic"].rpartition("/")[2] in VERBS
        assert CommandPayload.model_validate_json(component["payload_press"]).rule
        assert set(json.loads(component["payload_press"])) <= set(CommandPayload.model_fields)
        return
    kind = kind_of(component["state_topic"])
    assert kind is not None
    fields = set(json_schemas()[kind]["properties"])
    assert set(re.findall(r"value_json\.(\w+)", component.get("value_template", ""))) <= fields
    if component["p"] == "event":
        assert kind == "alert"
        assert component["event_types"] == [component["state_topic"].rpartition("/")[2]]
        assert "event_type" in fields
    else:
        assert component["p"] == "sensor"
        assert component["value_template"]


def test_the_device_is_there_while_the_box_is() -> None:
    (available,) = DEVICE["availability"]
    assert kind_of(available["topic"]) == "state"
    states = json_schemas()["state"]["properties"]["state"]["enum"]
    assert set(COMPONENTS["state"]["options"]) == set(states)
