"""Pictures on the GPU: each is copied there once, and cut up there for every network that asks.

A picture's copy is found by the array that it was made of, and holds as long as that array lives.
The array is made read-only with the copy, so that what is on the GPU can never be older than what
the program sees; a picture that others may still write to is copied anew every time.
"""

from __future__ import annotations

import weakref
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from edge_app.errors import EngineError
from edge_app.flow import Cuts, UInt8
from edge_app.inference.cuda import CudaDevice
from edge_app.inference.cutting import Cutter, JobTable, Source, jobs_of
from edge_app.inference.gpu import Gpu, Memory

_SPARE = 16
"""Copies whose pictures are gone and whose memory waits for the next ones."""


class DevicePictures:
    """The pictures that are on the GPU.

    Args:
        gpu: an opened device.

    Attributes:
        copied: how many copies were made.
    """

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self._kept: list[tuple[weakref.ref[UInt8], Memory]] = []
        self._staging: UInt8 = np.empty(0, np.uint8)
        self._is_busy = Lock()
        self.copied = 0

    def source_of(self, picture_bgr: UInt8, stream: Any) -> Source:
        """Where a picture is on the GPU; call it while the device is current.

        Args:
            picture_bgr: uint8 ``[h, w, 3]``, to be held until the stream has been waited for.
            stream: for the copy, which is waited for.

        Raises:
            EngineError: another call hangs in here.
        """
        if not self._is_busy.acquire(blocking=False):
            raise EngineError("another call hangs while it copies a picture to the GPU")
        try:
            memory = self._find(picture_bgr)
            if memory is None or not _is_sealed(picture_bgr):
                memory = self._copied(picture_bgr, memory, stream)
        finally:
            self._is_busy.release()
        return Source(memory.address, (picture_bgr.shape[1], picture_bgr.shape[0]))

    def close(self) -> None:
        """Free everything; call it while the device is current."""
        while self._kept:
            self._kept.pop()[1].close()
        self._staging = np.empty(0, np.uint8)

    def _find(self, picture: UInt8) -> Memory | None:
        return next((memory for of, memory in self._kept if of() is picture), None)

    def _copied(self, picture: UInt8, memory: Memory | None, stream: Any) -> Memory:
        """A copy, in the memory of the last or in other; it can be found only once it is whole."""
        if memory is None:
            memory = self._take(picture.nbytes)
        self._kept = [kept for kept in self._kept if kept[1] is not memory]
        try:
            self._copy(picture, memory, stream)
        except BaseException:
            memory.close()
            raise
        self._kept.append((weakref.ref(picture), memory))
        return memory

    def _take(self, size: int) -> Memory:
        """Memory of a picture that is gone, or new."""
        spare = [kept for kept in self._kept if kept[0]() is None]
        fitting = next((memory for _, memory in spare if memory.size == size), None)
        if fitting is not None:
            return fitting
        for kept in spare[:-_SPARE]:
            self._kept.remove(kept)
            kept[1].close()
        memory: Memory = self._gpu.buffer(size)
        return memory

    def _copy(self, picture: UInt8, memory: Memory, stream: Any) -> None:
        if self._staging.size < picture.nbytes:
            self._staging = self._gpu.pinned((picture.nbytes,), np.uint8)
        staging = self._staging[: picture.nbytes].reshape(picture.shape)
        _seal(picture)
        np.copyto(staging, picture)
        self._gpu.copy_in(staging, memory, stream)
        # The next picture needs the staging memory, and other streams this copy.
        stream.synchronize()
        self.copied += 1


def _seal(picture: UInt8) -> None:
    """Let nobody write to an array any more."""
    picture.flags.writeable = False


def _is_sealed(picture: UInt8) -> bool:
    """Whether nobody can write to an array's memory through another array."""
    array: Any = picture
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None or isinstance(array, bytes)


class Cutting:
    """Makes batches on the GPU.

    Args:
        gpu: an opened device.
        folder: where compiled kernels are kept.

    Attributes:
        pictures: that are on the GPU.

    Raises:
        EngineError: the kernels cannot be compiled here.
    """

    def __init__(self, gpu: CudaDevice, folder: Path) -> None:
        self._cutter = Cutter(gpu, folder)
        self.pictures = DevicePictures(gpu)

    def fill(self, cuts: Cuts, table: JobTable, batch: Memory, stream: Any) -> None:
        """Queue the making of a batch; call it while the device is current.

        Args:
            cuts: what goes into it.
            table: of the stream's own.
            batch: uint8 ``[N, H, W, 3]`` on the GPU.
            stream: that the work is queued on.
        """
        sources = [self.pictures.source_of(picture, stream) for picture in cuts.pictures_bgr]
        self._cutter.cut(sources, jobs_of(cuts), table, (batch, cuts.input_size), stream)
