"""Pictures for calibration and gate: of the training side, never the same, always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_app.inference.model import SHIPPED, load_model
from model_build.data.ccp import StreetPhoto
from model_build.folders import Folders
from model_build.int8 import pictures
from model_build.int8.pictures import pictures_of
from model_build.int8.rendered import CUT_OFF, WHOLE


def test_no_photo_is_in_two_parts_and_none_is_held_out(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[StreetPhoto] = []
    whole = StreetPhoto.read_picture

    def noted(photo: StreetPhoto) -> np.ndarray:
        read.append(photo)
        return whole(photo)

    monkeypatch.setattr(StreetPhoto, "read_picture", noted)
    monkeypatch.setattr(pictures, "measuring_frames", pytest.fail)
    model = load_model(SHIPPED / "detector.onnx", "detector")
    folders = Folders(data_dir, tmp_path)
    found = [pictures_of(folders, model, part, 4, 1) for part in ("ranges", "gate", "ranges")]
    size = (model.input_size[1], model.input_size[0], 3)
    assert all(one.pictures.shape[1:] == size and len(one.pictures) > 4 + 20 for one in found)
    np.testing.assert_array_equal(found[0].pictures, found[2].pictures)
    assert not any(photo.is_held_out for photo in read)
    ranges, gate = ({photo.stem for photo in read[i : i + 4]} for i in (0, 4))
    assert len(ranges) == len(gate) == 4
    assert not ranges & gate
    for one in found:
        assert set(one.groups) == {WHOLE, CUT_OFF}
        for truth in one.groups.values():
            assert len(truth.objects) == len(one.pictures)
            assert not any(len(people) for people in truth.objects[:4]), "photos tell nothing"
            assert any(len(people) for people in truth.objects)
