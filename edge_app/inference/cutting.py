"""Cutting network inputs out of frames on the GPU, with the kernels of ``kernels/cut.cu``.

A job says which box of the frame goes where; letterboxing a frame, cutting a person and stretching
a garment are three kinds of the same job, and one launch does all jobs of a batch.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edge_app.errors import EngineError
from edge_app.flow import Cuts
from edge_app.geometry import Letterbox
from edge_app.inference.cuda import CudaDevice
from edge_app.inference.gpu import Gpu, Memory
from edge_app.inference.preprocess import PADDING
from edge_app.whole_file import write_whole

log = logging.getLogger(__name__)

SOURCE = Path(__file__).parent / "kernels" / "cut.cu"
_BLOCK = (32, 8, 1)

Jobs = npt.NDArray[np.int32]
PixelFormat = Literal["bgr", "nv12"]


def letterbox_job(size: tuple[int, int], input_size: tuple[int, int]) -> Jobs:
    """The whole of a picture, fitted top-left into an input; see ``preprocess.letterbox``.

    Args:
        size: width and height of the picture.
        input_size: width and height of the network's input.

    Returns:
        int32 ``[8]``.
    """
    fit = Letterbox.fit(size, input_size)
    return np.array([0, 0, *size, fit.width, fit.height, fit.is_averaged, PADDING], np.int32)


def stretch_job(box: npt.NDArray[np.int64], input_size: tuple[int, int]) -> Jobs:
    """A box of a picture, stretched over an input; see ``preprocess.stretch``.

    Args:
        box: int64 ``[4]``, xyxy in whole pixels inside the picture, at least one pixel each way.
        input_size: width and height of the network's input.
    """
    x1, y1, x2, y2 = (int(v) for v in box)
    return np.array([x1, y1, x2 - x1, y2 - y1, *input_size, 0, PADDING], np.int32)


def person_job(box: npt.NDArray[np.int64], input_size: tuple[int, int]) -> Jobs:
    """A box of a picture, letterboxed into an input: a person for the garment detector."""
    x1, y1, x2, y2 = (int(v) for v in box)
    job = letterbox_job((x2 - x1, y2 - y1), input_size)
    job[:2] = x1, y1
    return job


def jobs_of(cuts: Cuts) -> Jobs:
    """The jobs that make a batch: int32 ``[N, 8]``."""
    job = stretch_job if cuts.fit == "stretch" else person_job
    return np.stack([job(box, cuts.input_size) for box in cuts.boxes])


@dataclass(frozen=True)
class Source:
    """A picture on the GPU, rows without gaps; NV12 has its chroma right after its luma.

    Attributes:
        address: on the device.
        size: width and height.
        pixel_format: of it.
    """

    address: int
    size: tuple[int, int]
    pixel_format: PixelFormat = "bgr"


class JobTable:
    """Where the jobs of one batch lie while the kernels read them.

    Args:
        gpu: an opened device, current.
        most: jobs in a batch.
    """

    def __init__(self, gpu: Gpu, most: int) -> None:
        self._pinned = gpu.pinned((most, 8), np.int32)
        self._memory: Memory = gpu.buffer(self._pinned.nbytes)
        self._gpu = gpu

    def put(self, jobs: Jobs, stream: Any) -> int:
        """Queue the copying of jobs; their address on the device."""
        pinned = self._pinned[: len(jobs)]
        np.copyto(pinned, jobs)
        self._gpu.copy_in(pinned, self._memory, stream)
        return self._memory.address

    def close(self) -> None:
        """Free it."""
        self._memory.close()


class Cutter:
    """The kernels, loaded on a device.

    Args:
        gpu: an opened device.
        folder: where compiled kernels are kept.

    Raises:
        EngineError: they cannot be compiled here.
    """

    def __init__(self, gpu: CudaDevice, folder: Path) -> None:
        with gpu.current("loading kernels"):
            module = gpu.module(_binary(gpu, folder))
            self._bgr, self._nv12 = (module.get_function(n) for n in ("cut_bgr", "cut_nv12"))

    def cut(
        self,
        sources: Sequence[Source],
        jobs: Jobs,
        table: JobTable,
        out: tuple[Memory, tuple[int, int]],
        stream: Any,
    ) -> None:
        """Queue the cutting of a batch; call it while the device is current.

        Args:
            sources: the picture of each job; they stay until the stream has been waited for.
            jobs: int32 ``[N, 8]``.
            table: free until the stream has been waited for.
            out: the batch, uint8 ``[N, H, W, 3]`` on the GPU, and its width and height.
            stream: that the work is queued on.

        Raises:
            EngineError: the batch does not hold the jobs' pictures.
        """
        memory, (width, height) = out
        if len(jobs) * width * height * 3 > memory.size:
            raise EngineError(f"{len(jobs)} pictures do not fit a batch of {memory.size} bytes")
        at = table.put(jobs, stream)
        start = 0
        # One launch for all that is next to each other and of one picture.
        for source, run in groupby(sources):
            count = len(list(run))
            tail = (
                np.uintp(at + start * jobs[0].nbytes), np.int32(width), np.int32(height),
                np.uintp(memory.address + start * width * height * 3),
            )  # fmt: skip
            grid = (-(-width // _BLOCK[0]), -(-height // _BLOCK[1]), count)
            self._launch(source, tail, grid, stream)
            start += count

    def _launch(
        self, source: Source, tail: tuple[Any, ...], grid: tuple[int, int, int], stream: Any
    ) -> None:
        plane, (width, height) = np.uintp(source.address), source.size
        if source.pixel_format == "bgr":
            self._bgr(plane, np.int32(3 * width), *tail, block=_BLOCK, grid=grid, stream=stream)
        else:
            chroma = np.uintp(source.address + width * height)
            head = (plane, chroma, np.int32(width))
            self._nv12(*head, *tail, block=_BLOCK, grid=grid, stream=stream)


def _binary(gpu: CudaDevice, folder: Path) -> bytes:
    """The compiled kernels for this device, kept from the last start if nothing has changed."""
    source = SOURCE.read_text(encoding="utf-8")
    facts = "|".join([source, *gpu.facts.values()])
    path = folder / f"cut-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.cubin"
    with suppress(OSError):
        return path.read_bytes()
    binary = gpu.compile(source)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, binary)
    except OSError as error:
        log.warning(
            "%s: kernels cannot be kept (%s); the next start compiles anew", path, error.strerror
        )
    return binary
