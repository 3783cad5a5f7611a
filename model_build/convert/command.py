"""`python -m model_build data`: any of the known data sets as COCO JSON, with a report."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from edge_app.draw import save
from model_build.convert.contact_sheet import contact_sheet
from model_build.convert.conversion import convert
from model_build.convert.people import PeopleFinder, need_people
from model_build.convert.report import show_report, write_report
from model_build.convert.write import write_coco
from model_build.data.published.annotated import DataError
from model_build.data.published.sources import READERS, read_source


@click.command()
@click.argument("source", type=click.Choice(list(READERS)))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for train.json, val.json, test.json, report.json and contact_sheet.png.",
)
@click.option("--unused", multiple=True, metavar="LABEL", help="A label that is no garment.")
@click.option(
    "--as-published", is_flag=True, help="Keep a published split that divides items or senders."
)
@click.option(
    "--people/--no-people",
    "with_people",
    default=True,
    help="Find people where every garment of a picture is told; the garment model needs them.",
)
def data(
    source: str,
    folder: Path,
    out: Path,
    unused: tuple[str, ...],
    as_published: bool,
    with_people: bool,
) -> None:
    """Convert the data set SOURCE in FOLDER to COCO JSON, and report what is in it."""
    console = Console()
    if source == "folders" and out.resolve().is_relative_to(folder.resolve()):
        raise DataError(
            f"{out}: expected a folder outside of {folder}, where it would be taken for a category "
            "the next time"
        )
    photos = read_source(source, folder, unused)
    done = convert(photos, as_published, console)
    if with_people and any(map(need_people, done.kept)):
        finder = PeopleFinder()
        seen = track(done.kept, "looking for people", console=console)
        kept = [finder.add(photo) if need_people(photo) else photo for photo in seen]
        done = dataclasses.replace(done, kept=kept)
    done = dataclasses.replace(done, kept=[photo for photo in done.kept if photo.is_told])
    unused_labels = Counter(label for photo in photos for label in photo.unused)
    written = write_coco(done.kept, source, out)
    write_report(done, unused_labels, source, out / "report.json")
    save(contact_sheet(done.kept), out / "contact_sheet.png")
    show_report(done, unused_labels, console)
    for path in (*written, out / "report.json", out / "contact_sheet.png"):
        click.echo(path)
