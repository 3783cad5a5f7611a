from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.events.occupancy import Occupancy
from edge_app.flow import ALL

COURSES = {
    "nobody": ([], (0, 0, 0, 0.0)),
    "one comes halfway": ([(30, 1)], (0, 1, 1, 0.5)),
    "comes and goes": ([(15, 1), (45, -1)], (0, 0, 1, 0.5)),
    "reported out of order": ([(45, -1), (15, 1)], (0, 0, 1, 0.5)),
    "an exit without an entry": ([(15, -1), (30, 1)], (0, 1, 1, 0.5)),
    "coming and going at once": ([(30, -1), (30, 1)], (0, 0, 1, 0.0)),
    "a reset": ([(0, 1), (0, 1), (30, 0)], (0, 0, 2, 1.0)),
}


@pytest.mark.parametrize(("changes", "expected"), COURSES.values(), ids=COURSES.keys())
def test_course_of_a_minute(changes, expected):
    occupancy = Occupancy(["entrance"])
    for at_s, by in changes:
        if by:
            occupancy.change("entrance", at_s, by)
        else:
            occupancy.reset(at_s)
    course = occupancy.close(0, 60, 60)["entrance"]
    assert (course.start, course.end, course.most, course.average) == expected


def test_all_is_the_sum_of_the_zones():
    occupancy = Occupancy(["entrance", "rooms"])
    occupancy.change("entrance", 10, 1)
    occupancy.change("rooms", 20, 1)
    occupancy.change("entrance", 30, -1)
    courses = occupancy.close(0, 60, 60)
    assert (courses[ALL].most, courses["entrance"].most, courses["rooms"].most) == (2, 1, 1)
    assert courses[ALL].people_s == courses["entrance"].people_s + courses["rooms"].people_s


def test_unknown_time_is_not_extrapolated():
    occupancy = Occupancy(["entrance"])
    occupancy.change("entrance", 10, 1)
    course = occupancy.close(0, 60, 20)["entrance"]
    assert (course.known_s, course.average) == (20, 0.5)


def test_late_changes_count_from_now_on_unless_a_reset_came_between():
    occupancy = Occupancy(["entrance"])
    occupancy.reset(100)
    occupancy.close(0, 120, 120)
    occupancy.change("entrance", 90, 1)
    assert occupancy.latest(0)["entrance"] == 0
    occupancy.change("entrance", 110, 1)
    assert occupancy.latest(0)["entrance"] == 1


def test_a_late_reset_empties_the_store():
    occupancy = Occupancy(["entrance"])
    occupancy.change("entrance", 10, 1)
    occupancy.close(0, 120, 120)
    occupancy.reset(100)
    assert occupancy.latest(0)["entrance"] == 0


def test_the_latest_count_knows_what_is_not_closed_yet():
    occupancy = Occupancy(["entrance"])
    occupancy.change("entrance", 10, 1)
    occupancy.change("entrance", 100, 1)
    occupancy.close(0, 60, 60)
    assert occupancy.latest(0) == {"entrance": 2, ALL: 2}
    assert occupancy.latest(80) == {"entrance": 1, ALL: 1}
    assert occupancy.close(60, 120, 120)["entrance"].start == 1


CHANGES = st.lists(
    st.tuples(st.integers(0, 299), st.sampled_from([1, -1]), st.sampled_from(["a", "b"])),
    max_size=30,
)


@given(CHANGES, st.randoms(use_true_random=False), st.integers(0, 5))
def test_neither_order_nor_restart_matters(changes, random, kill):
    def run(order, kill):
        occupancy = Occupancy(["a", "b"])
        for at_s, by, zone in order:
            occupancy.change(zone, at_s, by)
        courses = []
        for minute in range(5):
            if minute == kill:
                state = json.loads(json.dumps(occupancy.state()))
                occupancy = Occupancy(["a", "b"])
                occupancy.restore(state)
            courses.append(occupancy.close(60 * minute, 60 * minute + 60, 60 * minute + 60))
        return courses

    shuffled = list(changes)
    random.shuffle(shuffled)
    courses = run(changes, kill)
    assert courses == run(shuffled, -1)
    for earlier, later in pairwise(courses):
        assert {z: c.end for z, c in earlier.items()} == {z: c.start for z, c in later.items()}
    for course in courses:
        assert all(0 <= c.average <= c.most and c.end <= c.most for c in course.values())
