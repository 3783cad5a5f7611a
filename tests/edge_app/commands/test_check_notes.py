"""``dresscode check`` notes what is allowed but hardly meant, and nothing that is sensible."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_app.cli import cli
from tests.edge_app.tiny_store import CONFIG

STORE = """
store: acme-1
node: edge-1
timezone: Europe/Paris
mqtt: {{url: "mqtt://127.0.0.1"}}
cameras:
  door: {{source: {source}, privacy_masks: [{masks}], zones: {{z: {{{zone}}}}}}}
  back: {{source: 1}}
"""
LINE = "line: [[0.1, 0.8], [0.9, 0.8]]"
AREA = "area: [[0.6, 0.2], [0.9, 0.2], [0.9, 0.7], [0.6, 0.7]]"
WHOLE = "area: [[0, 0], [1, 0], [1, 1], [0, 1]]"
LEFT = "[[0, 0.6], [0.5, 0.6], [0.5, 1], [0, 1]]"


def notes(folder: Path, text: str) -> list[str]:
    path = folder / "store.yaml"
    path.write_text(text)
    result = CliRunner().invoke(cli, ["check", str(path)])
    assert result.exit_code == 0, result.output
    assert ": good. Store " in result.output
    assert "hunter2" not in result.output
    mark = f"{path}: not likely meant: "
    return [line.removeprefix(mark) for line in result.stderr.splitlines() if mark in line]


def store(source: str = "0", masks: str = "", zone: str = LINE) -> str:
    return STORE.format(source=source, masks=masks, zone=zone)


HIDDEN = {
    "half the line": (LINE, LEFT, "privacy masks hide 50% of the line"),
    "all of the line": (LINE, "[[0, 0.7], [1, 0.7], [1, 1], [0, 1]]", "hide 100% of the line"),
    "two masks together": (LINE, f"{LEFT}, [[0.5, 0.6], [1, 0.6], [1, 1], [0.5, 1]]", "hide 100%"),
    "up to the line": (LINE, "[[0, 0.5], [1, 0.5], [1, 0.8], [0, 0.8]]", "hide 100% of the line"),
    "within the line's band": (LINE, "[[0, 0.5], [1, 0.5], [1, 0.79], [0, 0.79]]", "hide 100%"),
    "a line upwards": ("line: [[0.5, 0.9], [0.5, 0.1]]",
                       "[[0.505, 0], [1, 0], [1, 0.5], [0.505, 0.5]]", "hide 50% of the line"),
    "half the area": (AREA, "[[0.75, 0], [1, 0], [1, 1], [0.75, 1]]", "hide 50% of the area"),
}  # fmt: skip


@pytest.mark.parametrize("case", HIDDEN)
def test_a_zone_under_a_mask_is_told(tmp_path: Path, case: str) -> None:
    zone, masks, said = HIDDEN[case]
    (told,) = notes(tmp_path, store(masks=masks, zone=zone))
    assert told.startswith("cameras.door.zones.z: privacy masks hide ")
    assert said in told


@pytest.mark.parametrize(
    ("zone", "room"),
    [
        ("line: [[0.1, 0.99], [0.9, 0.99]]", "0.010"),
        ("line: [[0.1, 0.99], [0.9, 0.992]]", "0.010"),
        ("line: [[0.995, 0.1], [0.995, 0.9]]", "0.009"),
        ("line: [[0, 0], [1, 0]]", "0.000"),
        ("line: [[0.1, 0.9], [0.9, 0.9]], hysteresis: 0.15", "0.100"),
    ],
)
def test_a_line_too_close_to_the_edge_is_told(tmp_path: Path, zone: str, room: str) -> None:
    (told,) = notes(tmp_path, store(zone=zone))
    assert f"cameras.door.zones.z: the picture ends {room} of its height beyond the line" in told


def test_two_cameras_with_one_source_are_told(tmp_path: Path) -> None:
    (told,) = notes(tmp_path, store("1"))
    assert told.startswith("cameras.back.source: the same as that of camera 'door'")


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://10.0.0.11/s?user=admin&password=hunter2",
        "rtsp://10.0.0.11/user=admin_password=hunter2_ch=1.sdp",
        "gst://rtspsrc location=rtsp://10.0.0.11/s?pwd=hunter2 ! decodebin",
    ],
)
def test_a_password_in_an_address_is_told_and_not_shown(tmp_path: Path, source: str) -> None:
    (told,) = notes(tmp_path, store(f"'{source}'"))
    assert told.startswith("cameras.door.source: a password in an address")


SENSIBLE = {
    "no mask": store(),
    "a mask beside the line": store(masks="[[0, 0], [0.2, 0], [0.2, 0.3], [0, 0.3]]"),
    "a mask at the line's end": store(masks="[[0, 0.6], [0.1, 0.6], [0.1, 1], [0, 1]]"),
    "a mask above the line": store(masks="[[0, 0], [1, 0], [1, 0.3], [0, 0.3]]"),
    "a mask that shares a side with the area": store(
        masks="[[0.3, 0.2], [0.6, 0.2], [0.6, 0.7], [0.3, 0.7]]", zone=AREA
    ),
    "a mask on the whole picture's area": store(masks=LEFT, zone=WHOLE),
    "a line near the edge": store(zone="line: [[0.1, 0.98], [0.9, 0.98]]"),
    "a line across a corner": store(zone="line: [[0, 0.9], [0.1, 1]]"),
    "a pipeline that is given its password": store(
        "'gst://rtspsrc location=rtsp://h/1 user-pw={password} ! decodebin'"
    ),
    "a tiny store": CONFIG,
}


@pytest.mark.parametrize("case", SENSIBLE)
def test_what_is_sensible_gets_no_note(tmp_path: Path, case: str) -> None:
    assert notes(tmp_path, SENSIBLE[case]) == []


def test_the_example_gets_no_note(root: Path, tmp_path: Path) -> None:
    assert notes(tmp_path, (root / "systemd" / "store.example.yaml").read_text()) == []
