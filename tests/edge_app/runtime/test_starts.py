"""A crash loop is told from a box that is restarted now and then."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_app.runtime.starts import MANY, WITHIN_S, Starts


def test_crashes_add_up_until_a_run_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "state" / "starts.json"
    assert [Starts(path).begin(1000.0 + 7 * i) for i in range(MANY + 1)] == list(range(MANY + 1))
    Starts(path).end()
    assert Starts(path).begin(1100.0) == 0


def test_crashes_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "starts.json"
    for i in range(20):
        assert Starts(path).begin(1000.0 + i * WITHIN_S) == 0


def test_only_the_run_that_follows_tells_what_a_run_failed_with(tmp_path: Path) -> None:
    told = []
    for at_s in (1.0, 2.0, 3.0):
        starts = Starts(tmp_path / "starts.json")
        starts.begin(at_s)
        told.append(starts.error)
        if at_s == 1.0:
            starts.fail("SourceError: rtsp://me:hunter2@cam.lan/1 is away")
    assert told == [None, "SourceError: rtsp://<hidden>@cam.lan/1 is away", None]


@pytest.mark.parametrize("content", ["", "{", "[1, null]", "7", '{"began_s": 1, "error": null}'])
def test_a_damaged_file_is_taken_for_empty(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "starts.json"
    path.write_text(content)
    assert Starts(path).begin(1.0) == 0
    assert "taken for empty" in caplog.text
    assert Starts(path).begin(2.0) == 1


def test_a_disk_that_cannot_be_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    assert Starts(tmp_path / "file" / "starts.json").begin(1.0) == 0
    assert "cannot be written" in caplog.text
