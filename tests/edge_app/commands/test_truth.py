"""Reading truths: of files, and of simulations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_app.commands.truth import load_truth, simulated_truth
from edge_app.config.schema import ZoneSettings
from edge_app.errors import TruthError


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ('{"other.mp4": {}}', "says nothing of 'clip.mp4'; it knows other.mp4"),
        ('{"clip.mp4": {"fps": 10}}', "expected fps and people"),
        ('{"clip.mp4": {"fps": 0, "people": []}}', "fps must be above 0"),
    ],
    ids=["missing", "no-json", "other-clip", "no-people", "no-time"],
)
def test_a_bad_truth_file(tmp_path: Path, text: str | None, match: str) -> None:
    path = tmp_path / "truth.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TruthError, match=match):
        load_truth(path, "clip.mp4")


def test_the_truth_of_the_recordings_is_read(clips_dir: Path) -> None:
    path = clips_dir / "truth.json"
    for name in (n for n in json.loads(path.read_text()) if not n.startswith("_")):
        truth = load_truth(path, name)
        assert len(truth.garments) >= 1


def test_a_simulation_knows_its_truth_for_its_own_line_only() -> None:
    url = "sim://entrance?seed=3&duration_s=60&people_per_min=20"
    with pytest.raises(TruthError, match="its entrance line is") as refused:
        simulated_truth(url, {"door": ("cam", ZoneSettings(line=((0.1, 0.1), (0.9, 0.1))))})
    told = json.loads(str(refused.value).partition("line is ")[2].partition(";")[0])
    truth = simulated_truth(url, {"door": ("cam", ZoneSettings(line=told))})
    assert truth.entries
    assert {e.zone for e in truth.entries} == {"door"}
