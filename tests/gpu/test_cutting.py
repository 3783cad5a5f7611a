"""The kernels on a real GPU against OpenCV: never more than one level apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.inference.cuda import CudaDevice
from edge_app.inference.cutting import Cutter, Jobs, letterbox_job, person_job, stretch_job
from edge_app.inference.preprocess import letterbox, stretch

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
        stream, source = gpu.stream(), gpu.pinned(planes.shape, np.uint8)
        source[:] = planes
        target = gpu.pinned((len(jobs), size[1], size[0], 3), np.uint8)
        frame, batch = gpu.buffer(source.nbytes), gpu.buffer(target.nbytes)
        gpu.copy_in(source, frame, stream)
        kind = "bgr" if planes.ndim == 3 else "nv12"
        cutter.cut(frame, frame_size, kind, jobs, (batch, size), stream)  # type: ignore[arg-type]
        gpu.copy_out(batch, target, stream)
        stream.synchronize()
        frame.close()
        batch.close()
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


def test_kernels_are_compiled_once(gpu: CudaDevice, tmp_path: Path) -> None:
    Cutter(gpu, tmp_path)
    kept = next(tmp_path.glob("cut-*.cubin"))
    before = kept.stat().st_mtime_ns
    Cutter(gpu, tmp_path)
    assert kept.stat().st_mtime_ns == before
