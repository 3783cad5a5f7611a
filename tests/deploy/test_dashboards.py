"""The dashboards' queries, run by PostgreSQL over rows as Telegraf would write them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.database import Postgres
from tests.deploy.files import BOARDS, queries
from tests.deploy.ingest import Row, row
from tests.edge_app.delivery.samples import MESSAGES, NOW_S, every_message, minute, window

QUARTER_S, HOUR_S, DAY_S = 900.0, 3600.0, 86400.0
LENGTHS_S = {"pt15m": QUARTER_S, "pt1h": HOUR_S, "p1d": DAY_S}


def shown(query: str, since: str, until: str, store: str, zone: str) -> str:
    """A query with Grafana's macros and variables filled in."""
    query = re.sub(r"\$__timeFilter\(([^)]+)\)", rf"\1 BETWEEN '{since}' AND '{until}'", query)
    query = query.replace("$__timeFrom()", f"'{since}'").replace("$__timeTo()", f"'{until}'")
    return query.replace("$store", store).replace("$zone", zone)


def told(
    postgres: Postgres, title: str, since: str = "2026-11-01T00:00:00Z",
    until: str = "2026-12-01T00:00:00Z", store: str = "acme-0042", zone: str = "all",
) -> list[list[str]]:  # fmt: skip
    """What the panel of a title shows."""
    panels = (panel for board in BOARDS for panel in json.loads(board.read_text())["panels"])
    (query,) = (panel["targets"][0]["rawSql"] for panel in panels if panel["title"] == title)
    return postgres.ask(shown(query, since, until, store, zone), "grafana")


def at(text: str) -> float:
    """Seconds of Unix time of a time of day of 21 November 2026, or of a whole time."""
    return datetime.fromisoformat(f"2026-11-21T{text}+00:00" if len(text) < 9 else text).timestamp()


def counted(length: str, start_s: float, store: str = "acme-0042", **changes: Any) -> Row:
    """A window of all zones, whose entries, node and so on are told."""
    made = window(window=length, zone="all", start_s=start_s, end_s=start_s + LENGTHS_S[length])
    messages = replace(MESSAGES, store=store)
    return row("agg", messages.window(made, NOW_S), **changes)


@pytest.mark.parametrize("board", BOARDS, ids=lambda file: file.stem)
def test_every_query_of_a_dashboard_is_answered(postgres: Postgres, board: Path) -> None:
    sent = every_message()
    rows = [row(kind, sent[kind]) for kind in ("agg", "health", "state")]
    rows += [row("agg", MESSAGES.window(window(window=length, drift=9), NOW_S), zone=zone)
             for length in ("pt15m", "p1d") for zone in ("entrance", "all")]  # fmt: skip
    rows.append(row("agg", MESSAGES.window(window(), NOW_S), zone="all"))
    rows.append(row("state", MESSAGES.node_state("degraded", "disk", 9, NOW_S)))
    rows.append(row("state", MESSAGES.node_state("online", "started", 9, NOW_S), node="edge-2"))
    rows.append(row("agg", minute(5), seq=7))
    postgres.write(rows)
    for query in queries(json.loads(board.read_text())):
        filled = shown(query, "2026-11-01T00:00Z", "2026-12-01T00:00Z", "acme-0042", "entrance")
        assert postgres.ask(filled, "grafana"), query


def test_a_question_about_all_stores_reads_its_kind_of_windows_only(postgres: Postgres) -> None:
    (board,) = (json.loads(file.read_text()) for file in BOARDS if "fleet" in file.stem)
    for query in queries(board):
        filled = shown(query, "2026-11-01T00:00Z", "2026-12-01T00:00Z", "", "")
        plan = str(postgres.ask(f"SET enable_seqscan = off; EXPLAIN {filled}"))
        assert "agg_by_window" in plan, plan


MISSING = "Windows missing by gaps of seq"


def test_missing_windows_are_those_whose_numbers_are(postgres: Postgres) -> None:
    """Revisions, days that began long ago and windows that were sent again are no gaps."""
    rows = [row("agg", minute(k), seq=k) for k in (1, 2, 3, 6, 7, 9)]
    rows.append(row("agg", minute(2), seq=8, rev=1))
    rows.append(row("agg", minute(4), seq=4, historical=True))
    postgres.write(rows)
    assert told(postgres, MISSING) == [["acme-0042", "edge-1", "1"]]


def test_a_box_that_was_replaced_does_not_fill_the_gaps_of_the_old_one(postgres: Postgres) -> None:
    old = [row("agg", minute(k), seq=k, counter_epoch="2026-09-01T00:00:00Z") for k in range(1, 40)]
    new = [
        row("agg", minute(100 + k), seq=k, counter_epoch="2026-11-21T00:00:00Z")
        for k in range(1, 30)
        if not 10 <= k < 13
    ]
    postgres.write(old + new)
    assert told(postgres, MISSING) == [["acme-0042", "edge-1", "3"]]


def test_only_what_is_missing_in_the_range_is_told_of_it(postgres: Postgres) -> None:
    postgres.write([row("agg", minute(k), seq=k) for k in (1, 2, 40, 41, 43)])
    assert told(postgres, MISSING, "2026-11-21T02:41:30Z") == [["acme-0042", "edge-1", "1"]]


def test_a_box_that_is_not_heard_of_is_told_of_whatever_it_said(postgres: Postgres) -> None:
    for node in ("silent", "never", "heard"):
        postgres.write(
            [row("state", MESSAGES.node_state("online", "started", 1, NOW_S), node=node)]
        )
    postgres.write(
        row("health", every_message()["health"], node=node) for node in ("silent", "heard")
    )
    postgres.ask(
        "UPDATE health SET ts = now() - interval '6 minutes' WHERE node = 'silent';"
        "UPDATE health SET ts = now() - interval '4 minutes' WHERE node = 'heard'"
    )
    silent = told(postgres, "Boxes not heard of for five minutes")
    assert [box[:3] for box in silent] == [
        ["acme-0042", "never", "online"], ["acme-0042", "silent", "online"],
    ]  # fmt: skip


def test_two_boxes_of_a_store_are_added_up(postgres: Postgres) -> None:
    hour = {"business_day": "2026-11-21", "local_hour": 11}
    for node, entries, inside in (("edge-1", 30, 5), ("edge-2", 12, 2)):
        occ = {"occ_end": inside, "occ_max": inside + 1, "occ_avg": inside / 2}
        both = {"node": node, "in": entries, "out": 1, "coverage": 1.0, **occ, **hour}
        lengths = ("pt15m", "pt1h", "p1d")
        postgres.write([counted(length, at("10:00"), **both) for length in lengths])
    time = "2026-11-21 10:00:00+00"
    assert told(postgres, "Entries by store and day")[0][1:] == ["acme-0042", "42"]
    assert told(postgres, "Hour of the day and day of the week, mean entries") == [
        ["6", "11", "42"]
    ]
    assert told(postgres, "Entries today")[0][1] == "42"
    assert told(postgres, "Inside at the end of the last quarter") == [[time, "7"]]
    assert told(postgres, "Entries and exits by quarter of an hour") == [[time, "42", "2"]]
    assert told(postgres, "People inside") == [[time, "3.5", "9"]]


def test_an_hour_that_one_of_the_boxes_hardly_saw_is_left_out(postgres: Postgres) -> None:
    for node, coverage in (("edge-1", 1.0), ("edge-2", 0.4)):
        postgres.write([counted("pt1h", at("10:00"), node=node, coverage=coverage)])
    postgres.write([counted("pt1h", at("11:00"), coverage=0.5 + 0.3, **{"in": 8})])
    ((_, _, entries),) = told(postgres, "Hour of the day and day of the week, mean entries")
    assert float(entries) == pytest.approx(10)


def test_a_day_stands_on_the_date_that_it_had_in_its_store(postgres: Postgres) -> None:
    """Auckland's Saturday begins on Friday in UTC, Honolulu's on Saturday."""
    for store, start in (("kiwi", "2026-11-20T15:00+00:00"), ("aloha", "2026-11-21T14:00+00:00")):
        postgres.write([counted("p1d", at(start), store, business_day="2026-11-21")])
    days = told(postgres, "Entries by store and day")
    assert sorted(days) == [
        ["2026-11-21 00:00:00", "aloha", "52"], ["2026-11-21 00:00:00", "kiwi", "52"],
    ]  # fmt: skip


def test_store_today_is_today(postgres: Postgres) -> None:
    rows = [
        counted("pt15m", at("2026-11-20T12:00+00:00"), business_day="2026-11-20", **{"in": 90}),
        counted("pt15m", at("09:00"), business_day="2026-11-21", **{"in": 4}),
        counted("pt15m", at("09:15"), business_day="2026-11-21", **{"in": 3}),
    ]
    postgres.write(rows)
    today = told(postgres, "Entries today", "2026-11-20T10:30:00Z", "2026-11-21T10:30:00Z")
    assert today[-1] == ["2026-11-21 00:00:00", "7"]


@pytest.mark.parametrize(("since", "until", "coverage"), [
    ("07:59", "10:00", 0.5), ("08:00", "08:46", 1.0), ("09:00", "09:45", 0.0),
])  # fmt: skip
def test_coverage_counts_the_time_of_which_nothing_came(
    postgres: Postgres, since: str, until: str, coverage: float
) -> None:
    """Two boxes, whose quarters from 08:45 to 09:45 never came."""
    start = at("2024-08-13T08:00+00:00")
    seen = [(k, node) for k in (0, 1, 2, 7, 8) for node in ("edge-1", "edge-2")]
    postgres.write(
        counted("pt15m", start + k * QUARTER_S, node=node, coverage=1.0) for k, node in seen
    )
    day = "2024-08-13T"
    assert told(postgres, "Coverage", f"{day}{since}Z", f"{day}{until}Z") == [[f"{coverage:g}"]]


def test_every_stay_weighs_the_same_in_the_mean(postgres: Postgres) -> None:
    rows = [
        counted("pt15m", at("09:00"), dwell_n=1, dwell_sum_s=1000.0),
        counted("pt15m", at("10:00"), dwell_n=9, dwell_sum_s=900.0),
        counted("pt15m", at("11:00"), dwell_n=0, dwell_sum_s=0.0),
    ]
    postgres.write(rows)
    assert told(postgres, "Mean stay") == [["190"]]


def test_a_garment_whose_days_are_withheld_is_told_with_its_gaps(postgres: Postgres) -> None:
    """The commonest garment is not the rarest because two of three days are withheld."""
    for day, jeans in enumerate((80, None, None)):
        cells = {"jeans": jeans, "coat": 14, "skirt": None}
        date = f"2026-11-{20 + day}"
        postgres.write(
            [counted("p1d", at("04:00") + day * DAY_S, business_day=date, garment=cells)]
        )
    worn = {kind: figures for _, kind, *figures in told(postgres, "What people wear")}
    assert [float(worn["jeans"][0]), *worn["jeans"][1:]] == [80.0, "1", "2"]
    assert [float(worn["coat"][0]), *worn["coat"][1:]] == [14.0, "3", "0"]
    assert worn["skirt"] == ["", "0", "3"]
    assert next(iter(worn)) == "jeans"


def test_a_count_that_one_of_the_boxes_withholds_is_a_gap(postgres: Postgres) -> None:
    for node, jeans in (("edge-1", 20), ("edge-2", None)):
        cells = {"jeans": jeans, "coat": 7}
        both = {"node": node, "business_day": "2026-11-21", "garment": cells}
        postgres.write([counted(length, at("10:00"), **both) for length in ("pt1h", "p1d")])
    hour = {kind: people for _, kind, people in told(postgres, "What people wear, by hour")}
    assert (hour["jeans"], hour["coat"]) == ("", "14")
    worn = {kind: figures for _, kind, *figures in told(postgres, "What people wear")}
    assert worn["jeans"] == ["", "0", "1"]
    assert float(worn["coat"][0]) == 14


def test_the_running_totals_count_the_first_hour_and_the_lost_ones(postgres: Postgres) -> None:
    """Ten an hour; an hour was lost; then another box, which begins at nothing, counts on."""
    first = {"counter_epoch": "2026-09-01T00:00:00Z"}
    second = {"counter_epoch": "2026-11-21T12:00:00Z"}
    rows = [
        counted("pt1h", at(f"{hour}:00"), in_total=total, **{"in": 10}, **epoch)
        for hour, total, epoch in (("08", 510, first), ("10", 530, first), ("12", 10, second))
    ]
    postgres.write(rows)
    postgres.write([counted("pt1h", at("08:00"), node="edge-2", in_total=7, **{"in": 7})])
    assert told(postgres, "Entries from the running totals") == [["acme-0042", "all", "47"]]
