"""One track per person, whatever the detector makes of them."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_app.config.schema import TrackingSettings
from edge_app.tracking.tracker import Tracker
from tests.edge_app.tracking.following import (
    SIZE,
    START_S,
    Box,
    Seen,
    as_detections,
    follow,
    id_at,
    ids,
    person,
)


@pytest.mark.parametrize("fps", [5.0, 10.0, 16.7, 30.0])
@pytest.mark.parametrize("speed_px_s", [0.0, 90.0, 200.0])
def test_a_person_is_one_track_at_any_frame_rate(fps: float, speed_px_s: float) -> None:
    frames = follow(lambda t: [(person(100 + speed_px_s * t, 90), 0.8)], 2.5, fps)
    assert ids(frames) == {1}


@given(dropped=st.sets(st.integers(0, 39), max_size=20))
@settings(max_examples=30, deadline=None)
def test_a_person_is_one_track_with_dropped_frames(dropped: set[int]) -> None:
    frames = follow(lambda t: [(person(100 + 90 * t, 90), 0.8)], 4.0, 10.0, skip=dropped)
    assert ids(frames) <= {1}


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_a_head_that_grows_from_the_lower_edge_is_one_track(fps: float) -> None:
    frames = follow(lambda t: [(person(250, 330 - 260 * t, 240), 0.4 + 0.3 * t)], 1.1, fps)
    assert ids(frames) == {1}
    assert frames[-1].tracks[0].first_seen_at_s <= START_S + 0.21


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_three_side_by_side_keep_their_ids_while_the_middle_one_is_not_found(fps: float) -> None:
    places = (200.0, 250.0, 300.0)

    def scene(t: float) -> Seen:
        seen: Seen = [(person(x, 320 - 70 * t, 200), 0.8) for x in places]
        return seen if not 1.5 < t < 2.5 else [seen[0], seen[2]]

    frames = follow(scene, 4.0, fps)
    assert ids(frames) == {1, 2, 3}
    early = [id_at(frames[round(1.2 * fps)], x) for x in places]
    late = [id_at(frames[-1], x) for x in places]
    assert early == late


@pytest.mark.parametrize("hidden_s", [0.5, 1.0, 1.8])
def test_people_who_cross_keep_their_ids(hidden_s: float) -> None:
    def scene(t: float) -> Seen:
        near, far = (person(120 + 100 * t, 120, 180), 0.9), (person(520 - 100 * t, 95, 170), 0.7)
        return [near] if abs(t - 2.0) < hidden_s / 2 else [near, far]

    frames = follow(scene, 4.0)
    assert ids(frames) == {1, 2}
    assert (id_at(frames[5], 150), id_at(frames[5], 500)) == (
        id_at(frames[-1], 520),
        id_at(frames[-1], 130),
    )


def test_a_person_who_stops_while_hidden_is_found_again() -> None:
    def scene(t: float) -> Seen:
        x = 100 + 90 * min(t, 2.2)
        return [] if 2.0 < t < 3.6 else [(person(x, 90), 0.8)]

    assert ids(follow(scene, 5.0)) == {1}


def test_weak_detections_continue_a_track() -> None:
    frames = follow(lambda t: [(person(100 + 60 * t, 90), 0.8 if t < 1 else 0.15)], 3.0)
    assert ids(frames) == {1}
    assert all(frame.tracks[0].is_observed for frame in frames[12:])


def test_weak_detections_alone_are_nobody() -> None:
    assert ids(follow(lambda t: [(person(200, 90), 0.35)], 5.0)) == set()


def test_the_first_weak_sight_counts_as_first_seen() -> None:
    frames = follow(lambda t: [(person(200 + 50 * t, 90), 0.25 if t < 0.35 else 0.8)], 2.0)
    assert frames[-1].tracks[0].first_seen_at_s == START_S


@pytest.mark.parametrize("whole_share", [1.0, 0.5])
def test_head_and_body_of_one_person_are_one_track(whole_share: float) -> None:
    rng = np.random.default_rng(4)

    def scene(t: float) -> Seen:
        x1, y1, x2, y2 = person(150 + 60 * t, 100, 180)
        inset = 0.25 * (x2 - x1)
        head: Box = (x1 + inset, y1 + 2, x2 - inset, y1 + 0.28 * (y2 - y1))
        seen: Seen = [(head, 0.65)] if rng.random() < 0.7 else []
        if rng.random() < whole_share or not seen:
            seen.append(((x1, y1, x2, y2), 0.8))
        return seen

    assert ids(follow(scene, 5.0)) == {1}


@given(
    boxes=st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 600), st.integers(0, 200)),
        max_size=40,
        unique_by=lambda flash: flash[0],
    )
)
@settings(max_examples=50, deadline=None)
def test_boxes_that_flash_up_are_nobody(boxes: list[tuple[int, int, int]]) -> None:
    at = {2 * frame: person(x, y, 80) for frame, x, y in boxes}
    far_apart = [frame for frame in at if all(abs(frame - o) > 4 for o in at if o != frame)]
    frames = follow(
        lambda t: [(at[round(t * 10)], 0.9)] if round(t * 10) in far_apart else [], 12.5
    )
    assert ids(frames) == set()


@pytest.mark.parametrize("visible", [0.5, 0.62, 0.72])
def test_who_stands_half_hidden_and_is_found_twice_is_one_track(visible: float) -> None:
    """What can be seen scores better than what the detector knows must be there."""

    def scene(at_s: float) -> Seen:
        whole = person(300, 100)
        if at_s < 1.0:
            return [(whole, 0.75)]
        left, top, right, bottom = whole
        part = (left, top, right, top + visible * (bottom - top))
        flickers = 0.38 if round(at_s * 10) % 4 else 0.13
        return [(part, 0.55), (whole, flickers)]

    assert ids(follow(scene, 4.0)) == {1}


def test_who_leaves_over_the_edge_ends_and_the_next_one_is_new() -> None:
    def scene(t: float) -> Seen:
        if t < 2.0:
            x = 480 + 100 * t
            return [(person(x, 90), 0.8)] if x < 660 else []
        x = 700 - 100 * (t - 2.0)
        return [(person(x, 92), 0.8)] if x < 650 else []

    frames = follow(scene, 4.0)
    assert ids(frames) == {1, 2}
    assert next(frame.taken_at_s - START_S for frame in frames if frame.ended) < 2.5


def test_who_is_hidden_on_the_way_out_while_half_in_the_picture_keeps_the_id() -> None:
    def scene(at_s: float) -> Seen:
        is_hidden = 1.0 <= at_s < 1.8
        return [] if is_hidden else [(person(300, 120 + 60 * at_s, 260), 0.8)]

    assert ids(follow(scene, 2.5)) == {1}


def test_who_leaves_over_the_lower_edge_ends_soon_and_the_next_one_is_new() -> None:
    def scene(at_s: float) -> Seen:
        if at_s < 1.5:
            return [(person(300, 120 + 100 * at_s, 260), 0.8)]
        return [] if at_s < 2.5 else [(person(300, 300 - 60 * (at_s - 2.5), 260), 0.8)]

    frames = follow(scene, 4.0)
    assert ids(frames) == {1, 2}
    assert next(frame.taken_at_s - START_S for frame in frames if frame.ended) < 2.1


def test_who_leaves_over_the_side_half_in_the_picture_ends_soon() -> None:
    def scene(at_s: float) -> Seen:
        return [(person(600 + 20 * at_s, 90), 0.8)] if at_s < 1.5 else []

    frames = follow(scene, 3.0)
    assert next(frame.taken_at_s - START_S for frame in frames if frame.ended) < 2.1


def test_an_unseen_person_ends_after_the_configured_time() -> None:
    frames = follow(lambda t: [(person(300, 90), 0.8)] if t < 1 else [], 4.0)
    ended = [(frame.taken_at_s - START_S, frame.ended) for frame in frames if frame.ended]
    assert [who for _, who in ended] == [(1,)]
    assert 2.9 < ended[0][0] < 3.1
    assert frames[-1].tracks == ()


def test_coasting_is_not_observed() -> None:
    frames = follow(lambda t: [(person(300, 90), 0.8)] if t < 1 else [], 1.5)
    assert not frames[-1].tracks[0].is_observed
    assert frames[-1].tracks[0].score == 0.0


def test_nobody_survives_a_gap() -> None:
    tracker = Tracker("door", TrackingSettings())
    follow(lambda t: [(person(300, 90), 0.8)], 1.0, tracker=tracker)
    after = tracker.update(as_detections([(person(300, 90), 0.8)]), 99, START_S + 60.0, SIZE)
    assert (after.tracks, after.ended) == ((), (1,))


def test_finish_ends_everybody_once() -> None:
    tracker = Tracker("door", TrackingSettings())
    follow(lambda t: [(person(100, 90), 0.8), (person(400, 90), 0.8)], 1.0, tracker=tracker)
    assert tracker.finish() == (1, 2)
    assert tracker.finish() == ()


def test_ids_never_come_back() -> None:
    frames = follow(lambda t: [(person(300, 90), 0.8)] if t % 4 < 1.5 else [], 12.0)
    ended: set[int] = set()
    for frame in frames:
        assert not ended & {track.track_id for track in frame.tracks}
        ended |= set(frame.ended)
    assert ended == {1, 2, 3}


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_the_order_of_detections_does_not_matter(seed: int) -> None:
    rng, shuffled = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    first, second = (Tracker("door", TrackingSettings()) for _ in range(2))
    for index in range(25):
        found = as_detections(
            [
                (person(100 + 90 * k + 4 * index + rng.normal(0, 3), 90), float(score))
                for k, score in enumerate(rng.uniform(0.1, 0.9, 4))
                if rng.random() < 0.8
            ]
        )
        other = found[shuffled.permutation(len(found))]
        a = first.update(found, index, START_S + index / 10, SIZE)
        b = second.update(other, index, START_S + index / 10, SIZE)
        assert a.ended == b.ended
        assert [t.track_id for t in a.tracks] == [t.track_id for t in b.tracks]
        for one, same in zip(a.tracks, b.tracks, strict=True):
            np.testing.assert_array_equal(one.box_xyxy, same.box_xyxy)


def test_memory_does_not_grow() -> None:
    rng = np.random.default_rng(1)
    tracker = Tracker("door", TrackingSettings())

    def busy(t: float) -> Seen:
        return [
            (person(rng.uniform(0, 640), rng.uniform(0, 300), 90), rng.uniform(0.1, 0.9))
            for _ in range(6)
        ]

    follow(busy, 20.0, tracker=tracker)
    early = len(pickle.dumps(tracker))
    for index in range(400, 1400):
        tracker.update(as_detections(busy(0.0)), index, START_S + index / 10, SIZE)
    assert len(pickle.dumps(tracker)) < 2 * early


def test_an_empty_picture_is_fine() -> None:
    frames = follow(lambda t: [], 1.0)
    assert all(frame.tracks == () and frame.ended == () for frame in frames)
    assert frames[3].index == 3
    assert frames[3].size == SIZE


@pytest.mark.parametrize("fps", [5, 10, 30])
@pytest.mark.parametrize("speed_px_s", [60.0, 110.0])
def test_who_stood_for_long_and_walks_off_keeps_the_id(fps: float, speed_px_s: float) -> None:
    def scene(at_s: float) -> Seen:
        return [(person(150 + speed_px_s * max(at_s - 13.0, 0.0), 80), 0.8)]

    assert ids(follow(scene, 17.0, fps)) == {1}


def test_who_was_half_hidden_before_being_lost_is_known_again() -> None:
    def scene(at_s: float) -> Seen:
        x = 150 + 60 * at_s
        if 2.0 <= at_s < 3.4:
            return []
        if 1.5 <= at_s < 2.0:
            return [(person(x, 60, 70), 0.6)]
        return [(person(x, 60), 0.8)]

    assert ids(follow(scene, 5.0)) == {1}


def test_two_boxes_on_one_person_end_as_the_first() -> None:
    """For a moment something beside the person makes a second one, which then takes over."""

    def scene(at_s: float) -> Seen:
        x = 100 + 50 * at_s
        if at_s < 2.0:
            return [(person(x, 80), 0.8)]
        if at_s < 2.4:
            return [(person(x, 80), 0.6), (person(x + 35, 80, 150), 0.6)]
        return [(person(x + 22, 80), 0.8)]

    frames = follow(scene, 5.0)
    assert [track.track_id for track in frames[-1].tracks] == [1]


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
@pytest.mark.parametrize("seconds", [0.5, 1.5, 3.0])
def test_two_who_are_found_as_one_for_a_while_keep_their_ids(fps: float, seconds: float) -> None:
    def scene(at_s: float) -> Seen:
        left, right = person(150 + 60 * at_s, 80, 190), person(190 + 60 * at_s, 86, 180)
        if not 1.5 <= at_s < 1.5 + seconds:
            return [(left, 0.8), (right, 0.7)]
        around = (left[0], min(left[1], right[1]), right[2], max(left[3], right[3]))
        return [(around, 0.85)]

    frames = follow(scene, 5.5, fps)
    assert ids(frames) == {1, 2}
    early, late = frames[round(1.3 * fps)], frames[-1]
    assert id_at(early, 228) == id_at(late, 480)
    assert id_at(early, 268) == id_at(late, 520)


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_who_appears_close_beside_somebody_is_another(fps: float) -> None:
    """A child who walked behind a parent, say."""

    def scene(at_s: float) -> Seen:
        seen: Seen = [(person(150 + 40 * at_s, 80, 190), 0.8)]
        return seen if at_s < 2.0 else [*seen, (person(182 + 40 * at_s, 84, 180), 0.8)]

    frames = follow(scene, 5.0, fps)
    assert ids(frames) == {1, 2}
    assert id_at(frames[round(1.5 * fps)], 210) == id_at(frames[-1], 346) == 1
