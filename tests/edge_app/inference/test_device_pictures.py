"""Batches made on the GPU from pictures copied there once: engine, kernels and device layer whole.

Only pycuda and TensorRT are stand-ins (:mod:`fake_pycuda`, :mod:`fake_tensorrt`).
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from edge_app.config.schema import InferenceSettings
from edge_app.errors import EngineError
from edge_app.flow import Cuts, whole
from edge_app.inference import fallback
from edge_app.inference.choose import describe_engine, open_engine
from edge_app.inference.cuda import CudaDevice
from edge_app.inference.cutting import Cutter, JobTable, Source, jobs_of
from edge_app.inference.device_pictures import Cutting, DevicePictures
from edge_app.inference.model import Model, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.inference.preprocess import pixels_of
from edge_app.ports import Engine
from tests.edge_app.inference import fake_pycuda, fake_tensorrt
from tests.tiny_models import save_all

pytestmark = [
    pytest.mark.skipif(shutil.which("g++") is None, reason="g++: not installed"),
    pytest.mark.usefixtures("gpu_stand_ins"),
]


@pytest.fixture
def models(tmp_path: Path) -> dict[str, Model]:
    folder = save_all(tmp_path / "models")
    return {
        task: load_model(folder / f"{task}.onnx", task)
        for task in ("detector", "garments", "classifier")
    }


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture
def settings(kernels: Path) -> InferenceSettings:
    return InferenceSettings(device="gpu", threads=1, max_batch=4, engines=kernels)


def pictures(n: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = [(90 + 8 * (i % 2), 160) for i in range(n)]
    return [rng.integers(0, 255, (*size, 3)).astype(np.uint8) for size in sizes]


def classifier_cuts(shown: list[np.ndarray], n: int) -> Cuts:
    """So many boxes, in turns over the pictures."""
    rng = np.random.default_rng(n)
    corners = rng.integers(0, 40, (n, 2))
    boxes = np.concatenate([corners, corners + rng.integers(1, 50, (n, 2))], axis=1)
    return Cuts([shown[i % len(shown)] for i in range(n)], boxes, (32, 32), "stretch")


@pytest.mark.parametrize("n", [1, 3, 4, 5, 11])
def test_answers_are_those_of_the_cpu(
    models: dict[str, Model], settings: InferenceSettings, n: int
) -> None:
    model = models["classifier"]
    engine = open_engine(settings, model)
    cuts = classifier_cuts(pictures(3), n)
    found, expected = engine.infer(cuts), OpenVinoEngine(model, threads=1).infer(cuts)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, err_msg=name)
    pictures_copied = [size for size in fake_pycuda.copies if size > 40_000]
    assert len(pictures_copied) == min(n, 3)
    close({"classifier": engine})


@pytest.mark.parametrize("fit", ["letterbox", "stretch"])
def test_a_batch_is_that_of_opencv_within_a_level(kernels: Path, fit: str) -> None:
    cuts = classifier_cuts(pictures(3), 7)
    cuts = Cuts(cuts.pictures_bgr, cuts.boxes, (48, 40), fit)  # type: ignore[arg-type]
    gpu = CudaDevice()
    cutting = Cutting(gpu, kernels)
    with gpu.current("testing"):
        stream, table, batch = gpu.stream(), JobTable(gpu, 8), gpu.buffer(7 * 48 * 40 * 3)
        cutting.fill(cuts, table, batch, stream)
        target = gpu.pinned((7, 40, 48, 3), np.uint8)
        gpu.copy_out(batch, target, stream)
        stream.synchronize()
    assert np.abs(target.astype(int) - pixels_of(cuts)).max() <= 1


def test_three_networks_share_one_copy_of_a_picture(
    models: dict[str, Model], settings: InferenceSettings
) -> None:
    engines = {task: open_engine(settings, model) for task, model in models.items()}
    shown = pictures(2)
    for task, engine in engines.items():
        fit = "stretch" if task == "classifier" else "letterbox"
        engine.infer(Cuts(shown, whole(shown), models[task].input_size, fit))  # type: ignore[arg-type]
    sizes = [picture.nbytes for picture in shown]
    assert [n for n in fake_pycuda.copies if n in sizes] == sizes
    close(engines)


def close(engines: dict[str, Engine]) -> None:
    """Close all, after which nothing may be left on the GPU."""
    for engine in engines.values():
        engine.close()
    assert fake_pycuda.memory == {}
    assert fake_pycuda.open_contexts() == 0


def test_memory_is_used_again_and_does_not_grow(
    models: dict[str, Model], settings: InferenceSettings
) -> None:
    engine = open_engine(settings, models["detector"])
    taken = []
    for step in range(30):
        # One size changes with every step: what nobody asks for any more is given back.
        shown = [*pictures(4, step), np.full((64, 65 + step, 3), 9, np.uint8)]
        engine.infer(Cuts(shown, whole(shown), (128, 64), "letterbox"))
        del shown
        taken.append(len(fake_pycuda.memory))
    assert max(taken[20:]) <= max(taken[:20])
    close({"detector": engine})


def bright(engine: Engine, picture: np.ndarray) -> float:
    """The tiny detector's score: a picture's brightness."""
    answer = engine.infer(Cuts([picture], whole([picture]), (128, 64), "letterbox"))
    return float(answer["scores"][0, 0, 0])


def test_a_picture_on_the_gpu_cannot_be_changed(
    models: dict[str, Model], settings: InferenceSettings
) -> None:
    engine = open_engine(settings, models["detector"])
    picture = np.full((64, 128, 3), 200, np.uint8)
    bright(engine, picture)
    with pytest.raises(ValueError, match="read-only"):
        picture[:] = 0


def test_a_picture_in_memory_of_others_is_never_stale(
    models: dict[str, Model], settings: InferenceSettings
) -> None:
    engine = open_engine(settings, models["detector"])
    others = np.full((2, 64, 128, 3), 200, np.uint8)
    picture = others[0]
    first = bright(engine, picture)
    others[:] = 100
    assert bright(engine, picture) == pytest.approx(first / 2, rel=0.01)


def test_a_failed_copy_is_never_taken_for_the_picture(
    models: dict[str, Model], settings: InferenceSettings
) -> None:
    auto = settings.model_copy(update={"device": "auto"})
    engine = open_engine(auto, models["detector"])
    black, white = np.zeros((64, 128, 3), np.uint8), np.full((64, 128, 3), 255, np.uint8)
    assert bright(engine, black) == 0.0
    del black
    # In the memory of the black picture; the copy of the white one fails, and the CPU answers.
    fake_tensorrt.trouble["synchronize"] = 0
    assert bright(engine, white) == pytest.approx(2.0)
    assert "since the GPU failed" in describe_engine(engine)
    assert fake_pycuda.memory == {}, "what failed was given back"


def test_a_call_that_hangs_in_a_copy_keeps_others_out() -> None:
    gpu, entered, go = CudaDevice(), threading.Event(), threading.Event()
    shared = DevicePictures(gpu)

    class Hanging:
        def synchronize(self) -> None:
            entered.set()
            go.wait(10)

        work: list[object] = []  # noqa: RUF012

    def hang() -> None:
        with gpu.current("hanging"):
            shared.source_of(pictures(1)[0], Hanging())

    thread = threading.Thread(target=hang)
    thread.start()
    entered.wait(10)
    failure = pytest.raises(EngineError, match="another call hangs")
    with failure, gpu.current("testing"):
        shared.source_of(pictures(1)[0], gpu.stream())
    go.set()
    thread.join()


def test_without_a_compiler_the_cpu_cuts(
    models: dict[str, Model],
    settings: InferenceSettings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake_tensorrt.trouble["compile"] = 0
    model = models["classifier"]
    engine = open_engine(settings.model_copy(update={"engines": tmp_path}), model)
    assert "cut out by the CPU, because nvcc cannot be run (error invoking" in caplog.text
    cuts = classifier_cuts(pictures(2), 5)
    expected = OpenVinoEngine(model, threads=1).infer(cuts)["probabilities"]
    np.testing.assert_allclose(engine.infer(cuts)["probabilities"], expected, rtol=1e-5)
    close({"classifier": engine})


@pytest.mark.parametrize("has_one", [True, False], ids=["in PATH", "of a Jetson"])
def test_the_compiler_is_found_without_a_path_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_one: bool
) -> None:
    folders = ["/usr/bin", "/bin"]
    if has_one:
        (tmp_path / "nvcc").touch(0o755)
        folders.append(str(tmp_path))
    monkeypatch.setenv("PATH", ":".join(folders))
    Cutter(CudaDevice(), tmp_path / "engines")
    expected = str(tmp_path / "nvcc") if has_one else "/usr/local/cuda/bin/nvcc"
    assert fake_pycuda.compilers == [expected]


@pytest.mark.parametrize("folder", ["file/engines", "x" * 300], ids=["no folder", "no access"])
def test_kernels_that_cannot_be_kept_are_used_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, folder: str
) -> None:
    (tmp_path / "file").touch()
    Cutter(CudaDevice(), tmp_path / folder)
    assert "cannot be kept" in caplog.text
    assert "the next start compiles anew" in caplog.text


def test_kernels_need_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    Cutter(CudaDevice(), tmp_path / "engines")


def test_one_network_that_fails_leaves_the_others_their_gpu(
    models: dict[str, Model], settings: InferenceSettings
) -> None:
    auto = settings.model_copy(update={"device": "auto"})
    engines = {task: open_engine(auto, model) for task, model in models.items()}
    shown = pictures(2)
    cuts = Cuts(shown, whole(shown), (128, 64), "letterbox")
    fake_tensorrt.trouble["execute_async_v3"] = 0
    found = engines["detector"].infer(cuts)
    expected = OpenVinoEngine(models["detector"], threads=1).infer(cuts)
    np.testing.assert_allclose(found["scores"], expected["scores"], rtol=1e-5)
    assert "since the GPU failed" in describe_engine(engines["detector"])
    assert describe_engine(engines["classifier"]) == "the GPU (TensorRT)"
    close(engines)


def test_where_only_the_gpu_will_do_the_cpu_takes_over_nothing(
    models: dict[str, Model], settings: InferenceSettings
) -> None:
    engine = open_engine(settings, models["detector"])
    shown = pictures(1)
    cuts = Cuts(shown, whole(shown), (128, 64), "letterbox")
    fake_tensorrt.trouble["execute_async_v3"] = 0
    with pytest.raises(EngineError):
        engine.infer(cuts)
    with pytest.raises(EngineError, match=r"out of order and inference\.device is gpu"):
        engine.infer(cuts)
    engine.close()


def fail_in_another_thread(engine: Engine, cuts: Cuts) -> None:
    """As a box does it: it opens engines in one thread, and calls each in a thread of its own."""
    fake_tensorrt.trouble["execute_async_v3"] = 0
    thread = threading.Thread(target=engine.infer, args=(cuts,))
    thread.start()
    thread.join()
    assert "since the GPU failed" in describe_engine(engine)


def test_what_failed_leaves_nothing_behind(
    models: dict[str, Model], settings: InferenceSettings
) -> None:
    auto = settings.model_copy(update={"device": "auto"})
    shown = pictures(1)
    other = open_engine(auto, models["classifier"])
    other.infer(Cuts(shown, whole(shown), (32, 32), "stretch"))
    before = len(fake_pycuda.alive), len(fake_pycuda.memory)
    engine = open_engine(auto, models["detector"])
    fail_in_another_thread(engine, Cuts(shown, whole(shown), (128, 64), "letterbox"))
    assert (len(fake_pycuda.alive), len(fake_pycuda.memory)) == before
    close({"detector": engine, "classifier": other})


def test_a_gpu_whose_networks_have_all_failed_is_let_go_of(
    models: dict[str, Model], settings: InferenceSettings
) -> None:
    engine = open_engine(settings.model_copy(update={"device": "auto"}), models["detector"])
    shown = pictures(1)
    fail_in_another_thread(engine, Cuts(shown, whole(shown), (128, 64), "letterbox"))
    assert fake_pycuda.open_contexts() == 0, "only a new context works after an illegal access"
    engine.close()


def test_a_gpu_that_comes_back_has_no_time_to_build(
    models: dict[str, Model],
    settings: InferenceSettings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Building takes minutes; whoever waits for an answer takes the box for hanging long before."""
    monkeypatch.setattr(fallback, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(fake_tensorrt.Builder, "built", 0)
    engine = open_engine(settings.model_copy(update={"device": "auto"}), models["detector"])
    built = fake_tensorrt.Builder.built
    shown = pictures(1)
    cuts = Cuts(shown, whole(shown), (128, 64), "letterbox")
    fail_in_another_thread(engine, cuts)
    fake_tensorrt.trouble["deserialize_cuda_engine"] = 0
    engine.infer(cuts)
    assert "takes minutes" in caplog.text
    assert fake_tensorrt.Builder.built == built
    assert fake_pycuda.open_contexts() == 0, "the next try begins with a new one"
    engine.close()


def test_more_pictures_than_the_batch_holds_are_refused(kernels: Path) -> None:
    gpu = CudaDevice()
    cutter, cuts = Cutter(gpu, kernels), classifier_cuts(pictures(1), 2)
    with gpu.current("testing"):
        table, batch, stream = JobTable(gpu, 2), gpu.buffer(32 * 32 * 3), gpu.stream()
        sources = [Source(batch.address, (32, 32))] * 2
        with pytest.raises(EngineError, match="2 pictures do not fit"):
            cutter.cut(sources, jobs_of(cuts), table, (batch, (32, 32)), stream)
