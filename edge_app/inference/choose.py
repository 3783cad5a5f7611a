"""Which engine runs a model: the GPU's when it works, else the CPU's; and why."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

from edge_app.config.schema import InferenceSettings
from edge_app.errors import EngineError
from edge_app.flow import Batch, Float32
from edge_app.inference.cuda import CudaDevice
from edge_app.inference.fallback import FallbackEngine
from edge_app.inference.model import SHIPPED, Model, Task, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.inference.shared_gpu import SharedGpu, acquire, release
from edge_app.inference.trt_engine import TensorRtEngine, import_tensorrt
from edge_app.ports import Engine

log = logging.getLogger(__name__)


def open_model(settings: InferenceSettings, task: Task) -> Model:
    """Load the configured, or the shipped, model of a task.

    Raises:
        ModelError: it is missing, unreadable or breaks the contract.
    """
    folder: Path = settings.models or SHIPPED
    return load_model(folder / f"{task}.onnx", task)


def open_engine(settings: InferenceSettings, model: Model) -> Engine:
    """Start the engine of a model on the configured device; ``auto`` is the GPU where it works.

    Where it has worked before, a GPU that does not start now is out of order, and tried again.

    Raises:
        EngineError: the wanted device cannot run it.
    """
    if settings.device == "cpu":
        return _open_cpu(settings, model)
    open_cpu = None if settings.device == "gpu" else lambda: _open_cpu(settings, model)
    open_gpu = partial(_open_gpu, settings, model)
    is_kept = has_kept(settings, model.task)
    try:
        engine = FallbackEngine(model.task, open_gpu, open_cpu, is_expected=is_kept)
    except EngineError as error:
        if settings.device == "gpu":
            raise EngineError(f"inference.device is gpu: {error}") from error
        log.info("%s: runs on the CPU (OpenVINO), because %s", model.task, error)
        return _open_cpu(settings, model)
    if not engine.is_degraded:
        log.info("%s: runs on the GPU (TensorRT)", model.task)
    return engine


def describe_engine(engine: Engine) -> str:
    """What runs a network at this moment, for people."""
    if isinstance(engine, FallbackEngine):
        if engine.is_degraded:
            return f"the CPU (OpenVINO), since the GPU failed; failures so far: {engine.failures}"
        return "the GPU (TensorRT)"
    return "the CPU (OpenVINO)"


def describe_gpu() -> tuple[bool, str]:
    """Whether the GPU can be used, and the reason in words, for ``doctor``."""
    try:
        gpu = CudaDevice()
    except EngineError as error:
        return False, str(error)
    try:
        trt = import_tensorrt()
        with gpu.current("asking for its memory"):
            free, total = gpu.free_memory()
    except EngineError as error:
        return False, f"{gpu.name}: {error}"
    finally:
        gpu.close()
    return True, (
        f"{gpu.name}, {trt.__name__} {trt.__version__}, "
        f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
    )


def has_kept(settings: InferenceSettings, task: Task) -> bool:
    """Whether a GPU's engine for a task is kept here: it has been of use before."""
    try:
        return any(settings.engines.glob(f"{task}-*.json"))
    except OSError:  # the service's own folder, which nobody else may look into
        return False


def _open_cpu(settings: InferenceSettings, model: Model) -> Engine:
    return OpenVinoEngine(model, settings.threads, settings.max_batch)


class _OwnedEngine:
    """An engine that lets go of the GPU after itself."""

    def __init__(self, engine: Engine, gpu: SharedGpu) -> None:
        self._engine, self._gpu = engine, gpu

    def infer(self, batch: Batch) -> dict[str, Float32]:
        """Run the network; see :class:`edge_app.ports.Engine`."""
        answer = self._engine.infer(batch)
        self._gpu.measure()
        return answer

    def close(self) -> None:
        """Free the engine, then let go of the GPU."""
        try:
            self._engine.close()
        finally:
            release(self._gpu)


def _open_gpu(settings: InferenceSettings, model: Model, may_build: bool) -> Engine:
    # The device first: nothing of TensorRT may be constructed where there is no GPU.
    gpu = acquire(settings.engines)
    try:
        trt = import_tensorrt()
        engine = TensorRtEngine(trt, gpu.device, model, settings, gpu.cutting, may_build)
        return _OwnedEngine(engine, gpu)
    except BaseException:
        release(gpu)
        raise
