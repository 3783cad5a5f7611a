"""Pictures that cannot be trusted are noticed; people, light and grain are not taken for that."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge_app.capture.scene import FINE, SceneWatch
from edge_app.flow import UInt8

FPS = 2.0


def store_picture() -> UInt8:
    """A place with edges everywhere: shelves, a door, a floor."""
    rng = np.random.default_rng(4)
    picture = np.full((360, 640, 3), 120, np.uint8)
    for _ in range(60):
        x, y = int(rng.integers(0, 600)), int(rng.integers(0, 330))
        w, h = int(rng.integers(15, 120)), int(rng.integers(15, 120))
        colour = [int(c) for c in rng.integers(20, 230, 3)]
        cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1)
    return picture


STORE = store_picture()


def grainy(picture: UInt8, i: int) -> UInt8:
    noise = np.random.default_rng(i).normal(0, 4, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def verdicts(change: Callable[[UInt8, int], UInt8], seconds: int = 20) -> list[str]:
    """States of 20 s of the place as it is, then of so many seconds of something else."""
    watch = SceneWatch()
    states = []
    for i in range(round((20 + seconds) * FPS)):
        picture = grainy(STORE, i)
        if i >= 20 * FPS:
            picture = change(picture, i)
        states.append(watch.judge(picture, i / FPS)[0])
    return states


def person(picture: UInt8, i: int) -> UInt8:
    x = (i * 23) % 560
    picture[100:340, x : x + 80] = (30, 60, 90)
    return picture


def crowd(picture: UInt8, i: int) -> UInt8:
    for k in range(6):
        x = (i * (7 + 5 * k) + 90 * k) % 580
        picture[60 + 10 * k : 350, x : x + 60] = (30 * k, 60, 90)
    return picture


@pytest.mark.parametrize(
    ("change", "state"),
    [
        pytest.param(lambda p, i: np.zeros_like(p), "obstructed", id="black"),
        pytest.param(lambda p, i: grainy(np.full_like(p, 90), i), "obstructed", id="covered"),
        pytest.param(lambda p, i: cv2.GaussianBlur(p, (0, 0), 25), "obstructed", id="out-of-focus"),
        pytest.param(lambda p, i: np.roll(p, 60, 1), "moved", id="turned"),
        pytest.param(lambda p, i: np.roll(p, -30, 0), "moved", id="tilted"),
        pytest.param(lambda p, i: np.ascontiguousarray(p[:, ::-1]), "moved", id="another-place"),
    ],
)
def test_what_cannot_be_trusted_is_told_within_ten_seconds(
    change: Callable[[UInt8, int], UInt8], state: str
) -> None:
    told = verdicts(change)
    assert set(told[: round(20 * FPS)]) == {"online"}
    assert set(told[round(30 * FPS) :]) == {state}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda p, i: p, id="nothing"),
        pytest.param(person, id="a-person"),
        pytest.param(crowd, id="a-crowd"),
        pytest.param(lambda p, i: (p * 0.35).astype(np.uint8), id="evening"),
        pytest.param(lambda p, i: np.clip(p * 1.3 + 20, 0, 255).astype(np.uint8), id="sun"),
        pytest.param(lambda p, i: np.roll(p, i % 3, 1), id="sway"),
    ],
)
def test_people_light_and_wind_are_fine(change: Callable[[UInt8, int], UInt8]) -> None:
    assert set(verdicts(change)) == {"online"}


def test_a_short_darkness_is_nothing() -> None:
    def wink(picture: UInt8, i: int) -> UInt8:
        return np.zeros_like(picture) if i % 10 < 6 else picture

    assert set(verdicts(wink)) == {"online"}


def test_a_frozen_picture_is_told_after_a_minute_and_taken_back_at_once() -> None:
    watch = SceneWatch()
    frozen = grainy(STORE, 0)
    told = [watch.judge(frozen, float(i)) for i in range(70)]
    assert told[58] == FINE
    assert told[62] == ("obstructed", "the picture is frozen")
    back = [watch.judge(grainy(STORE, i), 70.0 + i) for i in range(10)]
    assert back[-1] == FINE


def test_what_is_uncovered_is_fine_again() -> None:
    watch = SceneWatch()
    states = []
    for i in range(60):
        picture = np.zeros_like(STORE) if 20 <= i < 40 else grainy(STORE, i)
        states.append(watch.judge(picture, float(i))[0])
    assert states[35] == "obstructed"
    assert states[-1] == "online"


@pytest.mark.parametrize("size", [(704, 576), (320, 180)], ids=["another shape", "smaller"])
@pytest.mark.parametrize("change", ["covered", "turned"])
def test_pictures_of_another_size_are_learnt_and_watched(
    size: tuple[int, int], change: str
) -> None:
    """A camera was given another profile: its pictures are the place from now on."""
    other = cv2.resize(STORE, size)
    wrong = np.roll(other, size[0] // 4, 1) if change == "turned" else cv2.blur(other, (99, 99))
    shown = [*[STORE] * 20, *[other] * 30, *[wrong] * 10]
    watch = SceneWatch()
    states = [watch.judge(grainy(picture, i), float(i))[0] for i, picture in enumerate(shown)]
    assert set(states[:50]) == {"online"}
    assert states[-1] == ("moved" if change == "turned" else "obstructed")
