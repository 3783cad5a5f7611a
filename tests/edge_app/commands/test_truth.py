"""Reading truths: of files, and of simulations."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from edge_app.commands.truth import Truth, load_truth, simulated_truth
from edge_app.config.schema import ZoneSettings
from edge_app.errors import TruthError
from tests.edge_app.tiny_store import put_together


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ('{"other.mp4": {}}', "says nothing of 'clip.mp4'; it knows other.mp4"),
        ('{"clip.mp4": []}', "clip.mp4: expected an object with fps and people, got a list of 0"),
        ('{"clip.mp4": {"fps": 10}}', "expected fps and people, got no people; add"),
        ('{"clip.mp4": {"people": []}}', "expected fps and people, got no fps; add"),
        ('{"clip.mp4": {"fps": 0, "people": []}}', "fps: expected more than 0, got 0"),
    ],
    ids=["missing", "no-json", "other-clip", "no-clip", "no-people", "no-fps", "no-time"],
)
def test_a_bad_truth_file(tmp_path: Path, text: str | None, match: str) -> None:
    path = tmp_path / "truth.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TruthError, match=match):
        load_truth(path, "clip.mp4", ["entrance"])


ENTRY = {"frame": 30, "zone": "entrance", "direction": "in"}
PEOPLE = {
    "direction": (
        {"entries": [ENTRY | {"direction": "inn"}]},
        "people[0].entries[0].direction: expected one of in, out, got 'inn'; did you mean 'in'?",
    ),
    "garment": ({"garments": ["jeans", "dres"]}, "people[0].garments[1]: 'dres' is not a garment"),
    "near-garment": ({"garments": ["dres"]}, "; did you mean 'dress'?"),
    "zone": (
        {"entries": [ENTRY | {"zone": "entrace"}]},
        "people[0].entries[0].zone: expected a zone of the configuration, got 'entrace'; "
        "did you mean 'entrance'?",
    ),
    "strange-zone": ({"entries": [ENTRY | {"zone": "roof"}]}, "'roof'; zones are: entrance, till"),
    "after-the-end": (
        {"entries": [ENTRY, ENTRY | {"frame": 102}]},
        "people[0].entries[1].frame: expected a frame of the clip, 0 to 99, got 102",
    ),
    "before-the-start": (
        {"entries": [ENTRY | {"frame": -1}]},
        "frame: expected at least 0, got -1",
    ),
    "no-frame": (
        {"entries": [{"zone": "entrance", "direction": "in"}]},
        "people[0].entries[0].frame: expected this key, got nothing",
    ),
    "misspelled": ({"garmets": ["dress"]}, "expected a known key, got 'garmets'; did you mean"),
    "no-person": (7, "people[0]: expected an object, got 7"),
    "no-list": ({"entries": ENTRY}, "people[0].entries: expected a list such as [a, b]"),
    "half-frames": ({"frames": [1]}, "people[0].frames[1]: expected 2 values, got fewer"),
}


@pytest.mark.parametrize(("person", "said"), PEOPLE.values(), ids=PEOPLE.keys())
def test_what_a_truth_file_says_of_a_person_is_checked(
    tmp_path: Path, person: object, said: str
) -> None:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"clip.mp4": {"fps": 10, "people": [person]}}))
    with pytest.raises(TruthError) as refused:
        load_truth(path, "clip.mp4", ["entrance", "till"], 100)
    assert said in str(refused.value)
    assert str(refused.value).startswith(f"{path}: clip.mp4: people[0]")


def test_every_problem_of_a_truth_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    people = [{"garments": ["hat", "cap"]}, {"entries": [ENTRY | {"direction": "up"}]}]
    path.write_text(json.dumps({"clip.mp4": {"fps": 10, "people": people}}))
    with pytest.raises(TruthError) as refused:
        load_truth(path, "clip.mp4", ["entrance"])
    assert len(str(refused.value).splitlines()) == 3


def test_the_truth_of_the_recordings_is_read(clips_dir: Path) -> None:
    path = clips_dir / "truth.json"
    for name in (n for n in json.loads(path.read_text()) if not n.startswith("_")):
        described = json.loads(path.read_text())[name]
        truth = load_truth(path, name, described["zones"], described["frames"])
        assert len(truth.garments) >= 1


def test_a_simulation_knows_its_truth_for_its_own_line_only() -> None:
    url = "sim://entrance?seed=3&duration_s=60&people_per_min=20"
    with pytest.raises(TruthError, match="its entrance line is") as refused:
        simulated_truth(url, {"door": ("cam", ZoneSettings(line=((0.1, 0.1), (0.9, 0.1))))})
    told = json.loads(str(refused.value).partition("line is ")[2].partition(";")[0])
    truth = simulated_truth(url, {"door": ("cam", ZoneSettings(line=told))})
    assert truth.entries
    assert {e.zone for e in truth.entries} == {"door"}


def test_the_readmes_first_try_has_its_line_at_the_simulated_door(root: Path) -> None:
    tried = re.search(
        r"source: (sim:\S+?),.*?line: (\[\[.*?\]\])", (root / "README.md").read_text(), re.S
    )
    assert tried is not None
    line = ZoneSettings(line=json.loads(tried[2]))
    simulated_truth(f"{tried[1]}&duration_s=10", {"entrance": ("door", line)})


def test_the_readmes_example_is_a_truth(root: Path, tmp_path: Path) -> None:
    section = (root / "README.md").read_text().partition("## Truth files\n```json\n")[2]
    path = tmp_path / "truth.json"
    path.write_text(section.partition("```")[0])
    truth = load_truth(path, "door.mp4", ["entrance"])
    assert [entry.frame for entry in truth.entries] == [186]
    assert truth.garments == (frozenset({"dress"}),)


def test_frames_behind_those_that_the_header_knows_of_are_frames_of_the_clip(
    tmp_path: Path,
) -> None:
    """Time stamps that begin again in the middle hide what was before from the header."""
    clip, path = put_together(tmp_path / "clip.ts", parts=3), tmp_path / "truth.json"

    def load_with(frame: int) -> Truth:
        people = [{"entries": [{"frame": frame, "zone": "entrance", "direction": "in"}]}]
        path.write_text(json.dumps({"clip.ts": {"fps": 10, "people": people}}))
        return load_truth(path, str(clip), ["entrance"], frame_count=20)

    assert [entry.frame for entry in load_with(50).entries] == [50]
    with pytest.raises(TruthError, match="expected a frame of the clip, 0 to 59, got 70"):
        load_with(70)
