"""`python -m calibration` from a camera to a model that may be used, and what it leaves on disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from calibration.__main__ import main
from calibration.quantize import Quantizer
from tests.calibration.networks import pictures, residual_detector
from tests.integration.test_privacy import CALLS, CANARY, PICTURE_FILES, traces, written

ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip("cryptography", reason="cryptography: the extra int8 is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a model, and a recording of what it was made for."""
    onnx.save(residual_detector(), str(tmp_path / "detector.onnx"))
    (tmp_path / "clip").mkdir()
    for number, picture in enumerate(pictures(12)):
        cv2.imwrite(str(tmp_path / "clip" / f"{number:02d}.png"), picture)
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    is_ours = ("clip", ".onnx", ".sealed", ".key")
    paths = [str(folder / a) if a.endswith(is_ours) else a for a in arguments]
    result = CliRunner().invoke(main, paths)
    return result.exit_code, result.output


def test_frames_then_quantize_then_gate(folder: Path) -> None:
    code, text = run(folder, "frames", "clip", "door.sealed", "--key-file", "door.key")
    assert code == 0, text
    assert "12 frames, encrypted, for 14 days" in text
    sealed = ["door.sealed", "int8.onnx", "--key-file", "door.key", "--allowed-loss", "1"]
    code, text = run(folder, "quantize", "detector.onnx", *sealed, "--cache", "10.3")
    assert code == 0, text
    assert "all 6 layers in INT8" in text
    assert "speed on one core" in text
    assert (folder / "int8.cache").read_text().startswith("TRT-100300-EntropyCalibration2\n")
    code, text = run(folder, "gate", "detector.onnx", "int8.onnx", "clip", "--allowed-loss", "1")
    assert code == 0, text
    assert "passed: loss" in text


def test_a_spoilt_model_does_not_pass_the_gate(folder: Path) -> None:
    quantizer = Quantizer(residual_detector(), pictures(), "minmax")
    quantizer.scales["merge_act"] *= 4000.0
    onnx.save(quantizer.write(), str(folder / "int8.onnx"))
    code, text = run(folder, "gate", "detector.onnx", "int8.onnx", "clip")
    assert code == 1
    assert "refused: INT8 loses" in text
    assert "passed" not in text


def test_nothing_is_written_where_no_model_passes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calibration.quantize.scale_of", lambda *_: 50.0)
    # One method: that without one all are tried is test_the_first_method_that_passes_is_taken.
    method = ["--method", "minmax"]
    code, text = run(folder, "quantize", "detector.onnx", "clip", "new.onnx", *method)
    assert code == 1
    assert "3 layers in float: loss" in text, "half of the layers were tried"
    assert "refused: INT8 loses" in text
    assert "the dearest layers are" in text
    assert not (folder / "new.onnx").exists()


@pytest.mark.parametrize(
    ("name", "reason"), [("mine.onnx", "--task"), ("absent.onnx", "there is no such model file")]
)
def test_a_wrong_model_is_one_line(folder: Path, name: str, reason: str) -> None:
    model = onnx.load(folder / "detector.onnx")
    onnx.helper.set_model_props(model, {"labels": '["person"]'})
    onnx.save(model, folder / "mine.onnx")
    code, text = run(folder, "quantize", name, "clip", "out.onnx")
    assert code == 1
    assert "Traceback" not in text
    assert reason in text


def test_a_model_of_any_name_says_what_it_is_for(folder: Path) -> None:
    shutil.copy(folder / "detector.onnx", folder / "mine.onnx")
    code, text = run(folder, "gate", "mine.onnx", "detector.onnx", "clip")
    assert code == 0, text
    assert "passed: loss 0.00%" in text


def test_no_pixel_reaches_the_disk_unencrypted(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is needed")
    (tmp_path / "clip").mkdir()
    picture = np.frombuffer(CANARY * (64 * 32), np.uint8).reshape(64, 128, 3)
    for number in range(6):
        assert cv2.imwrite(str(tmp_path / "clip" / f"{number}.png"), picture)
    private = tmp_path / "tmp"
    private.mkdir()
    done = subprocess.run(
        [strace, "-f", "-qq", "-xx", "-s", "1048576", "--seccomp-bpf",
         "-e", f"trace={CALLS}", "-o", str(tmp_path / "strace.log"),
         sys.executable, "-m", "calibration", "frames", str(tmp_path / "clip"),
         str(tmp_path / "door.sealed"), "--key-file", str(tmp_path / "door.key")],
        cwd=ROOT, capture_output=True, env={**os.environ, "TMPDIR": str(private)}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    seen = written(tmp_path / "strace.log")
    token = (tmp_path / "door.sealed").read_bytes()
    assert token in seen, "the search sees what was written"
    assert traces(seen) == []
    assert [start for start in PICTURE_FILES if start in seen] == []
    assert list(private.iterdir()) == []


def test_half_makes_the_folder_it_writes_to(folder: Path) -> None:
    code, text = run(folder, "half", "detector.onnx", "fp16/detector.onnx")
    assert code == 0, text
    assert (folder / "fp16" / "detector.onnx").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b'{"00.png": [[]]}', "the labels are", id="empty-row"),
        pytest.param(b"\xff\xfe{}", "expected a JSON object", id="not-utf-8"),
        pytest.param(
            b'{"00.png": [["persons", 1, 1, 9, 9]]}',
            "00.png: 'persons' is none of the labels, which are person",
            id="misspelt",
        ),
        pytest.param(
            b'{"00.png": [["person", 20, 10, 12, 22]]}',
            "00.png: expected boxes as x1, y1, x2, y2 in its 32x32 pixels; came 20, 10, 12, 22",
            id="xywh",
        ),
        pytest.param(
            b'{"00.png": [["person", 20, 10, 40, 22]]}', "in its 32x32 pixels", id="outside"
        ),
        pytest.param(
            b'\xef\xbb\xbf{"00.png": [["person", 30, 30, 32, 32]]}',
            "the float model has 0 as ap50 and recall",
            id="where nothing is, after a byte order mark",
        ),
    ],
)
def test_labels_that_cannot_be_used_are_said(folder: Path, content: bytes, said: str) -> None:
    labels = folder / "labels.json"
    labels.write_bytes(content)
    model = str(folder / "detector.onnx")
    arguments = ["gate", model, model, str(folder / "clip"), "--labels", str(labels)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert said in result.output


def test_a_key_that_is_not_there_is_said(folder: Path) -> None:
    code, text = run(
        folder, "gate", "detector.onnx", "detector.onnx", "clip", "--key-file", "none.key"
    )
    assert code == 2
    assert "does not exist" in text
