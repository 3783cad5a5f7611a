"""Frames: spread over time and looks, and never readable on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration import inputs, sealed
from calibration.frames import FramePool, appearance, most_different
from calibration.inputs import as_inputs, camera_of, frames_of, labelled
from edge_app.config.schema import CameraSettings
from edge_app.errors import ConfigError, SourceError
from edge_app.flow import Frame
from edge_app.inference.model import SHIPPED, load_model


def grey(level: int) -> np.ndarray:
    return np.full((12, 16, 3), level, np.uint8)


@pytest.mark.parametrize("count", [3, 39, 40, 41, 500])
def test_the_pool_is_small_and_even_over_time(count: int) -> None:
    pool = FramePool(10)
    for i in range(count):
        pool.add(np.full((4, 4, 3), (*divmod(i, 250), 0), np.uint8))
    assert min(count, 20) <= len(pool) <= 40
    times = [250 * int(picture[0, 0, 0]) + int(picture[0, 0, 1]) for picture in pool._pictures]
    assert times == list(range(0, count, times[1]))
    assert len(pool.choose()) == min(10, count)


def test_the_pool_of_large_pictures_stays_within_its_memory() -> None:
    pool = FramePool(100, most_bytes=20 * grey(0).nbytes)
    for i in range(300):
        pool.add(grey(i % 251))
        assert len(pool) <= 20
    assert len(pool.choose()) >= 10


def test_a_rare_look_is_chosen() -> None:
    pool = FramePool(3)
    for i in range(12):
        pool.add(grey(250) if i == 7 else grey(20 + i % 2))
    assert any(picture.mean() == 250 for picture in pool.choose())


def test_equal_pictures_are_chosen_once_each() -> None:
    looks = [appearance(grey(9)) for _ in range(5)]
    assert len(set(most_different(looks, 4))) == 4


def test_an_empty_pool_gives_nothing() -> None:
    assert FramePool(4).choose() == []


def test_frames_of_a_recording_come_one_by_one() -> None:
    settings = CameraSettings(source="sim://entrance?duration_s=1")
    assert 5 <= sum(1 for _ in frames_of(settings, 1.0)) <= 15


STORE = """
store: acme-1
node: edge-1
timezone: UTC
mqtt: {url: "mqtt://127.0.0.1:1883"}
cameras:
  door:
    source: sim://entrance?duration_s=1
    privacy_masks: [[[0, 0], [1, 0], [1, 0.5], [0, 0.5]]]
"""


def test_the_stores_own_cameras_are_known_by_name_and_masked(tmp_path: Path) -> None:
    (tmp_path / "store.yaml").write_text(STORE)
    settings = camera_of("door", tmp_path / "store.yaml")
    picture = next(frames_of(settings, 1.0))
    assert not picture[: len(picture) // 2].any()
    assert picture[len(picture) // 2 + 1 :].any()
    with pytest.raises(ConfigError, match=r"has no camera 'till'; it knows door"):
        camera_of("till", tmp_path / "store.yaml")


def test_live_frames_are_masked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Camera:
        def read(self) -> Frame:
            return Frame("door", 0, 0.0, np.full((8, 8, 3), 200, np.uint8))

        def close(self) -> None:
            pass

    monkeypatch.setattr(inputs, "connect", lambda *_: Camera())
    corner = ((0.0, 0.0), (0.3, 0.0), (0.3, 0.3), (0.0, 0.3))
    settings = CameraSettings(source="rtsp://10.0.0.1/stream", privacy_masks=(corner,))
    picture = next(frames_of(settings, 1.0))
    assert not picture[0, 0].any()
    assert picture[7, 7].all()


def test_no_pictures_is_an_error() -> None:
    model = load_model(SHIPPED / "classifier.onnx", "classifier")
    with pytest.raises(SourceError, match="no picture for the classifier was found"):
        as_inputs(model, [])


def test_labels_that_do_not_exist_are_told(tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), grey(3))
    (tmp_path / "labels.json").write_text('{"a.png": "kilt"}')
    model = load_model(SHIPPED / "classifier.onnx", "classifier")
    with pytest.raises(SourceError, match=r"kilt|not in"):
        labelled(model, tmp_path, tmp_path / "labels.json")


def test_boxes_of_labels_are_brought_to_the_input(tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((640, 1024, 3), np.uint8))
    (tmp_path / "labels.json").write_text('{"a.png": [["person", 100, 200, 300, 600]]}')
    model = load_model(SHIPPED / "detector.onnx", "detector")
    inputs, truth = labelled(model, tmp_path, tmp_path / "labels.json")
    assert inputs.shape[1:3] == (model.input_size[1], model.input_size[0])
    scale = model.input_size[0] / 1024
    np.testing.assert_allclose(
        truth.objects[0].boxes_xyxy[0], np.array([100, 200, 300, 600]) * scale, rtol=1e-3
    )


@pytest.fixture
def key() -> str:
    pytest.importorskip("cryptography", reason="cryptography: the extra int8 is not installed")
    return sealed.new_key()


def test_sealed_frames_come_back(tmp_path: Path, key: str) -> None:
    path = tmp_path / "frames.sealed"
    sealed.seal([grey(3), grey(200)], key, path, now_s=1000.0)
    assert path.stat().st_mode & 0o077 == 0
    assert [int(p[0, 0, 0]) for p in sealed.unseal(path, key, now_s=2000.0)] == [3, 200]


def test_another_key_opens_nothing(tmp_path: Path, key: str) -> None:
    path = tmp_path / "frames.sealed"
    sealed.seal([grey(3)], key, path, now_s=1000.0)
    with pytest.raises(SourceError, match="sealed with another key"):
        sealed.unseal(path, sealed.new_key(), now_s=1001.0)
    with pytest.raises(SourceError, match="the key is none of this tool"):
        sealed.unseal(path, "hunter2", now_s=1001.0)


def test_expired_frames_are_deleted(tmp_path: Path, key: str) -> None:
    path = tmp_path / "frames.sealed"
    sealed.seal([grey(3)], key, path, now_s=0.0, max_age_days=2.0)
    with pytest.raises(SourceError, match="has expired, and is deleted"):
        sealed.unseal(path, key, now_s=3 * sealed.DAY_S)
    assert not path.exists()
