"""The vote: what many looks say together, and when it honestly says unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.config.schema import OutfitSettings
from edge_app.flow import Garment, Look
from edge_app.outfit.vote import Vote, category_of, wears_of
from edge_app.vocabulary import CATEGORIES, UNKNOWN

SETTINGS = OutfitSettings(min_looks=3, min_weight=1.0)


def worn(**probabilities: float) -> np.ndarray:
    return np.array([probabilities.get(c, 0.02) for c in CATEGORIES], np.float32)


def look(quality: float = 0.8, **probabilities: float) -> Look:
    return Look(quality, (), worn(**probabilities), {"long": "red"})


def voted(*looks: Look, step_s: float = 0.4) -> Vote:
    vote = Vote(SETTINGS)
    for i, one in enumerate(looks):
        vote.add(one, i * step_s)
    return vote


def test_agreeing_looks_settle_on_a_dress() -> None:
    outfit = voted(*[look(dress=0.9)] * 4).outfit(is_final=False)
    assert outfit.is_settled
    assert outfit.regions["long"].category == "dress"
    assert set(outfit.regions) == {"long"}
    assert outfit.wears["dress"] == pytest.approx(0.9, abs=0.02)
    assert outfit.colours == {"long": "red"}


def test_the_colour_is_that_of_the_better_views_together() -> None:
    grey = replace(look(0.6, dress=0.9), colours={"long": "grey", "top": "blue"})
    looks = [grey, *[look(0.5, dress=0.9)] * 2]
    told = voted(*looks, step_s=2.0).outfit(is_final=True).colours
    assert told == {"long": "red", "top": "blue"}


def test_many_looks_that_agree_say_what_one_says() -> None:
    wears = voted(*[look(dress=0.8, skirt=0.3)] * 8).outfit(is_final=True).wears
    assert wears["dress"] == pytest.approx(0.8, abs=1e-3)
    assert wears["skirt"] == pytest.approx(0.3, abs=1e-3)


def test_top_and_bottom_settle_together() -> None:
    outfit = voted(*[look(shirt=0.8, jeans=0.9)] * 4).outfit(is_final=False)
    assert {r: w.category for r, w in outfit.regions.items()} == {
        "top": "shirt",
        "bottom": "jeans",
    }


def test_each_region_has_the_colour_that_most_of_it_was_seen_in() -> None:
    mistaken = Look(0.5, (), worn(jeans=0.9), {"top": "grey", "bottom": "blue"})
    seen = Look(0.9, (), worn(jeans=0.9), {"top": "red"})
    assert voted(mistaken, seen).outfit(is_final=True).colours == {"top": "red", "bottom": "blue"}


def test_too_few_looks_do_not_settle() -> None:
    outfit = voted(look(dress=0.97)).outfit(is_final=False)
    assert not outfit.is_settled
    assert outfit.evidence < 1.0
    assert outfit.regions["long"].category == UNKNOWN


def test_poor_looks_do_not_settle_however_many() -> None:
    outfit = voted(*[look(0.02, dress=0.97)] * 20).outfit(is_final=False)
    assert outfit.evidence < 1.0
    assert not outfit.is_settled


def test_two_that_compete_are_unknown_at_the_end() -> None:
    vote = voted(*[look(dress=0.55, coat=0.5)] * 6)
    assert not vote.outfit(is_final=False).is_settled
    final = vote.outfit(is_final=True)
    assert final.is_settled
    assert final.regions["long"].category == UNKNOWN


def test_a_clear_view_outvotes_poor_ones() -> None:
    poor = [look(0.1, coat=0.7, dress=0.2)] * 3
    outfit = voted(*poor, *[look(1.0, dress=0.95)] * 3).outfit(is_final=False)
    assert outfit.regions["long"].category == "dress"


def test_one_clear_view_outvotes_four_half_hidden_ones() -> None:
    hidden = [look(0.35, dress=0.3)] * 4
    wears = voted(*hidden, look(0.9, dress=0.9)).outfit(is_final=True).wears
    assert wears["dress"] == pytest.approx(0.66, abs=0.02)


def test_one_odd_frame_does_not_decide() -> None:
    odd = look(1.0, suit=0.999)
    outfit = voted(*[look(shirt=0.85, jeans=0.9)] * 5, odd).outfit(is_final=False)
    assert outfit.wears["suit"] < 0.3


@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_clear_odd_frame_does_not_decide_among_half_hidden_ones(place: int) -> None:
    looks = [look(0.35, shirt=0.85, jeans=0.9)] * 4
    looks.insert(place, look(1.0, suit=0.999))
    assert voted(*looks).outfit(is_final=True).wears["suit"] <= 0.51


def test_the_same_moment_seen_often_is_not_more_evidence() -> None:
    at_once = voted(*[look(dress=0.9)] * 5, step_s=0.01)
    spread = voted(*[look(dress=0.9)] * 5, step_s=0.5)
    assert at_once.weight < spread.weight / 2


def test_nobody_looked() -> None:
    outfit = Vote(SETTINGS).outfit(is_final=True)
    assert outfit.is_settled
    assert outfit.regions == {}
    assert outfit.evidence == 0.0


@given(
    st.lists(
        st.tuples(st.floats(0.01, 1.0), st.lists(st.floats(0.0, 1.0), min_size=15, max_size=15)),
        min_size=1,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_looks_does_not_matter(
    given_looks: list[tuple[float, list[float]]], random: object
) -> None:
    looks = [Look(q, (), np.array(w, np.float32)) for q, w in given_looks]
    shuffled = list(looks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    a = voted(*looks, step_s=1.0).outfit(is_final=True)
    b = voted(*shuffled, step_s=1.0).outfit(is_final=True)
    assert a.wears == pytest.approx(b.wears, abs=1e-6)
    assert all(0.0 <= p <= 1.0 for p in a.wears.values())


def garment(region: str, score: float, **probabilities: float) -> Garment:
    box = np.array([0, 0, 10, 10], np.float32)
    return Garment(region, box, score, worn(**probabilities), np.ones(1, np.float32))


def test_a_garment_is_of_its_regions_categories() -> None:
    name, probability = category_of(garment("bottom", 0.9, dress=0.8, skirt=0.3))
    assert name == "skirt"
    assert probability > 0.6


def test_garments_and_the_whole_person_are_weighed_together() -> None:
    found = (garment("long", 0.9, dress=0.95),)
    both = wears_of(Look(1.0, found, worn(dress=0.5)))
    alone = wears_of(Look(1.0, (), worn(dress=0.5)))
    dress = CATEGORIES.index("dress")
    assert both[dress] > alone[dress]
    assert wears_of(Look(1.0, found, None))[dress] > 0.6
