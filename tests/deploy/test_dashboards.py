"""The dashboards' queries, run by PostgreSQL over rows as Telegraf would write them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.deploy.database import Postgres
from tests.deploy.files import BOARDS, queries
from tests.deploy.ingest import row
from tests.edge_app.delivery.samples import MESSAGES, NOW_S, every_message, minute, window


def shown(query: str) -> str:
    """A query with Grafana's macros and variables filled in."""
    query = re.sub(r"\$__timeFilter\(([^)]+)\)", r"\1 BETWEEN '2026-11-01' AND '2026-12-01'", query)
    return query.replace("$store", "acme-0042").replace("$zone", "entrance")


@pytest.mark.parametrize("board", BOARDS, ids=lambda file: file.stem)
def test_every_query_of_a_dashboard_is_answered(postgres: Postgres, board: Path) -> None:
    sent = every_message()
    rows = [row(kind, sent[kind]) for kind in ("agg", "health", "state")]
    rows += [row("agg", MESSAGES.window(window(window=length, drift=9), NOW_S), zone=zone)
             for length in ("pt15m", "p1d") for zone in ("entrance", "all")]  # fmt: skip
    rows.append(row("agg", MESSAGES.window(window(), NOW_S), zone="all"))
    rows.append(row("state", MESSAGES.node_state("degraded", "disk", 9, NOW_S)))
    rows.append(row("agg", minute(5), seq=7))
    postgres.write(rows)
    for query in queries(json.loads(board.read_text())):
        assert postgres.ask(shown(query), "grafana"), query


def test_missing_windows_are_those_whose_numbers_are(postgres: Postgres) -> None:
    """Revisions, days that began long ago and windows that were sent again are no gaps."""
    rows = [row("agg", minute(k), seq=k) for k in (1, 2, 3, 6, 7, 9)]
    rows.append(row("agg", minute(2), seq=8, rev=1))
    rows.append(row("agg", minute(4), seq=4, historical=True))
    postgres.write(rows)
    (query,) = (
        query
        for board in BOARDS
        for query in queries(json.loads(board.read_text()))
        if "agg_seen" in query
    )
    assert postgres.ask(shown(query), "grafana") == [["acme-0042", "edge-1", "1"]]
