"""How long to wait before connecting again."""

from __future__ import annotations

import random
from typing import Final

FIRST_PAUSE_S: Final = 5.0
"""Longest pause after a loss; it doubles with every failure, and the real one is random below it,
so that a thousand stores do not come back in the same second."""

STEADY_S: Final = 10.0
"""A connection that lived shorter is a failure too."""


class Backoff:
    """Pauses that grow while connections fail.

    Args:
        longest_s: they grow up to this.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._failures = 0

    def pause_s(self, lived_s: float) -> float:
        """How long to wait now.

        Args:
            lived_s: how long the connection that ended lived; 0 if there was none.
        """
        if lived_s > STEADY_S:
            self._failures = 0
        longest_s = min(self._longest_s, FIRST_PAUSE_S * 2.0 ** min(self._failures, 20))
        self._failures += 1
        return random.uniform(0.1, 1.0) * longest_s
