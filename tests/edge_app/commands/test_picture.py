"""The picture of a whole recording: whoever looks at it sees what is right and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edge_app.commands.frame_times import FrameTimes
from edge_app.commands.picture import COUNTED, MISSED, RIGHT, WRONG, ScenePicture
from edge_app.commands.truth import truth_of
from edge_app.config.schema import ZoneSettings
from edge_app.flow import Entry, Frame, Track, TrackedFrame
from edge_app.pipeline import Step

WIDTH, HEIGHT, ROW = 320, 180, 22
ZONES = {"door": ZoneSettings(line=((0.5, 0.0), (0.5, 1.0)))}


def walked(scale: int = 1, apart_s: Sequence[float] = (0.1,) * 40) -> ScenePicture:
    """Somebody bright walks through from left to right, and is counted in the middle.

    Args:
        scale: as large as WIDTH x HEIGHT.
        apart_s: seconds from each frame to the next.
    """
    times = FrameTimes(fps=10.0, start_s=1000.0)
    picture = ScenePicture(ZONES, times)
    for i in range(40):
        x = 8.0 * i
        box = np.array([x - 10, 60, x + 10, 120], np.float32) * scale
        pixels = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
        pixels[60:120, max(int(x) - 10, 0) : int(x) + 10] = 255
        at_s = 1000.0 + sum(apart_s[:i])
        tracks = (Track(1, box, 0.9, True, 1000.0),)
        entries = (Entry("cam", "door", 1, "in", i, at_s),) if i == 20 else ()
        pixels = np.kron(pixels, np.ones((scale, scale, 1), np.uint8))
        size = (WIDTH * scale, HEIGHT * scale)
        step = Step((TrackedFrame("cam", i, at_s, size, tracks),), entries)
        frame = Frame("cam", i, at_s, pixels)
        times.note(frame)
        picture.watch(frame, step)
    return picture


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((picture == colour).all(axis=2).any())


def test_whoever_walks_is_gone_from_the_scene_and_leaves_a_path():
    drawn = walked().draw(None, None)
    assert drawn.shape == (HEIGHT + ROW, WIDTH, 3)
    empty = drawn[30, 60]
    assert (drawn[62:110, 20:140] == empty).all()  # no body
    assert (drawn[120, 40:120] != empty).any(axis=1).all()  # the feet's line


def test_without_a_truth_nothing_is_called_right_or_wrong():
    drawn = walked().draw(None, None)
    assert has(drawn[:HEIGHT], COUNTED)
    assert not any(has(drawn, colour) for colour in (RIGHT, WRONG, MISSED))


CROSSED = {"frame": 20, "zone": "door", "direction": "in"}
VERDICTS = {
    "right": ([20], {"wrong": [], "missed": []}, (True, False, False)),
    "wrong": ([], {"wrong": [CROSSED], "missed": []}, (False, True, False)),
    "missed": ([20, 35], {"wrong": [], "missed": [{**CROSSED, "frame": 35}]}, (True, False, True)),
}


@pytest.mark.parametrize(("frames", "entries", "seen"), VERDICTS.values(), ids=VERDICTS.keys())
def test_what_is_right_wrong_and_missed(frames, entries, seen):
    people = [{"garments": [], "entries": [{**CROSSED, "frame": n}]} for n in frames]
    drawn = walked().draw(truth_of({"fps": 10, "people": people}, "here"), {"entries": entries})
    assert drawn.shape[0] == HEIGHT + 2 * ROW
    assert tuple(has(drawn, colour) for colour in (RIGHT, WRONG, MISSED)) == seen


def test_ticks_stand_at_their_time():
    drawn = walked().draw(None, None)
    row = drawn[HEIGHT:]
    columns = np.flatnonzero((row == COUNTED).all(axis=2).any(axis=0))
    assert 64 < columns.min() <= 64 + (WIDTH - 64 - 48) / 2 <= columns.max() + 1
    rows = np.flatnonzero((row == COUNTED).all(axis=2).any(axis=1))
    assert rows.max() <= ROW // 2 + 1  # in is above the line


def test_at_no_even_rate_ticks_stand_at_their_time_too():
    drawn = walked(apart_s=[1.0] * 20 + [0.1] * 20).draw(None, None)
    columns = np.flatnonzero((drawn[HEIGHT:] == COUNTED).all(axis=2).any(axis=0))
    assert columns.mean() == pytest.approx(64 + 20 / 22 * (WIDTH - 64 - 48), abs=2)


def test_what_is_drawn_can_be_read_on_a_large_picture_too():
    def share(times: int) -> list[float]:
        """Of the scene and of the row below it, how much is a counted crossing."""
        drawn = walked(times).draw(None, None)
        counted = (drawn == COUNTED).all(axis=2)
        parts = (counted[: HEIGHT * times], counted[HEIGHT * times :])
        return [float(part.mean()) for part in parts]

    assert share(12) == pytest.approx(share(4), rel=0.5)  # 2160 rows, and 720
