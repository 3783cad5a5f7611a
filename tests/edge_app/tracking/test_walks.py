"""Tracker and entrance together: people walk in over the lower edge, past a line at 80 %.

A camera 2.6 m up looks down at an angle; who walks in under it is first a head at the lower edge,
then grows, then the feet come into the picture and pass the line.
"""

import numpy as np
import pytest

from edge_app.config.schema import TrackingSettings, ZoneSettings
from edge_app.events.entrance import Entrance
from edge_app.flow import Detections, Entry
from edge_app.tracking.tracker import Tracker

SIZE = (768, 432)
START_S = 1_700_000_000.0
CAMERA_M, TILT_RAD, FOCAL_PX = 2.6, np.radians(30.0), 420.0
DOOR = {"door": ZoneSettings(line=((0.05, 0.8), (0.95, 0.8)))}
Walker = tuple[float, float, float, float, float]
"""Start (s), place across (m), speed (m/s), height (m), start along (m)."""

THREE = [(0.5, x, 1.1, tall, -0.5) for x, tall in ((-0.6, 1.75), (0.0, 1.62), (0.62, 1.8))]
IN_A_ROW = [(0.5 + 1.6 * k, 0.1 * k, 1.2, 1.7, -0.5) for k in range(4)]


def picture_of(x: float, y: float, z: float) -> tuple[float, float] | None:
    below = CAMERA_M - y
    depth = z * np.cos(TILT_RAD) + below * np.sin(TILT_RAD)
    if depth < 0.2:
        return None
    down = below * np.cos(TILT_RAD) - z * np.sin(TILT_RAD)
    return SIZE[0] / 2 + FOCAL_PX * x / depth, SIZE[1] / 2 + FOCAL_PX * down / depth


def box_of(walker: Walker, at_s: float) -> np.ndarray | None:
    """The visible part of a person's box, or None."""
    start_s, x, speed, tall, along = walker
    z = along + speed * (at_s - start_s)
    if at_s < start_s or z > 6.0:
        return None
    head = [picture_of(x + side, tall, z) for side in (-0.24, 0.24)]
    if head[0] is None or head[1] is None:
        return None
    foot = picture_of(x, 0.0, z - 0.1)
    bottom = SIZE[1] if foot is None else min(foot[1], SIZE[1])
    box = np.array([head[0][0], head[0][1], head[1][0], bottom])
    box[0::2] = np.clip(box[0::2], 0, SIZE[0])
    box[1::2] = np.clip(box[1::2], 0, SIZE[1])
    return box if box[2] - box[0] > 15 and box[3] - box[1] > 15 else None


def counted(
    walkers: list[Walker],
    fps: float,
    seed: int,
    missed: float = 0.05,
    hidden: tuple[int, float, float] | None = None,
) -> list[Entry]:
    """Entries of a scene whose boxes are noisy, sometimes missing, and weak at the edge.

    Args:
        hidden: number of a walker, and from when to when the detector does not find that one.
    """
    rng = np.random.default_rng(seed)
    tracker, entrance = Tracker("cam", TrackingSettings()), Entrance("cam", DOOR, True)
    entries: list[Entry] = []
    for index in range(round(11 * fps)):
        at_s = index / fps
        boxes, scores = [], []
        for number, walker in enumerate(walkers):
            box = box_of(walker, at_s)
            is_hidden = hidden is not None and number == hidden[0] and hidden[1] < at_s < hidden[2]
            if box is None or is_hidden or rng.random() < missed:
                continue
            noise = rng.normal(0, 0.02, 4) * np.tile([box[2] - box[0], box[3] - box[1]], 2)
            boxes.append(np.clip(box + noise, 0, np.tile(SIZE, 2)))
            scores.append(rng.uniform(0.2, 0.7) if box[1] > 0.7 * SIZE[1] else 0.85)
        found = Detections(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(scores, np.float32),
            np.zeros(len(boxes), np.int64),
        )
        entries += entrance.update(tracker.update(found, index, START_S + at_s, SIZE))
    return entries + entrance.finish()


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
@pytest.mark.parametrize("seed", range(4))
def test_three_side_by_side_are_three(fps: float, seed: int) -> None:
    assert [entry.direction for entry in counted(THREE, fps, seed)] == ["in"] * 3


@pytest.mark.parametrize("who", range(3))
@pytest.mark.parametrize("from_s", [1.2, 1.8, 2.4])
def test_three_are_three_although_one_is_not_found_for_a_second(who: int, from_s: float) -> None:
    entries = counted(THREE, 10.0, who, hidden=(who, from_s, from_s + 1.0))
    assert [entry.direction for entry in entries] == ["in"] * 3


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
@pytest.mark.parametrize("seed", range(3))
def test_one_after_the_other_are_all_counted(fps: float, seed: int) -> None:
    assert [entry.direction for entry in counted(IN_A_ROW, fps, seed)] == ["in"] * 4


@pytest.mark.parametrize("speed_m_s", [0.6, 1.4, 2.2])
@pytest.mark.parametrize("fps", [8.0, 10.0, 30.0])
def test_slow_and_fast_walkers_are_counted_once(speed_m_s: float, fps: float) -> None:
    walker = (0.5, 0.2, speed_m_s, 1.7, -0.4)
    assert [entry.direction for entry in counted([walker], fps, 1)] == ["in"]


@pytest.mark.parametrize("missed", [0.2, 0.35])
def test_a_poor_detector_still_counts_once(missed: float) -> None:
    walker = (0.5, 0.2, 1.0, 1.7, -0.4)
    for seed in range(5):
        entries = counted([walker], 10.0, seed, missed)
        assert [entry.direction for entry in entries] == ["in"]


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
@pytest.mark.parametrize("behind_s", [3.0, 3.5])
def test_who_comes_in_is_not_taken_for_who_was_lost_just_inside(
    fps: float, behind_s: float
) -> None:
    first, second = ((start_s, 0.0, 1.1, 1.7, -0.5) for start_s in (0.5, 0.5 + behind_s))
    entries = counted([first, second], fps, 1, hidden=(0, 3.8, 99.0))
    assert [(entry.direction, entry.track_id) for entry in entries] == [("in", 1), ("in", 2)]


FITTING = {"fitting": ZoneSettings(area=((0.3, 0.3), (0.9, 0.3), (0.9, 1.0), (0.3, 1.0)))}


@pytest.mark.parametrize(
    ("gap_s", "scale", "lost_s"),
    [
        pytest.param(1.5, 1.0, 2.0, id="short"),
        pytest.param(3.0, 1.0, 2.0, id="as-the-stream-opens-again"),
        pytest.param(3.0, 1.0, 5.0, id="short-for-who-waits-longer"),
        pytest.param(6.0, 1.0, 2.0, id="long"),
        pytest.param(0.1, 2.0, 2.0, id="another-resolution"),
    ],
)
def test_who_stands_in_an_area_comes_in_once_although_the_pictures_break(
    gap_s: float, scale: float, lost_s: float
) -> None:
    tracker = Tracker("cam", TrackingSettings(lost_s=lost_s))
    entrance = Entrance("cam", FITTING, False, lost_s)
    entries: list[Entry] = []
    at_s, by = START_S, 1.0
    for index in range(300):
        is_after = index in (200, 250)
        at_s, by = at_s + (gap_s if is_after else 0.1), by * (scale if is_after else 1.0)
        x = 5.0 + min(4.0 * index, 350.0)
        box = by * np.array([[x, 150.0, x + 60.0, 330.0]], np.float32)
        found = Detections(box, np.full(1, 0.9, np.float32), np.zeros(1, np.int64))
        size = (round(SIZE[0] * by), round(SIZE[1] * by))
        entries += entrance.update(tracker.update(found, index, at_s, size))
    assert [entry.direction for entry in entries if not entry.is_initial] == ["in"]
    assert sum(1 if entry.direction == "in" else -1 for entry in entries) == 1
