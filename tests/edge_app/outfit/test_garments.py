"""One look at a person, through real (tiny) networks whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from edge_app.app import Networks, open_networks
from edge_app.config.schema import DetectionSettings, InferenceSettings, OutfitSettings
from edge_app.vocabulary import CATEGORIES
from tests.tiny_models import save_all

RED, BLUE = (30, 30, 200), (200, 60, 30)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    folder = save_all(tmp_path_factory.mktemp("models"))
    settings = InferenceSettings(models=folder, threads=1)
    return open_networks(settings, DetectionSettings(), OutfitSettings())


def picture(bgr: tuple[int, int, int]) -> np.ndarray:
    return np.full((120, 160, 3), bgr, np.uint8)


def test_a_dress_is_one_long_garment_in_the_pictures_pixels(networks: Networks) -> None:
    box = np.array([40, 10, 80, 90])
    look = networks.looker.look([(picture(RED), box)], [1.0])[0]
    (garment,) = look.garments
    assert garment.region == "long"
    np.testing.assert_allclose(garment.box_xyxy, box, atol=1.0)
    assert CATEGORIES[int(garment.probabilities.argmax())] == "dress"
    assert look.wears is not None
    assert look.wears[CATEGORIES.index("dress")] == pytest.approx(0.95)
    assert look.colours == {"long": "red"}


def test_people_of_different_pictures_share_one_call(networks: Networks) -> None:
    box = np.array([40, 10, 80, 90])
    looks = networks.looker.look([(picture(RED), box), (picture(BLUE), box)], [1.0, 0.5])
    assert [sorted(g.region for g in look.garments) for look in looks] == [
        ["long"],
        ["bottom", "top"],
    ]
    np.testing.assert_allclose(looks[1].garments[0].embedding, [0.0, 1.0])


def test_each_garment_has_a_colour_of_its_own(networks: Networks) -> None:
    blue = picture(BLUE)
    blue[50:] = (60, 110, 50)
    look = networks.looker.look([(blue, np.array([40, 10, 80, 90]))], [1.0])[0]
    assert look.colours == {"top": "blue", "bottom": "green"}


def test_a_flat_crop_has_less_quality_than_it_promised(networks: Networks) -> None:
    look = networks.looker.look([(picture(RED), np.array([40, 10, 80, 90]))], [0.8])[0]
    assert look.quality == pytest.approx(0.8 * 0.3)


def test_nobody_nothing(networks: Networks) -> None:
    assert networks.looker.look([], []) == []
