"""The GPU kernels, compiled on the host, against OpenCV: never more than one level apart."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_app.inference.cutting import SOURCE, letterbox_job, person_job, stretch_job
from edge_app.inference.preprocess import letterbox, stretch

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="g++: not installed")


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    library = tmp_path_factory.mktemp("kernels") / "cut.so"
    flags = ["-O2", "-shared", "-fPIC", "-DON_HOST", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["g++", "-x", "c++", *flags, str(SOURCE), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def run(
    kernels: ctypes.CDLL,
    planes: tuple[np.ndarray, ...],
    jobs: list[np.ndarray],
    size: tuple[int, int],
) -> np.ndarray:
    """All jobs on a picture: one BGR plane, or luma and chroma of NV12."""
    out = np.zeros((len(jobs), size[1], size[0], 3), np.uint8)
    table = np.ascontiguousarray(np.stack(jobs))
    addresses = [plane.ctypes.data_as(ctypes.c_void_p) for plane in planes]
    kernels.cut(
        addresses[0],
        addresses[1] if len(planes) > 1 else None,
        ctypes.c_int(planes[0].strides[0]),
        table.ctypes.data_as(ctypes.c_void_p),
        len(jobs),
        size[0],
        size[1],
        out.ctypes.data_as(ctypes.c_void_p),
    )
    return out


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1


def noise(width: int, height: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


@settings(max_examples=60)
@given(
    st.integers(2, 700),
    st.integers(2, 700),
    st.sampled_from([(64, 64), (512, 320), (128, 256), (97, 51)]),
    st.integers(0, 99),
)
def test_letterbox(
    kernels: ctypes.CDLL, width: int, height: int, size: tuple[int, int], seed: int
) -> None:
    picture = noise(width, height, seed)
    expected = np.zeros((size[1], size[0], 3), np.uint8)
    letterbox(picture, expected)
    assert_close(
        run(kernels, (picture,), [letterbox_job((width, height), size)], size)[0], expected
    )


@settings(max_examples=60)
@given(st.data(), st.sampled_from([(128, 160), (64, 64)]), st.integers(0, 99))
def test_cutting_people_and_garments(
    kernels: ctypes.CDLL, data: st.DataObject, size: tuple[int, int], seed: int
) -> None:
    picture = noise(300, 200, seed)
    x1, y1 = data.draw(st.integers(0, 298)), data.draw(st.integers(0, 198))
    x2, y2 = data.draw(st.integers(x1 + 1, 300)), data.draw(st.integers(y1 + 1, 200))
    box = np.array([x1, y1, x2, y2])
    expected = np.zeros((2, size[1], size[0], 3), np.uint8)
    stretch(picture, box, expected[0])
    letterbox(picture[y1:y2, x1:x2], expected[1])
    jobs = [stretch_job(box, size), person_job(box, size)]
    assert_close(run(kernels, (picture,), jobs, size), expected)


@settings(max_examples=30)
@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 99))
def test_nv12_is_read_as_opencv_converts_it(
    kernels: ctypes.CDLL, half_width: int, half_height: int, seed: int
) -> None:
    width, height = 2 * half_width, 2 * half_height
    planes = np.random.default_rng(seed).integers(0, 256, (height * 3 // 2, width)).astype(np.uint8)
    picture = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_NV12)
    size = (160, 96)
    expected = np.zeros((96, 160, 3), np.uint8)
    letterbox(picture, expected)
    luma, chroma = planes[:height], planes[height:]
    assert_close(
        run(kernels, (luma, chroma), [letterbox_job((width, height), size)], size)[0], expected
    )


@settings(max_examples=40)
@given(st.data(), st.sampled_from([(128, 160), (128, 256)]), st.integers(0, 99))
def test_people_and_garments_are_cut_out_of_nv12_too(
    kernels: ctypes.CDLL, data: st.DataObject, size: tuple[int, int], seed: int
) -> None:
    width, height = 300, 200
    planes = np.random.default_rng(seed).integers(0, 256, (height * 3 // 2, width)).astype(np.uint8)
    picture = np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_NV12))
    # Odd corners fall into the middle of a pair of chroma.
    x1, y1 = data.draw(st.integers(0, width - 2)), data.draw(st.integers(0, height - 2))
    x2, y2 = data.draw(st.integers(x1 + 1, width)), data.draw(st.integers(y1 + 1, height))
    box = np.array([x1, y1, x2, y2])
    expected = np.zeros((2, size[1], size[0], 3), np.uint8)
    stretch(picture, box, expected[0])
    letterbox(np.ascontiguousarray(picture[y1:y2, x1:x2]), expected[1])
    jobs = [stretch_job(box, size), person_job(box, size)]
    assert_close(run(kernels, (planes[:height], planes[height:]), jobs, size), expected)


def test_a_kernel_never_reads_past_its_box(kernels: ctypes.CDLL) -> None:
    picture = np.zeros((20, 20, 3), np.uint8)
    picture[5:10, 5:10] = 200
    found = run(kernels, (picture,), [stretch_job(np.array([5, 5, 10, 10]), (32, 32))], (32, 32))
    assert (found == 200).all()
