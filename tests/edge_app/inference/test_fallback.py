"""A GPU that fails at run time, and the choice between devices on a machine without one."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_app.config.schema import InferenceSettings
from edge_app.errors import EngineError
from edge_app.inference import choose
from edge_app.inference.choose import describe_engine, describe_gpu, open_engine
from edge_app.inference.cuda import CudaDevice
from edge_app.inference.fallback import HOPELESS_S, MISSING_S, FallbackEngine, GpuState, gpu_state
from edge_app.inference.model import Model, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.inference.trt_engine import import_tensorrt
from tests.tiny_models import save_classifier


class Scripted:
    """An engine that says who it is, and fails when told to."""

    def __init__(self, mark: float, fails: list[bool] | None = None) -> None:
        self._mark, self._fails = mark, fails if fails is not None else []
        self.is_closed = False

    def infer(self, batch_nhwc: np.ndarray) -> dict[str, np.ndarray]:
        assert not self.is_closed
        if self._fails and self._fails.pop(0):
            raise EngineError("out of memory")
        return {"probabilities": np.full((len(batch_nhwc), 15), self._mark, np.float32)}

    def close(self) -> None:
        self.is_closed = True


class Rig:
    def __init__(self, fails: list[bool], has_cpu: bool = True) -> None:
        self.now_s = 0.0
        self.opened: list[Scripted] = []
        self.start_fails: list[bool] = []
        self.fails = fails
        self.engine = FallbackEngine(
            "classifier",
            self.open,
            (lambda: Scripted(2.0)) if has_cpu else None,
            lambda: self.now_s,
        )

    def open(self, may_build: bool) -> Scripted:
        assert may_build == (self.now_s == 0.0), "only before somebody waits"
        if self.start_fails and self.start_fails.pop(0):
            raise EngineError("no such device")
        self.opened.append(Scripted(1.0, self.fails))
        return self.opened[-1]

    def who(self) -> str:
        answer = self.engine.infer(np.zeros((3, 32, 32, 3), np.uint8))["probabilities"]
        assert answer.shape == (3, 15)
        return {1.0: "gpu", 2.0: "cpu"}[float(answer[0, 0])]


def test_the_failed_batch_is_answered_by_the_cpu(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig([False, True])
    assert [rig.who(), rig.who()] == ["gpu", "cpu"]
    assert rig.engine.is_degraded
    assert rig.engine.failures == 1
    assert describe_engine(rig.engine).endswith("since the GPU failed; failures so far: 1")
    assert gpu_state({"classifier": rig.engine}) == GpuState(
        "the GPU fails, and the CPU runs the classifier", 1
    )
    assert rig.opened[0].is_closed
    assert "out of memory; the CPU takes over, the GPU is started anew in 5 s" in caplog.text


def test_the_gpu_comes_back_after_the_pause(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    rig = Rig([True])
    assert rig.who() == "cpu"
    rig.now_s = 4.9
    assert rig.who() == "cpu"
    rig.now_s = 5.0
    assert rig.who() == "gpu"
    assert not rig.engine.is_degraded
    assert "the GPU is back" in caplog.text


def test_pauses_double_up_to_five_minutes() -> None:
    rig = Rig([True])
    rig.who()
    rig.start_fails = [True] * 100
    attempts = []
    for now_s in range(1, 1500):
        before = rig.engine.failures
        rig.now_s = float(now_s)
        rig.who()
        if rig.engine.failures > before:
            attempts.append(now_s)
    assert attempts == [5, 15, 35, 75, 155, 315, 615, 915, 1215]


def test_a_gpu_that_starts_but_fails_keeps_its_pause() -> None:
    rig = Rig([True, True, True, False])
    for now_s in (0.0, 5.0, 15.0):
        rig.now_s = now_s
        assert rig.who() == "cpu"
    rig.now_s = 34.9
    assert rig.who() == "cpu"
    rig.now_s = 35.0
    assert rig.who() == "gpu"


def test_a_gpu_that_has_worked_again_is_tried_soon_after_its_next_failure() -> None:
    rig = Rig([True, True, False, True, False])
    for now_s, who in ((0.0, "cpu"), (5.0, "cpu"), (15.0, "gpu"), (16.0, "cpu"), (21.0, "gpu")):
        rig.now_s = now_s
        assert rig.who() == who


def test_without_a_cpu_failures_are_raised() -> None:
    rig = Rig([True, False], has_cpu=False)
    with pytest.raises(EngineError, match="out of memory"):
        rig.who()
    with pytest.raises(EngineError, match=r"out of order and inference\.device is gpu"):
        rig.who()
    rig.now_s = 6.0
    assert rig.who() == "gpu"


def test_closing_closes_both() -> None:
    rig = Rig([True])
    rig.who()
    rig.engine.close()
    assert all(engine.is_closed for engine in rig.opened)


def test_a_gpu_that_has_been_of_use_and_does_not_start_is_out_of_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    starts = iter([EngineError("no NVIDIA driver"), Scripted(1.0)])

    def open_gpu(_settings: InferenceSettings, _model: Model, may_build: bool) -> Scripted:
        told.append(may_build)
        if isinstance(start := next(starts), EngineError):
            raise start
        return start

    told: list[bool] = []
    monkeypatch.setattr(choose, "_open_gpu", open_gpu)
    settings = InferenceSettings(threads=1, engines=tmp_path)
    (tmp_path / "classifier-0123.json").write_bytes(b"kept")
    model = load_model(save_classifier(tmp_path / "classifier.onnx"), "classifier")
    engine = open_engine(settings, model)
    assert gpu_state({"classifier": engine}) == GpuState(
        "the GPU fails, and the CPU runs the classifier", 1
    )
    assert "runs on the" not in caplog.text
    assert "no NVIDIA driver; the CPU takes over, the GPU is started anew in 5 s" in caplog.text
    assert isinstance(engine, FallbackEngine)
    crops = np.zeros((1, 32, 32, 3), np.uint8)
    assert engine.infer(crops)["probabilities"][0, 0] != 1.0
    engine._clock = lambda: 1e9
    assert engine.infer(crops)["probabilities"][0, 0] == 1.0
    assert gpu_state({"classifier": engine}) == GpuState(None, 1)
    assert told == [True, False]
    engine.close()


@pytest.mark.parametrize("folder", ["", "x" * 300], ids=["of_others", "unreadable"])
def test_a_network_that_no_gpu_has_ever_run_is_the_cpu_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    def open_gpu(_settings: InferenceSettings, _model: Model, _may_build: bool) -> Scripted:
        raise EngineError("TensorRT knows no such operator")

    monkeypatch.setattr(choose, "_open_gpu", open_gpu)
    (tmp_path / "detector-0123.json").write_bytes(b"kept")
    (tmp_path / "classifier-sm87.engine").write_bytes(b"made for another machine")
    settings = InferenceSettings(threads=1, engines=tmp_path / folder)
    model = load_model(save_classifier(tmp_path / "classifier.onnx"), "classifier")
    engine = open_engine(settings, model)
    assert describe_engine(engine) == "the CPU (OpenVINO)"
    engine.close()


@pytest.mark.parametrize(("fails", "patience_s"), [([False], HOPELESS_S), ([], MISSING_S)])
def test_a_gpu_tried_in_vain_for_long_needs_a_new_process(
    fails: list[bool], patience_s: float
) -> None:
    rig = Rig([*fails, True])
    for who in [*["gpu" for _ in fails], "cpu"]:
        assert rig.who() == who
    rig.start_fails = [True] * 1000
    while not rig.engine.needs_process:
        rig.now_s += 60.0
        assert rig.who() == "cpu"
    assert patience_s < rig.now_s < patience_s + 420.0
    rig.start_fails, rig.now_s = [], rig.now_s + 300.0
    assert rig.who() == "gpu"
    assert not rig.engine.needs_process


def test_a_gpu_that_nobody_asks_again_needs_no_new_process() -> None:
    rig = Rig([False, True])
    assert [rig.who(), rig.who()] == ["gpu", "cpu"]
    rig.now_s = MISSING_S + 1.0
    assert gpu_state({"classifier": rig.engine}) == GpuState(rig.engine.trouble, 1)
    assert rig.who() == "gpu"


def has_gpu() -> bool:
    try:
        CudaDevice().close()
    except EngineError:
        return False
    return True


without_gpu = pytest.mark.skipif(has_gpu(), reason="a GPU is here")


@without_gpu
def test_auto_without_a_gpu_is_the_cpu_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    model = load_model(save_classifier(tmp_path / "classifier.onnx"), "classifier")
    engine = open_engine(InferenceSettings(threads=1), model)
    assert isinstance(engine, OpenVinoEngine)
    assert "runs on the CPU (OpenVINO), because" in caplog.text


@without_gpu
def test_gpu_without_a_gpu_is_an_error_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "classifier-0123.engine").write_bytes(b"kept")
    model = load_model(save_classifier(tmp_path / "classifier.onnx"), "classifier")
    with pytest.raises(EngineError, match=r"inference.device is gpu: (no NVIDIA|pycuda is not)"):
        open_engine(InferenceSettings(device="gpu", engines=tmp_path), model)


@without_gpu
def test_the_reason_is_told_to_doctor() -> None:
    works, reason = describe_gpu()
    assert not works
    assert "pycuda" in reason or "NVIDIA" in reason


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("ImportError('libcurand.so.10: cannot open shared object file')",
         "pycuda cannot be loaded: libcurand.so.10"),
        ("ImportError('libcuda.so.1: cannot open shared object file')", "no NVIDIA driver"),
        ("ModuleNotFoundError('No module named pytools', name='pytools')",
         "pycuda cannot be loaded: No module named pytools"),
        ("ModuleNotFoundError('No module named pycuda', name='pycuda')", "pycuda is not installed"),
    ],
)  # fmt: skip
def test_why_pycuda_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: str, told: str
) -> None:
    put_first(monkeypatch, tmp_path, "pycuda", raised)
    with pytest.raises(EngineError, match=told):
        CudaDevice()


def test_why_tensorrt_cannot_be_loaded_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_first(monkeypatch, tmp_path, "tensorrt", "ImportError('libnvinfer.so.10: not found')")
    put_first(monkeypatch, tmp_path, "tensorrt_rtx", "OSError('libcudart.so.13: not found')")
    with pytest.raises(EngineError, match=r"cannot be loaded: tensorrt \(libnvinfer.so.10: not f"):
        import_tensorrt()


def put_first(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, raised: str) -> None:
    """A package that raises when it is imported."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(f"raise {raised}\n")
    monkeypatch.syspath_prepend(folder)
    for module in [m for m in sys.modules if m.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
