"""TensorRT engines: built on the device at first start, kept, and rebuilt when anything differs.

An engine fits one model, one TensorRT, one GPU and one range of batch sizes, and no interface
tells from a file whether it does; so a JSON file beside it says what it was built from. Only names
are used that exist in TensorRT 10.3, 10.13 and 11.4 alike. ``trt`` is the module, whichever it is.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_app.errors import EngineError
from edge_app.whole_file import write_whole

log = logging.getLogger(__name__)

OLDEST = {"tensorrt": (10, 0), "tensorrt_rtx": (1, 0)}
"""The oldest versions whose networks are strongly typed."""


@dataclass(frozen=True)
class Plan:
    """What an engine is built from.

    Attributes:
        name: for files and messages, such as ``detector``.
        onnx: the model file.
        model_sha256: of its content.
        input_name: of its only input.
        input_shape: of one picture in it, H, W, 3.
        max_batch: largest batch; the smallest is 1.
        workspace_mb: memory that building may use.
        optimization_level: 0 builds fast, 5 runs fast.
        gpu: facts of the device.
    """

    name: str
    onnx: Path
    model_sha256: str
    input_name: str
    input_shape: tuple[int, int, int]
    max_batch: int
    workspace_mb: int
    optimization_level: int
    gpu: dict[str, str]

    def facts(self, trt: Any) -> dict[str, str]:
        """Everything that makes an engine unfit when it differs."""
        return self.gpu | {
            "model": self.model_sha256,
            "runtime": trt.__name__,
            "version": str(trt.__version__),
            "batch": f"1..{self.max_batch}",
            "workspace_mb": str(self.workspace_mb),
            "optimization_level": str(self.optimization_level),
        }


def version_of(trt: Any) -> tuple[int, ...]:
    """The version of TensorRT as integers; text would put 10.13 before 10.3.

    Raises:
        EngineError: it is too old, or says no version.
    """
    numbers = tuple(int(n) for n in re.findall(r"\d+", str(getattr(trt, "__version__", ""))))
    oldest = OLDEST.get(trt.__name__, (10, 0))
    if numbers[:2] < oldest:
        told = ".".join(map(str, oldest))
        raise EngineError(
            f"{trt.__name__} {getattr(trt, '__version__', 'without a version')} is too old; "
            f"expected {told} or newer"
        )
    return numbers


def started(kind: Any, logger: Any) -> Any:
    """A ``Builder`` or ``Runtime`` of TensorRT.

    Args:
        kind: its class.
        logger: TensorRT's.

    Raises:
        EngineError: there is none; pybind11 says so with a TypeError.
    """
    try:
        return kind(logger)
    except TypeError as error:
        raise EngineError(
            f"TensorRT's {kind.__name__} does not start ({error}): the driver is too old for this "
            "TensorRT, or the GPU's memory is full; its log says which"
        ) from error


def build(
    trt: Any,
    logger: Any,
    plan: Plan,
    timing_cache: Path | None,
    adjust: Callable[[Any], None] = lambda _: None,
) -> bytes:
    """Build an engine; takes seconds to minutes.

    Args:
        trt: the TensorRT module.
        logger: its logger.
        plan: what to build.
        timing_cache: a file of measurements of earlier builds, None for none.
        adjust: changes TensorRT's build configuration before it is used.

    Raises:
        EngineError: TensorRT refuses the model, or fails.
    """
    builder = started(trt.Builder, logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(plan.onnx.read_bytes()):
        reasons = [parser.get_error(i).desc() for i in range(parser.num_errors)]
        raise EngineError(f"{plan.onnx}: TensorRT cannot read it: {'; '.join(reasons)}")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, plan.workspace_mb << 20)
    config.builder_optimization_level = plan.optimization_level
    profile = builder.create_optimization_profile()
    middle = max(1, plan.max_batch // 2)
    shapes = [(n, *plan.input_shape) for n in (1, middle, plan.max_batch)]
    profile.set_shape(plan.input_name, *shapes)
    if config.add_optimization_profile(profile) < 0:
        raise EngineError(f"{plan.onnx}: TensorRT refuses batches of 1 to {plan.max_batch}")
    config.progress_monitor = _monitor(trt, plan.name)
    cache = _load_timing(config, timing_cache)
    adjust(config)
    built = builder.build_serialized_network(network, config)
    if built is None:
        raise EngineError(f"{plan.onnx}: TensorRT could not build an engine; its log says why")
    if cache is not None and timing_cache is not None:
        _keep({timing_cache: bytes(config.get_timing_cache().serialize())})
    return bytes(built)


def _load_timing(config: Any, path: Path | None) -> Any:
    """The timing cache in the configuration; None where this TensorRT has none."""
    if path is None or not hasattr(config, "create_timing_cache"):
        return None
    known = path.read_bytes() if path.is_file() else b""
    cache = config.create_timing_cache(known)
    if cache is None or not config.set_timing_cache(cache, False):
        # Damaged, or another GPU's or another version's measurements: worth nothing here.
        cache = config.create_timing_cache(b"")
        config.set_timing_cache(cache, False)
    return cache


def _monitor(trt: Any, name: str) -> Any:
    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        """Says how far building is, phase by phase."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._top: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            if not parent_phase:
                self._top[phase_name] = max(int(num_steps), 1)

        def step_complete(self, phase_name: str, step: int) -> bool:
            if phase_name in self._top:
                done = (int(step) + 1) / self._top[phase_name]
                log.info("%s: building the GPU engine, %s %.0f %%", name, phase_name, done * 100)
            return True

        def phase_finish(self, phase_name: str) -> None:
            self._top.pop(phase_name, None)

    return Monitor()


class EngineFiles:
    """The folder of built engines.

    Args:
        folder: made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, trt: Any, plan: Plan) -> bytes | None:
        """A kept engine that was built from exactly this, undamaged; else None."""
        path, side = self._paths(trt, plan)
        try:
            engine, told = path.read_bytes(), json.loads(side.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        expected = plan.facts(trt) | {"engine": hashlib.sha256(engine).hexdigest()}
        if told != expected:
            log.warning("%s: does not match its side file; the engine is built anew", path)
            return None
        return engine

    def build(self, trt: Any, logger: Any, plan: Plan) -> bytes:
        """Build an engine and keep it; engines of the same network that it replaces are removed.

        Raises:
            EngineError: it could not be built.
        """
        log.info("%s: building the GPU engine, once for this model and GPU", plan.name)
        is_kept = self._is_usable()
        timing = self._folder / f"timing-{_digest(plan.gpu | {'v': str(trt.__version__)})}.cache"
        engine = build(trt, logger, plan, timing if is_kept else None)
        if is_kept:
            path, side = self._paths(trt, plan)
            told = plan.facts(trt) | {"engine": hashlib.sha256(engine).hexdigest()}
            # What is out of date goes first, to leave its room; the side file comes last: an
            # engine without one is never used.
            self._remove_others(plan.name, path.stem)
            _keep({path: engine, side: json.dumps(told, indent=1, sort_keys=True).encode()})
        return engine

    def _paths(self, trt: Any, plan: Plan) -> tuple[Path, Path]:
        base = self._folder / f"{plan.name}-{_digest(plan.facts(trt))}"
        return base.with_suffix(".engine"), base.with_suffix(".json")

    def _is_usable(self) -> bool:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe = self._folder / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            log.warning("%s: engines cannot be kept here (%s)", self._folder, error.strerror)
            return False
        return True

    def _remove_others(self, name: str, kept: str) -> None:
        for path in self._folder.glob(f"{name}-*"):
            is_ours = path.suffix in (".engine", ".json", ".part")
            if is_ours and path.stem != kept:
                log.info("%s: removed, it is out of date", path)
                path.unlink(missing_ok=True)


def _keep(files: dict[Path, bytes]) -> None:
    """Write files whole, in this order; a full disk costs the next start time, and no more."""
    try:
        for path, content in files.items():
            write_whole(path, content)
    except OSError as error:
        log.warning("%s: cannot be kept (%s); the next start builds anew", path, error.strerror)


def _digest(facts: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
