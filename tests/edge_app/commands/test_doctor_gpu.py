"""The doctor's look at the GPU, on stand-ins of pycuda and TensorRT."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_app.app import open_networks
from edge_app.commands.doctor_gpu import gpu_finding, who_runs
from edge_app.config.schema import DetectionSettings, InferenceSettings, OutfitSettings
from tests.edge_app.inference import fake_pycuda, fake_tensorrt
from tests.tiny_models import save_all

pytestmark = pytest.mark.usefixtures("gpu_stand_ins")


def missing() -> int:
    raise OSError("libcuda.so.1: cannot open shared object file")


def test_a_gpu_that_works_is_good() -> None:
    assert gpu_finding() == ("good", "Stand-in, tensorrt 10.3.0, 1.0 of 2.0 GiB free")


def test_a_gpu_that_is_not_used_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_tensorrt, "__version__", "8.6.1")
    verdict, said = gpu_finding(lambda: 0)
    assert verdict == "warning"
    assert "the GPU is not used: Stand-in: tensorrt 8.6.1 is too old; expected 10.0" in said
    assert gpu_finding(lambda: 999)[0] == "bad"
    assert gpu_finding(missing) == ("warning", "none here; the networks run on the CPU")


@pytest.mark.parametrize(
    ("device", "fails", "verdict", "said"),
    [
        ("auto", False, "good", "run by the GPU (TensorRT)"),
        ("cpu", False, "good", "run by the CPU (OpenVINO)"),
        ("auto", True, "warning", "TensorRT has no memory for a context"),
    ],
)
def test_who_runs_the_networks(
    tmp_path: Path, device: str, fails: bool, verdict: str, said: str
) -> None:
    settings = InferenceSettings.model_validate(
        {"device": device, "models": save_all(tmp_path / "models"), "engines": tmp_path}
    )
    if fails:
        fake_tensorrt.trouble["create_execution_context"] = 0
    networks = open_networks(settings, DetectionSettings(), OutfitSettings())
    if fails:
        fake_tensorrt.trouble["create_execution_context"] = 0
    found = who_runs(networks, settings)
    assert found[0] == verdict
    assert said in found[1]
    networks.close()
    assert fake_pycuda.open_contexts() == 0


def test_a_gpu_that_was_of_use_and_is_gone_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = InferenceSettings.model_validate(
        {"models": save_all(tmp_path / "models"), "engines": tmp_path}
    )
    open_networks(settings, DetectionSettings(), OutfitSettings()).close()
    monkeypatch.setattr(fake_tensorrt, "__version__", "8.6.1")
    networks = open_networks(settings, DetectionSettings(), OutfitSettings())
    verdict, said = who_runs(networks, settings)
    assert verdict == "warning"
    assert said.endswith(
        f"engines are in {tmp_path}: bring it back, or set inference.device to cpu"
    )
    networks.close()
