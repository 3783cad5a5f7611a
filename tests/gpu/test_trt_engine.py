"""TensorRT on a real GPU against OpenVINO, and how fast and how steady it is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from calibration.accuracy import answers_of, figures_of, truth_of
from calibration.graph import load_onnx
from calibration.half import cast_to_half
from calibration.quantize import Quantizer
from edge_app.config.schema import InferenceSettings
from edge_app.inference.choose import describe_gpu, open_engine
from edge_app.inference.cuda import CudaDevice
from edge_app.inference.fallback import FallbackEngine
from edge_app.inference.model import SHIPPED, Model, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.inference.trt_engine import TensorRtEngine

pytestmark = pytest.mark.gpu

TASKS = ["detector", "garments", "classifier"]


def shipped(task: Any) -> Model:
    return load_model(SHIPPED / f"{task}.onnx", task)


def pictures(model: Model, n: int) -> np.ndarray:
    width, height = model.input_size
    small = np.random.default_rng(3).integers(0, 255, (n, 8, 8, 3))
    whole = small.repeat(height // 8, axis=1).repeat(width // 8, axis=2)
    return np.ascontiguousarray(whole, np.uint8)


@pytest.fixture
def settings(tmp_path: Path) -> InferenceSettings:
    return InferenceSettings(engines=tmp_path, max_batch=8)


@pytest.mark.parametrize("n", [1, 3, 8, 20])
@pytest.mark.parametrize("task", TASKS)
def test_float_answers_are_those_of_the_cpu(
    gpu: CudaDevice, trt: Any, settings: InferenceSettings, task: str, n: int
) -> None:
    model = shipped(task)
    engine = TensorRtEngine(trt, gpu, model, settings)
    found = engine.infer(pictures(model, n))
    engine.close()
    for name, values in OpenVinoEngine(model).infer(pictures(model, n)).items():
        # Candidates of nearly equal score may swap places: compare what is sorted.
        ours, theirs = np.sort(found[name], axis=1), np.sort(values, axis=1)
        # TensorRT may use TF32 on its own: ten bits of mantissa.
        scale = max(float(np.abs(theirs).max()), 1e-6)
        assert np.abs(ours - theirs).max() / scale <= 5e-3, name


@pytest.mark.parametrize("precision", ["half", "int8"])
@pytest.mark.parametrize("task", TASKS)
def test_other_precisions_keep_their_accuracy(
    gpu: CudaDevice,
    trt: Any,
    settings: InferenceSettings,
    tmp_path: Path,
    task: Any,
    precision: str,
) -> None:
    model, graph = shipped(task), load_onnx(SHIPPED / f"{task}.onnx")
    batch = pictures(model, 8)
    changed = cast_to_half(graph) if precision == "half" else Quantizer(graph, batch, "mse").write()
    onnx.save(changed, str(tmp_path / "changed.onnx"))
    loaded = load_model(tmp_path / "changed.onnx", task)
    on_cpu = answers_of(loaded, OpenVinoEngine(loaded), batch)
    engine = TensorRtEngine(trt, gpu, loaded, settings)
    on_gpu = answers_of(loaded, engine, batch)
    engine.close()
    truth = truth_of(on_cpu)
    if not any(truth.categories) and not any(len(found) for found in truth.objects):
        pytest.skip(f"{task}: nothing is found in the test pictures")
    assert min(figures_of(on_gpu, truth).values()) >= 0.9


def test_the_engine_is_kept_and_starts_faster(
    gpu: CudaDevice, trt: Any, settings: InferenceSettings
) -> None:
    model = shipped("classifier")
    took = []
    for _ in range(2):
        started_s = time.perf_counter()
        TensorRtEngine(trt, gpu, model, settings).close()
        took.append(time.perf_counter() - started_s)
    assert took[1] < 0.5 * took[0]


def test_memory_comes_back(gpu: CudaDevice, trt: Any, settings: InferenceSettings) -> None:
    model = shipped("classifier")
    TensorRtEngine(trt, gpu, model, settings).close()
    with gpu.current("testing"):
        before, _ = gpu.free_memory()
    for _ in range(5):
        TensorRtEngine(trt, gpu, model, settings).close()
    with gpu.current("testing"):
        after, _ = gpu.free_memory()
    assert before - after < 64 << 20


def test_auto_is_the_gpu(gpu: CudaDevice, trt: Any, settings: InferenceSettings) -> None:
    engine = open_engine(settings, shipped("classifier"))
    assert isinstance(engine, FallbackEngine)
    assert not engine.is_degraded
    engine.close()
    works, reason = describe_gpu()
    assert works, reason
    assert gpu.name in reason


@pytest.mark.parametrize("n", [8, 32])
def test_throughput_is_printed(
    gpu: CudaDevice, trt: Any, settings: InferenceSettings, n: int, capsys: Any
) -> None:
    model = shipped("detector")
    engine = TensorRtEngine(trt, gpu, model, settings)
    batch = pictures(model, n)
    engine.infer(batch)
    started_s = time.perf_counter()
    for _ in range(50):
        engine.infer(batch)
    rate = 50 * n / (time.perf_counter() - started_s)
    engine.close()
    with capsys.disabled():
        print(f"\ndetector, batches of {n}: {rate:.0f} frames/s on {gpu.name}")
    assert rate > 10.0
