"""The whole pipeline on a real GPU, beside the CPU's: the same people, clothes and entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge_app.capture.simulated import SimulatedEntrance
from edge_app.flow import Frame
from edge_app.inference.choose import describe_engine
from edge_app.inference.cuda import CudaDevice
from tests.edge_app.test_gpu_pipeline import URL, assert_alike, opened, watch

pytestmark = pytest.mark.gpu


def test_the_gpu_sees_what_the_cpu_sees(gpu: CudaDevice, trt: Any, tmp_path: Path) -> None:
    entrance = SimulatedEntrance.from_url(URL)
    count = entrance.frame_count or 0
    frames = [Frame("door", i, i / 5, entrance.frame_at(i)) for i in range(count)]
    config, networks = opened("gpu", tmp_path)
    assert {describe_engine(e) for e in networks.engines.values()} == {"the GPU (TensorRT)"}
    assert_alike(watch(config, networks, frames), watch(*opened("cpu", tmp_path), frames))
