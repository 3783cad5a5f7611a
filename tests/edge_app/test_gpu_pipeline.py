"""The whole pipeline with ``device: gpu`` on stand-ins of the driver, beside the CPU's.

The kernels, the device layer, the TensorRT engine and the shipped models are real; see
:mod:`tests.edge_app.inference.fake_pycuda` for what is not.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from edge_app.app import Networks, build_pipeline, open_networks
from edge_app.capture.simulated import SimulatedEntrance
from edge_app.config.schema import Config
from edge_app.flow import Entry, Frame, Outfit, TrackedFrame
from edge_app.inference.choose import describe_engine
from edge_app.inference.fallback import gpu_state
from tests.acceptance.simulated_entrance import config_for
from tests.edge_app.inference import fake_pycuda, fake_tensorrt

pytestmark = [
    pytest.mark.skipif(shutil.which("g++") is None, reason="g++: not installed"),
    pytest.mark.usefixtures("gpu_stand_ins"),
]

URL = "sim://entrance?seed=5&fps=5&duration_s=9&people_per_min=20"


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    entrance = SimulatedEntrance.from_url(URL)
    count = entrance.frame_count or 0
    return [Frame("door", i, i / 5, entrance.frame_at(i)) for i in range(count)]


@dataclass
class Seen:
    """All that a pipeline said of the frames."""

    tracked: list[TrackedFrame] = field(default_factory=list)
    outfits: dict[tuple[str, int], Outfit] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    gpu_memory_mb: float | None = None


def opened(device: str, folder: Path) -> tuple[Config, Networks]:
    config = config_for(URL, None)
    inference = config.inference.model_copy(update={"device": device, "engines": folder})
    return config, open_networks(inference, config.detection, config.outfit)


def watch(config: Config, networks: Networks, frames: list[Frame]) -> Seen:
    pipeline, seen = build_pipeline(config, networks, 0.0, is_replay=True), Seen()
    for frame in frames:
        step = pipeline.step([frame], frame.taken_at_s)
        seen.tracked += step.tracked
        seen.outfits |= step.outfits
        seen.entries += step.entries
    last = pipeline.finish(frames[-1].taken_at_s, len(frames))
    seen.outfits |= last.outfits
    seen.entries += last.entries
    seen.gpu_memory_mb = gpu_state(networks.engines).memory_mb
    networks.close()
    return seen


@pytest.fixture(scope="module")
def on_cpu(frames: list[Frame], tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return watch(*opened("cpu", tmp_path_factory.mktemp("none")), frames)


def assert_alike(found: Seen, expected: Seen) -> None:
    """People within 2 pixels, what they wear within 0.05, entries at the same frame.

    A level of 255 in the pictures is all that differs between the devices.
    """
    assert any(frame.tracks for frame in expected.tracked), "nobody came: nothing was compared"
    assert expected.entries
    for ours, theirs in zip(found.tracked, expected.tracked, strict=True):
        assert [t.track_id for t in ours.tracks] == [t.track_id for t in theirs.tracks]
        for one, other in zip(ours.tracks, theirs.tracks, strict=True):
            np.testing.assert_allclose(one.box_xyxy, other.box_xyxy, atol=2.0)
            assert one.score == pytest.approx(other.score, abs=0.03)
    assert found.outfits.keys() == expected.outfits.keys()
    assert any(outfit.evidence for outfit in expected.outfits.values())
    for key, theirs in expected.outfits.items():
        ours = found.outfits[key]
        assert ours.evidence == pytest.approx(theirs.evidence, abs=0.05)
        for category, probability in theirs.wears.items():
            assert ours.wears[category] == pytest.approx(probability, abs=0.05), category
    for one, other in zip(found.entries, expected.entries, strict=True):
        assert (one.zone, one.direction) == (other.zone, other.direction)
        assert one.frame_index == other.frame_index


def test_the_gpu_sees_what_the_cpu_sees(frames: list[Frame], on_cpu: Seen, tmp_path: Path) -> None:
    config, networks = opened("gpu", tmp_path)
    assert {describe_engine(e) for e in networks.engines.values()} == {"the GPU (TensorRT)"}
    seen = watch(config, networks, frames)
    assert_alike(seen, on_cpu)
    assert (seen.gpu_memory_mb, on_cpu.gpu_memory_mb) == (1024.0, None)
    whole = [size for size in fake_pycuda.copies if size == frames[0].frame_bgr.nbytes]
    assert len(whole) == len(frames), "every frame is copied once, whoever looks at it"
    assert fake_pycuda.memory == {}
    assert fake_pycuda.open_contexts() == 0


@pytest.mark.parametrize("call", ["execute_async_v3", "mem_alloc"])
def test_a_gpu_that_fails_on_the_way_loses_nobody(
    frames: list[Frame], on_cpu: Seen, tmp_path: Path, call: str
) -> None:
    config, networks = opened("auto", tmp_path)
    fake_tensorrt.trouble[call] = 0 if call == "mem_alloc" else 25
    assert_alike(watch(config, networks, frames), on_cpu)
    assert not fake_tensorrt.trouble, "the failure came"
    assert fake_pycuda.memory == {}
