"""`python -m model_build wrap`: other people's detectors for Dresscode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edge_app.inference.model import CALLED
from model_build.wrap.styles import STYLES
from model_build.wrap.wrap import wrap as write


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--style", type=click.Choice(list(STYLES)), required=True, help="Family of SOURCE.")
@click.option("--task", type=click.Choice(["detector", "garments"]), default="detector")
@click.option(
    "--class",
    "classes",
    type=click.IntRange(0),
    multiple=True,
    default=(0,),
    help="Index of a class; for garments three times: top, bottom, long.",
)
@click.option("--candidates", type=click.IntRange(1, 3839), default=100)
@click.option("--license", "license_id", required=True, help="SPDX identifier of the weights.")
@click.option("--training-data", required=True, help="What the weights have seen.")
@click.option("--model-version", default="1.0.0")
def wrap(
    source: Path, target: Path, style: str, task: Any, classes: tuple[int, ...], **more: Any
) -> None:
    """Write the ONNX detector SOURCE as TARGET, a model of the contract."""
    told = {
        "version": more["model_version"],
        "license": more["license_id"],
        "training_data": more["training_data"],
    }
    write(source, target, style, task, classes, told, more["candidates"])
    click.echo(f"{target}: a {CALLED[task]} of the model contract")
