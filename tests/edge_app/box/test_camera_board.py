"""What is told about each camera."""

from __future__ import annotations

from edge_app.box.camera_board import CameraBoard
from edge_app.flow import CameraState


def seen(*states: tuple[str, float], board: CameraBoard) -> list[tuple[str, float]]:
    for state, since_s in states:
        board.put(CameraState("door", state, "", since_s))
    board.arrived(1000.0)
    return [(told.state, told.since_s) for told in board.news()]


def test_a_state_is_published_once_and_in_unix_time() -> None:
    board = CameraBoard()
    assert seen(("offline", 1.0), ("online", 5.0), board=board) == [("online", 1005.0)]
    assert seen(board=board) == []


def test_a_pause_lasts_from_its_first_command_over_a_restart_to_the_resume() -> None:
    board = CameraBoard()
    seen(("online", 5.0), board=board)
    for now_s in (1010.0, 1020.0):
        board.pause(True, now_s)
    assert seen(board=board) == [("disabled", 1010.0)]
    again = CameraBoard()
    again.restore(board.state())
    assert seen(("online", 30.0), board=again) == [("disabled", 1010.0)]
    again.pause(False, 1040.0)
    assert seen(board=again) == [("online", 1030.0)]
