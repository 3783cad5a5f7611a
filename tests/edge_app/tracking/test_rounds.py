"""What a look that disagrees takes from a pair, and which pairs are made without it."""

import numpy as np
import pytest

from edge_app.config.schema import TrackingSettings
from edge_app.tracking.found import Found
from edge_app.tracking.kalman import Box
from edge_app.tracking.life import Life
from edge_app.tracking.rounds import Pair, choose, judge_looks

BOX: Box = (100.0, 60.0, 160.0, 220.0)
SETTINGS = TrackingSettings()
LOOK, OTHER = np.eye(2, dtype=np.float32)


def found(is_clear: bool, look: np.ndarray = OTHER) -> Found:
    return Found([BOX], [0.8], [False], look[None], [[]], [is_clear])


def seen_before(look: np.ndarray | None = LOOK) -> Life:
    life = Life(0.0, BOX, 0.8, is_entering=False, is_alone=True)
    life.track_id = 1
    if look is not None:
        life.remember(look, 0.0)
    return life


def judged(pair: Pair, life: Life, boxes: Found, at_s: float) -> Pair | None:
    made = judge_looks([pair], [life], boxes, SETTINGS, at_s)
    return made[0] if made else None


@pytest.mark.parametrize(
    ("is_clear", "unseen_s", "alike"),
    [
        pytest.param(True, 0.1, 0.3, id="half-in-full-view"),
        pytest.param(False, 0.1, 0.8, id="nothing-where-others-cover-it"),
        pytest.param(False, 0.5, 0.8, id="for-half-a-second"),
        pytest.param(True, 0.6, -0.2, id="all-of-it-later"),
        pytest.param(False, 0.6, -0.2, id="all-of-it-later-and-covered"),
    ],
)
def test_a_look_that_disagrees_takes_less_from_who_was_there_a_moment_ago(
    is_clear: bool, unseen_s: float, alike: float
) -> None:
    pair = judged(Pair(0, 0, 0.8, 0.8), seen_before(), found(is_clear), unseen_s)
    assert pair is not None
    assert pair.alike == pytest.approx(alike, abs=1e-6)
    assert pair.likely == pytest.approx(-0.2, abs=1e-6)


def test_a_look_that_agrees_or_is_not_known_takes_nothing() -> None:
    pair = Pair(0, 0, 0.8, 0.7)
    assert judged(pair, seen_before(None), found(is_clear=True), 0.1) == pair
    agreeing = judged(pair, seen_before(), found(True, LOOK), 0.1)
    assert agreeing is not None
    # Who surely looks the same may have moved as nobody expected.
    assert (agreeing.alike, agreeing.likely) == pytest.approx((0.8, 0.8))


def test_who_was_lost_for_long_is_continued_by_a_sure_look_alone() -> None:
    pair, at_s = Pair(0, 0, 0.8, 0.8), SETTINGS.lost_s + 0.5
    assert judged(pair, seen_before(), found(True, LOOK), at_s) is not None
    assert judged(pair, seen_before(), found(True), at_s) is None
    assert judged(pair, seen_before(None), found(True, LOOK), at_s) is None


@pytest.mark.parametrize(("alike", "is_made"), [(0.31, True), (0.29, False)])
def test_a_good_box_that_nobody_claims_goes_to_who_is_there(alike: float, is_made: bool) -> None:
    pairs = [Pair(0, 0, alike, -0.5)]
    made = choose(pairs, [seen_before()], found(is_clear=True), SETTINGS, 0.1)
    assert made == ([(0, 0)] if is_made else [])
