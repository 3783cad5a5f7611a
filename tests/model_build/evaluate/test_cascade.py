"""The three models together: what is found, what it is called, and what people wear."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from edge_app.flow import Garment, Look
from edge_app.vocabulary import CATEGORIES
from model_build.data.ccp import read_photos
from model_build.data.seen_clothes import SeenClothes
from model_build.evaluate.cascade import Judged, judge_cascade, report
from tests.model_build.data.layouts import write_ccp
from tests.tiny_models import save_all

PERSON_SCORE = 0.8
TOP, BOTTOM = (10.0, 10.0, 50.0, 50.0), (10.0, 50.0, 50.0, 90.0)


def _worn(**probabilities: float) -> np.ndarray:
    return np.array([probabilities.get(name, 0.0) for name in CATEGORIES], np.float32)


def _garment(region: str, box: tuple[float, ...], score: float, **probabilities: float) -> Garment:
    return Garment(
        region, np.array(box, np.float32), score, _worn(**probabilities), np.ones(2, np.float32)
    )


def _judged(*garments: Garment, **wears: float) -> Judged:
    """Somebody in a shirt and jeans, by a label map."""
    return Judged(
        look=Look(1.0, garments, _worn(**wears)),
        person_score=PERSON_SCORE,
        worn=_worn(shirt=1.0, jeans=1.0),
        boxes=np.array([TOP, BOTTOM], np.float32),
        categories=np.array([CATEGORIES.index("shirt"), CATEGORIES.index("jeans")]),
    )


def test_garments_are_matched_one_to_one_and_their_categories_counted() -> None:
    one = _judged(
        _garment("top", TOP, 0.9, shirt=0.7, tshirt=0.2),
        _garment("bottom", BOTTOM, 0.9, trousers=0.6, jeans=0.4),
        _garment("bottom", BOTTOM, 0.5, jeans=0.9),
    )
    found = report([one], least_score=0.3)
    assert found.figures["garments_found"] == 1.0
    assert found.figures["category_of_found"] == 0.5
    assert found.figures["garments_ap50"] == 1.0
    counts = found.matrices["confusion"].counts
    assert counts[CATEGORIES.index("jeans"), CATEGORIES.index("trousers")] == 1
    assert counts.sum() == 2


def test_a_garment_is_found_as_surely_as_its_person_is() -> None:
    one = _judged(_garment("top", TOP, 0.37, shirt=0.9))
    assert report([one], least_score=0.3).figures["garments_found"] == 0.0
    figures = report([one], least_score=0.29).figures
    assert (figures["garments_found"], figures["category_of_found"]) == (0.5, 1.0)


def test_a_person_who_is_not_found_wears_nothing() -> None:
    missed = Judged(None, 0.0, _worn(dress=1.0), None, np.zeros(0, np.int64))
    seen = _judged(dress=0.9)
    dressed = Judged(
        Look(1.0, (), _worn(dress=0.95)),
        PERSON_SCORE,
        _worn(dress=1.0),
        None,
        np.zeros(0, np.int64),
    )
    figures = report([missed, seen, dressed], least_score=0.3).figures
    assert figures["people_found"] == pytest.approx(2 / 3)
    assert figures["wears_precision/dress"] == 0.5
    assert figures["wears_recall/dress"] == 0.5


def test_of_whom_it_is_not_known_nothing_is_right_or_wrong() -> None:
    unknown = _judged(dress=0.9)
    unknown.worn[CATEGORIES.index("dress")] = np.nan
    known = _judged(dress=0.8)
    known.worn[CATEGORIES.index("dress")] = 1.0
    figures = report([unknown, known], least_score=0.3).figures
    assert figures["wears_count/dress"] == 1
    assert figures["wears_precision/dress"] == figures["wears_ap/dress"] == 1.0


def test_only_held_out_photos_are_judged_with_the_models_given(tmp_path: Path) -> None:
    write_ccp(tmp_path / "ccp", mapped=3, tagged=6)
    models = save_all(tmp_path / "models")
    held_out = [p for p in read_photos(tmp_path / "ccp") if p.is_held_out]
    tagged = sum(photo.label_map is None for photo in held_out)
    assert 0 < tagged < len(held_out) < 9
    published = judge_cascade(tmp_path / "ccp", models, {}).figures
    assert published["photos"] == len(held_out)
    assert published["wears_count/dress"] == tagged
    told = {
        p.stem: SeenClothes.parse("skirt" if p.label_map is None else "dress?") for p in held_out
    }
    seen = judge_cascade(tmp_path / "ccp", models, told).figures
    assert seen["wears_count/dress"] == 0
    assert seen["wears_count/skirt"] == tagged


def test_an_empty_label_map_says_nothing_of_anybody(tmp_path: Path) -> None:
    write_ccp(tmp_path / "ccp", mapped=16, tagged=1)
    held_out = [p for p in read_photos(tmp_path / "ccp") if p.is_held_out and p.label_map]
    savemat(held_out[0].label_map, {"groundtruth": np.zeros((200, 120), np.uint8)})
    models = save_all(tmp_path / "models")
    every = sum(photo.is_held_out for photo in read_photos(tmp_path / "ccp"))
    assert judge_cascade(tmp_path / "ccp", models, {}).figures["photos"] == every - 1
