"""People are told apart by their colours where their ways cannot tell."""

import numpy as np
import pytest

from edge_app.config.schema import TrackingSettings
from edge_app.flow import Detections, Float32, TrackedFrame, UInt8
from edge_app.tracking.appearance import (
    describe,
    look_at,
    looks_other,
    sample,
    strangeness,
    sureness,
)
from edge_app.tracking.tracker import Tracker

SIZE = (640, 360)
RED, BLUE, GREY = (40, 30, 170), (150, 70, 40), (120, 120, 120)


def picture(*dressed: tuple[tuple[float, float, float, float], tuple[int, int, int]]) -> UInt8:
    """A grey, noisy scene with people painted into it, the first the farthest."""
    frame = np.full((SIZE[1], SIZE[0], 3), GREY, np.int16)
    for (x1, y1, x2, y2), colour in dressed:
        frame[round(y1) : round(y2), round(x1) : round(x2)] = colour
    noise = np.random.default_rng(7).normal(0, 6, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def boxes_of(*boxes: tuple[float, float, float, float]) -> Float32:
    return np.array(boxes, np.float32)


def test_looks_are_of_unit_length_and_most_like_themselves() -> None:
    left, right = (100.0, 60.0, 160.0, 220.0), (300.0, 60.0, 360.0, 220.0)
    looks = look_at(picture((left, RED), (right, BLUE)), boxes_of(left, right))
    assert looks is not None
    np.testing.assert_allclose(np.linalg.norm(looks, axis=1), 1.0, rtol=1e-5)
    assert float(looks[0] @ looks[1]) < 0.3


@pytest.mark.parametrize("light", [0.85, 1.15])
def test_a_little_more_or_less_light_makes_nobody_another(light: float) -> None:
    box = (100.0, 60.0, 160.0, 220.0)
    day = picture((box, RED))
    dusk = np.clip(day * light, 0, 255).astype(np.uint8)
    looks = [look_at(frame, boxes_of(box)) for frame in (day, dusk)]
    other = look_at(picture((box, BLUE)), boxes_of(box))
    first, second, third = np.concatenate([look for look in (*looks, other) if look is not None])
    assert float(first @ second) > float(first @ third) + 0.3


def test_nobody_has_no_look() -> None:
    assert look_at(picture(), np.zeros((0, 4), np.float32)) is None


def test_boxes_that_end_at_the_edges_are_sampled_inside_the_picture() -> None:
    colours = sample(picture(), boxes_of((600.0, 300.0, 640.0, 360.0), (0.0, 0.0, 3.0, 3.0)))
    assert colours.shape == (2, 13, 8, 3)


def test_a_look_tells_what_is_worn_above_from_what_is_worn_below() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (1, 13, 8, 3)).astype(np.uint8)
    np.testing.assert_allclose(describe(colours), describe(colours[:, :, ::-1]), rtol=1e-5)
    box = (100.0, 60.0, 160.0, 220.0)
    upper, lower = (100.0, 60.0, 160.0, 134.0), (100.0, 134.0, 160.0, 220.0)
    one, other, dressed = (
        look_at(picture(*painted), boxes_of(box))
        for painted in (
            ((upper, RED), (lower, BLUE)),
            ((upper, BLUE), (lower, RED)),
            ((box, RED),),
        )
    )
    assert one is not None
    assert other is not None
    assert dressed is not None
    assert float(one[0] @ other[0]) < 0.35
    assert 0.4 < float(one[0] @ dressed[0]) < 0.65


def test_a_colour_at_the_border_of_two_bins_is_much_the_same_on_either_side() -> None:
    """One level of light more, where counting by bins alone sees two colours."""
    for level in range(10, 245):
        pair = np.full((2, 13, 8, 3), level, np.uint8)
        pair[1] += 1
        looks = describe(pair)
        assert float(looks[0] @ looks[1]) > 0.85


def test_who_looks_different_is_strange() -> None:
    assert strangeness(0.95, best=0.95) == 0.0
    assert strangeness(0.48, best=0.48) == pytest.approx(1.0)
    assert strangeness(0.78, best=0.95) > 0.1


def test_whose_look_agrees_is_sure() -> None:
    assert (sureness(0.95), sureness(0.5)) == (1.0, 0.0)
    assert 0.0 < sureness(0.8) < 1.0


def test_nobody_looks_other_while_a_look_is_not_known() -> None:
    first, second = np.eye(2, dtype=np.float32)
    assert looks_other(first, second)
    assert not looks_other(first, first)
    assert not looks_other(None, second)


def followed(has_looks: bool, hidden_s: float) -> list[list[int]]:
    """Two people meet, one hides the other for a while, and both go back the way they came.

    Returns:
        Their ids from left to right, before and after.
    """
    tracker = Tracker("door", TrackingSettings())
    frames: list[TrackedFrame] = []
    for index in range(60):
        at_s = index / 10
        apart = 100 * abs(at_s - 3.0)
        is_hidden = abs(at_s - 3.0) < hidden_s / 2
        near = (320 - apart - 30, 100.0, 320 - apart + 30, 270.0)
        far = (320 + apart - 28, 90.0, 320 + apart + 28, 250.0)
        people = boxes_of(near) if is_hidden else boxes_of(near, far)
        frame = picture((far, BLUE), (near, RED))
        found = Detections(
            people, np.full(len(people), 0.8, np.float32), np.zeros(len(people), np.int64)
        )
        looks = look_at(frame, people) if has_looks else None
        frames.append(tracker.update(found, index, at_s, SIZE, looks))
    return [
        [t.track_id for t in sorted(frame.tracks, key=lambda t: t.box_xyxy[0]) if t.is_observed]
        for frame in (frames[10], frames[-1])
    ]


@pytest.mark.parametrize("hidden_s", [0.5, 1.0, 1.5])
def test_two_who_meet_and_turn_round_keep_their_ids(hidden_s: float) -> None:
    before, after = followed(has_looks=True, hidden_s=hidden_s)
    assert before == after


def test_by_their_ways_alone_they_would_have_passed_each_other() -> None:
    before, after = followed(has_looks=False, hidden_s=0.5)
    assert before == after[::-1]


def test_a_lost_person_is_not_continued_by_somebody_who_looks_other() -> None:
    tracker = Tracker("door", TrackingSettings())
    ids: set[int] = set()
    for index in range(40):
        at_s = index / 10
        if 1.5 < at_s < 2.2:
            people = np.zeros((0, 4), np.float32)
        else:
            x = 300.0 if at_s < 2 else 345.0
            people = boxes_of((x, 90.0, x + 60, 250.0))
        colour = RED if at_s < 2 else BLUE
        frame = picture(*[(tuple(map(float, box)), colour) for box in people])  # type: ignore[arg-type]
        found = Detections(
            people, np.full(len(people), 0.8, np.float32), np.zeros(len(people), np.int64)
        )
        tracked = tracker.update(found, index, at_s, SIZE, look_at(frame, people))
        ids |= {track.track_id for track in tracked.tracks}
    assert ids == {1, 2}


@pytest.mark.parametrize(("colour", "expected"), [(RED, {1}), (BLUE, {1, 2})])
def test_who_was_hidden_for_long_is_known_again_by_the_look_alone(
    colour: tuple[int, int, int], expected: set[int]
) -> None:
    tracker = Tracker("door", TrackingSettings())
    ids: set[int] = set()
    for index in range(80):
        at_s = index / 10
        box = (300.0, 90.0, 360.0, 250.0)
        people = np.zeros((0, 4), np.float32) if 1.5 < at_s < 5.0 else boxes_of(box)
        frame = picture(*([(box, RED if at_s < 2 else colour)] if len(people) else []))
        found = Detections(
            people, np.full(len(people), 0.8, np.float32), np.zeros(len(people), np.int64)
        )
        tracked = tracker.update(found, index, at_s, SIZE, look_at(frame, people))
        ids |= {track.track_id for track in tracked.tracks}
    assert ids == expected


def ids_of_who_reappears(gap_s: float, shift_px: float, agrees: float | None) -> set[int]:
    """Somebody is lost for a while and seen again further on, with a look that agrees so far."""
    tracker = Tracker("door", TrackingSettings())
    before = np.array([[1.0, 0.0]], np.float32)
    after = before if agrees is None else np.array([[agrees, (1 - agrees**2) ** 0.5]], np.float32)
    ids: set[int] = set()
    for index in range(120):
        at_s = index / 10
        is_back = at_s >= 1.5 + gap_s
        x = 150.0 + is_back * shift_px
        people = boxes_of((x, 90.0, x + 60, 250.0))
        found = Detections(people, np.full(1, 0.8, np.float32), np.zeros(1, np.int64))
        looks = None if agrees is None else (after if is_back else before)
        if 1.5 <= at_s < 1.5 + gap_s:
            found, looks = Detections.empty(), None
        ids |= {t.track_id for t in tracker.update(found, index, at_s, SIZE, looks).tracks}
    return ids


@pytest.mark.parametrize(
    ("gap_s", "shift_px", "agrees", "is_one"),
    [
        pytest.param(3.5, 0.0, 0.95, True, id="surely-the-same-after-long"),
        pytest.param(3.5, 0.0, 0.75, True, id="much-the-same-after-long"),
        pytest.param(3.5, 0.0, 0.67, False, id="maybe-the-same-after-long"),
        pytest.param(1.0, 100.0, 0.67, True, id="maybe-the-same-after-a-moment"),
        pytest.param(1.0, 100.0, 0.6, False, id="hardly-the-same-after-a-moment"),
        pytest.param(7.5, 0.0, 0.95, True, id="surely-the-same-after-very-long"),
        pytest.param(9.0, 0.0, 0.95, False, id="after-too-long"),
        pytest.param(3.5, 0.0, None, False, id="after-long-without-looks"),
        pytest.param(1.0, 190.0, 0.95, True, id="further-on-and-known"),
        pytest.param(1.0, 190.0, None, False, id="further-on-without-looks"),
    ],
)
def test_how_long_and_how_far_off_somebody_is_known_again(
    gap_s: float, shift_px: float, agrees: float | None, is_one: bool
) -> None:
    assert ids_of_who_reappears(gap_s, shift_px, agrees) == ({1} if is_one else {1, 2})


@pytest.mark.parametrize(("shift_px", "is_one"), [(5.0, True), (40.0, False)])
def test_who_cannot_be_recognised_yet_is_taken_for_somebody_lost_at_their_very_place_only(
    shift_px: float, is_one: bool
) -> None:
    # Somebody leaves through a far door, and the next one comes in there, covered by a third.
    tracker = Tracker("door", TrackingSettings())
    look, third, other = np.eye(3, dtype=np.float32)
    ids: set[int] = set()
    for index in range(30):
        at_s = index / 10
        is_back = at_s >= 2.2
        left = 150.0 + is_back * shift_px
        people = [(left, 60.0, left + 40, 160.0)] if not 1.5 <= at_s < 2.2 else []
        cover = [(left - 5, 90.0, left + 45, 240.0)] if is_back else [(500.0, 90.0, 550.0, 240.0)]
        boxes = boxes_of(*people, *cover)
        found = Detections(
            boxes, np.array([0.6] * len(boxes), np.float32), np.zeros(len(boxes), np.int64)
        )
        looks = np.stack([other if is_back else look] * len(people) + [third])
        frame = tracker.update(found, index, at_s, SIZE, looks)
        ids |= {t.track_id for t in frame.tracks if t.is_observed and t.box_xyxy[1] < 80}
    assert len(ids) == (1 if is_one else 2)


@pytest.mark.parametrize("covered_px", [20.0, 120.0])
def test_who_is_half_hidden_by_somebody_else_keeps_the_id_although_nothing_of_the_look_is_left(
    covered_px: float,
) -> None:
    tracker = Tracker("door", TrackingSettings())
    look, third, mixed = np.eye(3, dtype=np.float32)
    ids: set[int] = set()
    for index in range(40):
        is_covered = 1.5 <= index / 10 < 2.5
        top = 240.0 - covered_px if is_covered else 250.0
        boxes = boxes_of((150.0, 60.0, 190.0, 240.0), (155.0, top, 200.0, top + 90.0))
        found = Detections(boxes, np.full(2, 0.7, np.float32), np.zeros(2, np.int64))
        looks = np.stack([mixed if is_covered else look, third])
        frame = tracker.update(found, index, index / 10, SIZE, looks)
        ids |= {t.track_id for t in frame.tracks if t.is_observed and t.box_xyxy[1] < 80}
    assert len(ids) == 1
