"""What the boxes of one frame are to each other."""

import numpy as np
import pytest

from edge_app.config.schema import TrackingSettings
from edge_app.flow import Detections
from edge_app.tracking.found import Found, covered_shares, doubles, parts_of, spans_two
from edge_app.tracking.kalman import Box
from edge_app.tracking.tracker import Tracker
from tests.edge_app.tracking.following import Seen, as_detections, follow, id_at, ids, person

HIGH = 0.5


def overlapping(share: float) -> tuple[Box, Box]:
    """Two boxes of one size, side by side, that overlap by this share (intersection over union)."""
    off = 60 * (1 - share) / (1 + share)
    return (300.0, 50.0, 360.0, 230.0), (300.0 + off, 50.0, 360.0 + off, 230.0)


@pytest.mark.parametrize(("share", "expected"), [(0.44, False), (0.46, True), (0.6, True)])
def test_a_box_that_overlaps_a_better_one_by_much_is_doubtful(share: float, expected: bool) -> None:
    assert doubles(covered_shares(overlapping(share))) == [False, expected]


def test_who_is_next_to_a_doubtful_box_only_is_not_doubtful() -> None:
    boxes: list[Box] = [(x, 50.0, x + 60.0, 230.0) for x in (300.0, 320.0, 340.0)]
    assert doubles(covered_shares(boxes)) == [False, True, False]


@pytest.mark.parametrize(("good", "weak"), [(0.5, 0.485), (0.3, 0.291)])
def test_a_doubtful_box_is_weak_whatever_it_scores(good: float, weak: float) -> None:
    first, second = overlapping(0.5)
    far: Box = (10.0, 50.0, 70.0, 230.0)
    seen: Seen = [(second, 0.8), (far, 0.6), (first, 0.9)]
    found = Found.of(as_detections(seen), np.eye(3, dtype=np.float32), good)
    assert [box[0] for box in found.boxes] == pytest.approx([first[0], second[0], far[0]])
    assert found.scores == pytest.approx([0.9, weak, 0.6])
    assert found.is_doubtful == [False, True, False]
    assert found.looks is not None
    assert [int(look.argmax()) for look in found.looks] == [2, 0, 1]


def test_a_bust_is_a_part_of_somebody_whose_own_box_is_doubtful() -> None:
    first, second = overlapping(0.5)
    bust: Box = (second[0] + 5, second[1] + 4, second[2] - 5, second[1] + 90)
    found = Found.of(as_detections([(first, 0.95), (second, 0.9), (bust, 0.85)]), None, 0.4)
    assert 1 in found.part_of[2]


def test_nobody_is_found_in_no_boxes() -> None:
    assert Found.of(Detections.empty(), None, HIGH).boxes == []


@pytest.mark.parametrize("better", [(0,), (0, 1, *[0] * 8), (1, *[0] * 9)])
@pytest.mark.parametrize("new_score", [0.4, 0.5])
def test_a_second_box_beside_a_person_is_nobody(better: tuple[int, ...], new_score: float) -> None:
    """Although now and then it scores more, or overlaps by less."""

    def scene(t: float) -> Seen:
        x, frame = 150 + 40 * t, round(t * 10)
        boxes = person(x, 100), person(x + (24 if frame % 5 == 4 else 18), 100)
        first = better[frame % len(better)]
        return [(boxes[first], 0.9), (boxes[1 - first], 0.8)]

    tracker = Tracker("door", TrackingSettings(new_score=new_score))
    assert ids(follow(scene, 5.0, tracker=tracker)) == {1}


def test_two_who_walk_past_each_other_are_followed_by_doubtful_boxes() -> None:
    """They overlap by more than 0.45 for most of a second, and both are found."""

    def scene(t: float) -> Seen:
        x, other = 200 + 30 * t, 320 - 20 * t
        seen: Seen = [(person(x, 100), 0.9), (person(other, 108), 0.8)]
        return seen if abs(x - other) > 8 else seen[:1]

    frames = follow(scene, 5.0)
    assert ids(frames) == {1, 2}
    first, last = frames[5], frames[-1]
    assert id_at(first, 215) == id_at(last, 350)
    assert id_at(first, 310) == id_at(last, 220)
    weak = [t for f in frames for t in f.tracks if t.is_observed and t.score < HIGH]
    assert len(weak) >= 4


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        pytest.param([310, 50, 345, 90], True, id="head"),
        pytest.param([305, 55, 355, 140], True, id="bust"),
        pytest.param([310, 140, 350, 230], True, id="legs"),
        pytest.param([340, 50, 400, 230], False, id="neighbour"),
        pytest.param([310, 20, 350, 120], False, id="head-above-somebody"),
        pytest.param([302, 52, 358, 228], False, id="itself"),
    ],
)
def test_second_boxes_on_a_person(part: list[float], expected: bool) -> None:
    boxes: list[Box] = [tuple(part), (300.0, 50.0, 360.0, 230.0)]  # type: ignore[list-item]
    assert parts_of(boxes, [0.8, 0.8], covered_shares(boxes), 0) == ([1] if expected else [])


@pytest.mark.parametrize(("whole", "expected"), [(0.5, [1]), (0.3, [])])
def test_who_is_surely_found_is_no_part_of_what_hardly_is(
    whole: float, expected: list[int]
) -> None:
    boxes: list[Box] = [(305.0, 55.0, 355.0, 140.0), (300.0, 50.0, 360.0, 230.0)]
    assert parts_of(boxes, [0.9, whole], covered_shares(boxes), 0) == expected


@pytest.mark.parametrize(
    ("third", "score", "expected"),
    [
        pytest.param([300, 50, 390, 232], 0.6, True, id="around-both"),
        pytest.param([300, 50, 390, 232], 0.95, False, id="surer-than-both"),
        pytest.param([300, 50, 360, 230], 0.6, False, id="the-first-again"),
        pytest.param([280, 20, 480, 340], 0.6, False, id="much-larger-than-both"),
    ],
)
def test_a_box_around_two_people_is_known(third: list[float], score: float, expected: bool) -> None:
    boxes = [(302.0, 50.0, 345.0, 230.0), (350.0, 55.0, 390.0, 232.0), tuple(third)]
    spans = spans_two(boxes, [0.9, 0.8, score], covered_shares(boxes))  # type: ignore[arg-type]
    assert spans == ({2} if expected else set())


def test_head_and_legs_of_one_person_are_not_two_people() -> None:
    boxes = [(302.0, 50.0, 358.0, 130.0), (300.0, 120.0, 360.0, 230.0), (300.0, 50.0, 360.0, 230.0)]
    assert not spans_two(boxes, [0.7, 0.7, 0.6], covered_shares(boxes))


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("apart_px", [50, 75])
def test_two_who_are_found_apart_and_as_one_too_are_followed_apart(
    apart_px: float, every: int
) -> None:
    def scene(t: float) -> Seen:
        one, other = person(150 + 30 * t, 100), person(150 + 30 * t + apart_px, 104)
        seen: Seen = [(one, 0.9), (other, 0.85)]
        both = (one[0], one[1], other[2], other[3])
        return seen if round(t * 10) % every else [*seen, (both, 0.7)]

    frames = follow(scene, 6.0)
    assert ids(frames) == {1, 2}
    first, last = frames[5], frames[-1]
    assert id_at(first, 165) == id_at(last, 327)
    assert id_at(first, 165 + apart_px) == id_at(last, 327 + apart_px)
