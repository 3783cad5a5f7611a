"""The CPU engine against an independent one, ONNX Runtime, and against itself in parts."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from edge_app.inference.model import SHIPPED, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from edge_app.inference.openvino_guard import cpu_flags
from tests.tiny_models import save_classifier

TASKS = ["detector", "garments", "classifier"]
_THREADS = Path("/proc/self/task")


def pictures(task: str, n: int) -> np.ndarray:
    """Smooth random pictures of a shipped model's input size, uint8 [n, H, W, 3]."""
    width, height = load_model(SHIPPED / f"{task}.onnx", task).input_size  # type: ignore[arg-type]
    small = np.random.default_rng(3).integers(0, 255, (n, 8, 8, 3))
    return np.ascontiguousarray(
        small.repeat(height // 8, axis=1).repeat(width // 8, axis=2), np.uint8
    )


@pytest.mark.parametrize("task", TASKS)
def test_agrees_with_onnx_runtime(task: str) -> None:
    model = load_model(SHIPPED / f"{task}.onnx", task)  # type: ignore[arg-type]
    batch = pictures(task, 3)
    ours = OpenVinoEngine(model, threads=1).infer(batch)
    session = onnxruntime.InferenceSession(model.path, providers=["CPUExecutionProvider"])
    theirs = dict(
        zip(
            [output.name for output in session.get_outputs()],
            session.run(None, {session.get_inputs()[0].name: batch}),
            strict=True,
        )
    )
    assert set(ours) == set(theirs)
    for name in ours.keys() - {"boxes"}:
        # Candidates of equal score may swap places: compare what is sorted.
        a, b = np.sort(ours[name], axis=1), np.sort(theirs[name], axis=1)
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3, err_msg=name)
    for i in range(len(batch) if "boxes" in ours else 0):
        scores = ours["scores"][i].max(1)
        # Which of many equally weak ones is the last candidate is chance.
        is_clear = scores > scores.min() * 1.05
        assert is_clear.sum() > len(scores) / 4
        off = np.abs(ours["boxes"][i][is_clear, None] - theirs["boxes"][i][None]).max(2).min(1)
        assert off.max() < 0.2, "of a pixel"


@pytest.mark.skipif(
    not cpu_flags() & {"avx512_bf16", "amx_bf16"}, reason="this processor has no bfloat16"
)
@pytest.mark.parametrize(("precision", "is_rounded"), [("f32", False), ("bf16", True)])
def test_float32_is_float32_where_the_processor_has_less(precision: Any, is_rounded: bool) -> None:
    engine = OpenVinoEngine(load_model(SHIPPED / "classifier.onnx", "classifier"), 1, 1, precision)
    network = engine._request(1).get_compiled_model().get_runtime_model()
    kinds = {str(node.get_rt_info()["runtimePrecision"].value) for node in network.get_ops()}
    assert ("bf16" in kinds) == is_rounded, kinds


@pytest.mark.parametrize("n", [1, 2, 3, 7, 11])
def test_any_batch_equals_its_pictures_one_by_one(tmp_path: Path, n: int) -> None:
    model = load_model(save_classifier(tmp_path / "classifier.onnx"), "classifier")
    engine = OpenVinoEngine(model, threads=1, max_batch=4)
    batch = np.random.default_rng(n).integers(0, 255, (n, 32, 32, 3)).astype(np.uint8)
    together = engine.infer(batch)
    for i in range(n):
        alone = engine.infer(batch[i : i + 1])
        for name, values in alone.items():
            np.testing.assert_allclose(together[name][i], values[0], rtol=1e-5, err_msg=name)


def test_answers_belong_to_the_caller(tmp_path: Path) -> None:
    model = load_model(save_classifier(tmp_path / "classifier.onnx"), "classifier")
    engine = OpenVinoEngine(model, threads=1)
    red = np.zeros((1, 32, 32, 3), np.uint8)
    red[..., 2] = 200
    first = engine.infer(red)["probabilities"]
    kept = first.copy()
    engine.infer(np.zeros((1, 32, 32, 3), np.uint8))
    np.testing.assert_array_equal(first, kept)


def test_the_embedding_has_unit_length() -> None:
    model = load_model(SHIPPED / "classifier.onnx", "classifier")
    answer = OpenVinoEngine(model, threads=1).infer(pictures("classifier", 2))
    np.testing.assert_allclose(np.linalg.norm(answer["embedding"], axis=1), 1.0, atol=1e-4)
    np.testing.assert_allclose(answer["probabilities"].sum(axis=1), 1.0, atol=1e-4)


TWO_THAT_GO = """
import os, signal, sys
from pathlib import Path
from edge_app.inference.model import load_model
from edge_app.inference.openvino_engine import OpenVinoEngine

model = load_model(Path(sys.argv[1]), "classifier")
first, second = OpenVinoEngine(model, threads=1), OpenVinoEngine(model, threads=1)
signal.signal(signal.SIGHUP, lambda *_: print("heard"))
del first
del second
os.kill(os.getpid(), signal.SIGHUP)
"""


def test_a_signal_is_heard_after_engines_that_are_gone(tmp_path: Path) -> None:
    path = save_classifier(tmp_path / "classifier.onnx")
    program = [sys.executable, "-c", TWO_THAT_GO, str(path)]
    ended = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "heard\n"), ended.stderr


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is a single core")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_network_is_tied_to_no_core(threads: int) -> None:
    """Tied threads wait for their core, whoever has it, while others are idle."""
    of_others = set(_THREADS.iterdir())
    engine = OpenVinoEngine(load_model(SHIPPED / "detector.onnx", "detector"), threads)
    batch = pictures("detector", 1)
    calls = threading.Thread(target=lambda: [engine.infer(batch) for _ in range(8)])
    free = os.sched_getaffinity(0)
    calls.start()
    tied = set()
    while calls.is_alive():
        for task in set(_THREADS.iterdir()) - of_others:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                tied.add(frozenset(os.sched_getaffinity(int(task.name))))
    assert tied == {frozenset(free)}
