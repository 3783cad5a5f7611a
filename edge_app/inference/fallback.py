"""A GPU that fails at run time: rebuilt after a pause, and the CPU in its place meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge_app.errors import EngineError
from edge_app.flow import Batch, Float32
from edge_app.inference.shared_gpu import memory_in_use_mb
from edge_app.ports import Engine

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0

HOPELESS_S = 3600.0
MISSING_S = 86_400.0
"""A GPU that was tried in vain for so long, or that never worked and was for so long, asks for a
new process, which alone mends a broken context or a driver that came late."""


class FallbackEngine:
    """An engine that a failing GPU does not stop.

    The batch on which the GPU fails is run again on the CPU: no answer is lost, and none is stale.
    The GPU is started anew after 5 s, 10 s, 20 s ... up to five minutes; when it works again, it
    takes over again.

    Args:
        name: of the network, for messages.
        open_gpu: starts the engine on the GPU; told whether there is time to build it, as there is
            only before somebody waits for answers.
        open_cpu: starts it on the CPU; None where only the GPU will do, and failures are raised.
        clock: seconds that never go back.
        is_expected: the GPU has worked before, so that one that does not start has failed too.

    Attributes:
        failures: how often the GPU has failed.

    Raises:
        EngineError: the GPU does not start, and is not expected to or nothing can take over.
    """

    def __init__(
        self,
        name: str,
        open_gpu: Callable[[bool], Engine],
        open_cpu: Callable[[], Engine] | None,
        clock: Callable[[], float] = time.monotonic,
        is_expected: bool = False,
    ) -> None:
        self._name = name
        self._open_gpu, self._open_cpu = open_gpu, open_cpu
        self._clock = clock
        self._gpu: Engine | None = None
        self._cpu: Engine | None = None
        self._pause_s = FIRST_PAUSE_S
        self._retry_at_s = 0.0
        self._lost_at_s = self._failed_at_s = 0.0
        self._has_worked = False
        self.failures = 0
        try:
            self._gpu = open_gpu(True)
        except EngineError as error:
            if open_cpu is None or not is_expected:
                raise
            self._lose(error)

    @property
    def is_degraded(self) -> bool:
        """Whether the GPU is out of order now."""
        return self._gpu is None

    @property
    def trouble(self) -> str | None:
        """What is wrong, for people; None while the GPU works."""
        return f"the GPU fails, and the CPU runs the {self._name}" if self.is_degraded else None

    @property
    def needs_process(self) -> bool:
        """Only a new process may help; of a GPU that nobody has asked meanwhile, nobody knows."""
        patience_s = HOPELESS_S if self._has_worked else MISSING_S
        return self.is_degraded and self._failed_at_s - self._lost_at_s > patience_s

    def infer(self, batch: Batch) -> dict[str, Float32]:
        """Run the network; see :class:`edge_app.ports.Engine`."""
        if self._gpu is None and self._clock() >= self._retry_at_s:
            self._start_again()
        if self._gpu is not None:
            try:
                answer = self._gpu.infer(batch)
            except EngineError as error:
                self._lose(error)
                if self._open_cpu is None:
                    raise
            else:
                # Only work shows that it works: a GPU that starts and fails keeps its pause.
                self._pause_s, self._has_worked = FIRST_PAUSE_S, True
                return answer
        return self._on_cpu(batch)

    def _on_cpu(self, batch: Batch) -> dict[str, Float32]:
        if self._open_cpu is None:
            raise EngineError(
                f"{self._name}: the GPU is out of order and inference.device is gpu; "
                "set it to auto to let the CPU take over"
            )
        if self._cpu is None:
            self._cpu = self._open_cpu()
        return self._cpu.infer(batch)

    def _lose(self, error: EngineError) -> None:
        self.failures += 1
        self._failed_at_s = self._clock()
        if self._pause_s == FIRST_PAUSE_S:
            self._lost_at_s = self._failed_at_s
        self._retry_at_s = self._failed_at_s + self._pause_s
        log.error(
            "%s: %s; %s, the GPU is started anew in %.0f s",
            self._name,
            error,
            "the CPU takes over" if self._open_cpu else "nothing can take over",
            self._pause_s,
        )
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        broken, self._gpu = self._gpu, None
        if broken is not None:
            try:
                broken.close()
            except EngineError as closing:
                log.warning("%s: a broken GPU engine could not be freed: %s", self._name, closing)

    def _start_again(self) -> None:
        try:
            self._gpu = self._open_gpu(False)
        except EngineError as error:
            self._lose(error)
        else:
            log.warning("%s: the GPU is back", self._name)

    def close(self) -> None:
        """Free both engines."""
        for engine in (self._gpu, self._cpu):
            if engine is not None:
                engine.close()
        self._gpu = self._cpu = None


@dataclass(frozen=True)
class GpuState:
    """How the GPU is doing for several networks.

    Attributes:
        trouble: what is wrong, for people; None while it works, or where there is none.
        failures: how often it has failed.
        memory_mb: in use on it, MiB; None where it is not known.
        needs_process: it was tried in vain for so long that only a new process may help.
    """

    trouble: str | None
    failures: int
    memory_mb: float | None = None
    needs_process: bool = False


def gpu_state(engines: Mapping[str, Engine]) -> GpuState:
    """How the GPU is doing, by the engines, of some networks, that fall back from it."""
    inner = map(_innermost, engines.values())
    ours = [engine for engine in inner if isinstance(engine, FallbackEngine)]
    trouble = next((engine.trouble for engine in ours if engine.trouble), None)
    failures = sum(engine.failures for engine in ours)
    needs_process = any(engine.needs_process for engine in ours)
    return GpuState(trouble, failures, memory_in_use_mb() if ours else None, needs_process)


def _innermost(engine: Engine) -> Engine:
    """What an engine wraps, however often."""
    while (inner := getattr(engine, "inner", None)) is not None:
        engine = inner
    return engine
