"""Several looks at one still picture become one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from edge_app.app import open_networks
from edge_app.config.schema import DetectionSettings, InferenceSettings, OutfitSettings
from edge_app.flow import Garment, Look, UInt8
from edge_app.outfit.stills import agreed_names, agreed_score, contested, look_at_still
from edge_app.vocabulary import CATEGORIES

WIDTH = 200
PERSON = np.array([[50.0, 10.0, 90.0, 90.0]], np.float32)
PICTURE: UInt8 = np.zeros((100, WIDTH, 3), np.uint8)
PICTURE[:, :100] = 255  # so that the views tell which way round they are


def garment(
    left: float, score: float, category: str = "shirt", region: str = "top", least: float = 0.01
) -> Garment:
    likely = np.full(len(CATEGORIES), least, np.float32)
    likely[CATEGORIES.index(category)] = 1 - least * (len(CATEGORIES) - 1)
    box = np.array([left, 10, left + 40, 50], np.float32)
    return Garment(region, box, score, likely, np.array([0.6, 0.8], np.float32))


class Scripted:
    """Gives one answer after the other; turns boxes where it is shown the mirrored picture."""

    def __init__(self, *answers: tuple[list[Garment], float]) -> None:
        self.answers = list(answers)
        self.spans: list[list[int]] = []
        self.margins: list[float] = []

    def look(
        self,
        people: Sequence[tuple[UInt8, npt.NDArray[np.int64]]],
        qualities: Sequence[float],
        margin: float,
    ) -> list[Look]:
        if not people:
            return []
        ((picture, span),) = people
        garments, worn = self.answers.pop(0)
        if not picture[0, 0].any():
            garments = [
                Garment(
                    g.region,
                    np.array([WIDTH - g.box_xyxy[2], 10, WIDTH - g.box_xyxy[0], 50], np.float32),
                    g.score,
                    g.probabilities,
                    g.embedding,
                )
                for g in garments
            ]
            span = np.array([WIDTH - span[2], span[1], WIDTH - span[0], span[3]])
        self.spans.append(span.tolist())
        self.margins.append(margin)
        return [
            Look(qualities[0], tuple(garments), np.full(15, worn, np.float32), {"top": "white"})
        ]


def seen(*answers: tuple[list[Garment], float]) -> tuple[Look, Scripted]:
    looker = Scripted(*answers)
    (look,) = look_at_still(looker, PICTURE, PERSON, [0.7])
    return look, looker


def test_each_cut_is_seen_as_it_is_and_mirrored_at_the_same_place() -> None:
    _, looker = seen(*[([], 0.5)] * 6)
    assert len(looker.spans) == 6
    assert looker.spans[::2] == looker.spans[1::2]
    assert len({tuple(span) for span in looker.spans}) == 3
    assert looker.margins == [0.05, 0.05, 0.1, 0.1, 0.2, 0.2]


def test_the_same_answer_six_times_is_that_answer() -> None:
    said = [garment(50, 0.9), garment(100, 0.6, "jeans", "bottom")]
    look, _ = seen(*[(said, 0.3)] * 6)
    assert [g.region for g in look.garments] == ["top", "bottom"]
    for found, expected in zip(look.garments, said, strict=True):
        np.testing.assert_allclose(found.box_xyxy, expected.box_xyxy)
        names = agreed_names(expected.probabilities, look.wears)
        np.testing.assert_allclose(found.probabilities, names, atol=1e-6)
        np.testing.assert_allclose(found.embedding, expected.embedding, atol=1e-6)
        assert found.score == pytest.approx(agreed_score(expected, look.wears))
    np.testing.assert_allclose(look.wears, 0.3, atol=1e-6)
    assert (look.quality, look.colours) == (0.7, {"top": "white"})


def test_what_one_view_alone_finds_counts_for_a_sixth() -> None:
    look, _ = seen(([garment(50, 0.6)], 0.5), *[([], 0.5)] * 5)
    (found,) = look.garments
    assert found.score == pytest.approx(agreed_score(garment(50, 0.1), look.wears))


def test_boxes_are_averaged_by_score_and_names_over_who_found_it() -> None:
    look, _ = seen(([garment(50, 0.9)], 0.5), ([garment(56, 0.3, "tshirt")], 0.5), *[([], 0.5)] * 4)
    (found,) = look.garments
    assert found.box_xyxy[0] == pytest.approx(51.5)
    shirt, other = (found.probabilities[CATEGORIES.index(c)] for c in ("shirt", "tshirt"))
    assert shirt == pytest.approx(other)
    assert found.probabilities.sum() == pytest.approx(1.0)


def test_two_garments_of_one_view_stay_two() -> None:
    """A jacket over a shirt: nearly the same box twice."""
    both = [garment(50, 0.9, "jacket"), garment(54, 0.5)]
    look, _ = seen(*[(both, 0.5)] * 6)
    for found, expected in zip(look.garments, both, strict=True):
        assert found.score == pytest.approx(agreed_score(expected, look.wears))
    assert [CATEGORIES[int(g.probabilities.argmax())] for g in look.garments] == ["jacket", "shirt"]


def test_garments_of_other_regions_or_places_are_others() -> None:
    look, _ = seen(
        ([garment(50, 0.6)], 0.5),
        ([garment(50, 0.6, "dress", "long")], 0.5),
        ([garment(80, 0.6)], 0.5),
        *[([], 0.5)] * 3,
    )
    assert len(look.garments) == 3


def test_log_odds_of_what_is_worn_are_averaged() -> None:
    look, _ = seen(*[([], 0.9), ([], 0.1)] * 3)
    np.testing.assert_allclose(look.wears, 0.5, atol=1e-6)
    look, _ = seen(*[([], 0.9), ([], 0.5)] * 3)
    np.testing.assert_allclose(look.wears, 0.75, atol=1e-6)


def test_all_that_was_asked_has_a_say_in_a_score() -> None:
    worn = np.zeros(15, np.float32)
    worn[CATEGORIES.index("shirt")] = 1.0
    sure = garment(50, 0.5, "shirt", "top", least=0.0)
    assert agreed_score(sure, worn) == pytest.approx(0.5**0.7)
    assert agreed_score(sure, None) == pytest.approx(0.5**0.85)
    dress_there = garment(50, 0.5, "dress", "top", least=0.02)  # seven categories are of the top
    assert agreed_score(dress_there, worn) == pytest.approx(0.5**0.7 * 0.14**0.15)
    worn[CATEGORIES.index("shirt")] = 0.2
    worn[CATEGORIES.index("jacket")] = 0.5
    assert agreed_score(sure, worn) == pytest.approx(0.5**0.7 * 0.6**0.15)
    assert agreed_score(sure, np.zeros(15, np.float32)) == 0.0


def test_what_the_person_wears_has_a_fifth_of_the_say_in_a_name() -> None:
    torn = np.full(15, 0.0, np.float32)
    torn[CATEGORIES.index("shirt")], torn[CATEGORIES.index("tshirt")] = 0.6, 0.4
    worn = np.full(15, 0.1, np.float32)
    worn[CATEGORIES.index("tshirt")] = 0.9
    names = agreed_names(torn, worn)
    shirt, other = (float(names[CATEGORIES.index(c)]) for c in ("shirt", "tshirt"))
    assert other / shirt == pytest.approx((0.4 / 0.6) ** 0.8 * 9**0.2)
    assert names.sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(agreed_names(torn, None), torn)


def test_garments_are_told_best_first_when_all_have_had_their_say() -> None:
    doubtful, sure = garment(50, 0.6, "dress", "top"), garment(100, 0.55, "jeans", "bottom")
    look, _ = seen(*[([doubtful, sure], 0.3)] * 6)
    assert [g.region for g in look.garments] == ["bottom", "top"]


def test_of_two_regions_in_one_place_the_weaker_loses_by_how_far_it_is_behind() -> None:
    coat, jacket = garment(50, 0.6, "coat", "long"), garment(55, 0.2, "jacket")
    shirt, elsewhere = garment(53, 0.5), garment(100, 0.1)
    scores = [g.score for g in contested([jacket, coat, shirt, elsewhere])]
    assert scores == pytest.approx([0.2 * 2 * 0.2 / 0.8, 0.6, 0.5 * 2 * 0.5 / 1.1, 0.1])
    assert contested([]) == []
    (nothing,) = contested([garment(50, 0.0)])
    assert nothing.score == 0.0


def test_contested_garments_are_those_of_overlapping_boxes() -> None:
    inside, beyond = garment(59.9, 0.3, "coat", "long"), garment(60.1, 0.3, "coat", "long")
    first = garment(50, 0.6)
    assert contested([first, inside])[1].score == pytest.approx(0.3 * 2 / 3)
    assert contested([first, beyond])[1].score == 0.3


def test_nobody_nothing() -> None:
    nobody = np.zeros((0, 4), np.float32)
    assert look_at_still(Scripted(), PICTURE, nobody, []) == []


def test_the_shipped_models_say_the_same_of_a_picture_and_its_mirror_image() -> None:
    settings = InferenceSettings(threads=1)
    networks = open_networks(settings, DetectionSettings(), OutfitSettings())
    rng = np.random.default_rng(3)
    picture = np.repeat(np.repeat(rng.integers(0, 255, (20, 20, 3), np.uint8), 10, 0), 10, 1)
    person = np.array([[40.0, 20.0, 120.0, 190.0]], np.float32)
    mirrored = np.array([[80.0, 20.0, 160.0, 190.0]], np.float32)
    try:
        (one,) = look_at_still(networks.looker, picture, person, [1.0])
        turned = np.ascontiguousarray(picture[:, ::-1])
        (other,) = look_at_still(networks.looker, turned, mirrored, [1.0])
    finally:
        networks.close()
    assert one.wears is not None
    assert other.wears is not None
    np.testing.assert_allclose(one.wears, other.wears, atol=1e-3)
