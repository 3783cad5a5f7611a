"""Networks on the GPU, through TensorRT.

Two slots, each with its own execution context, stream and buffers: while one computes, the other's
pictures are copied, or cut out of pictures that are on the GPU already. Every return value of
TensorRT is checked, and answers are copied out only after the stream has been waited for: nothing
stale ever comes back. Nothing of TensorRT is constructed before a GPU has been opened; its Runtime
crashes the process on a machine without one.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_app.config.schema import InferenceSettings
from edge_app.errors import EngineError
from edge_app.flow import Batch, Cuts, Float32
from edge_app.inference.cutting import JobTable
from edge_app.inference.device_pictures import Cutting
from edge_app.inference.gpu import Gpu
from edge_app.inference.model import INPUT, Model
from edge_app.inference.preprocess import pixels_of
from edge_app.inference.trt_build import EngineFiles, Plan, started, version_of

log = logging.getLogger(__name__)

SLOTS = 2


def import_tensorrt() -> Any:
    """TensorRT as JetPack or NVIDIA's index installed it, or TensorRT-RTX.

    Raises:
        EngineError: neither is there, or it is too old; says what to install.
    """
    broken: list[str] = []
    for name in ("tensorrt", "tensorrt_rtx"):
        try:
            trt = importlib.import_module(name)
        except (ImportError, OSError) as error:
            if getattr(error, "name", None) != name:
                broken.append(f"{name} ({error})")
            continue
        version_of(trt)
        return trt
    if broken:
        raise EngineError(
            f"TensorRT cannot be loaded: {', '.join(broken)}; install it again, for this Python "
            "and this driver"
        )
    raise EngineError(
        "TensorRT is not installed: on a Jetson, apt install python3-libnvinfer and make the "
        "environment with --system-site-packages; on an RTX card, pip install tensorrt-rtx-cu13"
    )


class TensorRtEngine:
    """One network on one GPU.

    Args:
        trt: the TensorRT module.
        gpu: an opened device; it stays open after ``close``.
        model: a model that keeps the contract.
        settings: of inference.
        cutting: cuts batches out of pictures on the GPU; without it the CPU does.
        may_build: there is time to build an engine, which takes minutes, where none is kept.

    Raises:
        EngineError: the engine cannot be built or started.
    """

    def __init__(
        self,
        trt: Any,
        gpu: Gpu,
        model: Model,
        settings: InferenceSettings,
        cutting: Cutting | None = None,
        may_build: bool = True,
    ) -> None:
        self._trt, self._gpu, self._model, self._cutting = trt, gpu, model, cutting
        self._max_batch = settings.max_batch
        self._slots: list[_Slot] = []
        plan = plan_of(model, settings, gpu.facts)
        files = EngineFiles(settings.engines)
        with gpu.current(f"starting the {model.task}"):
            self._logger = shared_logger(trt)
            self._runtime = started(trt.Runtime, self._logger)
            self._engine = self._load(files, plan, may_build)
            self._inputs, self._outputs = self._check_tensors()
            try:
                for _ in range(SLOTS):
                    self._slots.append(_Slot(self))
            except BaseException:
                self._close_slots()
                raise

    def _load(self, files: EngineFiles, plan: Plan, may_build: bool) -> Any:
        kept = files.load(self._trt, plan)
        if kept is not None:
            engine = self._runtime.deserialize_cuda_engine(kept)
            if engine is not None:
                return engine
            log.warning("%s: the kept GPU engine cannot be read", plan.name)
        if not may_build:
            raise EngineError(
                f"{plan.onnx}: no GPU engine that can be read is kept, and "
                "building one takes minutes, which a box at work does not have; restart it"
            )
        built = files.build(self._trt, self._logger, plan)
        engine = self._runtime.deserialize_cuda_engine(built)
        if engine is None:
            raise EngineError(f"{plan.onnx}: TensorRT cannot read the engine that it has built")
        return engine

    def _check_tensors(self) -> tuple[str, tuple[str, ...]]:
        """Names of the input and of the outputs, whose types must be those of the contract."""
        trt, engine = self._trt, self._engine
        inputs: list[str] = []
        outputs: list[str] = []
        for index in range(engine.num_io_tensors):
            name = engine.get_tensor_name(index)
            is_input = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
            kind = np.dtype(trt.nptype(engine.get_tensor_dtype(name)))
            expected = np.dtype(np.uint8 if is_input else np.float32)
            if kind != expected:
                raise EngineError(f"{self._model.path}: {name} is {kind}, expected {expected}")
            (inputs if is_input else outputs).append(name)
        if len(inputs) != 1 or set(outputs) != set(self._model.outputs):
            raise EngineError(
                f"{self._model.path}: the engine has inputs {inputs} and outputs {outputs}, "
                f"expected one input and {list(self._model.outputs)}"
            )
        return inputs[0], tuple(outputs)

    def infer(self, batch: Batch) -> dict[str, Float32]:
        """Run the network; see :class:`edge_app.ports.Engine`."""
        if not self._slots:
            raise EngineError(f"{self._model.path}: the engine was used after it was closed")
        step = self._max_batch
        portions = [batch[i : i + step] for i in range(0, len(batch), step)]
        parts: list[dict[str, Float32]] = []
        with self._gpu.current(f"running the {self._model.task}"):
            for index, portion in enumerate(portions):
                if index >= SLOTS:
                    parts.append(self._slots[index % SLOTS].finish())
                self._slots[index % SLOTS].start(portion)
            rest = range(len(parts), len(portions))
            parts += [self._slots[index % SLOTS].finish() for index in rest]
        if len(parts) == 1:
            return parts[0]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def close(self) -> None:
        """Free everything on the GPU but the device itself."""
        if self._slots:
            with self._gpu.current(f"closing the {self._model.task}"):
                self._close_slots()
                del self._engine, self._runtime

    def _close_slots(self) -> None:
        for slot in self._slots:
            try:
                # After a failure the other slot may still be at work on what is freed here.
                with self._gpu.current(f"waiting for the {self._model.task}"):
                    slot.wait()
            except EngineError as error:
                log.warning("%s", error)
            slot.close()
        self._slots = []


class _Slot:
    """An execution context with a stream and buffers of its own, for one batch at a time."""

    def __init__(self, owner: TensorRtEngine) -> None:
        self._gpu, self._model, self._cutting = owner._gpu, owner._model, owner._cutting
        self._input, self._outputs = owner._inputs, owner._outputs
        self._context = owner._engine.create_execution_context()
        if self._context is None:
            raise EngineError(f"{self._model.path}: TensorRT has no memory for a context")
        width, height = self._model.input_size
        self._picture = (height, width, 3)
        self._jobs: JobTable | None = None
        self._memory: dict[str, Any] = {}
        self._pinned: dict[str, npt.NDArray[Any]] = {}
        self._count = 0
        self._is_at_work = False
        try:
            self._stream = self._gpu.stream()
            self._select_profile()
            self._set_shape(owner._max_batch, self._picture)
            self._allocate(self._input, np.uint8)
            for name in self._outputs:
                self._allocate(name, np.float32)
            if self._cutting is not None:
                self._jobs = JobTable(self._gpu, owner._max_batch)
        except BaseException:
            self.close()
            raise

    def _select_profile(self) -> None:
        if not self._context.set_optimization_profile_async(0, self._stream.handle):
            raise EngineError(f"{self._model.path}: TensorRT refuses its own profile")

    def _set_shape(self, count: int, picture: tuple[int, ...]) -> None:
        if not self._context.set_input_shape(self._input, (count, *picture)):
            raise EngineError(f"{self._model.path}: TensorRT refuses a batch of {count}")
        missing = self._context.infer_shapes()
        if missing:
            raise EngineError(f"{self._model.path}: TensorRT does not know the shape of {missing}")

    def _shape(self, name: str) -> tuple[int, ...]:
        shape = tuple(self._context.get_tensor_shape(name))
        if min(shape, default=1) < 0:
            raise EngineError(f"{self._model.path}: TensorRT does not know the shape of {name}")
        return shape

    def _allocate(self, name: str, dtype: npt.DTypeLike) -> None:
        """Memory for the largest batch, on both sides."""
        pinned = self._gpu.pinned(self._shape(name), dtype)
        self._pinned[name] = pinned
        self._memory[name] = self._gpu.buffer(pinned.nbytes)
        if not self._context.set_tensor_address(name, self._memory[name].address):
            raise EngineError(f"{self._model.path}: TensorRT refuses the memory of {name}")

    def start(self, batch: Batch) -> None:
        """Queue a batch: copy or cut in, compute, copy out."""
        count = len(batch)
        self._set_shape(count, self._picture if isinstance(batch, Cuts) else batch.shape[1:])
        # What a failure has left of the batch before still reads the memory that is filled now.
        self.wait()
        self._is_at_work = True
        self._fill(batch)
        if not self._context.execute_async_v3(self._stream.handle):
            raise EngineError(f"{self._model.path}: TensorRT could not run a batch of {count}")
        for name in self._outputs:
            shape = self._shape(name)
            if shape[0] != count:
                raise EngineError(f"{self._model.path}: {name} has {shape[0]} rows, not {count}")
            self._gpu.copy_out(self._memory[name], self._pinned[name][:count], self._stream)
        self._count = count

    def _fill(self, batch: Batch) -> None:
        """Queue what brings a batch into the network's input."""
        memory = self._memory[self._input]
        if self._cutting is not None and self._jobs is not None and isinstance(batch, Cuts):
            self._cutting.fill(batch, self._jobs, memory, self._stream)
            return
        source = self._pinned[self._input][: len(batch)]
        if isinstance(batch, Cuts):
            pixels_of(batch, source)
        else:
            np.copyto(source, batch)
        self._gpu.copy_in(source, memory, self._stream)

    def finish(self) -> dict[str, Float32]:
        """Wait for the batch, and take its answers out of the pinned memory."""
        self.wait()
        return {name: self._pinned[name][: self._count].copy() for name in self._outputs}

    def wait(self) -> None:
        """Wait for what is queued, if anything is."""
        if self._is_at_work:
            self._stream.synchronize()
            self._is_at_work = False

    def close(self) -> None:
        """Free the buffers; the context goes with its last reference."""
        for memory in self._memory.values():
            memory.close()
        if self._jobs is not None:
            self._jobs.close()
        self._memory.clear()
        self._pinned.clear()
        self._context = None


_loggers: dict[str, Any] = {}


def shared_logger(trt: Any) -> Any:
    """The logger of this TensorRT; it keeps the first one it is given for good, so there is one."""
    if trt.__name__ not in _loggers:
        _loggers[trt.__name__] = trt.Logger(trt.Logger.WARNING)
    return _loggers[trt.__name__]


def plan_of(model: Model, settings: InferenceSettings, facts: dict[str, str]) -> Plan:
    """What the engine of a model is built from.

    Args:
        model: that keeps the contract.
        settings: of inference.
        facts: of the device.
    """
    width, height = model.input_size
    return Plan(
        name=model.task,
        onnx=model.path,
        model_sha256=model.sha256,
        input_name=INPUT[model.task],
        input_shape=(height, width, 3),
        max_batch=settings.max_batch,
        workspace_mb=settings.workspace_mb,
        optimization_level=settings.optimization_level,
        gpu=facts,
    )
