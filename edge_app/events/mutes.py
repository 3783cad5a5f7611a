"""Rules that announce nobody for a while, over restarts and clocks that are set.

While the program runs, a mute moves with a clock that is set, and lasts as long as was asked for.
How long the box was off at a restart only a right clock tells, which may come later: an older mute
ends when it has lasted long enough, the time off left out, or when the clock says so, whichever is
first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


class Mutes:
    """Until when each rule is muted; times are seconds of Unix time.

    >>> mutes = Mutes()
    >>> mutes.mute("dresses", until_s=1_600.0)
    >>> after = Mutes()
    >>> after.restore(mutes.state(), ["dresses"])
    >>> after.shift(-900.0)  # the box starts at 100, in the past
    >>> after.is_muted("dresses", 699.0), after.is_muted("dresses", 700.0)
    (True, False)
    >>> after.shift(1_200.0)  # it is 1,500 in truth: off for 300
    >>> after.is_muted("dresses", 1_599.0), after.is_muted("dresses", 1_600.0)
    (True, False)
    """

    def __init__(self) -> None:
        self._until_s: dict[str, float] = {}
        self._latest_s: dict[str, float] = {}
        """Of mutes older than a restart: the end by the clock of then, wherever ours is set."""

    def mute(self, rule: str, until_s: float) -> None:
        """Mute a rule up to a time, whatever was asked for before."""
        self._until_s[rule] = until_s
        self._latest_s.pop(rule, None)

    def is_muted(self, rule: str, now_s: float) -> bool:
        """Whether the rule announces nobody now."""
        until_s = self._until_s.get(rule, now_s)
        return now_s < min(until_s, self._latest_s.get(rule, until_s))

    def shift(self, by_s: float) -> None:
        """Follow a clock that was set ahead, or back where negative."""
        self._until_s = {rule: until_s + by_s for rule, until_s in self._until_s.items()}

    def state(self) -> dict[str, dict[str, float]]:
        """What must survive a restart, JSON-able."""
        return {"muted_until_s": dict(self._until_s), "muted_latest_s": dict(self._latest_s)}

    def restore(
        self, state: Mapping[str, Any], rules: Collection[str], is_restart: bool = True
    ) -> None:
        """Continue from what :meth:`state` gave.

        Args:
            state: of the earlier run.
            rules: that there are now; others go.
            is_restart: the clock may have stood still since.
        """
        until_s, latest_s = state["muted_until_s"], state.get("muted_latest_s", {})
        if is_restart:
            latest_s = {**until_s, **latest_s}
        self._until_s = {rule: end_s for rule, end_s in until_s.items() if rule in rules}
        self._latest_s = {rule: end_s for rule, end_s in latest_s.items() if rule in rules}
