"""Places that a detector takes for people: found once, and the same for the whole run."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge_app.errors import ModelError
from model_build import detector_model
from model_build.data.people import Mixture, PeoplePictures
from model_build.data.scenery import Scenery
from model_build.data.store import write_store
from model_build.evaluate.detection import street_truths
from model_build.networks.yolox import YoloxNano


@pytest.fixture
def pictures(tmp_path: Path) -> PeoplePictures:
    levels = [np.full((90, 60, 3), level, np.uint8) for level in (20, 60, 180, 230)]
    places = write_store(tmp_path / "places", [({"picture": level}, {}) for level in levels])
    one = write_store(tmp_path / "one", [({"picture": levels[0]}, {})])
    return PeoplePictures(Scenery(one, one, places), None, (96, 160), Mixture(spoilt=0), 1)


def test_what_the_network_takes_for_people_is_kept_with_the_run(
    tmp_path: Path, pictures: PeoplePictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def surest(network: YoloxNano, picture: np.ndarray) -> float:
        asked.append(float(picture.mean()))
        return 0.3 if picture.mean() > 120 else 0.1

    monkeypatch.setattr(detector_model, "surest", surest)
    found = detector_model.hard_places(pictures, YoloxNano(), 40, tmp_path)
    assert len(asked) == 40
    assert 0 < len(found) < 40
    assert all(pictures.place(number).picture.mean() > 120 for number in found)
    kept = json.loads((tmp_path / "hard_places.json").read_text())
    assert kept == {"looked_at": 40, "hard": list(found)}
    for count in (40, 0):  # the same again, and a run that goes on without saying it again
        assert detector_model.hard_places(pictures, YoloxNano(), count, tmp_path) == found
    assert len(asked) == 40
    with pytest.raises(ModelError, match="--hard-places 40"):
        detector_model.hard_places(pictures, YoloxNano(), 41, tmp_path)


def test_a_run_that_was_begun_without_them_gets_none(
    tmp_path: Path, pictures: PeoplePictures
) -> None:
    assert detector_model.hard_places(pictures, YoloxNano(), 0, tmp_path) == ()
    (tmp_path / "last.pt").touch()
    with pytest.raises(ModelError, match="without --hard-places"):
        detector_model.hard_places(pictures, YoloxNano(), 5, tmp_path)


def test_a_network_is_surer_of_somebody_than_of_grey(data_dir: Path) -> None:
    published = detector_model.load_published(data_dir / "weights" / "yolox_nano_416.onnx")
    grey = np.full((200, 300, 3), 114, np.uint8)
    assert detector_model.surest(published, grey) < 0.05
    assert detector_model.sees_nobody(published)(grey)
    photo = next(street_truths(data_dir / "ccp", is_spoilt=False)).picture
    assert detector_model.surest(published, photo) > 0.5
    assert not detector_model.sees_nobody(published)(photo)
