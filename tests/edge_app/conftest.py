"""What tests of the GPU's path have in place of one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edge_app.inference import shared_gpu
from tests.edge_app.inference import fake_pycuda, fake_tensorrt


@pytest.fixture
def gpu_stand_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand-ins of pycuda and TensorRT; what a failed test left open does not meet the next one."""
    fake_pycuda.install(monkeypatch)
    yield
    fake_tensorrt.trouble.clear()
    shared_gpu._opened.clear()
