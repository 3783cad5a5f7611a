"""The command `evaluate`: the figures of a model file, or of two side by side."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from edge_app.commands.report import figure_table, show
from edge_app.inference.model import SHIPPED, load_model
from model_build import classifier_model, detector_model, garment_model
from model_build.evaluate.cascade import judge_cascade
from model_build.evaluate.latency import latency
from model_build.evaluate.report import Report, about, save_reports, write_table
from model_build.folders import Folders

JUDGES: Mapping[str, Any] = {
    "detector": detector_model.judge_people,
    "garments": garment_model.judge_garments,
    "classifier": classifier_model.judge_classifier,
}
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("model", type=click.Choice(list(JUDGES)))
@click.option("--file", type=_file, help="ONNX file.  [the shipped one]")
@click.option("--compare", type=_file, nargs=2, metavar="A B", help="Two ONNX files, side by side.")
@click.option(
    "--data-coco",
    type=_file,
    help="Garments, classifier: own pictures to judge by, the test.json that `data` wrote.",
)
@click.option("--out", type=click.Path(path_type=Path), help="  [runs/evaluate/MODEL]")
@click.pass_obj
def evaluate(
    folders: Folders,
    model: str,
    file: Path | None,
    compare: tuple[Path, Path] | None,
    data_coco: Path | None,
    out: Path | None,
) -> None:
    """Judge a model file on held-out data: figures, curves, and pictures of its mistakes.

    Everything is printed and kept in the folder `--out`: figures as JSON and CSV, curves and
    confusion as CSV and PNG, the worst mistakes as a contact sheet.
    """
    if model == "detector" and data_coco is not None:
        raise click.UsageError("--data-coco: the detector is judged by people, not by garments")
    if data_coco is None:
        folders.require_data()
    out = out or Path("runs") / "evaluate" / model
    folders = replace(folders, judged_on=data_coco)
    if compare is None:
        print_side_by_side({"": judge(folders, model, file or SHIPPED / f"{model}.onnx", out)})
    else:
        judged = {
            name: judge(folders, model, path, out / name)
            for name, path in zip("AB", compare, strict=True)
        }
        print_side_by_side(judged)
        save_comparison(judged, out)
        click.echo(f"A is {compare[0]}, B is {compare[1]}")
    click.echo(f"kept in {out}")


@click.command()
@click.option(
    "--models",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the three files.  [the shipped ones]",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs") / "evaluate" / "cascade"
)
@click.option(
    "--as-published",
    is_flag=True,
    help="Judge by the data set's own labels, without what was seen on every photo.",
)
@click.pass_obj
def cascade(folders: Folders, models: Path | None, out: Path, as_published: bool) -> None:
    """Judge the three models together, as `dresscode look` uses them, on held-out street photos."""
    found = judge_cascade(folders.data / "ccp", models, {} if as_published else None)
    save_reports({"photos": found}, {"model": "cascade"}, out)
    print_side_by_side({"": {"photos": found.figures}})
    click.echo(f"kept in {out}")


def judge(folders: Folders, model: str, file: Path, out: Path) -> dict[str, dict[str, float]]:
    """Judge a model file and keep everything in a folder; gives the figures of each set.

    Raises:
        ModelError: the file does not keep the contract.
    """
    load_model(file, model)  # type: ignore[arg-type]
    facts = {"model": model, **about(file)}
    yardstick = folders.published_detector
    # Own data may be judged by without the data folder, which alone has the yardstick.
    costs = latency(file, yardstick) if yardstick.exists() else {}
    reports: dict[str, Report] = JUDGES[model](folders, file)
    save_reports(reports, {**facts, "latency": costs}, out)
    return {
        "latency": costs,
        **{name: dict(report.figures) for name, report in reports.items()},
    }


def print_side_by_side(judged: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Print a table for each set of pictures, with a column for each model file.

    Categories of which the set shows nothing are named below it and have no rows.
    """
    header = ("figure", *(file or "value" for file in judged))
    for name, figures in next(iter(judged.values())).items():
        if not figures:
            continue
        absent = _absent(figures)
        rows = []
        for figure in figures:
            if _counted(figure) in absent:
                continue
            values = [one[name].get(figure, math.nan) for one in judged.values()]
            gap = [_cell(values[1] - values[0], "+.4g")] if len(values) == 2 else []
            rows.append((figure, *(_cell(value, ".4g") for value in values), *gap))
        show(figure_table(name, (*header, "B - A") if len(judged) == 2 else header, rows))
        if absent:
            shown = ", ".join(sorted({category for _, category in absent}))
            click.echo(f"none in these pictures: {shown}")


def _absent(figures: Mapping[str, float]) -> set[tuple[str, str]]:
    """Kinds of figure and categories, such as `wears` and `coat`, that were counted 0 times."""
    return {
        _counted(figure)
        for figure, value in figures.items()
        if figure.partition("/")[0].endswith("count") and value == 0
    }


def _counted(figure: str) -> tuple[str, str]:
    """To which kind of count a figure belongs, and its category, if it has one.

    >>> _counted("wears_ap/coat"), _counted("top1/coat"), _counted("ap50")
    (('wears', 'coat'), ('', 'coat'), ('', ''))
    """
    what, _, category = figure.partition("/")
    return what.rpartition("_")[0], category


def _cell(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)


def save_comparison(judged: Mapping[str, Mapping[str, Mapping[str, float]]], folder: Path) -> None:
    """Write `comparison.json` and `.csv`: set, figure, A, B and the difference."""
    rows = []
    for name, figures in judged["A"].items():
        for figure, ours in figures.items():
            theirs = judged["B"][name].get(figure, math.nan)
            values = (ours, theirs, theirs - ours)
            rows.append([name, figure, *(None if math.isnan(v) else round(v, 5) for v in values)])
    header = ["set", "figure", "a", "b", "difference"]
    write_table(folder / "comparison.csv", header, rows)
    entries = [dict(zip(header, row, strict=True)) for row in rows]
    text = json.dumps(entries, indent=1, allow_nan=False)
    (folder / "comparison.json").write_text(text + "\n", encoding="utf-8")
