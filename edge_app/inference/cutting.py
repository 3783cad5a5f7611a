"""Cutting network inputs out of frames on the GPU, with the kernels of ``kernels/cut.cu``.

A job says which box of the frame goes where; letterboxing a frame, cutting a person and stretching
a garment are three kinds of the same job, and one launch does all jobs of a batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edge_app.errors import EngineError
from edge_app.geometry import Letterbox
from edge_app.inference.cuda import Buffer, CudaDevice
from edge_app.inference.preprocess import PADDING
from edge_app.inference.trt_build import write_whole

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
    # As on the CPU: far smaller pictures are averaged, or they alias.
    is_area = int(fit.scale_x < 0.5)
    return np.array([0, 0, *size, fit.width, fit.height, is_area, PADDING], np.int32)


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


class Cutter:
    """The kernels, loaded on a device.

    Args:
        gpu: an opened device.
        folder: where compiled kernels are kept.

    Raises:
        EngineError: they cannot be compiled here.
    """

    def __init__(self, gpu: CudaDevice, folder: Path) -> None:
        self._gpu = gpu
        with gpu.current("loading kernels"):
            module = gpu.module(_binary(gpu, folder))
            self._bgr, self._nv12 = (module.get_function(n) for n in ("cut_bgr", "cut_nv12"))

    def cut(
        self,
        frame: Buffer,
        frame_size: tuple[int, int],
        pixel_format: PixelFormat,
        jobs: Sequence[Jobs],
        out: tuple[Buffer, tuple[int, int]],
        stream: Any,
    ) -> None:
        """Queue the cutting of a batch; call it while the device is current.

        Args:
            frame: a frame on the GPU, rows without gaps; NV12 has its chroma right after its luma.
            frame_size: its width and height.
            pixel_format: of it.
            jobs: one per picture of the batch.
            out: the batch, uint8 ``[N, H, W, 3]`` on the GPU, and its width and height.
            stream: that the work is queued on; waited for, because the jobs are short-lived.

        Raises:
            EngineError: the batch does not hold the jobs' pictures.
        """
        buffer, (width, height) = out
        if len(jobs) * width * height * 3 > buffer.size:
            raise EngineError(f"{len(jobs)} pictures do not fit a batch of {buffer.size} bytes")
        table = self._gpu.pinned((len(jobs), 8), np.int32)
        table[:] = np.stack(jobs)
        on_gpu = self._gpu.buffer(table.nbytes)
        try:
            self._gpu.copy_in(table, on_gpu, stream)
            grid = (-(-width // _BLOCK[0]), -(-height // _BLOCK[1]), len(jobs))
            address = np.uintp(frame.address)
            tail = (on_gpu.allocation, np.int32(width), np.int32(height), buffer.allocation)
            if pixel_format == "bgr":
                pitch = np.int32(3 * frame_size[0])
                self._bgr(address, pitch, *tail, block=_BLOCK, grid=grid, stream=stream)
            else:
                pitch = np.int32(frame_size[0])
                chroma = np.uintp(frame.address + frame_size[0] * frame_size[1])
                self._nv12(address, chroma, pitch, *tail, block=_BLOCK, grid=grid, stream=stream)
            stream.synchronize()
        finally:
            on_gpu.close()


def _binary(gpu: CudaDevice, folder: Path) -> bytes:
    """The compiled kernels for this device, kept from the last start if nothing has changed."""
    source = SOURCE.read_text(encoding="utf-8")
    facts = "|".join([source, *gpu.facts.values()])
    path = folder / f"cut-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.cubin"
    if path.is_file():
        return path.read_bytes()
    binary = gpu.compile(source)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, binary)
    except OSError as error:
        raise EngineError(f"{path}: compiled kernels cannot be kept: {error.strerror}") from error
    return binary
