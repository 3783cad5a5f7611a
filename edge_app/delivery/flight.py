"""What is under way to a broker: handed over, not yet acknowledged."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Final

from edge_app.delivery.outbox import Waiting

PERMANENT: Final = frozenset({0x90, 0x99})
"""Topic name invalid, payload format invalid: the same again is as wrong."""

FORBIDDEN: Final = 0x87
FORBIDDEN_TRIES: Final = 10
"""Not authorized: someone may be about to repair the rights, so not at once; with the pauses in
between this is about five minutes."""

RIGHTS: Final = "check the user and the store's id in the broker's ACL"
"""What to do about what is forbidden."""

PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)


def is_hopeless(code: int, tries: int) -> bool:
    """Whether a message that was refused so often, lastly with this reason, is given up."""
    return code in PERMANENT or (code == FORBIDDEN and tries >= FORBIDDEN_TRIES)


@dataclass(slots=True)
class Handed:
    """One message under way."""

    lane: str
    waiting: Waiting
    tries: int = 0
    is_done: bool = False


class Flight:
    """The window of unacknowledged messages, and how far each lane got without a hole.

    A lane's cursor stops before the first message that is not acknowledged, so that after a kill
    nothing is skipped; what was acknowledged beyond it is sent twice.
    """

    def __init__(self) -> None:
        self._by_mid: dict[int, Handed] = {}
        self._lanes = defaultdict[str, deque[Handed]](deque)
        self._again: deque[tuple[float, Handed]] = deque()

    def __len__(self) -> int:
        return len(self._by_mid) + len(self._again)

    def add(self, mid: int, handed: Handed) -> None:
        """A message was handed over under this id."""
        handed.tries += 1
        self._by_mid[mid] = handed
        if handed.tries == 1:
            self._lanes[handed.lane].append(handed)

    def pass_over(self, handed: Handed) -> None:
        """A message is not handed over at all, but keeps its place in the order."""
        self._lanes[handed.lane].append(handed)

    def take(self, mid: int) -> Handed | None:
        """The message of an acknowledgement; None for one that is not ours."""
        return self._by_mid.pop(mid, None)

    def retry_later(self, handed: Handed, now_s: float) -> float:
        """Keep a refused message for another try; returns the pause in seconds."""
        pause_s = PAUSES_S[min(handed.tries, len(PAUSES_S)) - 1]
        self._again.append((now_s + pause_s, handed))
        return pause_s

    def due(self, now_s: float, most: int) -> list[Handed]:
        """Refused messages whose pause is over, the first of them; they are to be added again."""
        due = [waits for waits in self._again if waits[0] <= now_s][:most]
        for waits in due:
            self._again.remove(waits)
        return [handed for _, handed in due]

    def give_up_refused(self) -> None:
        """Leave the refused messages to the next connection."""
        self._again.clear()

    @property
    def under_way(self) -> int:
        """How many acknowledgements the broker owes us."""
        return len(self._by_mid)

    @property
    def has_refused(self) -> bool:
        """Refused messages wait for another try."""
        return bool(self._again)

    @property
    def is_retrying(self) -> bool:
        """A message that was refused before is under way again."""
        return any(handed.tries > 1 for handed in self._by_mid.values())

    def is_blocked(self, lane: str) -> bool:
        """A message of the lane was refused and waits: those behind it would overtake it."""
        return bool(self._again) and any(handed.lane == lane for _, handed in self._again)

    def is_clear(self, lane: str) -> bool:
        """Nothing of the lane is under way, or waits for another try."""
        return all(handed.is_done for handed in self._lanes[lane])

    def reached(self) -> dict[str, int]:
        """Per lane the new position up to which everything is done, where there is one."""
        reached = {}
        for lane, queue in self._lanes.items():
            while queue and queue[0].is_done:
                reached[lane] = queue.popleft().waiting.position
        return reached


class Allowance:
    """How many messages of a backlog may go now: a token bucket of one second's worth.

    >>> allowance = Allowance(2.0, now_s=0.0)
    >>> [allowance.take(0.0), allowance.take(0.0), allowance.take(0.0), allowance.take(0.6)]
    [True, True, False, True]
    """

    def __init__(self, per_s: float, now_s: float) -> None:
        self._per_s = per_s
        self._size = max(1.0, per_s)
        self._tokens = self._size
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Take one, if there is one."""
        self._tokens = min(self._size, self._tokens + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Stall:
    """Notices that messages are under way and nothing is acknowledged."""

    def __init__(self, limit_s: float, now_s: float) -> None:
        self._limit_s = limit_s
        self.progress_at_s = now_s

    def progressed(self, now_s: float) -> None:
        """Something was acknowledged, or the first message was handed over."""
        self.progress_at_s = now_s

    def is_over(self, now_s: float) -> bool:
        """Nothing happened for too long."""
        return now_s - self.progress_at_s > self._limit_s
