"""The INT8 section of a model card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from calibration.speed import Seconds, ratios
from edge_app.errors import ModelError
from model_build.int8.measure import Comparison

HEADING = "## INT8"


def section(made: Comparison) -> str:
    """A comparison in Markdown."""
    kept = made.verdict.kept_in_float
    count = f"{made.layers - len(kept)} of {made.layers} layers in INT8"
    rows = [
        f"| {name.replace('_', ' ')} | {value:.3f} | {made.after[name]:.3f} |"
        for name, value in made.before.items()
    ]
    seen, judged = made.counts
    lines = [
        HEADING,
        f"Not shipped; `python -m model_build int8 {made.task}` makes, gates and measures it.",
        f"Ranges by `{made.method}`, over {seen} pictures of the training side; {count}"
        + (", in float because they cost most:" if kept else "."),
        *(f"`{name}`" for name in kept),
        "",
        "| held out, in OpenVINO | float32 | INT8 |",
        "|---|---|---|",
        *rows,
        "",
        f"Largest relative loss of these: {made.loss:.1%}. The gate, on {judged} other pictures of "
        "the training side,",
        f"found {made.verdict.loss:.1%} and allows {made.verdict.allowed:.0%}.",
        "",
        *speed_rows(made.speeds),
    ]
    return "\n".join(lines) + "\n"


def speed_rows(speeds: Mapping[str, Seconds]) -> list[str]:
    """How many times as fast as float32 everything is, as a table."""
    lines = [
        "How many times as fast as float32, with 1 and with 4 pictures in a call, in turns on one "
        "core of one machine;",
        'what it has was taken away from OpenVINO by `ONEDNN_MAX_CPU_ISA`. "Rewritten" is float32 '
        "as INT8 is written:",
        "without paddings and copying of its own.",
        "",
        "| instructions | INT8 | rewritten | bfloat16 |",
        "|---|---|---|---|",
    ]
    for name, taken_s in speeds.items():
        cells = [
            ", ".join(f"{r:.2f}" for r in ratios(taken_s, "float32", one).values())
            if one in taken_s
            else "-"
            for one in ("int8", "rewritten", "bfloat16")
        ]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return lines


def refused_section(task: str, reason: ModelError) -> str:
    """That a model is not to be had in INT8, and why, in Markdown."""
    command = f"python -m model_build int8 {task}"
    return f"{HEADING}\nNone: `{command}` makes it, and its gate says:\n{reason}.\n"


def write_section(card: Path, text: str) -> None:
    """Put a section into a card, in place of the one it has, or before its weaknesses."""
    before_it = card.read_text(encoding="utf-8")
    new = text + "\n"
    if HEADING in before_it:
        written = re.sub(rf"{HEADING}\n.*?(?=^## |\Z)", lambda _: new, before_it, flags=re.S | re.M)
    else:
        before, heading, rest = before_it.partition("## Weaknesses")
        written = before + new + heading + rest
    card.write_text(written, encoding="utf-8")
