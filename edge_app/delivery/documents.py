"""What is written about the contract, made from it: JSON Schemas, AsyncAPI, tables for the README.

``python -m edge_app.delivery.documents [README.md]`` writes the schemas and the AsyncAPI document
into the package, and the tables between the README's marks; tests compare what is committed with
what is made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from edge_app.delivery.contract import (
    PAYLOADS,
    CommandPayload,
    Payload,
    json_schemas,
    schema_name,
)
from edge_app.delivery.mqtt import SESSION_EXPIRY_S, WILL_DELAY_S
from edge_app.delivery.topics import PREFIX, TOPICS, VERBS

FOLDER: Final = Path(__file__).parent / "schemas"
BEGIN: Final = "<!-- topics -->"
END: Final = "<!-- /topics -->"


def schema_text(schema: dict[str, Any]) -> str:
    """A JSON document as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path = FOLDER) -> None:
    """Write one ``<kind>.json`` per payload, and ``asyncapi.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, schema in json_schemas().items():
        (folder / f"{kind}.json").write_text(schema_text(schema), encoding="utf-8")
    (folder / "asyncapi.json").write_text(schema_text(asyncapi()), encoding="utf-8")


def asyncapi() -> dict[str, Any]:
    """The interface as an AsyncAPI 3.0 document, seen from the box: it sends, and obeys commands.

    MQTT bindings 0.2.0: QoS, retaining and expiry per topic, session expiry and last will.
    """
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for kind, topic in TOPICS.items():
        channels[kind] = _channel(topic.pattern, topic.content, kind)
        mqtt: dict[str, Any] = {"qos": topic.qos, "retain": topic.is_retained}
        if topic.expiry_s is not None:
            usual = int(topic.expiry_s)
            is_alert = kind == "alert"  # its rule may say another
            mqtt["messageExpiryInterval"] = (
                {"type": "integer", "default": usual} if is_alert else usual
            )
        operations[f"send-{kind}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{kind}"},
            "bindings": {"mqtt": mqtt | {"bindingVersion": "0.2.0"}},
        }
    channels["command"] = _channel("cmd/{node}/{verb}", f"commands: {', '.join(VERBS)}", "command")
    operations["receive-command"] = {
        "action": "receive",
        "channel": {"$ref": "#/channels/command"},
        "reply": {"channel": {"$ref": "#/channels/response"}},
        "bindings": {"mqtt": {"qos": 1, "retain": False, "bindingVersion": "0.2.0"}},
    }
    schemas = json_schemas() | {"command": CommandPayload.model_json_schema(by_alias=True)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Dresscode",
            "version": PREFIX.rsplit("/", 1)[-1],
            "description": "Who comes into the store and what they wear. No picture is sent.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "store": {
                "host": "{host}",
                "protocol": "mqtt",
                "variables": {"host": {"description": "the broker of the configuration"}},
                "bindings": {"mqtt": _server_binding()},
            }
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": {kind: _message(kind, schemas[kind]) for kind in schemas}},
    }


def _channel(pattern: str, content: str, kind: str) -> dict[str, Any]:
    names = ["store", *(part[1:-1] for part in pattern.split("/") if part.startswith("{"))]
    return {
        "address": f"{PREFIX}/{{store}}/{pattern}",
        "description": content,
        "parameters": {name: {"description": f"id of the {name}"} for name in names},
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
    }


def _message(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A message; references within its schema become whole, since it is no document any more."""
    payload = _inlined(schema, schema.get("$defs", {}))
    return {"name": kind, "contentType": "application/json", "payload": payload}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _inlined(definitions[name] | rest, definitions)
    return {
        key: _inlined(value, definitions)
        for key, value in schema.items()
        if key not in ("$defs", "$schema", "$id")
    }


def _server_binding() -> dict[str, Any]:
    return {
        "clientId": "dresscode-{store}-{node}",
        "cleanSession": False,
        "sessionExpiryInterval": SESSION_EXPIRY_S,
        "lastWill": {
            "topic": f"{PREFIX}/{{store}}/{TOPICS['state'].pattern}",
            "qos": 1,
            "message": f"{schema_name('state')}: offline, lost; {WILL_DELAY_S} s after the loss",
            "retain": True,
        },
        "bindingVersion": "0.2.0",
    }


def topic_table() -> str:
    """The topics as a Markdown table, for the README."""
    rows = ["| Topic | QoS | retained | expires | content |", "|---|---|---|---|---|"]
    for topic in TOPICS.values():
        expiry = "" if topic.expiry_s is None else _duration(topic.expiry_s)
        retained = "yes" if topic.is_retained else "no"
        rows.append(
            f"| `{topic.pattern}` | {topic.qos} | {retained} | {expiry} | {topic.content} |"
        )
    verbs = ", ".join(f"`{verb}`" for verb in VERBS)
    rows.append(f"| `cmd/{{node}}/{{verb}}` | 1 | refused | | commands to the box: {verbs} |")
    return "\n".join(rows) + "\n"


def field_table(kind: str) -> str:
    """The fields of one payload as a Markdown table, for the README."""
    payload: type[Payload] = PAYLOADS[kind]
    rows = [f"| `{schema_name(kind)}` | content |", "|---|---|"]
    for name, field in payload.model_fields.items():
        if name != "schema_":
            # A bar ends a cell of a Markdown table.
            words = str(field.description).replace("|", "\\|")
            rows.append(f"| `{field.alias or name}` | {words} |")
    return "\n".join(rows) + "\n"


def readme_part() -> str:
    """Every topic and every field, as the README has them between its marks."""
    fields = [field_table(kind) for kind in PAYLOADS]
    return "\n".join([BEGIN, topic_table(), *fields, END])


def fill_readme(text: str) -> str:
    r"""A README with the tables between its marks.

    >>> fill_readme("# X\n<!-- topics -->\nstale\n<!-- /topics -->\n").count("stale")
    0
    """
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + readme_part() + after


def _duration(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86400)
    return f"{days} d" if days and not rest else f"{int(seconds)} s"


if __name__ == "__main__":
    write_schemas()
    for name in sys.argv[1:]:
        Path(name).write_text(fill_readme(Path(name).read_text(encoding="utf-8")), encoding="utf-8")
