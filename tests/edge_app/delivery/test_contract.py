"""The published schemas: the files are the models, and every message keeps to them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from edge_app.delivery.contract import PAYLOADS, CommandPayload, GarmentCounts, json_schemas
from edge_app.delivery.messages import numbered
from edge_app.delivery.topics import TOPICS, kind_of
from edge_app.vocabulary import CATEGORIES, UNKNOWN
from tests.edge_app.delivery.samples import every_message

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = json_schemas()


@pytest.mark.parametrize("kind", PAYLOADS)
def test_the_schema_is_valid_and_closed(kind: str) -> None:
    schema = SCHEMAS[kind]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == set(schema["properties"])


def test_garment_maps_have_the_vocabulary() -> None:
    assert tuple(GarmentCounts.model_fields) == (*CATEGORIES, UNKNOWN)


@pytest.mark.parametrize("kind", PAYLOADS)
def test_every_field_is_described(kind: str) -> None:
    fields = PAYLOADS[kind].model_fields
    assert [n for n, field in fields.items() if n != "schema_" and not field.description] == []


@pytest.mark.parametrize("kind", PAYLOADS)
def test_messages_keep_to_their_schema(kind: str) -> None:
    payload = json.loads(numbered(every_message()[kind].payload, 17, 2))
    jsonschema.validate(payload, SCHEMAS[kind], jsonschema.Draft202012Validator)


@pytest.mark.parametrize("kind", PAYLOADS)
def test_golden_examples_are_still_valid(kind: str) -> None:
    """What was published once must stay readable: keys may come, none may change or go."""
    golden = json.loads((GOLDEN / f"{kind}.json").read_text(encoding="utf-8"))
    jsonschema.validate(golden, SCHEMAS[kind], jsonschema.Draft202012Validator)
    assert (
        PAYLOADS[kind].model_validate(golden).to_json()
        == json.dumps(golden, separators=(",", ":"), ensure_ascii=False).encode()
    )


@pytest.mark.parametrize("kind", PAYLOADS)
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda payload: payload.pop("store"), id="a missing key"),
        pytest.param(lambda payload: payload.update(track_id=7), id="a key too many"),
        pytest.param(lambda payload: payload.update(node="Edge 1"), id="a bad id"),
        pytest.param(lambda payload: payload.update(schema="dresscode.x/9"), id="another schema"),
    ],
)
def test_the_schema_refuses(kind: str, spoil: object) -> None:
    golden = json.loads((GOLDEN / f"{kind}.json").read_text(encoding="utf-8"))
    spoil(golden)  # type: ignore[operator]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(golden, SCHEMAS[kind], jsonschema.Draft202012Validator)


def test_topics_and_payloads_belong_together() -> None:
    for kind, message in every_message().items():
        entry = TOPICS[kind]
        assert kind_of(message.topic) == kind
        assert (message.qos, message.is_retained) == (entry.qos, entry.is_retained)
        assert json.loads(message.payload)["schema"].startswith(f"dresscode.{kind}/")


@pytest.mark.parametrize("kind", ["alert", "agg"])
def test_no_payload_tells_of_a_track_a_box_or_a_picture(kind: str) -> None:
    words = {word for name in SCHEMAS[kind]["properties"] for word in name.split("_")}
    assert not words & {"track", "box", "image", "picture", "embedding", "face", "age", "gender"}


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-08T14:30:00+02:00",
        "2026-05-08T12:30:00Z",
        "2026-05-08T12:30:00.000Z",
        "2026-05-08T12:30:00.0z",
    ],
)
def test_a_command_takes_times_as_people_write_them(text: str) -> None:
    assert CommandPayload(start=text).start == "2026-05-08T12:30:00.000Z"
