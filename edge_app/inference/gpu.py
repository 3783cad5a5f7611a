"""What engines and kernels need of the device layer; :mod:`edge_app.inference.cuda` has it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy.typing as npt


class Memory(Protocol):
    """Memory on the GPU."""

    address: int
    size: int

    def close(self) -> None:
        """Free it."""
        ...


class Gpu(Protocol):
    """An opened GPU; see :class:`edge_app.inference.cuda.CudaDevice`."""

    facts: dict[str, str]

    def current(self, doing: str) -> AbstractContextManager[None]:
        """Make the device this thread's for a while."""
        ...

    def buffer(self, size: int) -> Any:
        """Memory on the GPU."""
        ...

    def pinned(self, shape: Sequence[int], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array in page-locked memory."""
        ...

    def stream(self) -> Any:
        """A queue of work."""
        ...

    def copy_in(self, source: npt.NDArray[Any], target: Any, stream: Any) -> None:
        """Queue a copy to the GPU."""
        ...

    def copy_out(self, source: Any, target: npt.NDArray[Any], stream: Any) -> None:
        """Queue a copy from the GPU."""
        ...
