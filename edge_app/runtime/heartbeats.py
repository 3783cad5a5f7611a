"""Heartbeats: every stage that must not stand still says so, and whoever is overdue is named."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Heartbeats:
    """When each stage last showed that it lives; any thread may beat.

    Args:
        patience_s: by stage, how long it may be silent.
        clock: seconds that never jump.
    """

    def __init__(
        self, patience_s: dict[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience_s = dict(patience_s)
        self._clock = clock
        self._lock = threading.Lock()
        self._beaten_at_s = dict.fromkeys(patience_s, clock())

    def beat(self, stage: str) -> None:
        """The stage lives.

        Raises:
            KeyError: there is no such stage.
        """
        now_s = self._clock()
        with self._lock:
            if stage not in self._beaten_at_s:
                raise KeyError(stage)
            self._beaten_at_s[stage] = now_s

    def overdue(self) -> dict[str, float]:
        """Stages that have been silent for longer than they may, and for how many seconds."""
        now_s = self._clock()
        with self._lock:
            ages_s = {stage: now_s - at_s for stage, at_s in self._beaten_at_s.items()}
        return {s: age_s for s, age_s in ages_s.items() if age_s > self._patience_s[s]}

    def clock_of(self, stage: str) -> Callable[[], float]:
        """A steady clock whose being read by the thread of the stage's name is its heartbeat.

        Other threads may read the clock without a beat.
        """

        def steady() -> float:
            if threading.current_thread().name == stage:
                self.beat(stage)
            return self._clock()

        return steady
