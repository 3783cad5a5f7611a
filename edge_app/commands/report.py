"""What a replay and a benchmark found, as text for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from edge_app.commands.replay import ReplayResult


def summary(result: ReplayResult) -> str:
    """A replay in a few lines: counts, alerts, and the comparison with the truth."""
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
    if result.truth is not None:
        lines += _agreement(result.truth)
    return "\n".join(lines)


def _agreement(truth: Mapping[str, Any]) -> list[str]:
    lines = ["against the truth:"]
    for zone, counts in truth["counts"].items():
        lines.append(
            f"  {zone}: in {counts['counted_in']} of {counts['true_in']}, "
            f"out {counts['counted_out']} of {counts['true_out']}"
        )
    lines.append("  entries: " + _score(truth["entries"]))
    for rule, scores in truth["alerts"].items():
        lines.append(f"  alerts of {rule}: " + _score(scores))
    return lines


def _score(scores: Mapping[str, Any]) -> str:
    return (
        f"precision {scores['precision']:.3f}, recall {scores['recall']:.3f}, "
        f"F1 {scores['f1']:.3f} ({scores['matched']} matched)"
    )


def bench_table(figures: Mapping[str, Any]) -> Table:
    """A benchmark's figures as a table."""
    table = Table("figure", "value", title=str(figures["clip"]))
    for name, value in figures.items():
        if isinstance(value, Mapping):
            for part, number in value.items():
                table.add_row(f"{name}: {part}", f"{number:g}")
        elif name != "clip":
            table.add_row(name, f"{value:g}" if isinstance(value, float) else str(value))
    return table
