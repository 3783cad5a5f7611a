"""Converted pictures train both models; what their labels leave open is not taken for absent."""

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from edge_app.geometry import widen
from edge_app.inference import preprocess
from edge_app.vocabulary import CATEGORIES
from model_build.convert.conversion import convert
from model_build.convert.write import write_coco
from model_build.data.converted import (
    ConvertedCrops,
    ConvertedPieces,
    read_for_training,
)
from model_build.data.garment_crops import CROP_HEIGHT, CROP_WIDTH
from model_build.data.published.annotated import Annotated, Box, DataError, Garment
from model_build.data.published.sources import read_source
from model_build.data.subjects import subjects
from model_build.networks.classifier import GarmentClassifier
from model_build.networks.garments import GarmentNetwork
from model_build.train import classifier, garments
from model_build.train.fitting import Schedule
from tests.model_build.data.published import written

RED, GREY = (0, 0, 255), (120, 120, 120)
DRESS = Garment(("dress",), (60.0, 80.0, 140.0, 240.0))
PERSON = (40.0, 20.0, 160.0, 280.0)


def _picture(path: Path) -> Path:
    """A red dress on grey."""
    picture = np.full((300, 200, 3), GREY, np.uint8)
    picture[80:240, 60:140] = RED
    assert cv2.imwrite(str(path), picture)
    return path


def _photo(path: Path, **more: object) -> Annotated:
    facts = {"split": "train", "group": "1", "garments": (DRESS,), "is_complete": True, **more}
    return Annotated(path, **facts)  # type: ignore[arg-type]


def _known(wears: np.ndarray) -> dict[str, float]:
    return {name: float(w) for name, w in zip(CATEGORIES, wears, strict=True) if not np.isnan(w)}


def test_a_complete_picture_with_people_gives_a_person(tmp_path: Path) -> None:
    shirt = Garment(("shirt",), (0.0, 0.0, 20.0, 30.0))
    photo = _photo(_picture(tmp_path / "a.png"), people=(PERSON,), garments=(DRESS, shirt))
    (subject,) = subjects([photo])
    assert subject.box == PERSON
    assert [garment.categories for garment in subject.garments] == [("dress",)]
    assert _known(subject.wears()) == {name: float(name == "dress") for name in CATEGORIES}


def test_partial_labels_leave_open_what_is_worn(tmp_path: Path) -> None:
    pants = Garment(("jeans", "trousers"), (60.0, 150.0, 140.0, 260.0))
    photo = _photo(tmp_path / "a.png", people=(PERSON,), garments=(DRESS, pants))
    (subject,) = subjects([photo])
    known = _known(subject.wears())
    assert known["dress"] == 1.0
    assert not {"jeans", "trousers"} & known.keys()
    assert subject.knows_boxes


def test_an_open_region_asks_for_no_boxes(tmp_path: Path) -> None:
    outer = Garment(("jacket", "coat"), (60.0, 80.0, 140.0, 240.0))
    photo = _photo(_picture(tmp_path / "a.png"), people=(PERSON,), garments=(outer,))
    sample = ConvertedCrops([photo]).hard(0, np.random.default_rng(0))
    assert not sample.has_boxes
    assert len(sample.boxes) == len(sample.regions) == 0


def test_where_garments_are_missing_nothing_is_known_to_be_absent(tmp_path: Path) -> None:
    photo = _photo(_picture(tmp_path / "a.png"), people=(PERSON,), is_complete=False)
    (subject,) = subjects([photo])
    assert subject.box == DRESS.box_xyxy
    assert _known(subject.wears()) == {"dress": 1.0}
    sample = ConvertedCrops([photo]).hard(0, np.random.default_rng(0))
    assert garments.stack([sample]).is_told[0].tolist() == [False, False, True]
    whole = ConvertedCrops([replace(photo, is_complete=True, people=())])
    assert garments.stack([whole.hard(0, np.random.default_rng(0))]).is_told.all()


def test_what_a_source_cannot_name_is_unknown_where_everything_is_told(tmp_path: Path) -> None:
    photo = _photo(tmp_path / "a.png", people=(PERSON,), unnamed=("suit",))
    (subject,) = subjects([photo])
    known = _known(subject.wears())
    assert "suit" not in known
    assert known["coat"] == 0.0
    tagged = _photo(tmp_path / "a.png", people=(PERSON,), garments=(), unnamed=("suit",))
    (subject,) = subjects([replace(tagged, tags=(("suit",),))])
    assert _known(subject.wears())["suit"] == 1.0


def test_no_box_is_asked_for_where_a_source_cannot_name_it(tmp_path: Path) -> None:
    _picture(tmp_path / "a.png")
    photo = _photo(tmp_path / "a.png", people=(PERSON,), unnamed=("suit", "jeans"))
    sample = ConvertedCrops([photo]).plain(0)
    assert garments.stack([sample]).is_told[0].tolist() == [True, False, True]


def test_people_without_garments_wear_none_that_their_file_names(tmp_path: Path) -> None:
    unnamed = tuple(name for name in CATEGORIES if name != "dress")
    bare = _photo(_picture(tmp_path / "a.png"), people=(PERSON,), garments=(), unnamed=unnamed)
    (subject,) = subjects([bare])
    assert subject.box == PERSON
    assert _known(subject.wears()) == {"dress": 0.0}
    crops = ConvertedCrops([bare])
    assert crops.known() == [0]
    assert not crops.plain(0).has_boxes
    assert list(subjects([replace(bare, is_complete=False)])) == []
    assert list(subjects([replace(bare, people=())])) == []
    assert list(subjects([replace(bare, unnamed=())])) == []


def test_tags_belong_to_the_largest_person(tmp_path: Path) -> None:
    passer_by = (0.0, 0.0, 20.0, 60.0)
    tags = (("dress",), ("coat",))
    photo = _photo(tmp_path / "a.png", garments=(), tags=tags, people=(passer_by, PERSON))
    (subject,) = subjects([photo])
    assert subject.box == PERSON
    assert not subject.knows_boxes
    assert {name for name, worn in _known(subject.wears()).items() if worn} == {"dress", "coat"}


def test_each_person_has_their_own_garments(tmp_path: Path) -> None:
    left, right = (0.0, 0.0, 90.0, 290.0), (100.0, 0.0, 200.0, 290.0)
    worn = (
        Garment(("dress",), (10.0, 50.0, 80.0, 200.0)),
        Garment(("shirt",), (110.0, 50.0, 190.0, 150.0)),
        Garment(("jeans",), (115.0, 140.0, 185.0, 280.0)),
    )
    found = list(subjects([_photo(tmp_path / "a.png", garments=worn, people=(left, right))]))
    assert {s.box: [g.categories[0] for g in s.garments] for s in found} == {
        left: ["dress"],
        right: ["shirt", "jeans"],
    }


@pytest.mark.parametrize("order", [1, -1], ids=["mother first", "child first"])
def test_a_garment_in_two_people_is_the_smaller_ones(tmp_path: Path, order: int) -> None:
    mother, child = (10.0, 10.0, 190.0, 290.0), (60.0, 120.0, 140.0, 285.0)
    worn = (
        Garment(("tshirt",), (30.0, 50.0, 180.0, 150.0)),
        Garment(("dress",), (70.0, 150.0, 130.0, 250.0)),
    )
    photo = _photo(tmp_path / "a.png", garments=worn, people=(mother, child)[::order])
    found = {s.box: [g.categories[0] for g in s.garments] for s in subjects([photo])}
    assert found == {mother: ["tshirt"], child: ["dress"]}


def test_a_garment_that_may_be_anybodys_is_unknown_not_absent(tmp_path: Path) -> None:
    half_inside = Garment(("coat",), (100.0, 60.0, 199.0, 200.0))
    elsewhere = Garment(("skirt",), (170.0, 200.0, 199.0, 280.0))
    jeans = Garment(("jeans",), (60.0, 150.0, 140.0, 270.0))
    worn = (jeans, half_inside, elsewhere)
    _picture(tmp_path / "a.png")
    photo = _photo(tmp_path / "a.png", garments=worn, people=(PERSON,))
    (subject,) = subjects([photo])
    known = _known(subject.wears())
    assert "coat" not in known
    assert (known["jeans"], known["skirt"], known["dress"]) == (1.0, 0.0, 0.0)
    crops = ConvertedCrops([photo])
    assert garments.stack([crops.plain(0)]).is_told[0].tolist() == [True, True, False]
    assert crops.known() == []


@pytest.mark.parametrize("people", [(), (PERSON,)], ids=["around a garment", "a person"])
def test_boxes_follow_the_garment(tmp_path: Path, people: tuple[object, ...]) -> None:
    crops = ConvertedCrops([_photo(_picture(tmp_path / "a.png"), people=people)])
    assert len(crops) == 1
    shares = []
    for seed in range(20):
        sample = crops.hard(0, np.random.default_rng(seed))
        assert sample.crop.shape == (CROP_HEIGHT, CROP_WIDTH, 3)
        for box, region in zip(sample.boxes, sample.regions, strict=True):
            assert region == 2
            x0, y0, x1, y1 = box.round().astype(int)
            blue, _, red = sample.crop[y0:y1, x0:x1].reshape(-1, 3).mean(0)
            around = sample.crop.astype(float)
            around[y0:y1, x0:x1] = np.nan
            out_blue, _, out_red = np.nanmean(around.reshape(-1, 3), 0)
            shares.append(red - blue > out_red - out_blue)
    assert len(shares) >= 15
    assert np.mean(shares) > 0.85


def test_a_sample_follows_its_source_of_chance(tmp_path: Path) -> None:
    photos = [_photo(_picture(tmp_path / "a.png"))]
    for draw in (
        lambda rng: ConvertedCrops(photos).hard(0, rng).crop,
        lambda rng: ConvertedPieces(photos).draw(rng).crop,
    ):
        first, again = (draw(np.random.default_rng(3)) for _ in range(2))
        assert (first == again).all()


def test_pieces_are_the_garment_and_a_little_around_it(tmp_path: Path) -> None:
    pieces = ConvertedPieces([_photo(_picture(tmp_path / "a.png"))])
    rng = np.random.default_rng(0)
    drawn = [pieces.draw(rng) for _ in range(30)]
    assert all(
        sample.allowed.nonzero()[0].tolist() == [CATEGORIES.index("dress")] for sample in drawn
    )
    middles = np.stack([sample.crop[60:100, 44:84].reshape(-1, 3).mean(0) for sample in drawn])
    assert (middles[:, 2] > middles[:, 0]).mean() > 0.9


def test_whole_pictures_train_the_classifier_with_partial_labels(tmp_path: Path) -> None:
    whole = Garment(("jacket", "coat"))
    pieces = ConvertedPieces([_photo(_picture(tmp_path / "a.png"), garments=(whole,))])
    sample = pieces.draw(np.random.default_rng(0))
    assert [CATEGORIES[i] for i in sample.allowed.nonzero()[0]] == ["jacket", "coat"]


def test_rarer_categories_come_more_often_than_their_share(tmp_path: Path) -> None:
    path = _picture(tmp_path / "a.png")
    photos = [_photo(path)] * 40 + [_photo(path, garments=(Garment(("suit",), DRESS.box_xyxy),))]
    rng = np.random.default_rng(0)
    pieces = ConvertedPieces(photos)
    suit = CATEGORIES.index("suit")
    assert sum(bool(pieces.draw(rng).allowed[suit]) for _ in range(100)) >= 7


def test_pictures_without_boxes_cannot_train_the_garment_model(tmp_path: Path) -> None:
    photo = _photo(tmp_path / "a.png", garments=(Garment(("dress",)),), is_complete=False)
    with pytest.raises(DataError, match="the garment model needs boxes"):
        ConvertedCrops([photo])


def test_pictures_without_garments_cannot_train_the_classifier(tmp_path: Path) -> None:
    photo = _photo(tmp_path / "a.png", garments=(), tags=(("dress",),))
    with pytest.raises(DataError, match="the classifier needs garments"):
        ConvertedPieces([photo])


def test_a_picture_that_went_away_is_named(tmp_path: Path) -> None:
    photo = _photo(_picture(tmp_path / "a.png"))
    crops = ConvertedCrops([photo])
    photo.picture.unlink()
    with pytest.raises(DataError, match=r"a\.png: not a readable picture"):
        crops.hard(0, np.random.default_rng(0))


@pytest.mark.parametrize(
    "box",
    [(300.0, 10.0, 350.0, 60.0), (-80.0, 10.0, -30.0, 60.0), (10.0, 10.0, 60.0, np.nan)],
    ids=["to the right", "to the left", "not a number"],
)
def test_a_box_outside_its_picture_is_named(tmp_path: Path, box: Box) -> None:
    photos = [_photo(_picture(tmp_path / "a.png"), garments=(Garment(("dress",), box),))]
    with pytest.raises(DataError, match=r"a\.png: expected boxes in its 200x300 pixels; came"):
        ConvertedCrops(photos).hard(0, np.random.default_rng(0))
    with pytest.raises(DataError, match=r"a\.png: expected boxes in its 200x300 pixels; came"):
        ConvertedPieces(photos).draw(np.random.default_rng(0))


def test_held_out_pictures_are_not_trained_on(tmp_path: Path) -> None:
    photo = _photo(_picture(tmp_path / "a.png"), split="test")
    (path,) = write_coco(convert([photo]).kept, "own", tmp_path)
    with pytest.raises(DataError, match=r"test\.json: its pictures are kept for judging"):
        read_for_training(path)


def _train_file(tmp_path: Path) -> Path:
    written.write_fashionpedia(tmp_path / "pictures")
    kept = convert(read_source("fashionpedia", tmp_path / "pictures")).kept
    return write_coco(kept, "fashionpedia", tmp_path / "converted")[0]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Two threads that wait for each other are slow where others work, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_the_garment_model_trains_on_a_converted_set(tmp_path: Path) -> None:
    crops = ConvertedCrops(read_for_training(_train_file(tmp_path)))
    torch.manual_seed(0)
    network = GarmentNetwork()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    schedule = Schedule(steps=2, batch=3, warm_up_steps=1, averaging=0.5, scale=0.5)
    trained = garments.train(network, [(crops, 1.0)], schedule, tmp_path / "run", is_apart=False)
    after = trained.state_dict()
    assert all(bool(torch.isfinite(value).all()) for value in after.values())
    assert any(not torch.equal(before[name], after[name]) for name in before)


@pytest.mark.usefixtures("one_thread")
def test_the_classifier_trains_on_a_converted_set(tmp_path: Path) -> None:
    pieces = ConvertedPieces(read_for_training(_train_file(tmp_path)))
    torch.manual_seed(0)
    network = GarmentClassifier()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    schedule = Schedule(steps=2, batch=3, warm_up_steps=1, averaging=0.5)
    trained = classifier.train(network, [(pieces, 1.0)], schedule, tmp_path / "run", is_apart=False)
    after = trained.state_dict()
    assert all(bool(torch.isfinite(value).all()) for value in after.values())
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_sources_travel_to_another_process(tmp_path: Path) -> None:
    photos = read_for_training(_train_file(tmp_path))
    crops, pieces = pickle.loads(pickle.dumps((ConvertedCrops(photos), ConvertedPieces(photos))))
    rng = np.random.default_rng(0)
    assert (crops.hard(0, rng).crop != 0).any()
    assert (pieces.draw(rng).crop != 0).any()


def test_plain_pieces_are_what_the_application_cuts_out(tmp_path: Path) -> None:
    written.write_picture(tmp_path / "a.png", 1, (200, 300))
    photo = _photo(tmp_path / "a.png")
    ours = ConvertedPieces([photo]).plain(0).crop
    picture = cv2.imread(str(photo.picture))
    assert picture is not None
    box = widen(np.array([DRESS.box_xyxy], np.float32), 0.05, (200, 300))[0]
    theirs = np.empty_like(ours)
    preprocess.stretch(np.asarray(picture, np.uint8), box, theirs)
    assert np.abs(ours.astype(int) - theirs).mean() < 3.0


def test_plain_crops_show_the_person_with_their_garments(tmp_path: Path) -> None:
    crops = ConvertedCrops([_photo(_picture(tmp_path / "a.png"), people=(PERSON,))])
    assert crops.known() == [0]
    sample = crops.plain(0)
    assert sample.regions.tolist() == [2]
    x0, y0, x1, y1 = sample.boxes[0].round().astype(int)
    is_red = (sample.crop == RED).all(2)
    assert is_red[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2].all()
    assert is_red.sum() <= (y1 - y0 + 2) * (x1 - x0 + 2)
