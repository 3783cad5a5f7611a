"""The GPU as the networks of this process share it: one device, its kernels and its pictures."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Lock

from edge_app.errors import EngineError
from edge_app.inference.cuda import CudaDevice
from edge_app.inference.device_pictures import Cutting

log = logging.getLogger(__name__)

_lock = Lock()
_opened: list[SharedGpu] = []
"""The one that is open, or none. CUDA's primary context is one per process, too."""


class SharedGpu:
    """Opened with the first network, closed with the last; see :func:`acquire`.

    Attributes:
        device: the GPU.
        cutting: makes batches on it; None where its kernels cannot be compiled.
        users: how many networks use it.
    """

    def __init__(self, folder: Path) -> None:
        self.device = CudaDevice()
        self.users = 0
        self.cutting: Cutting | None = None
        try:
            self.cutting = Cutting(self.device, folder)
        except EngineError as error:
            log.warning("pictures are cut out by the CPU, because %s", error)

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
