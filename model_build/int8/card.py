"""The INT8 section of a model card."""

from __future__ import annotations

import re
from pathlib import Path

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
    speeds = ", ".join(f"{ratio:.2f} with {n} in a call" for n, ratio in made.speeds.items())
    lines = [
        HEADING,
        f"Not shipped; `python -m model_build int8 {made.task}` makes, gates and measures it.",
        f"Ranges by `{made.method}`, over training pictures; {count}"
        + (", in float because they cost most:" if kept else "."),
        *(f"`{name}`" for name in kept),
        "",
        "| held out, in OpenVINO | float32 | INT8 |",
        "|---|---|---|",
        *rows,
        "",
        f"Largest relative loss of these: {made.loss:.1%}. The gate, on training pictures and with",
        f"the float model's answers as truth, found {made.verdict.loss:.1%} and allows "
        f"{made.verdict.allowed:.0%}.",
        f"Times as fast as float32 on one core, in turns: {speeds}.",
    ]
    return "\n".join(lines) + "\n"


def write_section(card: Path, made: Comparison) -> None:
    """Put the section into a card, in place of the one it has, or before its weaknesses."""
    text = card.read_text(encoding="utf-8")
    new = section(made) + "\n"
    if HEADING in text:
        text = re.sub(rf"{HEADING}\n.*?(?=^## |\Z)", lambda _: new, text, flags=re.S | re.M)
    else:
        before, heading, rest = text.partition("## Weaknesses")
        text = before + new + heading + rest
    card.write_text(text, encoding="utf-8")
