"""Who wears the uniform: the nearest example counts, over all looks, by quality."""

from __future__ import annotations

import numpy as np
import pytest

from edge_app.flow import Garment, Look
from edge_app.outfit.uniform import Clothes, Uniform, UniformVote, clothes_of

RED, BLUE = (40, 40, 200), (200, 60, 40)


def garment(region: str, score: float = 0.9, direction: int = 0) -> Garment:
    embedding = np.eye(4, dtype=np.float32)[direction]
    box = np.array([20, 20, 80, 80], np.float32)
    return Garment(region, box, score, np.zeros(15, np.float32), embedding)


def look(*garments: Garment, quality: float = 1.0) -> Look:
    return Look(quality, garments, None)


def picture(colour: tuple[int, int, int]) -> np.ndarray:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    pixels[20:80, 20:80] = colour
    return pixels


def red_top() -> Clothes:
    clothes = clothes_of(picture(RED), look(garment("top")))
    assert clothes is not None
    return clothes


# What somebody wears (BGR, direction of the embedding), and whether it is like a red top.
ALIKE = {
    "the same": (RED, 0, 1.0),
    "another colour": (BLUE, 0, 0.3),
    "another cut": (RED, 1, 0.0),
    "a little darker": ((30, 30, 170), 0, 0.95),
}


@pytest.mark.parametrize(("colour", "direction", "least"), ALIKE.values(), ids=ALIKE.keys())
def test_alike_in_cut_and_colour(colour, direction, least):
    clothes = clothes_of(picture(colour), look(garment("top", direction=direction)))
    similarity = red_top().similarity(clothes)
    assert least - 0.03 <= similarity <= least + 0.2
    assert (similarity >= 0.92) == (least >= 0.95)


def test_the_nearest_example_counts():
    far = clothes_of(picture(BLUE), look(garment("top", direction=2)))
    uniform = Uniform([far, red_top()], 0.9)
    assert uniform.similarity(red_top()) == pytest.approx(1.0)


def test_trousers_are_everybodys():
    assert clothes_of(picture(RED), look(garment("bottom"))) is None


def test_the_surest_garment_of_the_upper_body_counts():
    shown = look(garment("long", 0.4, direction=1), garment("top", 0.8, direction=2))
    clothes = clothes_of(picture(RED), shown)
    assert clothes.embedding[2] == 1.0


def test_a_garment_beyond_the_picture_says_nothing():
    outside = garment("top")
    moved = Garment("top", outside.box_xyxy + 500, 0.9, outside.probabilities, outside.embedding)
    assert clothes_of(picture(RED), look(moved)) is None


# Looks as (colour, quality), and what they say together.
LOOKS = {
    "none": ([], False),
    "one": ([(RED, 0.5)], True),
    "a blurred one differs": ([(RED, 1.0), (RED, 1.0), (BLUE, 0.05)], True),
    "a clear one differs": ([(RED, 0.2), (BLUE, 1.0)], False),
    "of no quality": ([(RED, 0.0)], False),
}


@pytest.mark.parametrize(("looks", "is_worn"), LOOKS.values(), ids=LOOKS.keys())
def test_looks_are_weighed_by_quality(looks, is_worn):
    vote = UniformVote(Uniform([red_top()], 0.9))
    for colour, quality in looks:
        vote.add(picture(colour), look(garment("top"), quality=quality))
    vote.add(picture(BLUE), look(garment("bottom")))
    assert vote.is_worn == is_worn


def test_a_uniform_needs_an_example():
    with pytest.raises(ValueError, match="at least one example"):
        Uniform([], 0.9)
