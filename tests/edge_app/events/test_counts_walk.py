"""Short lives of a box whose clock goes anywhere: what is told stays told, and adds up."""

from __future__ import annotations

import json
import random

import pytest

from edge_app.events.counts import Counts
from edge_app.flow import CountWindow
from tests.edge_app.events.counting import NOON, counts_from, entry

HOUR_S, DAY_S = 3600.0, 86400.0
LATE_S = (3.0, 90.0, 1200.0, HOUR_S, 23 * HOUR_S, DAY_S - 90, DAY_S - 5, DAY_S + 300, 28 * HOUR_S)
ON_S = (30.0, 90.0, 420.0, 900.0, HOUR_S, 27 * HOUR_S)
OFF_S = (1.0, 600.0, 10 * HOUR_S, 23.9 * HOUR_S, 30 * HOUR_S)
BACK_S = (-60.0, -420.0, -2 * HOUR_S, -23 * HOUR_S)
JUMP_S = (23 * HOUR_S, -25.1 * HOUR_S, -30 * HOUR_S, 60 * DAY_S, -60 * DAY_S, -3650 * DAY_S)
JUMP_WEIGHTS = (6, 3, 3, 1, 1, 1)


class Life:
    """A box from its first start on; what it told, and what it counted, by the plainest means.

    Args:
        seed: of what happens.
        is_set_far: the clock also goes back by more than facts may be late, which starts afresh.
    """

    def __init__(self, seed: int, is_set_far: bool) -> None:
        self._random = random.Random(seed)
        self._is_set_far = is_set_far
        self._jumps_s = JUMP_S if is_set_far else JUMP_S[:1]
        self.now_s = NOON + 10 * 365 * DAY_S
        self._latest_s = self.now_s
        self.counts = counts_from(self.now_s)
        self.told: dict[tuple[str, str, float], CountWindow] = {}
        self.crossings: list[float] = []

    def live(self) -> None:
        for _ in range(25):
            self._happen(
                self._random.choice(("cross", "cross", "late", "late", "on", "off", "set"))
            )
            assert len(json.dumps(self.counts.state())) < 500_000
        self._tell(self.counts.finish(self.now_s))

    def _happen(self, what: str) -> None:
        choose = self._random.choice
        if what == "on":
            self.now_s += choose(ON_S)
        elif what == "off":
            self._restart(choose(OFF_S))
        elif what == "set":
            if self._random.random() < 0.5:
                back_s = choose(BACK_S)
                is_too_far = self.now_s + back_s < self._latest_s - 23.5 * HOUR_S
                self._restart(1.0 if is_too_far and not self._is_set_far else back_s)
            else:
                self.now_s += self._random.choices(
                    self._jumps_s, JUMP_WEIGHTS[: len(self._jumps_s)]
                )[0]
        else:
            is_again = what == "late" and self.crossings and self._random.random() < 0.5
            late_s = choose(LATE_S) if what == "late" else 0.0
            self._cross(choose(self.crossings) + 1.0 if is_again else self.now_s - late_s)
        self._latest_s = max(self._latest_s, self.now_s)
        self.counts.seen("door", self.now_s)
        self._tell(self.counts.advance(self.now_s))

    def _cross(self, at_s: float) -> None:
        dropped = self.counts.late_dropped
        self.counts.entered(entry(at_s))
        if self.counts.late_dropped == dropped:
            self.crossings.append(at_s)

    def _restart(self, off_s: float) -> None:
        self.now_s += off_s
        before, self.counts = self.counts, self._new()
        self.counts.restore(json.loads(json.dumps(before.state())))

    def _new(self) -> Counts:
        return counts_from(self.now_s)

    def _tell(self, windows: list[CountWindow]) -> None:
        for w in windows:
            key = (w.zone, w.window, w.start_s)
            before = self.told.get(key)
            if before is not None:
                assert w.rev > before.rev, key
                assert (w.in_total, w.end_s) >= (before.in_total, before.end_s)
            self.told[key] = w


@pytest.mark.parametrize("seed", range(3))
def test_no_id_is_told_twice_wherever_the_clock_goes(seed):
    Life(seed, is_set_far=True).live()


@pytest.mark.parametrize("seed", range(7))
def test_everybody_is_in_the_windows_wherever_the_clock_goes_within_a_day(seed):
    life = Life(seed, is_set_far=False)
    life.live()
    for window in ("pt1m", "pt15m", "pt1h", "p1d"):
        for zone in ("entrance", "all"):
            told = [w for key, w in life.told.items() if key[:2] == (zone, window)]
            assert sum(w.counts["in"] for w in told) == len(life.crossings)
            for w in told:
                within = sum(w.start_s <= at_s < w.end_s for at_s in life.crossings)
                assert w.counts["in"] == within
