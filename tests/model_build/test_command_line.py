"""`python -m model_build` says what is wrong in one line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_app.inference.model import SHIPPED
from model_build.__main__ import main
from tests.model_build.data.published.written import write_folders


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, result.output


def test_help_names_the_commands() -> None:
    code, text = run("--help")
    assert code == 0
    assert all(name in text for name in ("data", "prepare", "train", "evaluate", "export"))


@pytest.mark.parametrize("command", [("prepare",), ("evaluate", "classifier")])
def test_a_missing_data_folder_is_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    code, text = run("--data", str(tmp_path / "nowhere"), *command)
    assert code == 1
    assert "nowhere" in text
    assert "DRESSCODE_DATA" in text


@pytest.mark.parametrize(
    "command",
    [("evaluate", "garments"), ("evaluate", "classifier"), ("cascade",), ("train", "detector")],
)
def test_a_data_folder_without_the_data_set_is_one_line(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    code, text = run("--data", str(tmp_path), "--cache", str(tmp_path / "cache"), *command)
    assert code == 1
    assert "as published, got no such file; the folder of all" in text


def test_converting_own_data_needs_no_other(tmp_path: Path) -> None:
    write_folders(tmp_path / "own")
    out = tmp_path / "out"
    nowhere = str(tmp_path / "nowhere")
    code, text = run("--data", nowhere, "data", "folders", str(tmp_path / "own"), "--out", str(out))
    assert code == 0, text
    assert (out / "report.json").exists()


def test_a_data_set_in_no_known_layout_is_one_line(tmp_path: Path) -> None:
    code, text = run("data", "coco", str(tmp_path), "--out", str(tmp_path / "out"))
    assert code == 1
    assert "expected annotations in COCO JSON" in text
    assert "Traceback" not in text


def _converted(tmp_path: Path, split: str) -> str:
    write_folders(tmp_path / "own", (split,))
    code, text = run("data", "folders", str(tmp_path / "own"), "--out", str(tmp_path / "out"))
    assert code == 0, text
    return str(tmp_path / "out" / f"{split}.json")


@pytest.mark.parametrize(
    ("model", "split", "message"),
    [
        ("classifier", "test", "test.json: its pictures are kept for judging"),
        ("garments", "train", "the garment model needs boxes"),
        ("detector", "train", "--data-coco: the detector learns people"),
    ],
)
def test_own_pictures_that_cannot_be_learned_from_are_one_line(
    tmp_path: Path, model: str, split: str, message: str
) -> None:
    file, start = _converted(tmp_path, split), str(SHIPPED / f"{model}.onnx")
    own = ("--data-coco", file, "--own-share", "1", "--from", start)
    nowhere = str(tmp_path / "nowhere")
    code, text = run("--data", nowhere, "train", model, *own, "--run", str(tmp_path / "run"))
    assert code != 0
    assert message in text
    assert "Traceback" not in text


def test_who_has_own_pictures_only_is_told_how_to_train_on_them(tmp_path: Path) -> None:
    own, nowhere = ("--data-coco", _converted(tmp_path, "train")), str(tmp_path / "nowhere")
    start = ("--from", str(SHIPPED / "classifier.onnx"))
    code, text = run("--data", nowhere, "train", "classifier", *own, *start)
    assert code == 1
    assert "nowhere" in text
    assert "--own-share 1" in text


def test_a_share_of_no_own_pictures_is_refused(tmp_path: Path) -> None:
    code, text = run("--data", str(tmp_path), "train", "classifier", "--own-share", "1")
    assert code == 2
    assert "--own-share" in text
    assert "--data-coco" in text


def test_judging_by_own_pictures_needs_no_other(tmp_path: Path) -> None:
    own, out = _converted(tmp_path, "test"), tmp_path / "judged"
    nowhere = str(tmp_path / "nowhere")
    judge = ("evaluate", "classifier", "--data-coco", own, "--out", str(out))
    code, text = run("--data", nowhere, *judge)
    assert code == 0, text
    assert "latency" not in text, "no table without rows"
    assert (out / "figures.json").exists()


def test_the_detector_is_not_judged_by_garments(tmp_path: Path) -> None:
    own = _converted(tmp_path, "test")
    code, text = run("--data", str(tmp_path), "evaluate", "detector", "--data-coco", own)
    assert code == 2
    assert "judged by people" in text


@pytest.mark.parametrize("model", ["garments", "classifier"])
def test_boxes_alone_need_garments_and_a_model_to_start_from(tmp_path: Path, model: str) -> None:
    start = () if model == "garments" else ("--from", str(SHIPPED / f"{model}.onnx"))
    code, text = run("--data", str(tmp_path), "train", model, "--boxes-only", *start)
    assert code == 2
    assert "--boxes-only" in text


@pytest.mark.parametrize("model", ["garments", "classifier"])
def test_hard_places_are_for_the_detector(tmp_path: Path, model: str) -> None:
    code, text = run("--data", str(tmp_path), "train", model, "--hard-places", "10")
    assert code == 2
    assert "--hard-places" in text


def test_a_broken_model_is_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    code, text = run("--data", str(tmp_path), "evaluate", "detector", "--file", str(broken))
    assert code == 1
    assert "broken.onnx" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("model", ["shoes", ""])
def test_an_unknown_model_is_refused(tmp_path: Path, model: str) -> None:
    code, text = run("--data", str(tmp_path), "train", model)
    assert code == 2
    assert "detector" in text


def test_part_of_the_way_needs_its_beginning(tmp_path: Path) -> None:
    code, text = run("export", "garments", "--run", str(tmp_path), "--share", "0.5")
    assert code == 2
    assert "--from" in text


@pytest.mark.parametrize(
    ("model", "option"),
    [
        ("classifier", ("--share", "0.5")),
        ("classifier", ("--from", str(SHIPPED / "classifier.onnx"))),
        ("detector", ("--data-coco", str(SHIPPED / "detector.onnx"))),
    ],
)
def test_export_passes_over_no_option(tmp_path: Path, model: str, option: tuple[str, str]) -> None:
    file = str(tmp_path / "new.onnx")
    code, text = run("export", model, "--run", str(tmp_path), "--file", file, *option)
    assert code == 2
    assert option[0] in text
