"""The table of losses outlives a disk that was full."""

import csv
import resource
from pathlib import Path

import pytest
import torch

from model_build.train.losses_table import LossesTable

WHOLE = ["step,category,steps_per_s", *(f"{step},0.{step:05},1.000" for step in (20, 40, 60))]


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\r\n".join(lines), newline="")
    return path


@pytest.mark.parametrize("cut", ["8", "80", "80,", "80,0.1", "80,0.1,"])
def test_a_row_that_was_cut_off_is_dropped(tmp_path: Path, cut: str) -> None:
    path = written(tmp_path / "losses.csv", [*WHOLE, cut])
    table = LossesTable(path, 100, {})
    table.add({"category": torch.tensor(0.5)})
    table.write(120, 1.0)
    table.draw(is_finished=True)
    with path.open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["20", "40", "60", "120"]
    assert path.with_suffix(".png").exists()
    assert not path.with_suffix(".new").exists()


def test_a_table_of_nothing_but_what_was_cut_off_is_begun_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "losses.csv", ["step,cat"])
    LossesTable(path, 100, {}).draw(is_finished=True)
    assert not path.exists()


def test_a_disk_that_is_full_loses_no_row(tmp_path: Path) -> None:
    path = written(tmp_path / "losses.csv", [*WHOLE, ""])
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            LossesTable(path, 60, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
