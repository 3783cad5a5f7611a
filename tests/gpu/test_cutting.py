"""The kernels on a real GPU against OpenCV: never more than one level apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.flow import Cuts
from edge_app.inference.cuda import CudaDevice
from edge_app.inference.cutting import (
    Cutter,
    Jobs,
    JobTable,
    Source,
    letterbox_job,
    person_job,
    stretch_job,
)
from edge_app.inference.device_pictures import Cutting
from edge_app.inference.preprocess import letterbox, pixels_of, stretch

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def cutter(gpu: CudaDevice, tmp_path_factory: pytest.TempPathFactory) -> Cutter:
    return Cutter(gpu, tmp_path_factory.mktemp("kernels"))


def run(
    gpu: CudaDevice,
    cutter: Cutter,
    planes: np.ndarray,
    frame_size: tuple[int, int],
    jobs: list[Jobs],
    size: tuple[int, int],
) -> np.ndarray:
    with gpu.current("testing"):
        stream, staging = gpu.stream(), gpu.pinned(planes.shape, np.uint8)
        staging[:] = planes
        target = gpu.pinned((len(jobs), size[1], size[0], 3), np.uint8)
        frame, batch = gpu.buffer(staging.nbytes), gpu.buffer(target.nbytes)
        table = JobTable(gpu, len(jobs))
        gpu.copy_in(staging, frame, stream)
        source = Source(frame.address, frame_size, "bgr" if planes.ndim == 3 else "nv12")
        cutter.cut([source] * len(jobs), np.stack(jobs), table, (batch, size), stream)
        gpu.copy_out(batch, target, stream)
        stream.synchronize()
        for memory in (frame, batch, table):
            memory.close()
        return target.copy()


@pytest.mark.parametrize("frame_size", [(1920, 1080), (640, 360), (333, 777), (100, 60)])
@pytest.mark.parametrize("kind", ["bgr", "nv12"])
def test_frames_and_crops(
    gpu: CudaDevice, cutter: Cutter, frame_size: tuple[int, int], kind: str
) -> None:
    width, height = frame_size[0] // 2 * 2, frame_size[1] // 2 * 2
    rng = np.random.default_rng(width)
    if kind == "bgr":
        planes = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
        picture = planes
    else:
        planes = rng.integers(0, 256, (height * 3 // 2, width)).astype(np.uint8)
        picture = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_NV12)
    size, box = (128, 256), np.array([10, 5, width // 2 + 11, height // 2 + 6])
    jobs = [letterbox_job((width, height), size), person_job(box, size), stretch_job(box, size)]
    expected = np.zeros((3, 256, 128, 3), np.uint8)
    letterbox(picture, expected[0])
    letterbox(picture[box[1] : box[3], box[0] : box[2]], expected[1])
    stretch(picture, box, expected[2])
    found = run(gpu, cutter, planes, (width, height), jobs, size)
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.parametrize("fit", ["letterbox", "stretch"])
def test_a_batch_out_of_several_pictures(gpu: CudaDevice, tmp_path: Path, fit: str) -> None:
    rng = np.random.default_rng(7)
    pictures = [
        rng.integers(0, 256, (height, 320, 3)).astype(np.uint8) for height in (180, 240, 180)
    ]
    boxes = np.array([[i, 2 * i, 150 + i, 90 + 3 * i] for i in range(8)])
    shown = [pictures[i % 3] for i in range(8)]
    cuts = Cuts(shown, boxes, (128, 160), fit)  # type: ignore[arg-type]
    cutting = Cutting(gpu, tmp_path)
    with gpu.current("testing"):
        stream, table = gpu.stream(), JobTable(gpu, 8)
        target = gpu.pinned((8, 160, 128, 3), np.uint8)
        batch = gpu.buffer(target.nbytes)
        for _ in range(2):
            cutting.fill(cuts, table, batch, stream)
            gpu.copy_out(batch, target, stream)
            stream.synchronize()
            assert np.abs(target.astype(int) - pixels_of(cuts)).max() <= 1
        assert cutting.pictures.copied == 3, "each picture is copied once"
        cutting.pictures.close()
        batch.close()
        table.close()


def test_kernels_are_compiled_once(gpu: CudaDevice, tmp_path: Path) -> None:
    Cutter(gpu, tmp_path)
    kept = next(tmp_path.glob("cut-*.cubin"))
    before = kept.stat().st_mtime_ns
    Cutter(gpu, tmp_path)
    assert kept.stat().st_mtime_ns == before
