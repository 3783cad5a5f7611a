"""The schema of the storage, run by PostgreSQL; rows are written as Telegraf would write them."""

from __future__ import annotations

import json

import pytest

from edge_app.delivery.topics import TOPICS
from tests.deploy.database import SCHEMA, STAND_IN, Postgres
from tests.deploy.ingest import flat, parsed, row
from tests.edge_app.delivery.samples import MESSAGES, NOW_S, every_message, minute, window

HOUR = MESSAGES.window(window(), NOW_S)


def test_a_window_arrives_whole_and_its_highest_revision_stays(postgres: Postgres) -> None:
    for changes in ({"seq": 1}, {"seq": 2, "rev": 1, "in": 53}, {"seq": 1}, {"seq": 1}):
        postgres.write([row("agg", HOUR, **changes)])
    asked = 'SELECT rev, seq, "in", garment_coat, garment_suit, final, start, model FROM agg'
    assert postgres.ask(asked, "grafana") == [
        ["1", "2", "53", "14", "", "t", "2026-11-21 02:00:00+00", "1.0"]
    ]
    assert postgres.ask("SELECT count(*) FROM agg_landing") == [["0"]]
    (answer,) = postgres.ask("SELECT row_to_json(agg) FROM agg")
    stored = json.loads("|".join(answer))
    for name, value in flat(json.loads(HOUR.payload)).items():
        if name not in ("schema", "rev", "seq", "in", "start", "end", "counter_epoch"):
            assert stored[name] == value, name


def test_a_late_last_will_does_not_hide_that_the_box_is_back(postgres: Postgres) -> None:
    back = MESSAGES.node_state("online", "started", 8, NOW_S)
    will = MESSAGES.node_state("offline", "lost", 7, NOW_S - 60)
    for message in (back, will):
        postgres.write([row("state", message)])
    assert postgres.ask("SELECT state, birth FROM state") == [["online", "8"]]


def test_a_box_tells_its_health_once(postgres: Postgres) -> None:
    message = every_message()["health"]
    for _ in range(2):
        postgres.write([row("health", message)])
    assert postgres.ask("SELECT outbox_rows, clock_ok FROM health") == [["3", "t"]]


@pytest.mark.parametrize("kind", ["agg", "health", "state"])
def test_whose_row_it_is_the_topic_says_and_not_the_payload(postgres: Postgres, kind: str) -> None:
    """A store may publish below its own id only, but write what it likes."""
    honest = every_message()[kind]
    payload = {**json.loads(honest.payload), "rev": 10**6, "birth": 10**6, "in": 9999}
    topic = TOPICS[kind].at("acme-0007", node="edge-1", zone="entrance", window="pt1h")
    postgres.write([row(kind, honest), parsed(kind, topic, payload)])
    told = postgres.ask(f"SELECT store, count(*) FROM {kind} GROUP BY 1 ORDER BY 1")
    assert told == [["acme-0007", "1"], ["acme-0042", "1"]]
    # On a topic of another shape it is nobody's.
    nobody = parsed(kind, f"{topic}/more", payload)
    assert "null value" in postgres.write([nobody])
    assert postgres.ask(f"SELECT count(*) FROM {kind}") == [["2"]]


@pytest.mark.parametrize(("kind", "changes"), [
    ("agg", {"in": 3_000_000_000}), ("agg", {"end": "soon"}), ("agg", {"id": "mine"}),
    ("agg", {"seq": None}), ("agg", {"seq": 1e300}), ("agg", {"business_day": "2026-02-30"}),
    ("state", {"birth": 1e300}), ("health", {"outbox_rows": 1e300}),
], ids=str)  # fmt: skip
def test_a_row_that_cannot_be_costs_nobody_elses(
    postgres: Postgres, kind: str, changes: dict[str, object]
) -> None:
    message = every_message()[kind]
    good = [row(kind, message, store=f"good-{n}", seq=n) for n in range(3)]
    said = postgres.write([*good, row(kind, message, store="bad", **changes)])
    assert "WARNING" in said
    assert "store bad" in said
    told = postgres.ask(f"SELECT store FROM {kind} ORDER BY 1")
    assert told == [["good-0"], ["good-1"], ["good-2"]]
    assert postgres.ask("SELECT count(*) FROM agg_seen WHERE store = 'bad'") == [["0"]]


@pytest.mark.parametrize("changes", [
    {"boot": 5}, {"model": "1.0\0"}, {"final": "perhaps"}, {"final": 1}, {"clock_ok": "true"},
    {"in": "many"}, {"in": True}, {"tz": False},
], ids=str)  # fmt: skip
def test_a_value_of_another_kind_does_not_reach_the_driver(
    postgres: Postgres, changes: dict[str, object]
) -> None:
    assert postgres.write([row("agg", HOUR), row("agg", HOUR, store="odd", **changes)]) == ""
    assert postgres.ask("SELECT count(*) FROM agg") == [["2"]]


@pytest.mark.parametrize(("user", "sql"), [
    ("telegraf", "DELETE FROM agg"), ("telegraf", "DROP TABLE agg"),
    ("grafana", "INSERT INTO state_landing DEFAULT VALUES"), ("grafana", "DELETE FROM state"),
])  # fmt: skip
def test_nobody_may_more_than_the_work_needs(postgres: Postgres, user: str, sql: str) -> None:
    with pytest.raises(AssertionError, match=r"permission denied|must be owner"):
        postgres.ask(sql, user)


def test_minutes_are_forgotten_and_the_rest_stays(postgres: Postgres) -> None:
    rows = [row("agg", minute(1)), row("agg", HOUR)]
    postgres.write(rows)
    postgres.write([one._replace(values=one.values | {"store": "old"}) for one in rows])
    postgres.ask(
        "UPDATE agg SET start = now() - interval '41 days' WHERE store = 'old';"
        "UPDATE agg SET start = now() - interval '39 days' WHERE store <> 'old';"
        "CALL forget_minutes(1, NULL)"
    )
    kept = postgres.ask('SELECT store, "window" FROM agg ORDER BY 1, 2')
    assert kept == [["acme-0042", "pt1h"], ["acme-0042", "pt1m"], ["old", "pt1h"]]


BEFORE = """
ALTER TABLE agg_landing ALTER final TYPE text, ALTER historical TYPE text, ALTER clock_ok TYPE text;
ALTER TABLE health_landing ALTER clock_ok TYPE text;
DROP INDEX agg_by_window, agg_seen_once;
ALTER TABLE agg_seen DROP counter_epoch, ADD UNIQUE (store, node, seq, "end");
INSERT INTO agg (store, node, zone, "window", start, "end", seq, counter_epoch) VALUES
    ('s', 'n', 'all', 'pt1h', '2026-11-21 01:00Z', '2026-11-21 02:00Z', 7, '2026-09-01Z'),
    ('s', 'n', 'door', 'pt1h', '2026-11-21 01:00Z', '2026-11-21 02:00Z', 6, '2026-09-01Z');
INSERT INTO agg_seen SELECT store, node, seq, "end" FROM agg;
"""
"""A database as the first schema made it, with two windows in it."""


def test_the_schema_applied_again_brings_a_database_up_to_date(server: Postgres) -> None:
    server.ask("CREATE DATABASE older")
    server.ask(STAND_IN + SCHEMA, database="older")
    shape = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY 1, 2;"
        "SELECT regexp_replace(indexdef, '.* ON ', '') FROM pg_indexes WHERE schemaname = 'public' "
        "ORDER BY 1; SELECT count(*) FROM timescaledb_information.jobs"
    )
    new = server.ask(shape, database="older")
    server.ask(BEFORE, database="older")
    assert server.ask(shape, database="older") != new
    server.ask(SCHEMA + SCHEMA, database="older")
    assert server.ask(shape, database="older") == new
    asked = "SELECT seq, counter_epoch FROM agg_seen ORDER BY 1"
    assert server.ask(asked, database="older") == [
        ["6", "2026-09-01 00:00:00+00"], ["7", "2026-09-01 00:00:00+00"],
    ]  # fmt: skip
