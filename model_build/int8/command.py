"""`python -m model_build int8`: a model in INT8, and what that costs and gains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from edge_app.errors import ModelError
from edge_app.inference.model import SHIPPED
from model_build.evaluate.command import JUDGES
from model_build.folders import Folders
from model_build.int8.card import refused_section, section, write_section
from model_build.int8.measure import make_int8


@click.command()
@click.argument("model", type=click.Choice(list(JUDGES)))
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="ONNX file in float32.  [the shipped one]",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="  [runs/int8/MODEL.onnx]"
)
@click.option(
    "--card",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A model card whose INT8 section is to be written anew.",
)
@click.pass_obj
def int8(
    folders: Folders, model: Any, file: Path | None, out: Path | None, card: Path | None
) -> None:
    """Quantize a model on training pictures; judge it on held-out ones, and its speed."""
    console = Console(stderr=True)
    out = out or Path("runs") / "int8" / f"{model}.onnx"
    try:
        made = make_int8(folders, model, file or SHIPPED / f"{model}.onnx", out, console.print)
    except ModelError as reason:
        if card is not None:
            write_section(card, refused_section(model, reason))
        raise
    for layer, cost in made.verdict.costs[:8]:
        console.print(f"  {cost:8.2%} of the heads' signal is noise from {layer}", markup=False)
    click.echo(section(made))
    if card is not None:
        write_section(card, section(made))
    click.echo(f"kept in {out}")
