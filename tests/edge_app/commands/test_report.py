"""Tables for people: every figure is whole, however narrow the terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from edge_app.commands.compare import compare
from edge_app.commands.report import agreement_table, figure_table, show
from edge_app.commands.truth import truth_of
from edge_app.config.schema import RuleSettings

CROSSED = {"frame": 5, "zone": "entrance", "direction": "in"}
RULES = {"formalwear": RuleSettings(any_of=("dress", "suit"))}


def compared(duration_s: float) -> dict[str, Any]:
    """Two counted the wrong way, where one came in."""
    truth = truth_of({"fps": 10, "people": [{"garments": [], "entries": [CROSSED]}]}, "here")
    out = {**CROSSED, "direction": "out", "outfit": {}}
    return compare(truth, [out, out], [], RULES, duration_s)


def printed(duration_s: float, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(agreement_table(compared(duration_s)), crop=False)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize("width", [200, 80, 60, 30])
def test_no_figure_is_cut(width: int) -> None:
    error = compared(900.0)["net_error"]["entrance"]["per_15min"]
    text = printed(900.0, width)
    assert "…" not in text
    assert f"{error['low']:.3f} .. {error['high']:.3f}" in text
    assert "95 % interval" in text


def test_a_pipe_is_given_every_row_on_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    name = "alerts of a-rule-with-a-name-as-long-as-it-may-be: latency p50, s"
    show(figure_table("t", ("figure", "value", "of"), [(name, "-642.857", "12")]))
    assert f"{name} │ -642.857 │ 12 │" in capsys.readouterr().out


def test_a_short_recording_says_nothing_of_a_quarter_of_an_hour() -> None:
    short, long = printed(42.0, 200), printed(900.0, 200)
    assert "per 15 min" not in short
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in short.splitlines()]
    assert ["entrance: net error in all", "-3", "-", ""] in rows
    assert ["entrance: miscounts in all", "3", "-", ""] in rows
    assert "entrance: net error per 15 min" in long


def test_a_table_of_nothing_has_its_header() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(figure_table("t", ("figure", "value"), []))
    assert "figure" in console.file.getvalue()  # type: ignore[attr-defined]
