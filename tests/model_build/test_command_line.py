"""`python -m model_build` says what is wrong in one line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from model_build.__main__ import main


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, result.output


def test_help_names_the_commands() -> None:
    code, text = run("--help")
    assert code == 0
    assert all(command in text for command in ("data", "train", "evaluate", "export"))


def test_a_missing_data_folder_is_named(tmp_path: Path) -> None:
    code, text = run("--data", str(tmp_path / "nowhere"), "data")
    assert code == 1
    assert "nowhere" in text
    assert "DRESSCODE_DATA" in text


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
