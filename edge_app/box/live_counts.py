"""Which live counts are due: what staff see should be fresh, but not a flood."""

from __future__ import annotations

from edge_app.flow import LiveCount

LIVE_LEAST_S = 5.0
LIVE_MOST_S = 300.0


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
