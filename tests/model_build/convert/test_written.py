"""What is written is COCO JSON that others read, and gives back what went in."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from pycocotools.coco import COCO

from edge_app.vocabulary import CATEGORIES, REGION_OF
from model_build.convert.command import data
from model_build.convert.contact_sheet import TILE_WIDTH, choose, contact_sheet
from model_build.convert.conversion import convert
from model_build.convert.write import write_coco
from model_build.data.converted import read_for_judging
from model_build.data.published.annotated import Annotated, Garment
from model_build.data.published.coco import read_file
from model_build.data.published.sources import read_source
from model_build.data.subjects import subjects
from model_build.vocabulary import LABELS
from tests.model_build.data.layouts import write_ccp
from tests.model_build.data.published import written


def _converted(tmp_path: Path) -> list[Annotated]:
    written.write_fashionpedia(tmp_path / "pictures")
    return convert(read_source("fashionpedia", tmp_path / "pictures")).kept


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    kept = _converted(tmp_path)
    files = write_coco(kept, "fashionpedia", tmp_path / "out" / "here")
    assert [path.name for path in files] == ["train.json", "val.json"]
    back = [photo for path in files for photo in read_file(path, LABELS["coco"])]
    for before, after in zip(kept, back, strict=True):
        assert after.picture.resolve() == before.picture.resolve()
        assert (after.split, after.group, after.size) == (before.split, before.group, before.size)
        assert after.is_complete == before.is_complete
        assert after.unnamed == before.unnamed
        assert "suit" in after.unnamed
        for ours, theirs in zip(before.garments, after.garments, strict=True):
            assert theirs.categories == ours.categories
            assert theirs.box_xyxy == ours.box_xyxy
            assert theirs.settled_region == ours.settled_region
            assert theirs.attributes == ours.attributes


def test_files_in_a_folder_reached_by_a_link_find_their_pictures(tmp_path: Path) -> None:
    (tmp_path / "a" / "deep" / "disk").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "a" / "deep" / "disk")
    for path in write_coco(_converted(tmp_path), "fashionpedia", tmp_path / "out"):
        assert all(photo.picture.is_file() for photo in read_file(path, LABELS["coco"]))


def test_tags_people_and_undrawn_boxes_survive(tmp_path: Path) -> None:
    picture = tmp_path / "a.jpg"
    written.write_picture(picture, 1)
    whole = Garment(("jacket", "coat"))
    photo = Annotated(picture, "train", "a", (whole,), (("dress",),), ((1, 2, 30, 40),), False)
    (kept,) = convert([photo]).kept
    (path,) = write_coco([kept], "test", tmp_path)
    (back,) = read_file(path, LABELS["coco"])
    assert back.garments == (whole,)
    assert back.tags == (("dress",),)
    assert back.people == ((1, 2, 30, 40),)
    assert not back.is_complete
    (annotation,) = json.loads(path.read_text())["annotations"]
    assert annotation["bbox"] == [0, 0, 60, 80]


def test_pycocotools_reads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = _converted(tmp_path)
    (path, _) = write_coco(kept, "fashionpedia", tmp_path / "out")
    coco = COCO(str(path))
    capsys.readouterr()
    categories = coco.loadCats(coco.getCatIds())
    assert {c["name"]: c["supercategory"] for c in categories} == REGION_OF
    blazer = coco.loadAnns(coco.getAnnIds(catIds=coco.getCatIds(catNms=["blazer"])))
    assert [annotation["bbox"] for annotation in blazer] == [[5, 5, 40, 30]]
    partial = coco.loadAnns(coco.getAnnIds(catIds=coco.getCatIds(catNms=["jeans"])))
    assert [annotation["allowed"] for annotation in partial] == [["jeans", "trousers"]] * 2


def test_the_contact_sheet_shows_boxes_where_they_are(tmp_path: Path) -> None:
    picture = tmp_path / "grey.png"
    written.write_picture(picture, 1, (200, 260))
    coat = Garment(("coat",), (50, 60, 150, 200))
    photo = Annotated(picture, "train", "a", (coat,), size=(200, 260))
    plain = contact_sheet([Annotated(picture, "train", "a", (Garment(("coat",)),))])
    boxed = contact_sheet([photo])
    assert boxed.shape[1] == TILE_WIDTH
    changed = np.argwhere((plain != boxed).any(2)[:260])
    assert changed.min(0).tolist() == pytest.approx([60, 50], abs=2)
    assert changed.max(0).tolist() == pytest.approx([200, 150], abs=2)


def test_categories_take_turns_on_the_contact_sheet() -> None:
    photos = [
        Annotated(Path(f"{i}.jpg"), "train", str(i), (Garment(("dress",)),)) for i in range(50)
    ]
    photos.append(Annotated(Path("rare.jpg"), "train", "rare", (Garment(("suit",)),)))
    chosen = choose(photos, 5, np.random.default_rng(0))
    assert len(chosen) == len({photo.picture for photo in chosen}) == 5
    assert "rare.jpg" in {photo.picture.name for photo in chosen}


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(data, list(arguments), catch_exceptions=True)
    return result.exit_code, f"{result.output}{result.exception or ''}"


def test_the_command_writes_annotations_report_and_contact_sheet(tmp_path: Path) -> None:
    write_ccp(tmp_path / "ccp", 6, 3)
    (tmp_path / "ccp" / "photos" / "0002.jpg").write_bytes(b"no picture")
    out = tmp_path / "out"
    code, text = _run("ccp", str(tmp_path / "ccp"), "--out", str(out))
    assert code == 0, text
    assert "0002.jpg: not a readable picture" in text
    report = json.loads((out / "report.json").read_text())
    assert [one["reason"] for one in report["left_out"]] == ["not a readable picture"]
    labels = [part["labels"] for part in report["splits"].values()]
    assert sum(part.get("tshirt", 0) for part in labels) == 5
    assert sum(part.get("dress", 0) for part in labels) == 3
    assert (out / "train.json").exists()
    assert (out / "contact_sheet.png").stat().st_size > 1000
    (category, *_) = json.loads((out / "train.json").read_text())["categories"]
    assert category["name"] == CATEGORIES[0]


def test_people_without_the_garment_that_a_file_tells_of_are_kept(tmp_path: Path) -> None:
    names = ["dressed.jpg", "bare.jpg", "empty.jpg"]
    told = written.coco(names, [(0, 1, [10, 20, 30, 60])], {1: "dress", 2: "person"})
    told["annotations"].append({"image_id": 101, "category_id": 2, "bbox": [5, 5, 40, 70]})
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test.json").write_text(json.dumps(told))
    for seed, name in enumerate(names):
        written.write_picture(tmp_path / "own" / name, seed)
    code, text = _run("coco", str(tmp_path / "own"), "--out", str(tmp_path / "out"))
    assert code == 0, text
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["without_garments"], report["kept_without_garments"]) == (2, 1)
    photos = read_for_judging(tmp_path / "out" / "test.json")
    assert [photo.picture.name for photo in photos] == names[:2]
    (bare,) = (subject for subject in subjects(photos) if subject.is_person)
    assert bare.wears()[CATEGORIES.index("dress")] == 0.0
    assert np.isnan(bare.wears()).sum() == len(CATEGORIES) - 1


def test_the_command_names_what_is_wrong(tmp_path: Path) -> None:
    code, text = _run("folders", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out"))
    assert code == 1
    assert "nowhere: no such folder" in text
    code, text = _run("folders", str(tmp_path), "--out", str(tmp_path / "converted"))
    assert code == 1
    assert "converted: expected a folder outside of" in text
    code, text = _run("photos", str(tmp_path), "--out", str(tmp_path / "out"))
    assert code == 2
    assert "clothing-dataset" in text
