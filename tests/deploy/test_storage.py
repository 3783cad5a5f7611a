"""Telegraf, TimescaleDB, Grafana and Node-RED files against the schemas of the messages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from edge_app.delivery.contract import CommandPayload, json_schemas
from edge_app.delivery.topics import TOPICS, kind_of
from tests.deploy.files import (
    BOARDS,
    DEPLOY,
    INPUTS,
    PROCESSORS,
    SQL,
    TELEGRAF,
    listed,
    queries,
    text_of,
    topic_tags,
    types_of,
)  # fmt: skip

FLOW = json.loads((DEPLOY / "nodered" / "flow.json").read_text())


def fields_of(kind: str) -> set[str]:
    """Fields of a payload as Telegraf's JSON parser names them: maps are joined by underscores."""
    fields: set[str] = set()
    schema = json_schemas()[kind]
    for name, described in schema["properties"].items():
        inner = re.search(r'"#/\$defs/(\w+)"', json.dumps(described))
        if inner:
            maps = schema["$defs"][inner[1]]["properties"]
            fields |= {f"{name}_{key}" for key in maps}
        else:
            fields.add(name)
    return fields


def named(kind: str) -> set[str]:
    """What a row of a kind is made of, by the configuration of its input, but for the time."""
    return listed(INPUTS[kind], "fieldinclude") | set(topic_tags(INPUTS[kind]))


@pytest.mark.parametrize("kind", sorted(INPUTS))
def test_telegraf_reads_only_fields_that_are_sent(kind: str) -> None:
    part = INPUTS[kind]
    assert named(kind) | {text_of(part, "json_time_key")} <= fields_of(kind)
    assert listed(part, "json_string_fields") <= listed(part, "fieldinclude")
    assert not listed(part, "fieldinclude") & set(topic_tags(part))


def test_telegraf_leaves_nothing_of_a_window_out() -> None:
    assert fields_of("agg") - named("agg") - {"start"} == {"schema"}


@pytest.mark.parametrize("kind", sorted(INPUTS))
def test_texts_and_truths_are_kept_as_such(kind: str) -> None:
    part = INPUTS[kind]
    schema = json_schemas()[kind]["properties"]
    types = types_of(f"{kind}_landing")
    for name in listed(part, "fieldinclude") & set(schema):
        is_number = bool(re.search(r'"(integer|number)"', json.dumps(schema[name])))
        is_truth = '"boolean"' in json.dumps(schema[name])
        assert is_number != (name in listed(part, "json_string_fields")), name
        assert is_truth == (name in listed(PROCESSORS, "boolean")), name
        assert (is_truth or is_number) != (name in listed(PROCESSORS, "string")), name
        expected = "double precision" if is_number else "boolean" if is_truth else "text"
        assert types[name] == expected, name


@pytest.mark.parametrize("kind", sorted(INPUTS))
def test_the_topic_says_whose_it_is_in_every_subscription(kind: str) -> None:
    for pattern in listed(INPUTS[kind], "topics"):
        topic = pattern.removeprefix("$share/ingest/")
        assert topic == text_of(INPUTS[kind], "topic")
        assert kind_of(topic.replace("+", "x-1")) == kind
    ids = {name: f"{{{name}}}" for name in topic_tags(INPUTS[kind])}
    levels = TOPICS[kind].at(ids.pop("store"), **ids).split("/")
    assert {name: levels.index(f"{{{name}}}") for name in topic_tags(INPUTS[kind])} == topic_tags(
        INPUTS[kind]
    )


def test_telegraf_can_read_its_configuration() -> None:
    tomllib = pytest.importorskip("tomllib", reason="tomllib: from Python 3.11 on")
    inputs = tomllib.loads(TELEGRAF)["inputs"]["mqtt_consumer"]
    assert [len(one["topic_parsing"]) for one in inputs] == [1, 1, 1]


@pytest.mark.parametrize("kind", sorted(INPUTS))
def test_the_landing_table_has_what_telegraf_writes(kind: str) -> None:
    assert set(types_of(f"{kind}_landing")) == named(kind) | {"time"}
    time = {"agg": "start", "health": "ts", "state": "ts"}[kind]
    assert set(types_of(kind)) == named(kind) | {time}


def test_an_upsert_names_every_column() -> None:
    for kind in INPUTS:
        body = re.search(rf"FUNCTION {kind}_upsert.*?\$\$;", SQL, re.DOTALL)
        assert body
        for column in types_of(f"{kind}_landing"):
            assert f'NEW."{column}"' in body[0] or f"NEW.{column}" in body[0], column
    assert "WHERE agg.rev < EXCLUDED.rev" in SQL
    assert 'UNIQUE (store, node, zone, "window", start)' in SQL


WORDS = set(
    re.findall(
        r"\w+",
        "select distinct from where and or as order by group having desc nulls first last time "
        "metric value not is null true interval timestamp timestamptz epoch now least "
        "case when then else end left join lateral on values cells category cell "
        "sum avg max min count abs greatest coalesce nullif floor ceil extract isodow bool_and "
        "over partition lag before numbers hours days counted newest heard "
        "entries exits inside stay average most people shown_days withheld_days missing weekday "
        "windows alerts refused clock",
    )
)
"""Of SQL, and names that the queries give."""


@pytest.mark.parametrize("file", BOARDS, ids=lambda file: file.stem)
def test_dashboards_ask_for_columns_that_exist(file: Path) -> None:
    board = json.loads(file.read_text())
    assert board["uid"] == file.stem
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for query in queries(board):
        tables = set(re.findall(r"FROM (agg_seen|agg|health|state)\b", query))
        assert tables, query
        plain = re.sub(r"'[^']*'|\$__\w+", " ", query)
        names = set(re.findall(r"[a-z_]\w*", plain)) | set(
            re.findall(r"\$__timeFilter\((\w+)", query)
        )
        columns = {name for table in tables for name in types_of(table)}
        assert names - WORDS - tables <= columns, query


def test_grafana_finds_its_data_source() -> None:
    folder = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "timescale.yaml").read_text())[
        "datasources"
    ]
    # No password is shipped: like Telegraf, Grafana comes through the socket, where it needs none.
    connection = text_of(TELEGRAF, "connection")
    assert f"host={source['url']} dbname={source['jsonData']['database']} " in connection
    assert yaml.safe_load((folder / "dashboards" / "dresscode.yaml").read_text())["providers"]
    assert len(BOARDS) == 3
    for file in BOARDS:
        uids = set(
            re.findall(
                r'"type": "grafana-postgresql-datasource",\s+"uid": "([\w-]+)"', file.read_text()
            )
        )
        assert uids == {source["uid"]}


def test_the_node_red_flow_hangs_together() -> None:
    ids = {node["id"] for node in FLOW}
    assert len(ids) == len(FLOW)
    for node in FLOW:
        assert {target for wires in node.get("wires", []) for target in wires} <= ids
        assert {
            node[key]
            for key in ("broker", "z", "tls")
            if node["type"] != "mqtt-broker" or key == "tls"
            if key in node
        } <= ids


def test_the_node_red_flow_uses_topics_and_fields_that_exist() -> None:
    kinds = {}
    for node in FLOW:
        if node["type"] == "mqtt in":
            kinds[kind_of(node["topic"].replace("+", "x-1"))] = node
        if node["type"] == "mqtt out":
            assert node["retain"] == "false"
    assert set(kinds) == {"alert", "response", "state"}
    texts = "\n".join(node.get("func", "") for node in FLOW)
    assert set(re.findall(r"\balert\.(\w+)", texts)) <= fields_of("alert")
    assert set(re.findall(r"/cmd/' \+ .+ \+ '/([a-z-]+)'", texts)) == {"mute"}
    sent = re.search(r"msg\.payload = \{([^}]*transaction:.*?)\}", texts)
    assert sent
    assert set(re.findall(r"(\w+):", sent[1])) <= set(CommandPayload.model_fields)
