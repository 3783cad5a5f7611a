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


def test_days_that_all_begin_at_the_time_of_a_clock_without_battery_are_no_crash_loop(
    tmp_path: Path,
) -> None:
    crashes = []
    for _day in range(3 * MANY):
        starts = Starts(tmp_path / "starts.json")
        crashes.append(starts.begin(1000.0))
        for turn_s in range(0, 36_000, 300):
            starts.held(turn_s)
        # The power is cut: nothing more is said.
    assert not any(crashes)


def test_what_crashes_before_it_has_held_stays_a_loop(tmp_path: Path) -> None:
    crashes = []
    for i in range(MANY):
        starts = Starts(tmp_path / "starts.json")
        crashes.append(starts.begin(1000.0 + 60.0 * i))
        starts.held(50.0)
    assert crashes == list(range(MANY))


def test_a_run_that_held_and_fails_then_tells_its_error_and_counts_no_crash(tmp_path: Path) -> None:
    starts = Starts(tmp_path / "starts.json")
    starts.begin(1000.0)
    starts.held(WITHIN_S)
    starts.fail("EngineError: lost")
    after = Starts(tmp_path / "starts.json")
    assert (after.begin(1000.0), after.error) == (0, "EngineError: lost")
