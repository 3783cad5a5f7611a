"""The GPU's memory, as the health message has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_app.inference import shared_gpu
from edge_app.inference.shared_gpu import acquire, memory_in_use_mb, release

pytestmark = pytest.mark.usefixtures("gpu_stand_ins")


def test_memory_is_measured_now_and_then_while_the_gpu_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr(shared_gpu.time, "monotonic", lambda: now_s)
    assert memory_in_use_mb() is None
    gpu = acquire(tmp_path)
    assert memory_in_use_mb() is None, "nothing has run yet"
    gpu.measure()
    assert memory_in_use_mb() == 1024.0
    monkeypatch.setattr(gpu.device, "free_memory", lambda: (2**29, 2**31))
    gpu.measure()
    assert memory_in_use_mb() == 1024.0, "the driver is not asked at every picture"
    now_s += shared_gpu.MEASURE_S
    gpu.measure()
    assert memory_in_use_mb() == 1536.0
    release(gpu)
    assert memory_in_use_mb() is None
