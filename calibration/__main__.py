"""The command line of calibration: `python -m calibration frames|quantize|gate|half`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast, get_args

import click
import onnx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from calibration import sealed
from calibration.frames import FramePool
from calibration.gate import (
    ALLOWED_LOSS,
    Judge,
    layer_costs,
    refusal,
    search,
    search_methods,
    stamp,
)
from calibration.graph import load_onnx
from calibration.half import cast_to_half
from calibration.inputs import camera_of, frames_of, inputs_in, labelled
from calibration.quantize import Quantizer, calibration_cache
from calibration.ranges import METHODS
from calibration.speed import speed_up
from edge_app.errors import DresscodeError, ModelError, SourceError
from edge_app.flow import UInt8
from edge_app.inference.model import Model, Task, load_model
from edge_app.whole_file import write_whole

TASKS = get_args(Task)
_COST_PICTURES = 8
_console = Console(stderr=True)
_file = click.Path(dir_okay=False, path_type=Path)
_task = click.option(
    "--task",
    type=click.Choice(TASKS),
    help="What the model is for.  [its file name, or else its card]",
)
_method = click.option(
    "--method",
    type=click.Choice(METHODS),
    help="How ranges are chosen.  [the first that passes]",
)
_count = click.option("--count", type=click.IntRange(1, 4096), default=128, help="Pictures.")
_loss = click.option(
    "--allowed-loss",
    type=click.FloatRange(0, 1),
    default=ALLOWED_LOSS,
    help="Largest relative loss of any figure.",
)
_seconds = click.option(
    "--seconds", type=click.FloatRange(1), default=600.0, help="How long to watch a live source."
)
_key_file = click.option(
    "--key-file",
    type=click.Path(exists=True, path_type=Path, dir_okay=False),
    help="Key of a sealed file of frames.",
)
_config = click.option(
    "--config", "-c", type=_file, help="A store's YAML file; SOURCE names one of its cameras."
)
_labels = click.option(
    "--labels", type=_file, help="JSON of hand-made labels; SOURCE is the folder of pictures."
)


class _Group(click.Group):
    """Shows Dresscode's own errors without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and translate."""
        try:
            return super().invoke(ctx)
        except DresscodeError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"show_default": True})
def main() -> None:
    """Make FP16 and INT8 models that keep their accuracy, or are refused."""


@main.command()
@click.argument("source")
@click.argument("out", type=_file)
@click.option("--key-file", type=_file, required=True, help="Made if it does not exist.")
@_count
@_seconds
@_config
@click.option(
    "--days",
    type=click.FloatRange(0, 365, min_open=True),
    default=14.0,
    help="After so many the file opens no more.",
)
def frames(
    source: str, out: Path, key_file: Path, count: int, seconds: float, config: Any, days: float
) -> None:
    """Choose frames of SOURCE and seal them into OUT, for calibration on another machine."""
    if not key_file.exists():
        key_file.touch(mode=0o600)
        key_file.write_text(sealed.new_key() + "\n", encoding="utf-8")
    chosen = _pool_of(source, count, seconds, config).choose()
    sealed.seal(chosen, key_file.read_text(encoding="utf-8"), out, time.time(), days)
    click.echo(
        f"{out}: {len(chosen)} frames, encrypted, for {days:g} days; the key is in {key_file}"
    )


@main.command()
@click.argument("model", type=_file)
@click.argument("source")
@click.argument("out", type=_file)
@_task
@_method
@_count
@_seconds
@_config
@_key_file
@_labels
@_loss
@click.option("--cache", "cache_for", help="Also write OUT.cache for this TensorRT, such as 10.3.0")
def quantize(
    model: Path, source: str, out: Path, task: Any, method: Any, allowed_loss: float, **rest: Any
) -> None:
    """Write MODEL in INT8 to OUT, calibrated on SOURCE, if the gate lets it through."""
    out.parent.mkdir(parents=True, exist_ok=True)
    loaded, graph = load_model(model, _task_of(model, task)), load_onnx(model)
    inputs, truth = _inputs(loaded, source, rest)
    with _bar() as bar:
        ranges = bar.add_task("ranges", total=1)
        quantizer = Quantizer(
            graph, inputs, method or "mse", lambda n, of: bar.update(ranges, completed=n, total=of)
        )
        judge = Judge(graph, loaded.task, inputs, truth, allowed_loss)

        def costs() -> tuple[tuple[str, float], ...]:
            layers = bar.add_task("cost of each layer", total=1)
            return layer_costs(
                quantizer,
                graph,
                inputs[:_COST_PICTURES],
                lambda n, of: bar.update(layers, completed=n, total=of),
            )

        find = search_methods if method is None else search
        made, verdict = find(quantizer, judge, costs, _console.print)
    for layer, cost in verdict.costs[:8]:
        _console.print(f"  {cost:8.2%} of the heads' signal is noise from {layer}", markup=False)
    onnx.save(stamp(made, verdict, quantizer.method), str(out))
    click.echo(f"{out}: {_told(verdict.before)} in float, {_told(verdict.after)} in INT8")
    click.echo(_speed_told(graph, made, loaded.task, inputs))
    if rest["cache_for"]:
        cache = out.with_suffix(".cache")
        write_whole(cache, calibration_cache(quantizer.scales_before, rest["cache_for"]).encode())
        click.echo(f"{cache}: calibration cache for TensorRT {rest['cache_for']}")


@main.command()
@click.argument("model", type=_file)
@click.argument("candidate", type=_file)
@click.argument("source")
@_task
@_count
@_seconds
@_config
@_key_file
@_labels
@_loss
def gate(
    model: Path, candidate: Path, source: str, task: Any, allowed_loss: float, **rest: Any
) -> None:
    """Measure CANDIDATE against MODEL on SOURCE; exit 1 if it loses more than allowed."""
    loaded = load_model(model, _task_of(model, task))
    inputs, truth = _inputs(loaded, source, rest)
    judge = Judge(load_onnx(model), loaded.task, inputs, truth, allowed_loss)
    changed = load_onnx(candidate)
    verdict = judge.judge(changed)
    click.echo(f"{_told(verdict.before)} before, {_told(verdict.after)} after")
    click.echo(_speed_told(judge.model, changed, loaded.task, inputs))
    if not verdict.is_passed:
        raise click.ClickException(refusal(verdict))
    click.echo(f"passed: loss {verdict.loss:.2%}, allowed {allowed_loss:.2%}")


@main.command()
@click.argument("model", type=_file)
@click.argument("out", type=_file)
def half(model: Path, out: Path) -> None:
    """Write MODEL with its body in FP16 to OUT."""
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(cast_to_half(load_onnx(model)), str(out))
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB, was {model.stat().st_size / 1e6:.1f}")


def _task_of(path: Path, task: Task | None) -> Task:
    if task is None and path.stem in TASKS:
        return cast("Task", path.stem)
    if task is None:
        told = {entry.key: entry.value for entry in load_onnx(path).metadata_props}
        if told.get("task") not in TASKS:
            raise ModelError(f"{path}: neither its name nor its card tells its task; give --task")
        return cast("Task", told["task"])
    return task


def _inputs(model: Model, source: str, options: dict[str, Any]) -> tuple[UInt8, Any]:
    """Pictures at a model's input size, and their truth where it was given."""
    if options["labels"]:
        return labelled(model, Path(source), options["labels"])
    count = options["count"]
    if options["key_file"]:
        key = options["key_file"].read_text(encoding="utf-8")
        chosen = sealed.unseal(Path(source), key, now_s=time.time())
    else:
        chosen = _pool_of(source, count, options["seconds"], options["config"]).choose()
    inputs = inputs_in(model, chosen, count)
    _console.print(f"{len(inputs)} pictures")
    return inputs, None


def _pool_of(source: str, count: int, seconds: float, config: Path | None) -> FramePool:
    pool = FramePool(count)
    settings = camera_of(source, config)
    with _console.status("choosing frames"):
        for picture in frames_of(settings, seconds):
            pool.add(picture)
    if not len(pool):
        raise SourceError(f"{source}: gave no frame")
    return pool


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=_console
    )


def _speed_told(before: Any, after: Any, task: Task, pictures: UInt8) -> str:
    ratios = speed_up(before, after, task, pictures).items()
    told = ", ".join(f"{ratio:.2f} times in batches of {count}" for count, ratio in ratios)
    return f"speed on one core of this machine, in OpenVINO: {told}"


def _told(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in figures.items())


if __name__ == "__main__":
    main()
