"""Who is hidden while they cross a line is counted when they come to light; nobody else is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from edge_app.config.schema import ZoneSettings
from edge_app.events.entrance import Entrance
from edge_app.flow import Entry, Track, TrackedFrame

SIZE = (640, 360)
START_S = 1_700_000_000.0
LINE = {"door": ZoneSettings(line=((0.2, 0.5), (1.0, 0.5)))}
"""Up the picture is in."""
HEIGHT = 0.3
CONFIRMED_S = 0.2

Walk = Callable[[float], tuple[float, float]]


@dataclass
class Person:
    """Somebody who is followed from one time to another, and not seen for a part of it."""

    walk: Walk
    from_s: float = 0.0
    known_until_s: float = 99.0
    unseen_s: tuple[float, float] = (99.0, 99.0)
    score: float = 0.8

    def track(self, track_id: int, at_s: float) -> Track | None:
        if not self.from_s + CONFIRMED_S - 1e-9 <= at_s < self.known_until_s:
            return None
        x, bottom = (p * s for p, s in zip(self.walk(at_s), SIZE, strict=True))
        tall = HEIGHT * SIZE[1]
        box = np.array([x - 0.2 * tall, bottom - tall, x + 0.2 * tall, bottom], np.float32)
        box = np.clip(box, 0, [*SIZE, *SIZE]).astype(np.float32)
        is_seen = not self.unseen_s[0] <= at_s < self.unseen_s[1]
        first_s = START_S + self.from_s
        return Track(track_id, box, self.score if is_seen else 0.0, is_seen, first_s)


def at(x: float, y: float) -> Walk:
    return lambda at_s: (x, y)


def along(x: float, y: float, from_s: float, *, down: float = 0.0, across: float = 0.0) -> Walk:
    """From a place at a time on, so many picture heights and widths a second."""
    return lambda at_s: (x + across * (at_s - from_s), y + down * (at_s - from_s))


def watch(people: Sequence[Person], seconds: float = 6.0, fps: float = 10.0) -> list[Entry]:
    entrance = Entrance("cam", LINE, is_replay=True)
    entries: list[Entry] = []
    before: set[int] = set()
    for index in range(round(seconds * fps)):
        tracks = [person.track(number, index / fps) for number, person in enumerate(people, 1)]
        shown = tuple(track for track in tracks if track is not None)
        now = {track.track_id for track in shown}
        frame = TrackedFrame(
            "cam", index, START_S + index / fps, SIZE, shown, tuple(sorted(before - now))
        )
        entries += entrance.update(frame)
        before = now
    return entries + entrance.finish()


def told(entries: Sequence[Entry]) -> list[tuple[int, str]]:
    return [(entry.track_id, entry.direction) for entry in entries]


HIDES = Person(at(0.46, 0.56))
INTO = Person(along(0.5, 0.45, 3.0, down=-0.12), from_s=3.0)
OUT = Person(along(0.5, 0.55, 3.0, down=0.12), from_s=3.0)


@pytest.mark.parametrize("fps", [5.0, 10.0, 12.5, 30.0])
@pytest.mark.parametrize(("newcomer", "expected"), [(INTO, "in"), (OUT, "out")])
def test_who_comes_to_light_beyond_the_line_has_crossed_it(
    newcomer: Person, expected: str, fps: float
) -> None:
    entries = watch([HIDES, newcomer], fps=fps)
    assert told(entries) == [(2, expected)]
    assert entries[0].at_s - START_S == pytest.approx(3.0 - 0.05 / 0.12, abs=0.02)
    assert entries[0].frame_index / fps == pytest.approx(4.0, abs=0.41)


@pytest.mark.parametrize(("fps", "times"), [(2.0, 1), (1.0, 0)])
def test_three_sights_tell_a_way(fps: float, times: int) -> None:
    assert len(watch([HIDES, Person(INTO.walk, from_s=2.7)], fps=fps)) == times


def test_what_flickers_is_nobody() -> None:
    class Flickering(Person):
        def track(self, track_id: int, at_s: float) -> Track | None:
            self.score = 0.8 if round(at_s * 10) % 3 == 2 else 0.2
            return super().track(track_id, at_s)

    assert watch([HIDES, Flickering(INTO.walk, from_s=3.0)]) == []


def test_who_turns_back_after_that_is_counted_back() -> None:
    def walk(at_s: float) -> tuple[float, float]:
        return 0.5, 0.45 - 0.12 * (at_s - 3.0) if at_s < 4.5 else 0.27 + 0.25 * (at_s - 4.5)

    entries = watch([HIDES, Person(walk, from_s=3.0)], seconds=7.0)
    assert told(entries) == [(2, "in"), (2, "out")]
    assert entries[1].is_uturn


@pytest.mark.parametrize(
    "people",
    [
        pytest.param([INTO], id="alone"),
        pytest.param([Person(at(0.8, 0.56)), INTO], id="beside-nobody"),
        pytest.param([HIDES, Person(at(0.5, 0.45), from_s=3.0)], id="stands-there"),
        pytest.param(
            [HIDES, Person(along(0.5, 0.35, 3.0, down=0.06), from_s=3.0)], id="comes-from-inside"
        ),
        pytest.param(
            [HIDES, Person(along(0.5, 0.45, 3.0, across=0.1), from_s=3.0)], id="along-the-line"
        ),
        pytest.param(
            [
                Person(at(0.46, 0.4)),
                Person(along(0.5, 0.35, 3.0, down=-0.12), from_s=3.0),
            ],
            id="far-from-the-line",
        ),
        pytest.param(
            [
                Person(at(0.94, 0.56)),
                Person(along(0.97, 0.45, 3.0, down=-0.12), from_s=3.0),
            ],
            id="over-the-edge",
        ),
        pytest.param(
            [
                Person(at(0.08, 0.56)),
                Person(along(0.1, 0.45, 3.0, down=-0.12), from_s=3.0),
            ],
            id="past-the-end-of-the-line",
        ),
        pytest.param(
            [HIDES, Person(along(0.5, 0.45, 1.9, down=-0.12), from_s=1.9)], id="just-started"
        ),
        pytest.param(
            [HIDES, Person(along(0.5, 0.45, 3.0, down=-0.12), from_s=3.0, known_until_s=3.7)],
            id="gone-again",
        ),
        pytest.param(
            [HIDES, Person(along(0.5, 0.45, 3.0, down=-0.12), from_s=3.0, score=0.25)],
            id="hardly-seen",
        ),
        pytest.param(
            [
                HIDES,
                Person(at(0.57, 0.42), unseen_s=(2.5, 99.0)),
                INTO,
            ],
            id="lost-on-this-side",
        ),
        pytest.param(
            [
                Person(along(0.505, 0.45, 0.0, down=0.0), from_s=0.0, known_until_s=3.0),
                Person(along(0.5, 0.45, 3.0, down=-0.12), from_s=2.9),
                Person(along(0.505, 0.455, 3.0, down=-0.12), from_s=2.8),
            ],
            id="two-boxes-on-one-person",
        ),
    ],
)
def test_nobody_else_has(people: list[Person]) -> None:
    assert watch(people) == []


LOST = Person(at(0.5, 0.58), unseen_s=(2.5, 99.0))
SLOW = Person(along(0.5, 0.4, 3.0, down=-0.04), from_s=3.0)


def test_who_was_lost_before_the_line_goes_on_beyond_it() -> None:
    entries = watch([HIDES, LOST, SLOW])
    assert told(entries) == [(3, "in")]
    assert 2.6 <= entries[0].at_s - START_S <= 3.0
    assert told(watch([HIDES, SLOW])) == []


def test_of_several_it_is_the_latest() -> None:
    earlier = Person(at(0.53, 0.58), unseen_s=(1.6, 99.0))
    entries = watch([HIDES, earlier, LOST, SLOW])
    assert told(entries) == [(4, "in")]
    assert 2.6 <= entries[0].at_s - START_S <= 3.0


@pytest.mark.parametrize(
    ("lost", "newcomer"),
    [
        pytest.param(Person(LOST.walk, unseen_s=(2.5, 3.5)), SLOW, id="seen-again"),
        pytest.param(Person(LOST.walk, unseen_s=(0.8, 99.0)), SLOW, id="lost-long-before"),
        pytest.param(Person(at(0.75, 0.58), unseen_s=(2.5, 99.0)), SLOW, id="lost-elsewhere"),
        pytest.param(LOST, Person(at(0.5, 0.4), from_s=3.0), id="stands-there"),
        pytest.param(
            Person(at(0.5, 0.47), unseen_s=(2.5, 99.0)),
            Person(along(0.5, 0.75, 3.0, down=0.04), from_s=3.0),
            id="far-from-the-line",
        ),
    ],
)
def test_nobody_else_does(lost: Person, newcomer: Person) -> None:
    assert watch([HIDES, lost, newcomer]) == []


def test_whoever_was_seen_to_cross_goes_on_for_nobody() -> None:
    crosses = Person(along(0.5, 0.57, 3.0, down=-0.16), from_s=3.0)
    assert told(watch([Person(at(0.5, 0.42)), LOST, crosses])) == [(3, "in")]


def test_one_person_goes_on_as_one_person() -> None:
    second = Person(along(0.47, 0.42, 3.5, down=-0.04), from_s=3.5)
    assert told(watch([HIDES, LOST, SLOW, second])) == [(3, "in")]


def test_whoever_takes_the_lost_track_then_is_somebody_else() -> None:
    def walk(at_s: float) -> tuple[float, float]:
        return 0.5, 0.58 - 0.2 * max(at_s - 5.5, 0.0)

    entries = watch([HIDES, Person(walk, unseen_s=(2.5, 5.0)), SLOW], seconds=7.5)
    assert told(entries) == [(3, "in"), (2, "in")]


def test_what_was_counted_before_somebody_was_lost_is_known() -> None:
    """Back out soon after coming in, hidden on the way: a U-turn."""

    def walk(at_s: float) -> tuple[float, float]:
        return 0.5, max(0.6 - 0.2 * max(at_s - 0.5, 0.0), 0.43)

    came_in = Person(walk, unseen_s=(2.5, 99.0))
    goes_out = Person(along(0.5, 0.58, 3.0, down=0.04), from_s=3.0)
    entries = watch([HIDES, came_in, goes_out])
    assert told(entries) == [(2, "in"), (3, "out")]
    assert entries[1].is_uturn
    assert entries[1].dwell_s == pytest.approx(entries[1].at_s - entries[0].at_s)
