"""The TensorRT engine on a faithful fake: answers, slots, the kept engine, and every failure."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_app.config.schema import InferenceSettings
from edge_app.errors import EngineError
from edge_app.inference.model import Model, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.inference.trt_build import version_of
from edge_app.inference.trt_engine import TensorRtEngine
from tests.edge_app.inference import fake_tensorrt as trt
from tests.edge_app.inference.fake_tensorrt import FakeGpu
from tests.tiny_models import save_classifier


@pytest.fixture(autouse=True)
def fresh_fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(trt, "__name__", "tensorrt")
    trt.trouble.clear()
    trt.Builder.built = 0
    yield
    trt.trouble.clear()


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return load_model(save_classifier(tmp_path / "classifier.onnx"), "classifier")


@pytest.fixture
def settings(tmp_path: Path) -> InferenceSettings:
    return InferenceSettings(max_batch=4, engines=tmp_path / "engines")


def crops(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (n, 32, 32, 3)).astype(np.uint8)


@pytest.mark.parametrize("n", [1, 3, 4, 5, 8, 11, 19])
def test_answers_are_those_of_the_cpu(model: Model, settings: InferenceSettings, n: int) -> None:
    engine = TensorRtEngine(trt, FakeGpu(), model, settings)
    expected = OpenVinoEngine(model, threads=1).infer(crops(n, n))
    found = engine.infer(crops(n, n))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, err_msg=name)


def test_answers_belong_to_the_caller(model: Model, settings: InferenceSettings) -> None:
    engine = TensorRtEngine(trt, FakeGpu(), model, settings)
    first = engine.infer(crops(2))["probabilities"]
    kept = first.copy()
    engine.infer(255 - crops(2))
    np.testing.assert_array_equal(first, kept)


def test_closing_frees_everything_and_using_it_then_is_an_error(
    model: Model, settings: InferenceSettings
) -> None:
    gpu = FakeGpu()
    engine = TensorRtEngine(trt, gpu, model, settings)
    assert gpu.live == 2 * 3, "two slots with an input and two outputs each"
    engine.close()
    engine.close()
    assert gpu.live == 0
    with pytest.raises(EngineError, match="after it was closed"):
        engine.infer(crops(1))


def test_an_engine_is_built_once_and_kept(
    model: Model, settings: InferenceSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        TensorRtEngine(trt, FakeGpu(), model, settings).close()
    assert trt.Builder.built == 1
    assert "building the GPU engine, Tactics 100 %" in caplog.text
    assert not list(settings.engines.glob("*.part"))


def other_gpu(model: Model, settings: InferenceSettings) -> None:
    TensorRtEngine(trt, FakeGpu("Thor"), model, settings)


def other_batch(model: Model, settings: InferenceSettings) -> None:
    TensorRtEngine(trt, FakeGpu(), model, settings.model_copy(update={"max_batch": 2}))


def other_level(model: Model, settings: InferenceSettings) -> None:
    TensorRtEngine(trt, FakeGpu(), model, settings.model_copy(update={"optimization_level": 5}))


def damaged(model: Model, settings: InferenceSettings) -> None:
    path = next(settings.engines.glob("*.engine"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    TensorRtEngine(trt, FakeGpu(), model, settings)


def without_side_file(model: Model, settings: InferenceSettings) -> None:
    next(settings.engines.glob("*.json")).unlink()
    TensorRtEngine(trt, FakeGpu(), model, settings)


def side_file_of_another(model: Model, settings: InferenceSettings) -> None:
    side = next(settings.engines.glob("*.json"))
    side.write_text(json.dumps(json.loads(side.read_text()) | {"driver": "1"}))
    TensorRtEngine(trt, FakeGpu(), model, settings)


def unreadable(model: Model, settings: InferenceSettings) -> None:
    trt.trouble["deserialize_cuda_engine"] = 0
    TensorRtEngine(trt, FakeGpu(), model, settings)


@pytest.mark.parametrize(
    "change",
    [other_gpu, other_batch, other_level, damaged, without_side_file, side_file_of_another,
     unreadable],
)  # fmt: skip
def test_a_mismatch_builds_anew_and_removes_the_old(
    model: Model, settings: InferenceSettings, change: object
) -> None:
    TensorRtEngine(trt, FakeGpu(), model, settings).close()
    change(model, settings)  # type: ignore[operator]
    assert trt.Builder.built == 2
    assert len(list(settings.engines.glob("classifier-*.engine"))) == 1
    assert len(list(settings.engines.glob("classifier-*.json"))) == 1


def test_a_kept_engine_outlives_a_gpu_that_can_neither_read_nor_build(
    model: Model, settings: InferenceSettings
) -> None:
    TensorRtEngine(trt, FakeGpu(), model, settings).close()
    trt.trouble |= {"deserialize_cuda_engine": 0, "build_serialized_network": 0}
    with pytest.raises(EngineError, match="could not build an engine"):
        TensorRtEngine(trt, FakeGpu(), model, settings)
    TensorRtEngine(trt, FakeGpu(), model, settings).close()
    assert trt.Builder.built == 1


def test_nothing_is_built_where_there_is_no_time_for_it(
    model: Model, settings: InferenceSettings
) -> None:
    with pytest.raises(EngineError, match="takes minutes, which a box at work does not have"):
        TensorRtEngine(trt, FakeGpu(), model, settings, may_build=False)
    assert trt.Builder.built == 0


def test_another_version_builds_anew(
    model: Model, settings: InferenceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    TensorRtEngine(trt, FakeGpu(), model, settings).close()
    monkeypatch.setattr(trt, "__version__", "10.13.3")
    TensorRtEngine(trt, FakeGpu(), model, settings)
    assert trt.Builder.built == 2


def test_a_folder_that_cannot_be_written_stops_nothing(
    model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    settings = InferenceSettings(max_batch=4, engines=tmp_path / "file" / "engines")
    engine = TensorRtEngine(trt, FakeGpu(), model, settings)
    assert len(engine.infer(crops(1))["embedding"]) == 1
    assert "engines cannot be kept here" in caplog.text


def test_a_timing_cache_of_another_gpu_is_not_used(
    model: Model, settings: InferenceSettings
) -> None:
    trt.trouble["set_timing_cache"] = 0
    TensorRtEngine(trt, FakeGpu(), model, settings)
    assert next(settings.engines.glob("timing-*.cache")).read_bytes() == b"+"


def test_a_damaged_timing_cache_is_not_used(
    model: Model, settings: InferenceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = trt._TimingCache
    monkeypatch.setattr(trt, "_TimingCache", lambda known: None if known else made(known))
    settings.engines.mkdir()
    TensorRtEngine(trt, FakeGpu(), model, settings).close()
    path = next(settings.engines.glob("timing-*.cache"))
    assert path.read_bytes()
    for engine in settings.engines.glob("classifier-*.engine"):
        engine.unlink()
    TensorRtEngine(trt, FakeGpu(), model, settings)
    assert trt.Builder.built == 2


@pytest.mark.parametrize("suffix", [".cache", ".engine", ".json"])
def test_a_full_disk_costs_the_kept_engine_and_nothing_else(
    model: Model,
    settings: InferenceSettings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    suffix: str,
) -> None:
    whole = os.fsync
    full: list[str] = []

    def fsync(number: int) -> None:
        name = str(Path(f"/proc/self/fd/{number}").readlink())
        if name.endswith(f"{suffix}.part"):
            full.append(name)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(number)

    monkeypatch.setattr(os, "fsync", fsync)
    engine = TensorRtEngine(trt, FakeGpu(), model, settings)
    assert len(engine.infer(crops(1))["embedding"]) == 1
    assert full
    assert f"{suffix}: cannot be kept (No space left on device)" in caplog.text
    assert not list(settings.engines.glob("*.part"))
    assert not list(settings.engines.glob(f"*{suffix}"))
    monkeypatch.undo()
    monkeypatch.setattr(trt, "__name__", "tensorrt")
    TensorRtEngine(trt, FakeGpu(), model, settings)
    assert trt.Builder.built == (1 if suffix == ".cache" else 2), "half a pair is never used"


def test_what_a_power_failure_left_is_removed(model: Model, settings: InferenceSettings) -> None:
    settings.engines.mkdir()
    (settings.engines / "classifier-0123456789abcdef.engine.part").write_bytes(b"half")
    TensorRtEngine(trt, FakeGpu(), model, settings)
    assert not list(settings.engines.glob("*.part"))


def test_after_a_failure_the_other_slot_is_waited_for(
    model: Model, settings: InferenceSettings
) -> None:
    gpu = FakeGpu()
    engine = TensorRtEngine(trt, gpu, model, settings)
    first, second = engine._slots
    second._context.execute_async_v3 = lambda _stream: False
    with pytest.raises(EngineError, match="could not run a batch of 2"):
        engine.infer(crops(6))
    assert first._stream.work, "the first slot was left at work"
    expected = OpenVinoEngine(model, threads=1).infer(crops(3, 7))
    found = engine.infer(crops(3, 7))
    np.testing.assert_allclose(found["embedding"], expected["embedding"], rtol=1e-5)
    with pytest.raises(EngineError, match="could not run"):
        engine.infer(crops(6))
    engine.close()
    assert not first._stream.work
    assert not second._stream.work
    assert gpu.live == 0


def test_what_cannot_be_waited_for_is_freed_all_the_same(
    model: Model, settings: InferenceSettings, caplog: pytest.LogCaptureFixture
) -> None:
    gpu = FakeGpu()
    engine = TensorRtEngine(trt, gpu, model, settings)
    engine._slots[0].start(crops(2))
    trt.trouble["synchronize"] = 0
    engine.close()
    assert "failed while waiting for the classifier" in caplog.text
    assert gpu.live == 0


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("Runtime", "TensorRT's Runtime does not start .* returned nullptr"),
        ("Builder", "TensorRT's Builder does not start .* returned nullptr"),
        ("parse", "TensorRT cannot read it: no importer for operator Strange"),
        ("add_optimization_profile", "refuses batches of 1 to 4"),
        ("build_serialized_network", "could not build an engine"),
        ("create_execution_context", "has no memory for a context"),
        ("set_optimization_profile_async", "refuses its own profile"),
        ("set_input_shape", "refuses a batch of 4"),
        ("infer_shapes", r"does not know the shape of \['crops'\]"),
        ("set_tensor_address", "refuses the memory of crops"),
    ],
)
def test_a_failure_at_the_start_is_told_and_leaves_nothing(
    model: Model, settings: InferenceSettings, call: str, told: str
) -> None:
    gpu = FakeGpu()
    trt.trouble[call] = 0
    with pytest.raises(EngineError, match=told):
        TensorRtEngine(trt, gpu, model, settings)
    assert gpu.live == 0
    assert gpu.depth == 0


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("execute_async_v3", "could not run a batch of 2"),
        ("set_input_shape", "refuses a batch of 2"),
        ("synchronize", "failed while running the classifier: cuStreamSynchronize failed"),
    ],
)
def test_a_failure_at_work_is_raised_and_nothing_stale_comes_back(
    model: Model, settings: InferenceSettings, call: str, told: str
) -> None:
    gpu = FakeGpu()
    engine = TensorRtEngine(trt, gpu, model, settings)
    engine.infer(crops(2))
    trt.trouble[call] = 0
    with pytest.raises(EngineError, match=told):
        engine.infer(crops(2, 5))
    assert gpu.depth == 0


@pytest.mark.parametrize(
    ("text", "numbers"), [("10.3.0", (10, 3, 0)), ("10.13.3.9", (10, 13, 3, 9)), ("11.4", (11, 4))]
)
def test_versions_are_numbers(
    monkeypatch: pytest.MonkeyPatch, text: str, numbers: tuple[int, ...]
) -> None:
    monkeypatch.setattr(trt, "__version__", text)
    assert version_of(trt) == numbers


@pytest.mark.parametrize("text", ["8.6.1", "9.9", "", "none"])
def test_a_version_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(trt, "__version__", text)
    with pytest.raises(EngineError, match=r"too old; expected 10.0 or newer"):
        version_of(trt)
