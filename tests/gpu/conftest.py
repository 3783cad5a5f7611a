"""Tests on a real GPU, each skipped by name where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from edge_app.errors import EngineError
from edge_app.inference.cuda import CudaDevice
from edge_app.inference.trt_engine import import_tensorrt


@pytest.fixture(scope="session")
def gpu() -> Iterator[CudaDevice]:
    """The first GPU."""
    try:
        device = CudaDevice()
    except EngineError as error:
        pytest.skip(f"GPU: {error}")
    yield device
    device.close()


@pytest.fixture(scope="session")
def trt(gpu: CudaDevice) -> Any:
    """TensorRT, once a GPU is known to be there."""
    try:
        return import_tensorrt()
    except EngineError as error:
        pytest.skip(f"TensorRT: {error}")
