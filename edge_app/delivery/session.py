"""What happens over one connection: birth, deliveries in order, and silence noticed.

On every welcome the box says what it is (info, cameras), then that it is there, then sends what
waits: alerts first, then windows in order and no faster than the drain limit, then what was asked
for again.

Nothing is forgotten before the broker acknowledged it, nor at once: brokers acknowledge before they
save. mosquitto, set to save every change, still loses what it acknowledged in its last moment
before a kill. So the outbox's cursors follow a little later, and what was acknowledged just before
a connection broke is sent again, with the same id: readers that keep one of each lose nothing.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge_app.config.schema import BrokerSettings
from edge_app.delivery.flight import (
    FORBIDDEN,
    RIGHTS,
    Allowance,
    Flight,
    Handed,
    Stall,
    is_hopeless,
)
from edge_app.delivery.lanes import Lane, lanes_of
from edge_app.delivery.mqtt import Acknowledged, Connected, Connection, Event
from edge_app.delivery.outbox import Outbox, Waiting
from edge_app.delivery.topics import is_told
from edge_app.flow import Message

log = logging.getLogger(__name__)

WINDOW: Final = 8
"""Most messages under way; fewer where the broker's Receive Maximum says so."""

FETCH: Final = 256
SETTLE_EVERY_S: Final = 0.2
"""How often the outbox is told at most: every time is a transaction."""

AGAIN: Final = 0.2
"""Share of the time to settle that is enough at a second acknowledgement."""

ENVELOPE_BYTES: Final = 1024
"""More than topic, properties and headers of any message take."""

_LIMITED: Final = ("agg", "resend")


@dataclass(frozen=True)
class Clocks:
    """Unix time, and seconds that never jump."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Limits:
    """How much at once, how fast, and how much silence.

    Attributes:
        window: most messages under way.
        drain_per_s: messages of a backlog per second.
        stall_s: silence after which a connection is given up.
        settle_s: how long what was acknowledged is remembered.
        maximum_bytes: of a packet.
    """

    window: int
    drain_per_s: float
    stall_s: float
    settle_s: float
    maximum_bytes: int

    @classmethod
    def agreed(cls, settings: BrokerSettings, welcome: Connected, drain_per_s: float) -> Limits:
        """What the configuration says, and the broker allows."""
        return cls(
            min(WINDOW, welcome.receive_maximum),
            drain_per_s,
            settings.stall_s,
            settings.settle_s,
            welcome.maximum_bytes,
        )


class Session:
    """Deliveries over one connection that the broker has welcomed.

    Args:
        connection: open and welcomed.
        outbox: what is to be delivered.
        broker: the outbox's name for the broker.
        limits: how much at once, how fast.
        clocks: what time it is.
        before: per lane the position up to which an earlier connection had acknowledgements.
    """

    def __init__(
        self,
        connection: Connection,
        outbox: Outbox,
        broker: str,
        limits: Limits,
        clocks: Clocks,
        before: Mapping[Lane, int],
    ) -> None:
        self._connection = connection
        self._outbox = outbox
        self._broker = broker
        self._stored = lanes_of(broker)
        self._order = ("state", "own", *self._stored)
        self._window = limits.window
        self._clocks = clocks
        self._allowance = Allowance(limits.drain_per_s, clocks.steady())
        self._stall = Stall(limits.stall_s, clocks.steady())
        self._settle_s = limits.settle_s
        self._maximum_bytes = limits.maximum_bytes
        self._settling = deque[tuple[float, dict[Lane, int]]]()
        self._settled_at_s = clocks.steady()
        self._before = before
        self.reached: dict[Lane, int] = {}
        """Per lane the position up to which everything was acknowledged."""
        self._flight = Flight()
        self._fetched = {lane: deque[Waiting]() for lane in self._order}
        self._after = dict.fromkeys(self._order, 0)
        self._has_more = {lane: lane != "own" for lane in self._order}
        self._is_throttled = False
        self._is_finishing = False
        self.refusal: str | None = None
        self.sent = 0

    @property
    def in_flight(self) -> int:
        """Messages under way."""
        return len(self._flight)

    @property
    def is_idle(self) -> bool:
        """Everything that waited was delivered."""
        waits = any(self._fetched.values()) or any(self._has_more.values())
        return not self._flight and not waits

    @property
    def has_said_all(self) -> bool:
        """What the sender had to say was acknowledged, or set aside."""
        return not self._fetched["own"] and self._flight.is_clear("own")

    @property
    def is_stalled(self) -> bool:
        """Messages are under way, and the broker has been silent about them for too long."""
        return self._flight.under_way > 0 and self._stall.is_over(self._clocks.steady())

    @property
    def acknowledged_at_s(self) -> float:
        """When something last went forward, by the steady clock."""
        return self._stall.progress_at_s

    @property
    def patience_s(self) -> float:
        """How long the network may be waited for before :meth:`send` has something to do."""
        return 0.05 if self._is_throttled or self._flight.has_refused else 1.0

    def changed(self) -> None:
        """The outbox may have more now."""
        if self._is_finishing:
            return
        for lane in ("state", *self._stored):
            self._has_more[lane] = True

    def say(self, message: Message) -> None:
        """Queue a message of the sender's own: the box's state."""
        self._fetched["own"].append(Waiting(0, message, None))

    def finish(self, message: Message) -> None:
        """Take up nothing more but this last word."""
        for lane in self._order:
            self._fetched[lane].clear()
            self._has_more[lane] = False
        self._is_finishing = True
        self._flight.give_up_refused()
        self.say(message)

    def send(self) -> None:
        """Hand over what may go now."""
        now_s = self._clocks.steady()
        self._is_throttled = False
        for handed in self._flight.due(now_s, self._window - self._flight.under_way):
            if _is_late(handed.waiting, now_s):
                # The outbox gives up, and counts, what it finds too old.
                self._outbox.waiting(self._broker, "alert", handed.waiting.position - 1, 1)
                handed.is_done = True
            else:
                self._hand_over(handed, now_s)
        ready = self._ready(now_s)
        while self._flight.under_way < self._window:
            next_one = next(ready, None)
            if next_one is None:
                break
            self._hand_over(next_one, now_s)
        for message in self._outbox.take_now(self._broker):
            expires_at_s = message.expires_at_s
            left_s = None if expires_at_s is None else expires_at_s - self._clocks.wall()
            self._connection.publish(message, left_s)

    def handle(self, events: Sequence[Event]) -> None:
        """Take note of acknowledgements."""
        now_s = self._clocks.steady()
        for event in events:
            if isinstance(event, Acknowledged):
                handed = self._flight.take(event.mid)
                if handed is not None:
                    self._stall.progressed(now_s)
                    self._answered(handed, event, now_s)
        reached = self._flight.reached()
        stored = {lane: reached[lane] for lane in self._stored if lane in reached}
        if stored:
            self.reached.update(stored)
            is_again = all(at <= self._before.get(lane, 0) for lane, at in stored.items())
            waited_s = (1.0 - AGAIN) * self._settle_s if is_again else 0.0
            self._settling.append((now_s - waited_s, stored))
        if not self._flight or now_s - self._settled_at_s >= SETTLE_EVERY_S:
            self._settled_at_s = now_s
            self.settle(now_s - self._settle_s)

    def settle(self, until_s: float) -> None:
        """Let the outbox know how far each lane was at a time of the steady clock."""
        settled: dict[Lane, int] = {}
        while self._settling and self._settling[0][0] <= until_s:
            settled.update(self._settling.popleft()[1])
        if settled:
            self._outbox.advance(self._broker, settled)

    def _answered(self, handed: Handed, answer: Acknowledged, now_s: float) -> None:
        topic = handed.waiting.message.topic
        reason = f"{answer.reason}; {RIGHTS}" if answer.code == FORBIDDEN else answer.reason
        if not answer.is_failure:
            handed.is_done = True
            self.sent += 1
        elif is_hopeless(answer.code, handed.tries):
            self._set_aside(handed, reason)
        else:
            pause_s = self._flight.retry_later(handed, now_s)
            log.log(
                logging.WARNING if self.refusal is None else logging.DEBUG,
                "the broker refused %s: %s; trying again in %.0f s", topic, reason, pause_s,
            )  # fmt: skip
            self.refusal = answer.reason
        if self.refusal and not self._flight.has_refused and not self._flight.is_retrying:
            self.refusal = None

    def _set_aside(self, handed: Handed, reason: str) -> None:
        handed.is_done = True
        message = handed.waiting.message
        self._outbox.refuse(self._broker, message, reason)
        done = "given up" if message.lane == "alert" else "set aside"
        log.warning("the broker refuses %s for good: %s; %s", message.topic, reason, done)

    def _hand_over(self, handed: Handed, now_s: float) -> None:
        message = handed.waiting.message
        if not is_told(self._broker, message.topic):
            # A live topic of a zone that is gone, to be forgotten where it was told.
            self._flight.pass_over(handed)
            handed.is_done = True
            return
        if len(message.payload) + ENVELOPE_BYTES > self._maximum_bytes:
            self._flight.pass_over(handed)
            self._set_aside(handed, f"larger than its {self._maximum_bytes} bytes")
            return
        deadline_s = handed.waiting.deadline_s
        left_s = None if deadline_s is None else deadline_s - now_s
        if not self._flight.under_way:
            self._stall.progressed(now_s)
        self._flight.add(self._connection.publish(handed.waiting.message, left_s), handed)

    def _ready(self, now_s: float) -> Iterator[Handed]:
        """What may go now, one after the other; taken only when there is room for it."""
        for lane in self._order:
            if self._flight.is_blocked(lane):
                continue
            while queue := self._queue(lane, now_s):
                if lane in _LIMITED and not self._allowance.take(now_s):
                    self._is_throttled = True
                    return
                yield Handed(lane, queue.popleft())

    def _queue(self, lane: str, now_s: float) -> deque[Waiting]:
        """What of a lane is ready, fetched from the outbox if need be."""
        queue = self._fetched[lane]
        if lane == "alert" and queue and _is_late(queue[0], now_s):
            self._after[lane] = queue[0].position - 1
            self._has_more[lane] = True
            queue.clear()
        if not queue and self._has_more[lane]:
            after = self._after[lane]
            if lane == "state":
                queue.extend(self._outbox.latest(after))
            else:
                stored: Lane = "alert" if lane == "alert" else "agg" if lane == "agg" else "resend"
                queue.extend(self._outbox.waiting(self._broker, stored, after, FETCH))
            self._has_more[lane] = len(queue) == FETCH
            if queue:
                self._after[lane] = queue[-1].position
        return queue


def _is_late(waiting: Waiting, now_s: float) -> bool:
    """An alert that became too old before it could be handed over."""
    is_alert = waiting.message.lane == "alert"
    return is_alert and waiting.deadline_s is not None and waiting.deadline_s <= now_s
