"""Who is let out of the tracker, and in which box."""

import pytest

from tests.edge_app.tracking.following import Seen, follow, ids, person


def test_a_shelf_that_is_taken_for_a_person_is_let_out_for_ten_seconds_only() -> None:
    frames = follow(lambda t: [(person(300, 20), 0.8)], 20.0)
    assert [len(frame.tracks) for frame in (frames[50], frames[110], frames[-1])] == [1, 0, 0]


@pytest.mark.parametrize("x", [10, 630], ids=["left", "right"])
def test_who_appears_in_an_upper_corner_is_let_out_as_anybody(x: float) -> None:
    frames = follow(lambda t: [(person(x, 0), 0.8)], 5.0)
    assert [len(frame.tracks) for frame in (frames[5], frames[-1])] == [1, 1]


def test_who_stood_from_the_start_and_walks_off_is_let_out_again() -> None:
    frames = follow(lambda t: [(person(300 + 90 * max(t - 15, 0), 90), 0.8)], 18.0)
    assert (len(frames[140].tracks), len(frames[-1].tracks)) == (0, 1)
    assert ids(frames) == {1}


def test_who_came_was_lost_and_stands_is_no_shelf() -> None:
    def scene(t: float) -> Seen:
        if t < 2.0:
            return [(person(100 + 90 * t, 90), 0.8)]
        return [(person(410, 90), 0.8)] if t > 2.5 else []

    frames = follow(scene, 20.0)
    assert ids(frames) == {1}
    assert len(frames[-1].tracks) == 1


def test_who_sits_down_unseen_is_no_shelf() -> None:
    def scene(t: float) -> Seen:
        if t < 2.0:
            return [(person(100 + 90 * t, 90), 0.8)]
        return [(person(280, 170), 0.8)] if t > 2.5 else []

    frames = follow(scene, 20.0, fps=30.0)
    assert ids(frames) == {1}
    assert len(frames[-1].tracks) == 1


def test_who_is_found_well_within_a_doubtful_box_keeps_the_own_one() -> None:
    """A box around somebody and a thing beside is not the person because it is larger."""
    bust, whole = (300.0, 90.0, 380.0, 200.0), (270.0, 90.0, 400.0, 300.0)

    def scene(t: float) -> Seen:
        return [(bust, 0.9)] if t < 1.0 else [(bust, 0.9), (whole, 0.45)]

    assert follow(scene, 1.5)[-1].tracks[0].box_xyxy.tolist() == list(bust)
