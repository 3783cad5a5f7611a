"""The device layer on a real GPU: copies, contexts, and memory that comes back."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edge_app.errors import EngineError
from edge_app.inference.cuda import CudaDevice

pytestmark = pytest.mark.gpu


def round_trip(gpu: CudaDevice, values: np.ndarray) -> np.ndarray:
    with gpu.current("testing"):
        source, target = (gpu.pinned(values.shape, values.dtype) for _ in range(2))
        source[:] = values
        buffer, stream = gpu.buffer(values.nbytes), gpu.stream()
        gpu.copy_in(source, buffer, stream)
        gpu.copy_out(buffer, target, stream)
        stream.synchronize()
        buffer.close()
        return target.copy()


def test_what_goes_in_comes_out(gpu: CudaDevice) -> None:
    values = np.random.default_rng(0).integers(0, 256, (3, 320, 512, 3)).astype(np.uint8)
    np.testing.assert_array_equal(round_trip(gpu, values), values)


def test_the_device_can_be_used_from_another_thread(gpu: CudaDevice) -> None:
    found: list[np.ndarray] = []
    values = np.arange(1000, dtype=np.float32)
    thread = threading.Thread(target=lambda: found.append(round_trip(gpu, values)))
    thread.start()
    thread.join(30)
    np.testing.assert_array_equal(found[0], values)


def test_freed_memory_comes_back(gpu: CudaDevice) -> None:
    with gpu.current("testing"):
        before, _ = gpu.free_memory()
        buffers = [gpu.buffer(64 << 20) for _ in range(4)]
        during, _ = gpu.free_memory()
        for buffer in buffers:
            buffer.close()
            buffer.close()
        after, _ = gpu.free_memory()
    assert before - during >= 200 << 20
    assert before - after < 8 << 20


def test_more_memory_than_there_is_is_our_error(gpu: CudaDevice) -> None:
    with gpu.current("asking how much there is"):
        _, total = gpu.free_memory()
    failure = pytest.raises(EngineError, match="the GPU failed while asking for too much")
    with failure, gpu.current("asking for too much"):
        gpu.buffer(2 * total)


def test_a_freed_buffer_is_not_used(gpu: CudaDevice) -> None:
    with gpu.current("testing"):
        buffer = gpu.buffer(16)
        buffer.close()
        with pytest.raises(EngineError, match="after it was freed"):
            gpu.copy_in(gpu.pinned((4,), np.float32), buffer, gpu.stream())


def test_a_missing_gpu_is_told(gpu: CudaDevice) -> None:
    with pytest.raises(EngineError, match="GPU 99 was asked for"):
        CudaDevice(99)
