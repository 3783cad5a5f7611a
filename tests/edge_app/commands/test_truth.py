"""Comparing a replay with a hand-made truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_app.commands.truth import compare, load_truth, simulated_truth, truth_of
from edge_app.config.schema import RuleSettings, ZoneSettings
from edge_app.errors import TruthError

RULES = {"formal": RuleSettings(any_of=("dress", "suit"))}
CLIP: dict[str, Any] = {
    "fps": 10,
    "people": [
        {
            "garments": ["dress"],
            "entries": [{"frame": 50, "zone": "door", "direction": "in"}],
        },
        {
            "garments": ["shirt", "jeans"],
            "entries": [
                {"frame": 80, "zone": "door", "direction": "in"},
                {"frame": 200, "zone": "door", "direction": "out"},
            ],
        },
    ],
}


def entry(frame: int, direction: str = "in", zone: str = "door") -> dict[str, Any]:
    return {"frame": frame, "zone": zone, "direction": direction}


def alert(frame: int, garment: str = "dress") -> dict[str, Any]:
    return {"frame": frame, "rule": "formal", "zone": "door", "garment": garment}


RIGHT = [entry(53), entry(79), entry(204, "out")]


def scores(entries: list[dict[str, Any]], alerts: list[dict[str, Any]]) -> dict[str, Any]:
    return compare(truth_of(CLIP, "here"), entries, alerts, RULES)


def test_a_perfect_replay() -> None:
    result = scores(RIGHT, [alert(60)])
    assert result["entries"]["f1"] == 1.0
    assert result["alerts"]["formal"]["f1"] == 1.0
    assert result["alerts"]["formal"]["garment_right"] == 1
    assert result["counts"] == {
        "door": {"true_in": 2, "counted_in": 2, "true_out": 1, "counted_out": 1}
    }


@pytest.mark.parametrize(
    ("entries", "precision", "recall"),
    [
        ([entry(53), entry(204, "out")], 1.0, 2 / 3),
        ([*RIGHT, entry(55)], 3 / 4, 1.0),
        ([entry(53), entry(79), entry(204, "in")], 2 / 3, 2 / 3),
        ([entry(65), entry(79), entry(204, "out")], 2 / 3, 2 / 3),
        ([entry(53, zone="back"), entry(79), entry(204, "out")], 2 / 3, 2 / 3),
    ],
    ids=["missed", "double", "wrong-direction", "more-than-a-second-late", "wrong-zone"],
)
def test_faults_of_entries(entries: list[dict[str, Any]], precision: float, recall: float) -> None:
    result = scores(entries, [])["entries"]
    assert result["precision"] == pytest.approx(precision, abs=1e-3)
    assert result["recall"] == pytest.approx(recall, abs=1e-3)


def test_an_alert_for_the_wrong_person_is_wrong() -> None:
    result = scores(RIGHT, [alert(60), alert(300)])["alerts"]["formal"]
    assert (result["precision"], result["recall"]) == (0.5, 1.0)
    assert result["wrong_frames"] == [300]


def test_an_alert_that_never_came_is_missed() -> None:
    result = scores(RIGHT, [])["alerts"]["formal"]
    assert (result["precision"], result["recall"], result["missed_frames"]) == (1.0, 0.0, [50])


def test_a_wrong_garment_is_told() -> None:
    result = scores(RIGHT, [alert(60, "suit")])["alerts"]["formal"]
    assert (result["matched"], result["garment_right"]) == (1, 0)


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
