"""The truth of the simulated entrance agrees with its frames and with itself."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_app.capture.simulated import SimulatedEntrance
from edge_app.capture.simulated.truth import signed_distance_m


def _scene(seed: int, extra: str = "", size: str = "&width=320&height=180") -> SimulatedEntrance:
    return SimulatedEntrance.from_url(f"sim://entrance?people_per_min=12&seed={seed}{size}{extra}")


def _left_of(scene: SimulatedEntrance, foot_xy: tuple[float, float]) -> float:
    """Above 0 on the left hand when walking along the line, in px² (y grows downwards)."""
    width, height = scene.settings.width, scene.settings.height
    (ax, ay), (bx, by) = ((x * width, y * height) for x, y in scene.line)
    return -((bx - ax) * (foot_xy[1] - ay) - (by - ay) * (foot_xy[0] - ax))


@pytest.mark.parametrize("seed", range(5))
def test_feet_cross_the_line_when_the_truth_says(seed: int) -> None:
    scene = _scene(seed, "&u_turn_share=0.2&linger_share=0.1&exit_share=0.3")
    crossings = scene.truth(50).crossings
    assert crossings
    for crossing in crossings[:8]:
        sides = []
        for shift_s in (-0.35, 0.35):
            index = round((crossing.time_s + shift_s) * 10)
            feet = [v.foot_xy for v in scene.render(index).people if v.person == crossing.person]
            sides.append(_left_of(scene, feet[0]) if feet else None)
        before, after = sides
        forwards = 1 if crossing.direction == "in" else -1
        assert before is None or before * forwards < 0
        assert after is None or after * forwards > 0
        assert before is not None or after is not None


@pytest.mark.parametrize("seed", range(12))
def test_line_is_in_the_picture(seed: int) -> None:
    for x, y in _scene(seed).line:
        assert 0 < x < 1
        assert 0.25 < y < 1.0


def test_kinds_cross_as_they_should() -> None:
    expected = {"enter": ["in"], "exit": ["out"], "u-turn": ["in", "out"], "linger": []}
    kinds = set()
    for seed in range(6):
        scene = _scene(seed, "&u_turn_share=0.2&linger_share=0.2&exit_share=0.3")
        truth = scene.truth(600)
        for person in truth.people:
            crossed = [c.direction for c in truth.crossings if c.person == person.person]
            whole = expected[person.kind]
            if person.last_frame < truth.frames - 1:
                assert crossed == whole
            else:
                assert crossed == whole[: len(crossed)]
            kinds.add(person.kind)
    assert kinds == set(expected)


def test_crossings_are_decisive() -> None:
    """Whoever crosses goes at least 0.6 m beyond before turning back; lingerers stay off it."""
    for seed in range(4):
        scene = _scene(seed, "&u_turn_share=0.3&linger_share=0.3&exit_share=0.2")
        for walker in scene.walkers(300):
            beyond = signed_distance_m(walker, scene._layout)
            if walker.kind == "linger":
                assert beyond.max() < -0.3
            else:
                assert beyond.max() > 0.6
                assert beyond.min() < -0.6


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6 - 1), rate=st.floats(0.5, 30))
@example(seed=11342, rate=24.0)  # somebody crosses after the last sample and before the end
def test_in_minus_out_is_the_change_inside(seed: int, rate: float) -> None:
    scene = SimulatedEntrance.from_url(
        f"sim://entrance?people_per_min={rate}&seed={seed}&u_turn_share=0.2&exit_share=0.3"
    )
    truth = scene.truth(240)
    change = 0
    seen = {person.person for person in truth.people}
    for walker in scene.walkers(240):
        if walker.person not in seen:
            continue
        beyond = signed_distance_m(walker, scene._layout)
        at_the_end = np.interp((240 - walker.start_s) / 0.05, np.arange(len(beyond)), beyond)
        change += int(at_the_end > 0) - int(beyond[0] > 0)
    assert sum(1 if one.direction == "in" else -1 for one in truth.crossings) == change
    for one, two in pairwise(truth.crossings):
        assert one.time_s <= two.time_s


def test_truth_of_a_longer_run_starts_with_that_of_a_shorter() -> None:
    scene = _scene(8)
    short, long = scene.truth(120), scene.truth(400)
    assert short.crossings == long.crossings[: len(short.crossings)]
    assert all(crossing.time_s >= 120 for crossing in long.crossings[len(short.crossings) :])


def test_rate_and_shares_are_about_as_asked() -> None:
    people = [
        person
        for seed in range(10)
        for person in _scene(seed, "&exit_share=0.25&u_turn_share=0.05&linger_share=0.05")
        .truth(1200)
        .people
    ]
    assert len(people) == pytest.approx(12 * 20 * 10, rel=0.08)
    assert sum(p.kind == "exit" for p in people) == pytest.approx(0.25 * len(people), rel=0.2)


@pytest.mark.parametrize("seed", range(3))
def test_people_are_visible_between_first_and_last_frame(seed: int) -> None:
    scene = _scene(seed)
    truth = scene.truth(60)
    checked = 0
    for person in truth.people[2:8]:
        for index, expected in (
            (person.first_frame - 6, False),
            (person.first_frame + 5, True),
            (person.last_frame - 5, True),
            (person.last_frame + 6, False),
        ):
            if not 0 <= index < truth.frames or person.last_frame - person.first_frame < 12:
                continue
            seen = [v for v in scene.render(index).people if v.person == person.person]
            assert bool(seen) == expected
            checked += expected
    assert checked >= 10


def test_annotated_clothes_are_those_of_the_truth() -> None:
    scene = _scene(2)
    people = {person.person: person for person in scene.truth(60).people}
    for index in range(100, 600, 100):
        for view in scene.render(index).people:
            truth = people[view.person]
            assert view.wears == truth.wears
            for garment in view.garments:
                assert truth.garments[garment.region] == garment.category
                assert truth.colours[garment.region] == garment.colour


def test_crossing_is_seldom_hidden() -> None:
    hidden = total = 0
    for seed in range(4):
        scene = _scene(seed)
        for crossing in scene.truth(60).crossings:
            best = 0.0
            for shift in (-3, 0, 3):
                index = round(crossing.time_s * 10) + shift
                best = max(
                    [best]
                    + [
                        v.visible_share
                        for v in scene.render(index).people
                        if v.person == crossing.person
                    ]
                )
            total += 1
            hidden += best < 0.25
    assert total > 20
    assert hidden / total < 0.05


def test_document_has_the_form_of_a_truth_file() -> None:
    truth = _scene(3, "&u_turn_share=0.2").truth(300)
    clip = json.loads(json.dumps(truth.document()))
    assert clip["fps"] == 10
    assert clip["frames"] == 3000
    assert clip["size"] == [320, 180]
    assert len(clip["zones"]["entrance"]["line"]) == 2
    entries = [entry for person in clip["people"] for entry in person["entries"]]
    assert len(entries) == len(truth.crossings)
    assert {entry["direction"] for entry in entries} == {"in", "out"}
    for person in clip["people"]:
        came_in = any(entry["direction"] == "in" for entry in person["entries"])
        dressed_up = {"dress", "suit"} & set(person["garments"])
        assert (person["alert"] is not None) == (came_in and bool(dressed_up))
