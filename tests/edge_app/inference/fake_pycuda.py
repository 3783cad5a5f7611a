"""pycuda without a GPU: its modules, with the same names, signatures and surprises.

Device memory is host memory that only copies and kernels reach; it holds rubbish before it is
written and after it is freed. Work waits on its stream until that is waited for. Kernels are the
real ones, compiled for the host. With :mod:`fake_tensorrt` beside it everything between the
pipeline and the driver runs as it would on a GPU; ``install`` puts both where Python finds them.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import subprocess
import sys
import tempfile
import threading
import types
import weakref
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from tests.edge_app.inference import fake_tensorrt
from tests.edge_app.inference.fake_tensorrt import FakeStream, _fails

RUBBISH = 0xCD
memory: dict[int, np.ndarray] = {}
"""What is allocated, by address."""
copies: list[int] = []
"""Bytes of every copy to the device."""
compilers: list[str] = []
"""The nvcc of every compilation."""
alive: set[int] = set()
"""Streams and page-locked arrays that were not freed."""


class _Thread(threading.local):
    """What a thread has pushed, the current one last."""

    def __init__(self) -> None:
        self.pushed: list[_Context] = []


_thread = _Thread()
_number = itertools.count()


class LogicError(Exception):
    """As pycuda's: no base of its own but Exception."""

    __module__ = "pycuda._driver"


def _current() -> _Context:
    if not _thread.pushed:
        raise LogicError("invalid device context - no currently active context?")
    return _thread.pushed[-1]


class _Context:
    retained = 0

    def __init__(self) -> None:
        self.is_valid, self.made_by = True, threading.get_ident()

    def push(self) -> None:
        _thread.pushed.append(self)

    @staticmethod
    def pop() -> None:
        if not _thread.pushed:
            raise LogicError("invalid device context - cannot pop non-current context")
        _thread.pushed.pop()

    def detach(self) -> None:
        """Of use where it is current, or to the thread that made it; else silently of none."""
        if not self.is_valid:
            raise LogicError("invalid device context - cannot detach from invalid context")
        if self.reaches_this_thread():
            _Context.retained -= 1
        if _Context.retained == 0:
            alive.clear()
        while _thread.pushed and _thread.pushed[-1] is self:
            _thread.pushed.pop()
        self.is_valid = False

    def reaches_this_thread(self) -> bool:
        return _thread.pushed[-1:] == [self] or self.made_by == threading.get_ident()


def _keep_count(owner: Any) -> None:
    """Of what is freed with its last reference, if its context can be made current then."""
    number, context = next(_number), _current()
    alive.add(number)

    def free() -> None:
        if context.reaches_this_thread():
            alive.discard(number)

    weakref.finalize(owner, free)


class _Device:
    def __init__(self, index: int) -> None:
        assert index == 0

    @staticmethod
    def count() -> int:
        return 1

    def name(self) -> str:
        return "Stand-in"

    def compute_capability(self) -> tuple[int, int]:
        return (8, 7)

    def get_attribute(self, _attribute: int) -> int:
        return 16

    def retain_primary_context(self) -> _Context:
        _Context.retained += 1
        return _Context()


class _Allocation:
    def __init__(self, size: int) -> None:
        _current()
        if _fails("mem_alloc"):
            raise LogicError("cuMemAlloc failed: out of memory")
        self._bytes = np.full(size, RUBBISH, np.uint8)
        memory[int(self)] = self._bytes

    def __int__(self) -> int:
        return int(self._bytes.ctypes.data)

    def free(self) -> None:
        _current()
        memory.pop(int(self))[:] = RUBBISH


class _Stream(FakeStream):
    def __init__(self) -> None:
        super().__init__()
        _keep_count(self)


def _pagelocked_empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    array = np.full(shape, RUBBISH).astype(dtype)
    _keep_count(array)
    return array


def _memcpy_htod_async(dest: _Allocation, src: np.ndarray, stream: _Stream) -> None:
    assert src.flags.c_contiguous
    copies.append(src.nbytes)
    stream.work.append(lambda: ctypes.memmove(int(dest), src.ctypes.data, src.nbytes))


def _memcpy_dtoh_async(dest: np.ndarray, src: _Allocation, stream: _Stream) -> None:
    stream.work.append(lambda: ctypes.memmove(dest.ctypes.data, int(src), dest.nbytes))


class _Module:
    def __init__(self, binary: bytes) -> None:
        _current()
        with tempfile.NamedTemporaryFile(suffix=".so") as file:
            file.write(binary)
            file.flush()
            self._library = ctypes.CDLL(file.name)

    def get_function(self, name: str) -> Any:
        is_nv12 = {"cut_bgr": False, "cut_nv12": True}[name]

        def launch(*given: Any, block: Any, grid: Any, stream: _Stream) -> None:
            assert block[0] * block[1] * block[2] <= 1024
            plane, chroma, pitch, jobs, width, height, out = (
                given if is_nv12 else (given[0], None, *given[1:])
            )
            pointers = [None if p is None else ctypes.c_void_p(int(p)) for p in (plane, chroma)]
            sizes = [int(v) for v in (grid[2], width, height)]
            stream.work.append(
                lambda: self._library.cut(
                    *pointers,
                    int(pitch),
                    ctypes.c_void_p(int(jobs)),
                    *sizes,
                    ctypes.c_void_p(int(out)),
                )
            )

        return launch


class ExecError(OSError):
    """As that of pytools.prefork, which pycuda lets through."""

    __module__ = "pytools.prefork"


def _compile(
    source: str,
    nvcc: str = "nvcc",
    options: list[str] | None = None,
    keep: bool = False,
    no_extern_c: bool = False,
    arch: str | None = None,
    cache_dir: str | Literal[False] | None = None,
) -> bytes:
    assert (arch, no_extern_c) == ("sm_87", True)
    compilers.append(nvcc)
    if cache_dir is None:
        # Below $XDG_CACHE_HOME, or the home of the user, wherever that is.
        (Path("~/.cache").expanduser() / "pycuda").mkdir(parents=True, exist_ok=True)
    if _fails("compile"):
        raise ExecError(f"error invoking '{nvcc} --version': No such file or directory")
    return _library(source)


@functools.cache
def _library(source: str) -> bytes:
    """Compiled for the host, which takes a second."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "cut.so"
        flags = ["-O2", "-shared", "-fPIC", "-DON_HOST", "-x", "c++", "-", "-o", str(library)]
        subprocess.run(["g++", *flags], input=source.encode(), check=True)
        return library.read_bytes()


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-ins in the places of pycuda and TensorRT, freshly set up."""
    package, driver, compiler = (
        types.ModuleType(name) for name in ("pycuda", "pycuda.driver", "pycuda.compiler")
    )
    vars(driver).update(
        init=lambda: None,
        Device=_Device,
        Context=_Context,
        device_attribute=types.SimpleNamespace(MULTIPROCESSOR_COUNT=16),
        get_driver_version=lambda: 12060,
        mem_alloc=_Allocation,
        mem_get_info=lambda: (2**30, 2**31),
        pagelocked_empty=_pagelocked_empty,
        Stream=_Stream,
        memcpy_htod_async=_memcpy_htod_async,
        memcpy_dtoh_async=_memcpy_dtoh_async,
        module_from_buffer=_Module,
    )
    vars(compiler).update(compile=_compile)
    vars(package).update(driver=driver, compiler=compiler)
    for module in (package, driver, compiler):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(fake_tensorrt, "__name__", "tensorrt")
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt)
    fake_tensorrt.trouble.clear()
    copies.clear()
    compilers.clear()
    memory.clear()
    alive.clear()
    _thread.pushed.clear()
    _Context.retained = 0


def open_contexts() -> int:
    """Retained primary contexts that were not let go."""
    return _Context.retained
