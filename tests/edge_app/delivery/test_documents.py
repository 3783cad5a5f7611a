"""Documents made from the contract: what is committed is what is made."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from edge_app.delivery.contract import PAYLOADS, json_schemas
from edge_app.delivery.documents import (
    BEGIN,
    END,
    FOLDER,
    asyncapi,
    field_table,
    fill_readme,
    schema_text,
    topic_table,
    write_schemas,
)
from edge_app.delivery.topics import TOPICS
from tests.edge_app.delivery.samples import every_message

MADE = json_schemas() | {"asyncapi": asyncapi()}
ROOT = Path(__file__).parents[3]
HINT = "run python -m edge_app.delivery.documents"


@pytest.mark.parametrize("name", MADE)
def test_the_committed_document_is_the_generated_one(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == schema_text(MADE[name]), HINT


def test_no_document_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(MADE)


def test_write_schemas_makes_the_folder(tmp_path: Path) -> None:
    write_schemas(tmp_path / "new")
    assert {file.stem for file in (tmp_path / "new").iterdir()} == set(MADE)


def test_asyncapi_names_every_topic_with_its_quality() -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    for kind, topic in TOPICS.items():
        binding = document["operations"][f"send-{kind}"]["bindings"]["mqtt"]
        assert (binding["qos"], binding["retain"]) == (topic.qos, topic.is_retained)
        address = document["channels"][kind]["address"]
        gaps = re.findall(r"\{(\w+)\}", address)
        assert list(document["channels"][kind]["parameters"]) == gaps
    alert = document["operations"]["send-alert"]["bindings"]["mqtt"]["messageExpiryInterval"]
    assert alert == {"type": "integer", "default": 60}  # a rule may say another


def test_asyncapi_refers_to_what_it_has() -> None:
    document = asyncapi()
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        found = document
        for part in reference.split("/"):
            found = found[part]
        assert found


@pytest.mark.parametrize("kind", PAYLOADS)
def test_asyncapi_payloads_accept_the_messages(kind: str) -> None:
    payload = asyncapi()["components"]["messages"][kind]["payload"]
    message = every_message()[kind]
    jsonschema.validate(json.loads(message.payload), payload, jsonschema.Draft202012Validator)


def test_tables_have_a_row_for_everything() -> None:
    assert topic_table().count("\n") == len(TOPICS) + 3
    for kind, payload in PAYLOADS.items():
        assert field_table(kind).count("\n") == len(payload.model_fields) + 1


def test_the_readme_has_the_tables(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    between = text.partition(BEGIN)[2].partition(END)[0]
    if not between.strip():
        pytest.skip("README.md: no tables between its marks yet")
    assert text == fill_readme(text), HINT + " README.md"


def test_filling_a_readme_keeps_what_is_around() -> None:
    filled = fill_readme(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert filled.startswith("before\n<!-- topics -->\n| Topic |")
    assert filled.endswith("<!-- /topics -->\nafter\n")
    assert fill_readme(filled) == filled


def test_the_readmes_examples_keep_to_their_schemas() -> None:
    text = (ROOT / "README.md").read_text().partition("```json\n")[2].partition("```")[0]
    alert, end = json.JSONDecoder().raw_decode(text)
    window, _ = json.JSONDecoder().raw_decode(text[end:].lstrip())
    PAYLOADS["alert"].model_validate(alert)
    whole = {**json.loads(every_message()["agg"].payload), **window}
    PAYLOADS["agg"].model_validate(whole)
