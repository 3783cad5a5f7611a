"""The shipped Telegraf, TimescaleDB and Grafana files, taken apart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
TELEGRAF = (DEPLOY / "telegraf" / "telegraf.conf").read_text()
SQL = (DEPLOY / "timescale" / "schema.sql").read_text()
BOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
INPUTS = {
    re.search(r'name_override = "(\w+)_landing"', part)[1]: part  # type: ignore[index]
    for part in TELEGRAF.split("[[inputs.mqtt_consumer]]")[1:]
}
PROCESSORS = TELEGRAF[TELEGRAF.index("[[processors.converter]]") :]


def text_of(part: str, key: str) -> str:
    found = re.search(rf'^ +{key} = "([^"]*)"', part, re.MULTILINE)
    assert found, key
    return found[1]


def listed(part: str, key: str) -> set[str]:
    found = re.search(rf"^ +{key} = \[(.*?)\]", part, re.DOTALL | re.MULTILINE)
    assert found, key
    return set(re.findall(r'"([^"]+)"', found[1]))


def topic_tags(part: str) -> dict[str, int]:
    """Which level of the topic each tag is."""
    names = text_of(part, "tags").split("/")
    return {name: level for level, name in enumerate(names) if name != "_"}


def types_of(table: str) -> dict[str, str]:
    """The columns of a table, with the types that they have in a new database."""
    found = re.search(rf"CREATE TABLE IF NOT EXISTS {table} \((.*?)\n\);", SQL, re.DOTALL)
    assert found, table
    kinds = r"text|timestamptz|double precision|boolean|bigint|integer|uuid|date"
    return dict(re.findall(rf'^    "?([a-z]\w*)"? ({kinds})\b', found[1], re.MULTILINE))


def queries(board: dict[str, Any]) -> list[str]:
    told = [target["rawSql"] for panel in board["panels"] for target in panel["targets"]]
    return told + [variable["query"] for variable in board["templating"]["list"]]
