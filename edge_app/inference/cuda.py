"""The GPU through pycuda: one context, buffers that own their memory, streams.

The *primary* context is used, the one that TensorRT and every other library on the runtime API
share; it is pushed for each piece of work and popped even if that fails, so that any one thread at
a time may use the device. Nothing happens at import: pycuda itself is imported when a device is
opened, and without a driver that is an error with a reason, not a crash.
"""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_app.errors import EngineError

NVCC = "/usr/local/cuda/bin/nvcc"
"""Where NVIDIA's packages put it; the PATH of a service does not lead there."""


class Buffer:
    """Memory on the GPU; freed by ``close``.

    Attributes:
        address: on the device, as TensorRT takes it.
        size: in bytes.
    """

    def __init__(self, allocation: Any, size: int) -> None:
        self._allocation = allocation
        self.address = int(allocation)
        self.size = size

    @property
    def allocation(self) -> Any:
        """The object that pycuda takes."""
        if self._allocation is None:
            raise EngineError("a GPU buffer was used after it was freed")
        return self._allocation

    def close(self) -> None:
        """Free the memory; once is enough."""
        if self._allocation is not None:
            self._allocation.free()
            self._allocation = None


class CudaDevice:
    """One NVIDIA GPU.

    Args:
        index: among the GPUs of this machine.

    Attributes:
        name: as the driver says, such as ``Orin``.
        capability: major and minor compute capability.
        facts: everything that a built engine depends on.

    Raises:
        EngineError: there is no pycuda, no driver or no such GPU; says which and what to do.
    """

    def __init__(self, index: int = 0) -> None:
        self._driver = _import_driver()
        with _translated("starting CUDA"):
            self._driver.init()
            count = self._driver.Device.count()
            if index >= count:
                raise EngineError(f"GPU {index} was asked for, and the driver knows {count}")
            device = self._driver.Device(index)
            self.name: str = device.name()
            self.capability: tuple[int, int] = device.compute_capability()
            attribute = self._driver.device_attribute
            self.facts: dict[str, str] = {
                "gpu": self.name,
                "capability": "{}.{}".format(*self.capability),
                "processors": str(device.get_attribute(attribute.MULTIPROCESSOR_COUNT)),
                "driver": str(self._driver.get_driver_version()),
            }
            self._context: Any = device.retain_primary_context()

    @contextmanager
    def current(self, doing: str) -> Iterator[None]:
        """Make the device this thread's for a while.

        Args:
            doing: what is done, for the error.

        Raises:
            EngineError: CUDA failed meanwhile.
        """
        if self._context is None:
            raise EngineError("the GPU was used after it was closed")
        with _translated(doing):
            self._context.push()
            try:
                yield
            except BaseException as error:
                # What failed calls hold is freed only while the device is current.
                traceback.clear_frames(error.__traceback__)
                raise
            finally:
                self._driver.Context.pop()

    def buffer(self, size: int) -> Buffer:
        """Allocate ``size`` bytes on the GPU; call it while the device is current."""
        return Buffer(self._driver.mem_alloc(max(size, 1)), size)

    def pinned(self, shape: Sequence[int], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array in page-locked memory, which copies to and from the GPU asynchronously."""
        return np.asarray(self._driver.pagelocked_empty(tuple(shape), dtype))

    def stream(self) -> Any:
        """A queue of work; ``handle`` is what TensorRT takes, ``synchronize`` waits for it."""
        return self._driver.Stream()

    def copy_in(self, source: npt.NDArray[Any], target: Buffer, stream: Any) -> None:
        """Queue a copy of a pinned, contiguous array to the GPU."""
        if source.nbytes > target.size:
            raise EngineError(f"{source.nbytes} bytes do not fit a buffer of {target.size}")
        self._driver.memcpy_htod_async(target.allocation, source, stream)

    def copy_out(self, source: Buffer, target: npt.NDArray[Any], stream: Any) -> None:
        """Queue a copy from the GPU into a pinned, contiguous array."""
        if target.nbytes > source.size:
            raise EngineError(f"{target.nbytes} bytes are more than a buffer of {source.size} has")
        self._driver.memcpy_dtoh_async(target, source.allocation, stream)

    def module(self, binary: bytes) -> Any:
        """Load a compiled kernel file (cubin); ``get_function`` finds its kernels."""
        return self._driver.module_from_buffer(binary)

    def compile(self, source: str) -> bytes:
        """Compile a kernel file for this device with nvcc; gives the cubin.

        Raises:
            EngineError: there is no nvcc here, or it refuses the source.
        """
        from pycuda import compiler

        nvcc, architecture = shutil.which("nvcc") or NVCC, "sm_{}{}".format(*self.capability)
        try:
            with _translated("compiling kernels"):
                # Whoever compiles keeps the cubin; pycuda's own cache would need a home.
                binary = compiler.compile(
                    source, nvcc, no_extern_c=True, arch=architecture, cache_dir=False
                )
        except OSError as error:
            raise EngineError(
                f"nvcc cannot be run ({error}); install the CUDA toolkit, on a Jetson with "
                "apt install nvidia-jetpack"
            ) from error
        return bytes(binary)

    def free_memory(self) -> tuple[int, int]:
        """Free bytes and all bytes; call it while the device is current."""
        free, total = self._driver.mem_get_info()
        return int(free), int(total)

    def close(self) -> None:
        """Let go of the primary context; buffers must have been closed before."""
        if self._context is not None:
            context, self._context = self._context, None
            with _translated("letting go of it"):
                # Else pycuda releases nothing, but in the thread that opened the device.
                context.push()
                context.detach()


def _import_driver() -> Any:
    try:
        from pycuda import driver
    except ImportError as error:
        if "libcuda.so" in str(error):
            raise EngineError("no NVIDIA driver is installed (libcuda.so.1 is missing)") from error
        if error.name == "pycuda":
            raise EngineError(
                "pycuda is not installed; install it with pip install 'dresscode[gpu]'"
            ) from error
        raise EngineError(
            f"pycuda cannot be loaded: {error}; install the CUDA toolkit that it was built with, "
            "or build it again: pip install --force-reinstall --no-cache-dir pycuda"
        ) from error
    return driver


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Turn pycuda's errors, which share no public base but RuntimeError's, into ours."""
    try:
        yield
    except EngineError:
        raise
    except (RuntimeError, MemoryError) as error:
        raise EngineError(f"the GPU failed while {doing}: {error}") from error
    except Exception as error:
        if type(error).__module__.startswith("pycuda"):
            raise EngineError(f"the GPU failed while {doing}: {error}") from error
        raise
