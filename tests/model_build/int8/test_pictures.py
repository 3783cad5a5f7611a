"""Pictures for calibration: of the training side, fitted to the model, always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_app.inference.model import SHIPPED, load_model
from model_build.data.ccp import StreetPhoto
from model_build.garment_model import Folders
from model_build.int8.pictures import training_pictures


def test_frames_come_from_photos_that_training_saw(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    whole = StreetPhoto.read_picture

    def noted(photo: StreetPhoto) -> np.ndarray:
        read.append(photo)
        return whole(photo)

    monkeypatch.setattr(StreetPhoto, "read_picture", noted)
    model = load_model(SHIPPED / "detector.onnx", "detector")
    found = [training_pictures(Folders(data_dir, tmp_path), model, 6) for _ in range(2)]
    assert found[0].shape == (6, model.input_size[1], model.input_size[0], 3)
    np.testing.assert_array_equal(*found)
    assert len(read) == 8, "a third is rendered"
    assert not any(photo.is_held_out for photo in read)
