"""``dresscode check`` and ``dresscode look`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge_app.capture.simulated import SimulatedEntrance
from edge_app.cli import cli
from edge_app.commands.look import open_for_stills, pictures_in
from tests.tiny_models import save_all

GOOD = """
store: acme-1
node: edge-1
timezone: Europe/Paris
mqtt: {url: "mqtt://127.0.0.1:1883"}
cameras:
  door:
    source: sim://entrance?people_per_min=5&seed=1
    zones: {entrance: {line: [[0.1, 0.8], [0.9, 0.8]]}}
"""


def check(path: Path, text: str) -> Result:
    path.write_text(text)
    return CliRunner().invoke(cli, ["check", str(path)])


def test_a_good_file(tmp_path: Path) -> None:
    result = check(tmp_path / "store.yaml", GOOD)
    assert result.exit_code == 0
    assert "good. Store acme-1, node edge-1; cameras: door; zones: entrance" in result.output


def test_files_of_another_machine_are_told_not_refused(tmp_path: Path) -> None:
    text = GOOD.replace("sim://entrance?people_per_min=5&seed=1", "door.mp4")
    result = check(tmp_path / "store.yaml", text)
    assert result.exit_code == 0
    assert "not on this machine: cameras.door.source" in result.output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Europe/Paris", "Europe/Pari", "store.yaml:4: timezone"),
        ("[0.9, 0.8]", "[0.1, 0.8]", "store.yaml:9: cameras.door.zones.entrance"),
        ("people_per_min=5", "people_per_min=many", "store.yaml:8: cameras.door.source: "),
        ("people_per_min=5", "poeple=5", "poeple"),
        ("store:", "stor:", "did you mean"),
    ],
    ids=["timezone", "no-length", "not-a-number", "unknown-key", "misspelled"],
)
def test_a_bad_file(tmp_path: Path, old: str, new: str, said: str) -> None:
    result = check(tmp_path / "store.yaml", GOOD.replace(old, new, 1))
    assert result.exit_code == 1
    assert said in str(result.exception)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    save_all(tmp_path / "models")
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for name, bgr in (("red.png", (60, 90, 230)), ("more/blue.jpg", (230, 160, 60))):
        assert cv2.imwrite(str(folder / name), np.full((128, 256, 3), bgr, np.uint8))
    assert cv2.imwrite(str(folder / "dark.png"), np.zeros((128, 256, 3), np.uint8))
    return folder


def look(path: Path, models: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["look", str(path), "--models", str(models), *arguments])


def test_look_writes_a_line_per_picture(photos: Path) -> None:
    out, drawn = photos.parent / "out.jsonl", photos.parent / "drawn"
    result = look(photos, photos.parent / "models", "--json", str(out), "--draw", str(drawn))
    assert result.exit_code == 0, result.output
    described = [json.loads(line) for line in out.read_text().splitlines()]
    lines = {Path(line["image"]).name: line["people"] for line in described}
    assert sorted(lines) == ["blue.jpg", "dark.png", "red.png"]
    assert lines["dark.png"] == []
    (person,) = lines["red.png"]
    assert person["box"] == pytest.approx([96, 16, 160, 120], abs=1)
    assert len(person["wears"]) == 15
    assert person["wears"]["dress"] > 0.9
    (garment,) = person["garments"]
    assert (garment["region"], garment["category"]) == ("long", "dress")
    # By the detector 0.9, something long by the classifier 0.89, by `wears` 1 - 0.05 * 0.99**3.
    agreed = 0.9**0.7 * (0.89 * (1 - 0.05 * 0.99**3)) ** 0.15
    assert garment["score"] == pytest.approx(agreed * person["score"], abs=2e-3)
    assert {g["category"] for g in lines["blue.jpg"][0]["garments"]} == {"shirt", "jeans"}
    assert (drawn / "red.jpg").is_file()
    assert (drawn / "more" / "blue.jpg").is_file()


def test_pictures_that_differ_in_their_endings_get_a_drawing_each(photos: Path) -> None:
    assert cv2.imwrite(str(photos / "red.jpg"), np.full((128, 256, 3), 90, np.uint8))
    drawn = photos.parent / "drawn"
    result = look(photos, photos.parent / "models", "--draw", str(drawn))
    assert result.exit_code == 0, result.output
    files = {str(path.relative_to(drawn)) for path in drawn.rglob("*") if path.is_file()}
    assert files == {"red.png.jpg", "red.jpg.jpg", "dark.jpg", "more/blue.jpg"}


@pytest.mark.parametrize(
    ("looked_at", "folder"),
    [("", ""), ("more/blue.jpg", "more"), ("more", "more/../more")],
    ids=["folder", "picture", "another-way"],
)
def test_a_drawing_never_replaces_a_picture(photos: Path, looked_at: str, folder: str) -> None:
    before = (photos / "more" / "blue.jpg").read_bytes()
    draw_dir = f"{photos}/{folder}"
    result = look(photos / looked_at, photos.parent / "models", "--draw", draw_dir)
    assert result.exit_code == 1
    assert "blue.jpg: its drawing would replace a picture; choose another folder" in str(
        result.exception
    )
    assert (photos / "more" / "blue.jpg").read_bytes() == before
    assert not (photos / "red.jpg").exists()


def test_hidden_files_and_folders_are_passed_over(photos: Path) -> None:
    (photos / "._red.png").write_bytes(b"not a picture")
    (photos / ".thumbnails").mkdir()
    assert cv2.imwrite(str(photos / ".thumbnails" / "red.png"), np.zeros((128, 256, 3), np.uint8))
    assert {path.name for path in pictures_in(photos)} == {"red.png", "dark.png", "blue.jpg"}


def test_min_score_applies_to_people_and_garments(photos: Path) -> None:
    for score, people in (("0.3", 1), ("1.0", 0)):
        models = photos.parent / "models"
        result = look(photos / "red.png", models, "--min-score", score)
        assert len(json.loads(result.stdout)["people"]) == people


def test_one_view_need_not_be_sure_of_a_garment_all_views_decide() -> None:
    scene = SimulatedEntrance.from_url("sim://entrance?people_per_min=20&seed=4&view=facing")
    rendered = scene.render(300)
    nearest = max(rendered.people, key=lambda person: person.box_xyxy[3])
    networks = open_for_stills(None, min_score=0.95, threads=1)
    try:
        (look,) = networks.looker.look(
            [(rendered.frame_bgr, np.array(nearest.box_xyxy, np.int64))], [1.0]
        )
    finally:
        networks.close()
    assert look.garments
    assert min(garment.score for garment in look.garments) < 0.3


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: p / "none.jpg", "there is no such picture or folder"),
        (lambda p: (p / "empty").mkdir() or p / "empty", "expected pictures"),
    ],
    ids=["missing", "empty-folder"],
)
def test_look_says_what_is_wrong(photos: Path, make: object, said: str) -> None:
    path = make(photos)  # type: ignore[operator]
    result = look(path, photos.parent / "models")
    assert result.exit_code == 1
    assert said in str(result.exception)


@pytest.mark.parametrize("to_file", [False, True], ids=["printed", "json"])
def test_a_broken_picture_is_skipped_told_and_counted(photos: Path, to_file: bool) -> None:
    (photos / "bad.jpg").write_bytes(b"no")
    (photos / "blank.png").write_bytes(b"")
    out = photos.parent / "out.jsonl"
    result = look(photos, photos.parent / "models", *(("--json", str(out)) if to_file else ()))
    lines = (out.read_text() if to_file else result.stdout).splitlines()
    assert {Path(json.loads(line)["image"]).name for line in lines} == {
        "blue.jpg",
        "dark.png",
        "red.png",
    }
    told = [line for line in result.stderr.splitlines() if line.startswith("skipped: ")]
    assert [Path(line.partition(": ")[2].partition(": ")[0]).name for line in told] == [
        "bad.jpg",
        "blank.png",
    ]
    assert result.exit_code == 1
    assert "2 of 5 pictures could not be read" in str(result.exception)
