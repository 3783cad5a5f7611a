"""What a replay and a benchmark found, as text for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from edge_app.commands.replay import ReplayResult


def summary(result: ReplayResult) -> str:
    """A replay in a few lines: counts and alerts."""
    lines = [f"{result.clip}: {result.frames} frames at {result.fps:g} frames/s"]
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
    table = Table(title="against the truth", title_justify="left")
    for name in ("figure", "value", "95 % interval", "of"):
        table.add_column(name, justify="left" if name == "figure" else "right", no_wrap=True)
    for zone, counts in truth["counts"].items():
        for direction in ("in", "out"):
            true, counted = counts[f"true_{direction}"], counts[f"counted_{direction}"]
            table.add_row(f"{zone}: {direction}", str(counted), "", str(true))
    _add_scores(table, "entries", truth["entries"])
    _add(table, "counted the wrong way", truth["directions"]["turned"])
    for zone, error in truth["net_error"].items():
        _add(table, f"{zone}: net error per 15 min", error["per_15min"])
        _add(table, f"{zone}: miscounts per 15 min", error["miscounts_per_15min"])
    for rule, found in truth["alerts"].items():
        _add_scores(table, f"alerts of {rule}", found)
        for label, latency in found["latency_s"].items():
            _add(table, f"alerts of {rule}: latency {label}, s", latency)
    garments = truth["garments"]
    _add(table, "who came alone: garments right if told", garments["accuracy"])
    _add(table, "who came alone: garments told", garments["found"])
    _add(table, "who came alone: garments left unknown", garments["abstained"])
    _add(table, "who came alone: garments mistaken", garments["mistaken"])
    _add(table, "who came alone: nothing told", garments["silent"])
    staff = truth["staff"]
    if staff["known"]["n"] or staff["customers_taken"]["value"]:
        _add(table, "staff who came alone: known", staff["known"])
        _add(table, "customers alone: taken for staff", staff["customers_taken"])
    return table


def _add_scores(table: Table, what: str, scores: Mapping[str, Any]) -> None:
    n = {
        "precision": scores["matched"] + len(scores.get("wrong", scores.get("wrong_frames"))),
        "recall": scores["matched"] + len(scores.get("missed", scores.get("missed_frames"))),
    }
    for name, (low, high) in scores["intervals"].items():
        # Nothing to find, or nothing said: 1 by convention, and no figure to show.
        value = None if low is None else scores[name]
        estimate = {"value": value, "low": low, "high": high, "n": n.get(name, "")}
        _add(table, f"{what}: {name}", estimate)


def _add(table: Table, figure: str, estimate: Mapping[str, Any]) -> None:
    value, low, high = (
        "-" if estimate[key] is None else f"{estimate[key]:.3f}" for key in ("value", "low", "high")
    )
    has_limits = estimate["low"] is not None or estimate["high"] is not None
    table.add_row(figure, value, f"{low} .. {high}" if has_limits else "-", str(estimate["n"]))


def bench_table(figures: Mapping[str, Any]) -> Table:
    """A benchmark's figures as a table."""
    table = Table("figure", "value", title=str(figures["clip"]))
    for name, value in figures.items():
        if isinstance(value, Mapping):
            for part, one in value.items():
                table.add_row(f"{name}: {part}", one if isinstance(one, str) else f"{one:g}")
        elif name != "clip":
            table.add_row(name, f"{value:g}" if isinstance(value, float) else str(value))
    return table
