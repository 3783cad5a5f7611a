"""Which windows have been published, and as which revision: nothing may be said twice differently.

Revisions are kept only of windows that were published more than once, or before they were complete.
Of all others it is enough to know where time was skipped, and where windows were published ahead of
a clock that was set back later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge_app.events.shelf import WindowKey
from edge_app.flow import CountWindow

Span = tuple[int, int]
"""From one time to another (exclusive), seconds of Unix time."""

GAP_S = 26 * 3600
"""A step of the clock by more than this is not time that passed: nothing is filled in."""
_DAY_S = 24 * 3600


class Told:
    """What has been published of the windows.

    Args:
        bounds: start and end of the window of a kind that a time lies in.
        start: nothing was published before, seconds of Unix time.
    """

    def __init__(self, bounds: Callable[[str, float], Span], start: int) -> None:
        self._bounds = bounds
        self._skipped: list[Span] = [(0, start)]
        self._ahead: list[Span] = []
        self._revisions: dict[WindowKey, int] = {}
        self._highest = 0
        self._ahead_highest = 0

    def next_revision(self, key: WindowKey, is_closed: bool) -> int:
        """The revision with which a window is to be published now.

        Args:
            key: zone, window and start.
            is_closed: it has been closed before, and is published again.
        """
        _, window, start = key
        _, end = self._bounds(window, start)
        is_ahead = any(start < last and first < end for first, last in self._ahead)
        is_skipped = any(first <= start and end <= last for first, last in self._skipped)
        is_told = is_closed and not is_skipped
        # Of what the clock was set back to, the revisions may be forgotten, but were no higher.
        before = self._ahead_highest if is_ahead else 0 if is_told else -1
        revision = self._revisions.get(key, before) + 1
        self._highest = max(self._highest, revision)
        if revision > 0 or is_closed or is_skipped:
            self._revisions[key] = revision
        return revision

    def note(self, windows: Sequence[CountWindow]) -> None:
        """These went out before they were complete: the next time is a revision."""
        for window in windows:
            self._revisions[window.zone, window.window, int(window.start_s)] = window.rev
            self._highest = max(self._highest, window.rev)

    def skip(self, first: int, last: int) -> None:
        """No window within this time is published, unless something late belongs there."""
        self._skipped.append((first, last))

    def set_back(self, to: int, closed: int) -> int:
        """The clock was set back.

        Args:
            to: from when to when.
            closed: all windows before this were closed, or skipped.

        Returns:
            Where to go on: if the clock had been set ahead by mistake, not before that moment.
        """
        first, last = min([span for span in self._skipped if span[1] > to], default=(to, to))
        start = max(to, first) if first - _DAY_S <= to else to
        self._skipped = [(f, min(end, start)) for f, end in self._skipped if f < start]
        self._ahead += [(start - _DAY_S, start), (last if start >= first else start, closed)]
        self._ahead_highest = self._highest
        return start

    def kept_since(self, before_s: float) -> float:
        """What to forget instead of all before a time: a clock set ahead may be set back again."""
        for first, last in sorted(self._skipped, reverse=True):
            if first <= before_s < last:
                before_s = first - _DAY_S
        return before_s

    def forget(self, before_s: float) -> None:
        """Drop what no late fact can change any more."""
        self._skipped = [span for span in self._skipped if span[1] > before_s]
        self._ahead = [span for span in self._ahead if span[1] >= before_s]
        old = [key for key in self._revisions if self._bounds(key[1], key[2])[1] < before_s]
        for key in old:
            del self._revisions[key]

    def state(self) -> dict[str, Any]:
        """What must survive a restart, JSON-able."""
        return {
            "skipped": [list(span) for span in self._skipped],
            "ahead": [list(span) for span in self._ahead],
            "highest": [self._highest, self._ahead_highest],
            "revisions": [[*key, revision] for key, revision in self._revisions.items()],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        self._skipped = [(first, last) for first, last in state["skipped"]]
        self._ahead = [(first, last) for first, last in state.get("ahead", ())]
        self._revisions = {(z, w, s): rev for z, w, s, rev in state["revisions"]}
        highest = max(self._revisions.values(), default=0)
        self._highest, self._ahead_highest = state.get("highest", (highest, highest))
