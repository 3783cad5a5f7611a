"""The schema of the storage and the dashboards' queries, run by PostgreSQL.

TimescaleDB is stood in for: its extension is left out and its two functions do nothing, which is
all that the schema uses of it. Rows are written as Telegraf would write them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from edge_app.flow import Message
from tests.deploy.test_storage import BOARDS, INPUTS, SQL, listed, queries
from tests.edge_app.delivery.samples import MESSAGES, NOW_S, every_message, minute, window

WITHOUT_TIMESCALE = """
CREATE FUNCTION create_hypertable(text, text, chunk_time_interval interval, if_not_exists boolean)
    RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION add_retention_policy(text, interval, if_not_exists boolean)
    RETURNS void LANGUAGE sql AS '';
"""


def find_programs() -> Path | None:
    """Where PostgreSQL's own programs are; Debian keeps them off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return folders[0] if folders else None


class Postgres:
    """A server with files of its own, reached through a socket in their folder."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        # The server refuses to be run by root.
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", str(folder / "data"), "-U", "owner", "-A", "trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c timezone=UTC"
        self._run("pg_ctl", "-D", str(folder / "data"), "-o", options, "-w", "-s", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-s", "stop")

    def ask(self, sql: str, user: str = "owner") -> list[list[str]]:
        """Run SQL; the rows of its answer, as texts."""
        asked = self._run(
            "psql", "-h", str(self._folder), "-U", user, "-d", "postgres", "-X", "-q", "-A", "-t",
            "-v", "ON_ERROR_STOP=1", "-f", "-", text=sql,
        )  # fmt: skip
        return [line.split("|") for line in asked.splitlines()]

    def _run(self, program: str, *arguments: str, text: str = "") -> str:
        # Into a file: a server that goes on running would keep a pipe open.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                [str(self._programs / program), *arguments],
                input=text,
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                user=self._user,
                cwd=self._folder,
            )
            said.seek(0)
            answer = said.read()
        assert done.returncode == 0, answer
        return answer


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL: not installed (apt install postgresql)")
    with tempfile.TemporaryDirectory(prefix="dresscode-pg-") as folder:
        made = Postgres(Path(folder), programs)
        try:
            plain = SQL.replace("CREATE EXTENSION IF NOT EXISTS timescaledb;", "")
            made.ask(WITHOUT_TIMESCALE + plain)
            yield made
        finally:
            made.stop()


@pytest.fixture
def postgres(server: Postgres) -> Postgres:
    server.ask("TRUNCATE agg, agg_seen, health, state")
    return server


def flat(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload as Telegraf's JSON parser reads it: maps joined by underscores, no nulls."""
    values: dict[str, Any] = {}
    for key, value in payload.items():
        inner = value.items() if isinstance(value, dict) else ()
        values |= {f"{key}_{name}": one for name, one in inner if one is not None}
        if value is not None and not isinstance(value, dict):
            values[key] = value
    return values


def landing(kind: str, message: Message, **changes: Any) -> str:
    """What Telegraf's output does with a message, as its configuration says."""
    part = INPUTS[kind]
    values = flat({**json.loads(message.payload), **changes})
    time = re.search(r'json_time_key = "(\w+)"', part)
    assert time
    kept = listed(part, "tag_keys") | listed(part, "fieldinclude")
    texts = listed(part, "tag_keys") | listed(part, "json_string_fields")
    row = {"time": f"'{values[time[1]]}'"}
    for name in kept & set(values):
        value = values[name]
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        row[name] = f"'{shown}'" if name in texts else str(float(value))
    names = ", ".join(f'"{name}"' for name in row)
    return f"INSERT INTO {kind}_landing ({names}) VALUES ({', '.join(row.values())});"


def test_a_window_arrives_whole_and_its_highest_revision_stays(postgres: Postgres) -> None:
    message = MESSAGES.window(window(), NOW_S)
    for changes in ({"seq": 1}, {"seq": 2, "rev": 1, "in": 53}, {"seq": 1}, {"seq": 1}):
        postgres.ask(landing("agg", message, **changes), "telegraf")
    asked = 'SELECT rev, seq, "in", garment_coat, garment_suit, final, start, model FROM agg'
    assert postgres.ask(asked, "grafana") == [
        ["1", "2", "53", "14", "", "t", "2026-11-21 02:00:00+00", "1.0"]
    ]
    assert postgres.ask("SELECT count(*) FROM agg_landing") == [["0"]]
    payload = json.loads(message.payload)
    (row,) = postgres.ask("SELECT row_to_json(agg) FROM agg")
    stored = json.loads("|".join(row))
    for name, value in flat(payload).items():
        if name not in ("schema", "rev", "seq", "in", "start", "end", "counter_epoch"):
            assert stored[name] == value, name


def test_a_late_last_will_does_not_hide_that_the_box_is_back(postgres: Postgres) -> None:
    back = MESSAGES.node_state("online", "started", 8, NOW_S)
    will = MESSAGES.node_state("offline", "lost", 7, NOW_S - 60)
    for message in (back, will):
        postgres.ask(landing("state", message), "telegraf")
    assert postgres.ask("SELECT state, birth FROM state") == [["online", "8"]]


def test_a_box_tells_its_health_once(postgres: Postgres) -> None:
    message = every_message()["health"]
    for _ in range(2):
        postgres.ask(landing("health", message), "telegraf")
    assert postgres.ask("SELECT outbox_rows, clock_ok FROM health") == [["3", "t"]]


@pytest.mark.parametrize(("user", "sql"), [
    ("telegraf", "DELETE FROM agg"), ("telegraf", "DROP TABLE agg"),
    ("grafana", "INSERT INTO state_landing DEFAULT VALUES"), ("grafana", "DELETE FROM state"),
])  # fmt: skip
def test_nobody_may_more_than_the_work_needs(postgres: Postgres, user: str, sql: str) -> None:
    with pytest.raises(AssertionError, match=r"permission denied|must be owner"):
        postgres.ask(sql, user)


def shown(query: str) -> str:
    """A query with Grafana's macros and variables filled in."""
    query = re.sub(r"\$__timeFilter\(([^)]+)\)", r"\1 BETWEEN '2026-11-01' AND '2026-12-01'", query)
    return query.replace("$store", "acme-0042").replace("$zone", "entrance")


@pytest.mark.parametrize("board", BOARDS, ids=lambda file: file.stem)
def test_every_query_of_a_dashboard_is_answered(postgres: Postgres, board: Path) -> None:
    sent = every_message()
    rows = [landing(kind, sent[kind]) for kind in ("agg", "health", "state")]
    rows += [landing("agg", MESSAGES.window(window(window=length, drift=9), NOW_S), zone=zone)
             for length in ("pt15m", "p1d") for zone in ("entrance", "all")]  # fmt: skip
    rows.append(landing("agg", MESSAGES.window(window(), NOW_S), zone="all"))
    rows.append(landing("state", MESSAGES.node_state("degraded", "disk", 9, NOW_S)))
    rows.append(landing("agg", minute(5), seq=7))
    postgres.ask("\n".join(rows), "telegraf")
    for query in queries(json.loads(board.read_text())):
        assert postgres.ask(shown(query), "grafana"), query


def test_missing_windows_are_those_whose_numbers_are(postgres: Postgres) -> None:
    """Revisions, days that began long ago and windows that were sent again are no gaps."""
    rows = [landing("agg", minute(k), seq=k) for k in (1, 2, 3, 6, 7, 9)]
    rows.append(landing("agg", minute(2), seq=8, rev=1))
    rows.append(landing("agg", minute(4), seq=4, historical=True))
    postgres.ask("\n".join(rows), "telegraf")
    (query,) = (
        query
        for board in BOARDS
        for query in queries(json.loads(board.read_text()))
        if "agg_seen" in query
    )
    assert postgres.ask(shown(query), "grafana") == [["acme-0042", "edge-1", "1"]]
