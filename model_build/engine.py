"""`python -m model_build engine`: what TensorRT makes of a model, before a box needs it.

On a machine with an NVIDIA GPU the engine is built as `dresscode run` builds it, into the folder
where that looks for it. Without one, TensorRT-RTX still parses and builds it for a GPU that is not
there: proof that TensorRT takes the model, and nothing that a box would load.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, cast, get_args

import click

from edge_app.config.load import load
from edge_app.config.schema import InferenceSettings
from edge_app.errors import EngineError, ModelError
from edge_app.inference.cuda import CudaDevice
from edge_app.inference.model import Model, Task, load_model
from edge_app.inference.trt_build import build
from edge_app.inference.trt_engine import (
    TensorRtEngine,
    import_tensorrt,
    plan_of,
    shared_logger,
)
from edge_app.whole_file import write_whole

TASKS = get_args(Task)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_file)
@click.option("--task", type=click.Choice(TASKS), help="What the model is for.  [its file name]")
@click.option(
    "--config", "-c", type=_file, help="A store's YAML file: batch, workspace, level and folder."
)
@click.option(
    "--capability",
    default="8.6",
    help="Without a GPU: the compute capability to build for.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of engines.  [the configuration's; without one runs/engines]",
)
def engine(
    file: Path, task: Task | None, config: Path | None, capability: str, out: Path | None
) -> None:
    """Build the TensorRT engine of the ONNX model FILE."""
    if task is None and file.stem not in TASKS:
        raise ModelError(f"{file}: cannot tell its task from its name; give it with --task")
    model = load_model(file, task or cast("Task", file.stem))
    settings = load(config).inference if config else InferenceSettings(engines=Path("runs/engines"))
    settings = settings.model_copy(update={"engines": out or settings.engines})
    try:
        gpu = CudaDevice()
    except EngineError as error:
        path = build_ahead(_importable_without_gpu(error), model, settings, capability)
        click.echo(f"no GPU here ({error}): built for compute capability {capability} only to show")
        click.echo(f"that TensorRT takes the model: {path}, {path.stat().st_size / 1e6:.1f} MB")
        return
    try:
        TensorRtEngine(import_tensorrt(), gpu, model, settings).close()
    finally:
        gpu.close()
    click.echo(f"{settings.engines}: holds the engine of {file.name} for {gpu.name}")


def build_ahead(trt: Any, model: Model, settings: InferenceSettings, capability: str) -> Path:
    """Build for a GPU that is not there; nothing of TensorRT's Runtime is constructed.

    Args:
        trt: TensorRT-RTX, the only one that builds without a GPU.
        model: that keeps the contract.
        settings: of inference.
        capability: compute capability, such as ``8.6``.

    Returns:
        The engine's file.

    Raises:
        EngineError: TensorRT refuses the model, or does not know the capability.
    """
    number = capability.replace(".", "")
    target = getattr(trt.ComputeCapability, f"SM{number}", None)
    if target is None:
        known = sorted(name for name in dir(trt.ComputeCapability) if name.startswith("SM"))
        raise EngineError(
            f"{trt.__name__} builds for no compute capability {capability}; it knows "
            + ", ".join(f"{name[2:-1]}.{name[-1]}" for name in known)
        )

    def for_target(config: Any) -> None:
        config.num_compute_capabilities = 1
        config.set_compute_capability(target, 0)

    plan = plan_of(model, settings, {"capability": capability})
    built = build(trt, shared_logger(trt), plan, None, for_target)
    settings.engines.mkdir(parents=True, exist_ok=True)
    path = settings.engines / f"{model.task}-sm{number}.engine"
    write_whole(path, built)
    return path


def _importable_without_gpu(reason: EngineError) -> Any:
    try:
        return importlib.import_module("tensorrt_rtx")
    except ImportError as error:
        raise EngineError(
            f"{reason}; and without a GPU only TensorRT-RTX builds: pip install tensorrt-rtx-cu13"
        ) from error
