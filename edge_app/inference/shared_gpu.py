"""The GPU as the networks of this process share it: one device, its kernels and its pictures."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Lock

from edge_app.errors import EngineError
from edge_app.inference.cuda import CudaDevice
from edge_app.inference.device_pictures import Cutting

log = logging.getLogger(__name__)

_lock = Lock()
_opened: list[SharedGpu] = []
"""The one that is open, or none. CUDA's primary context is one per process, too."""


MEASURE_S = 30.0


class SharedGpu:
    """Opened with the first network, closed with the last; see :func:`acquire`.

    Attributes:
        device: the GPU.
        cutting: makes batches on it; None where its kernels cannot be compiled.
        users: how many networks use it.
        memory_mb: in use on it, by whomever, MiB, when last measured; None before.
    """

    def __init__(self, folder: Path) -> None:
        self.device = CudaDevice()
        self.users = 0
        self.memory_mb: float | None = None
        self._measured_at_s = float("-inf")
        self.cutting: Cutting | None = None
        try:
            self.cutting = Cutting(self.device, folder)
        except EngineError as error:
            log.warning("pictures are cut out by the CPU, because %s", error)

    def measure(self) -> None:
        """Note how much memory is in use, twice a minute.

        For threads that a driver may keep for ever, as it is asked.

        Raises:
            EngineError: the GPU failed meanwhile.
        """
        now_s = time.monotonic()
        if now_s - self._measured_at_s >= MEASURE_S:
            self._measured_at_s = now_s
            with self.device.current("asking for its memory"):
                free, total = self.device.free_memory()
            self.memory_mb = (total - free) / 2**20

    def close(self) -> None:
        """Free the pictures, then let go of the device."""
        try:
            if self.cutting is not None:
                with self.device.current("freeing pictures"):
                    self.cutting.pictures.close()
        finally:
            self.device.close()


def acquire(folder: Path) -> SharedGpu:
    """The GPU for one more network; :func:`release` it.

    Args:
        folder: where compiled kernels are kept.

    Raises:
        EngineError: there is none, or it does not work.
    """
    with _lock:
        if not _opened:
            _opened.append(SharedGpu(folder))
        _opened[0].users += 1
        return _opened[0]


def memory_in_use_mb() -> float | None:
    """Of the GPU, MiB, as measured last; None where none is open."""
    return next((gpu.memory_mb for gpu in tuple(_opened)), None)


def release(gpu: SharedGpu) -> None:
    """One network less uses it.

    Raises:
        EngineError: it failed while it was closed.
    """
    with _lock:
        gpu.users -= 1
        if gpu.users == 0:
            _opened.remove(gpu)
            gpu.close()
