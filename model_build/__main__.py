"""The command line of model building: `python -m model_build COMMAND`."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from edge_app.errors import DresscodeError
from edge_app.inference.model import SHIPPED
from model_build import classifier_model, detector_model, garment_model
from model_build.begun import Told
from model_build.convert.command import data
from model_build.engine import engine
from model_build.evaluate.command import cascade, evaluate
from model_build.folders import Folders
from model_build.int8.command import int8
from model_build.networks.choose import NETWORKS, OURS
from model_build.own_data import OwnData
from model_build.references import train_reference
from model_build.train.fitting import Schedule
from model_build.wrap.command import wrap

_NEED_NO_DATA = ("data", "engine", "evaluate", "export", "train", "wrap")
"""Those that need none at all, and those that say themselves when they need it."""

_OWN_SHARE = 0.5

MODELS = ("detector", "garments", "classifier")
_which = click.argument("model", type=click.Choice(MODELS))
_folders = click.make_pass_decorator(Folders)


class _Group(click.Group):
    """Shows Dresscode's own errors without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and translate."""
        try:
            return super().invoke(ctx)
        except DresscodeError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"show_default": True})
@click.option(
    "--data",
    "data_folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="DRESSCODE_DATA",
    default=Path("../shared/data"),
    help="Folder of the data sets.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs"),
    help="Folder of what is made from them once.",
)
@click.pass_context
def main(context: click.Context, data_folder: Path, cache: Path) -> None:
    """Build the models that Dresscode ships."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    context.obj = Folders(data_folder, cache)
    if context.invoked_subcommand not in _NEED_NO_DATA:
        context.obj.require_data()


@main.command()
@_folders
def prepare(folders: Folders) -> None:
    """Decode and render everything that training the person detector reads."""
    scenery, rendered = detector_model.open_sources(folders)
    click.echo(
        f"{len(scenery.cutouts)} people cut out, {len(scenery.street)} street photos, "
        f"{len(scenery.places)} places, {len(rendered)} rendered frames"
    )


@main.command()
@_folders
@_which
@click.option("--run", type=click.Path(path_type=Path), help="Folder of the run.  [runs/MODEL]")
@click.option("--steps", type=click.IntRange(1), help="Optimiser steps in all.")
@click.option("--batch", type=click.IntRange(1), help="Samples a step, of each process.")
@click.option(
    "--rates",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    help="Learning rates as a share of the usual ones; less where little is to change.",
)
@click.option(
    "--from",
    "start",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A model file to start from instead of the published weights (garments: it also finds "
    "the boxes of people with tags only); published torch weights (.pth, torchvision's names) "
    "for another --network.",
)
@click.option(
    "--network",
    type=click.Choice(NETWORKS),
    default=OURS,
    help="Another one to compare with: vgg19 as classifier, resnet50-fpn as detector or garments.",
)
@click.option(
    "--data-coco",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Garments, classifier: pictures to learn from besides; the train.json that `data` wrote.",
)
@click.option(
    "--own-share",
    type=click.FloatRange(0, 1),
    default=_OWN_SHARE,
    help="Share of the samples that come from --data-coco; 1 needs no other pictures.",
)
@click.option(
    "--kept-batches",
    type=click.IntRange(1),
    help="Garments, classifier: train the late layers only, on so many batches that pass the "
    "early ones once; on a CPU several times as fast.",
)
@click.option(
    "--boxes-only",
    is_flag=True,
    help="Garments: learn the boxes alone; what the model of --from says of `wears` stays.",
)
@click.option(
    "--hard-places",
    type=click.IntRange(1),
    metavar="N",
    help="Detector: look at N pictures without anybody first, and show those that the network "
    "training starts from takes for people more often.",
)
def train(
    folders: Folders,
    model: str,
    run: Path | None,
    steps: int | None,
    batch: int | None,
    rates: float,
    start: Path | None,
    network: str,
    data_coco: tuple[Path, ...],
    own_share: float,
    kept_batches: int | None,
    boxes_only: bool,
    hard_places: int | None,
) -> None:
    """Train a model, or go on with the run in its folder."""
    run = run or Path("runs") / model
    own = OwnData(data_coco, own_share)
    if model == "detector" and data_coco:
        raise click.UsageError("--data-coco: the detector learns people, not garments")
    if own_share != _OWN_SHARE and not data_coco:
        raise click.UsageError("--own-share: of the pictures of --data-coco, and there are none")
    if start is None or not own.is_all:
        alone = "train on your own pictures alone, with --own-share 1 and --from"
        folders.require_data(alone if data_coco else None)
    if kept_batches and (model == "detector" or network != OURS):
        raise click.UsageError("--kept-batches: for the garments and classifier that are shipped")
    if boxes_only and (model != "garments" or network != OURS or start is None):
        raise click.UsageError("--boxes-only: for the garments that are shipped, and with --from")
    if hard_places and (model != "detector" or network != OURS):
        raise click.UsageError("--hard-places: for the detector that is shipped")
    schedule = detector_model.SCHEDULE if model == "detector" else Schedule(6000)
    schedule = replace(
        schedule,
        steps=steps or schedule.steps,
        batch=batch or schedule.batch,
        head_rate=rates * schedule.head_rate,
        backbone_rate=rates * schedule.backbone_rate,
    )
    if network != OURS:
        train_reference(folders, model, network, schedule, run, start, own)
    elif model == "detector":
        detector_model.train_people(folders, schedule, run, start, hard_places or 0)
    elif model == "garments":
        kept = kept_batches or 0
        garment_model.train_garments(folders, schedule, run, start, own, kept, boxes_only)
    else:
        classifier_model.train_classifier(folders, schedule, run, start, own, kept_batches or 0)


@main.command()
@_folders
@_which
@click.option("--run", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--file", type=click.Path(path_type=Path), help="ONNX file.  [the shipped one]")
@click.option(
    "--share",
    type=click.FloatRange(0, 1),
    default=1.0,
    help="Detector, garments: how far to go from other weights to the trained ones.",
)
@click.option(
    "--from",
    "start",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Detector, garments: the model file that --share goes from; detector: without it, the "
    "published weights.",
)
@click.option(
    "--data-coco",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Garments, classifier: the test.json to calibrate and judge by; no other data is needed.",
)
@click.option(
    "--license",
    "license_id",
    help="SPDX identifier of the weights.  [that of the model which training started from]",
)
@click.option(
    "--model-version",
    metavar="X.Y.Z",
    help="Every count of a box names it: give each model its own.  [that of the shipped one]",
)
def export(
    folders: Folders,
    model: str,
    run: Path,
    file: Path | None,
    share: float,
    start: Path | None,
    data_coco: Path | None,
    license_id: str | None,
    model_version: str | None,
) -> None:
    """Write a run's averaged weights as a model file, and compare it with torch."""
    file = file or SHIPPED / f"{model}.onnx"
    if model == "garments" and share < 1 and start is None:
        raise click.UsageError("--share: say with --from which model file training started from")
    if model == "classifier" and (share < 1 or start is not None):
        raise click.UsageError("--share, --from: for the detector and the garments")
    if model == "detector" and data_coco is not None:
        raise click.UsageError("--data-coco: the detector is judged by people, not by garments")
    if data_coco is None:
        folders.require_data()
    folders, told = replace(folders, judged_on=data_coco), Told(license_id, model_version)
    if model == "detector":
        differences = detector_model.export_people(folders, run, share, file, start, told)
    elif model == "garments":
        before = None if start is None else (start, share)
        differences = garment_model.export_garments(folders, run, file, told, before)
    else:
        differences = classifier_model.export_model(folders, run, file, told)
    click.echo(f"{file}; largest differences from torch: {differences}")


main.add_command(data)
main.add_command(evaluate)
main.add_command(cascade)
main.add_command(int8)
main.add_command(engine)
main.add_command(wrap)

if __name__ == "__main__":
    main()
