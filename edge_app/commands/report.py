"""What a replay and a benchmark found, as text for a person. Figures are never cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from edge_app.commands.compare import QUARTER_S
from edge_app.commands.replay import ReplayResult

Row = tuple[str, ...]
"""What a figure is called, and its cells."""

LEAST_NAME: Final = 16
"""Characters that the names of figures keep on the narrowest terminal."""

OF_A_FILE: Final = 1000
"""Columns where nobody looks on: wide enough for every table."""


def figure_table(title: str, header: Row, rows: Sequence[Row]) -> Table:
    """A table of figures: where there is little room their names are folded."""
    table = Table(title=title, title_justify="left")
    table.add_column(header[0], overflow="fold", min_width=LEAST_NAME)
    for name, *cells in zip(header[1:], *(row[1:] for row in rows), strict=True):
        widest = max(map(len, (name, *cells)))
        table.add_column(name, justify="right", no_wrap=True, min_width=widest)
    for row in rows:
        table.add_row(*row)
    return table


def show(table: Table) -> None:
    """Print a table; into a pipe or a file with every row on one line."""
    console = Console()
    if not console.is_terminal:
        console.width = OF_A_FILE
    console.print(table, crop=False)


def summary(result: ReplayResult) -> str:
    """A replay in a few lines: counts and alerts."""
    lines = [f"{result.clip}: {result.frames} frames at {result.fps:g} frames/s"]
    if result.varying_s is not None:
        lines = [
            f"{result.clip}: {result.frames} frames in {result.varying_s:.1f} s, at no even rate"
        ]
    for zone, counted in result.counts.items():
        lines.append(f"  {zone}: {counted['in']} in, {counted['out']} out")
    for alert in result.alerts:
        group = f", {alert['people']} people" if alert["people"] > 1 else ""
        lines.append(
            f"  alert {alert['rule']} at frame {alert['frame']}: {alert['garment']} "
            f"({alert['probability']:.2f}) in {alert['zone']}{group}"
        )
    if not result.alerts:
        lines.append("  no alert")
    return "\n".join(lines)


def agreement_table(truth: Mapping[str, Any]) -> Table:
    """How a replay agrees with the truth: every figure with its 95 % interval."""
    rows: list[Row] = []
    for zone, counts in truth["counts"].items():
        for direction in ("in", "out"):
            true, counted = counts[f"true_{direction}"], counts[f"counted_{direction}"]
            rows.append((f"{zone}: {direction}", str(counted), "", str(true)))
    rows += _score_rows("entries", truth["entries"])
    rows.append(_row("counted the wrong way", truth["directions"]["turned"]))
    for zone, error in truth["net_error"].items():
        rows += _net_rows(zone, error, truth["duration_s"])
    for rule, found in truth["alerts"].items():
        rows += _score_rows(f"alerts of {rule}", found)
        for label, latency in found["latency_s"].items():
            rows.append(_row(f"alerts of {rule}: latency {label}, s", latency))
    garments = truth["garments"]
    rows += [
        _row("who came alone: garments right if told", garments["accuracy"]),
        _row("who came alone: garments told", garments["found"]),
        _row("who came alone: garments left unknown", garments["abstained"]),
        _row("who came alone: garments mistaken", garments["mistaken"]),
        _row("who came alone: nothing told", garments["silent"]),
    ]
    staff = truth["staff"]
    if staff["known"]["n"] or staff["customers_taken"]["value"]:
        rows.append(_row("staff who came alone: known", staff["known"]))
        rows.append(_row("customers alone: taken for staff", staff["customers_taken"]))
    return figure_table("against the truth", ("figure", "value", "95 % interval", "of"), rows)


def _net_rows(zone: str, error: Mapping[str, Any], duration_s: float) -> list[Row]:
    """Miscounts of a zone: per 15 minutes only where so much was recorded.

    What happened in one minute, times fifteen, says nothing of a quarter of an hour.
    """
    if duration_s < QUARTER_S:
        miscounts = error["miscounts_per_15min"]["n"]
        return [
            (
                f"{zone}: net error in all",
                f"{error['total']:+d}" if error["total"] else "0",
                "-",
                "",
            ),
            (f"{zone}: miscounts in all", str(miscounts), "-", ""),
        ]
    return [
        _row(f"{zone}: net error per 15 min", error["per_15min"]),
        _row(f"{zone}: miscounts per 15 min", error["miscounts_per_15min"]),
    ]


def _score_rows(what: str, scores: Mapping[str, Any]) -> list[Row]:
    n = {
        "precision": scores["matched"] + len(scores.get("wrong", scores.get("wrong_frames"))),
        "recall": scores["matched"] + len(scores.get("missed", scores.get("missed_frames"))),
    }
    rows = []
    for name, (low, high) in scores["intervals"].items():
        # Nothing to find, or nothing said: 1 by convention, and no figure to show.
        value = None if low is None else scores[name]
        estimate = {"value": value, "low": low, "high": high, "n": n.get(name, "")}
        rows.append(_row(f"{what}: {name}", estimate))
    return rows


def _row(figure: str, estimate: Mapping[str, Any]) -> Row:
    value, low, high = (
        "-" if estimate[key] is None else f"{estimate[key]:.3f}" for key in ("value", "low", "high")
    )
    has_limits = estimate["low"] is not None or estimate["high"] is not None
    return figure, value, f"{low} .. {high}" if has_limits else "-", str(estimate["n"])


def bench_table(figures: Mapping[str, Any]) -> Table:
    """A benchmark's figures as a table."""
    rows: list[Row] = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            for part, one in value.items():
                rows.append((f"{name}: {part}", one if isinstance(one, str) else f"{one:g}"))
        elif name != "clip":
            rows.append((name, f"{value:g}" if isinstance(value, float) else str(value)))
    return figure_table(str(figures["clip"]), ("figure", "value"), rows)
