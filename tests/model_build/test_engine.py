"""`python -m model_build engine` without a GPU: built by TensorRT-RTX, or told why not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_app.errors import EngineError
from edge_app.inference.cuda import CudaDevice
from model_build.__main__ import main
from tests.tiny_models import save_classifier


@pytest.fixture(autouse=True)
def without_gpu() -> None:
    try:
        CudaDevice().close()
    except EngineError:
        return
    pytest.skip("a GPU is here")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["--data", "nowhere", "engine", *arguments])
    return result.exit_code, result.output


def test_a_model_is_parsed_and_built(tmp_path: Path) -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx-cu13: not installed")
    path = save_classifier(tmp_path / "classifier.onnx")
    code, text = run(str(path), "--out", str(tmp_path / "engines"))
    assert code == 0, text
    assert "no GPU here" in text
    assert (tmp_path / "engines" / "classifier-sm86.engine").stat().st_size > 1000


def test_without_tensorrt_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    path = save_classifier(tmp_path / "mine.onnx")
    code, text = run(str(path), "--task", "classifier")
    assert code == 1
    assert "only TensorRT-RTX builds: pip install tensorrt-rtx-cu13" in text


def test_a_name_that_tells_no_task_is_an_error(tmp_path: Path) -> None:
    code, text = run(str(save_classifier(tmp_path / "mine.onnx")))
    assert code == 1
    assert "give it with --task" in text
