"""What is due: live counts should be fresh, but not a flood, and disks wear out by writing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_app.flow import LiveCount

LIVE_LEAST_S = 5.0
LIVE_MOST_S = 300.0
TIME_S = 10.0
"""A kill may take so much time from the coverage, and nothing that was counted."""


class LiveThrottle:
    """Which live counts are due: changed ones every five seconds, all every five minutes."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, tuple[int, int, int]]] = {}

    def due(self, counts: list[LiveCount], now_s: float) -> list[LiveCount]:
        """The counts to publish now."""
        chosen = []
        for count in counts:
            value = (count.occupancy, count.in_today, count.out_today)
            at_s, before = self._said.get(count.zone, (float("-inf"), (-1, -1, -1)))
            age_s = now_s - at_s if now_s >= at_s else LIVE_MOST_S
            if age_s >= LIVE_MOST_S or (value != before and age_s >= LIVE_LEAST_S):
                self._said[count.zone] = (now_s, value)
                chosen.append(count)
        return chosen


class StateThrottle:
    """Which states are to be stored: changed ones at once, the ``time`` alone every ten seconds.

    >>> throttle = StateThrottle()
    >>> [bool(throttle.due({"counts": 1, "time": s}, steady_s=s)) for s in (0.0, 9.0, 10.0)]
    [True, False, True]
    >>> bool(throttle.due({"counts": 2, "time": 11.0}, steady_s=11.0))
    True
    """

    def __init__(self) -> None:
        self._at_s = float("-inf")
        self._before: dict[str, Any] = {}

    def due(self, state: Mapping[str, Any], steady_s: float) -> Mapping[str, Any] | None:
        """The state, by name, if it is to be stored now; ``steady_s`` never jumps."""
        lasting = {name: part for name, part in state.items() if name != "time"}
        if lasting == self._before and steady_s < self._at_s + TIME_S:
            return None
        self._at_s, self._before = steady_s, lasting
        return state
