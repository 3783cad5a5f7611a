"""Commands over MQTT: checked here, carried out by whoever owns what they change, answered here.

``cmd/{node}/{verb}`` with a small JSON object comes in on the sender's thread. ``ping`` and
``resend`` are answered at once; the others wait in a queue that the pipeline takes and answers. A
command that the broker kept (retained) is refused: it would be carried out again at every
connection. So is one that nobody can understand. Everything is noted in the audit log.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import ValidationError
from pydantic_core import from_json

from edge_app.delivery.audit import Audit
from edge_app.delivery.contract import CommandPayload, ResponsePayload
from edge_app.delivery.kinds import rfc3339
from edge_app.delivery.messages import Messages
from edge_app.delivery.mqtt import Received
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.topics import PREFIX, TOPICS, VERBS

MAX_BYTES: Final = 4096
WAITING: Final = 32
"""Commands that may wait for the pipeline; beyond that they are refused."""

REMEMBERED: Final = 64
"""Transactions whose answer is given again rather than the command carried out twice."""

NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "mute": ("rule", "minutes"),
    "test-alert": ("rule",),
    "resend": ("start", "end"),
}
Outcome = Literal["done", "refused", "failed"]


@dataclass(frozen=True)
class Command:
    """A command that was understood.

    Attributes:
        broker: the outbox's name of the broker that it came through.
        verb: what is to be done.
        arguments: checked; what the verb needs is there.
        answer_topic: where the answer goes.
        correlation: of MQTT 5, for the answer.
    """

    broker: str
    verb: str
    arguments: CommandPayload
    answer_topic: str
    correlation: bytes | None

    @property
    def key(self) -> tuple[str, str] | None:
        """What makes it the same command when it comes again; None where it has no transaction."""
        transaction = self.arguments.transaction
        return None if transaction is None else (self.verb, transaction)


@dataclass(frozen=True)
class Answer:
    """An answer on its way out."""

    topic: str
    payload: bytes
    correlation: bytes | None


class Commands:
    """From received messages to commands for the pipeline, and back to answers.

    Args:
        messages: names the store, the box and this run.
        outbox: where windows are asked for again.
        audit: where everything is noted.
        clock: Unix time in seconds.
    """

    def __init__(
        self, messages: Messages, outbox: Outbox, audit: Audit, clock: Callable[[], float]
    ) -> None:
        self._messages = messages
        self._outbox = outbox
        self._audit = audit
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[Command] = deque()
        self._answers: dict[str, deque[Answer]] = {}
        self._remembered: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._listeners: list[Callable[[], None]] = []

    @property
    def pattern(self) -> str:
        """The topics of this box's commands."""
        return f"{PREFIX}/{self._messages.store}/cmd/{self._messages.node}/+"

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called when there is an answer to send."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        self._listeners = [other for other in self._listeners if other != listener]

    def receive(self, broker: str, received: Received) -> None:
        """Take a message of :attr:`pattern`, in the sender's thread."""
        verb = received.topic.rsplit("/", 1)[-1]
        arguments, problem = _understood(verb, received)
        topic = self._answer_topic(verb, received.response_topic)
        command = Command(broker, verb, arguments, topic, received.correlation)
        user = received.properties.get("user", "")
        told = {"broker": broker, "user": user[:64], **arguments.model_dump(exclude_none=True)}
        self._audit.note(f"command {verb[:32]}", told, self._clock())
        given = self._given(command)
        if problem is not None:
            self.answer(command, "refused", problem)
        elif given is not None:
            self._send(command, given)
        elif verb == "ping":
            self.answer(command, "done", "here")
        elif verb == "resend":
            self._resend(command)
        else:
            self._queue(command)

    def take(self) -> list[Command]:
        """The commands that wait for the pipeline; each is to be answered before the next call.

        One that came again meanwhile waits until then, to be given the same answer.
        """
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
        taken: list[Command] = []
        again: list[Command] = []
        for command in waiting:
            given = self._given(command)
            if given is not None:
                self._send(command, given)
            elif command.key is not None and command.key in [other.key for other in taken]:
                again.append(command)
            else:
                taken.append(command)
        with self._lock:
            self._waiting.extendleft(reversed(again))
        return taken

    def answer(
        self, command: Command, status: Outcome, reason: str = "", n: int | None = None
    ) -> None:
        """Say what became of a command; from any thread, once per command."""
        now_s = self._clock()
        payload = ResponsePayload(
            store=self._messages.store,
            node=self._messages.node,
            ts=rfc3339(now_s),
            boot=self._messages.boot,
            verb=command.verb[:32],
            transaction=command.arguments.transaction,
            status=status,
            reason=reason,
            n=n,
        ).to_json()
        self._audit.note(f"{status} {command.verb[:32]}", {"reason": reason}, now_s)
        if command.key is not None and status == "done":
            with self._lock:
                self._remembered[command.key] = payload
                while len(self._remembered) > REMEMBERED:
                    self._remembered.popitem(last=False)
        self._send(command, payload)

    def answers(self, broker: str) -> list[Answer]:
        """The answers that a broker's sender is to send."""
        with self._lock:
            taken = list(self._answers.get(broker, ()))
            self._answers.pop(broker, None)
        return taken

    def _answer_topic(self, verb: str, asked: str | None) -> str:
        """Where the answer goes: as asked, if that is a topic below the store's own."""
        own = f"{PREFIX}/{self._messages.store}/rsp/"
        if asked is not None and asked.startswith(own) and not set(asked) & set("+#\0"):
            return asked
        return TOPICS["response"].at(
            self._messages.store, node=self._messages.node, verb=verb if verb in VERBS else "error"
        )

    def _given(self, command: Command) -> bytes | None:
        """The answer that was given to a command when it came before."""
        with self._lock:
            return None if command.key is None else self._remembered.get(command.key)

    def _resend(self, command: Command) -> None:
        asked = command.arguments
        which = {
            "zone": asked.zone or "*",
            "window": asked.window or "*",
            "start": asked.start or "",
            "end": asked.end or "",
        }
        n = self._outbox.resend(command.broker, which)
        self.answer(command, "done", f"{n} windows will be sent", n)

    def _queue(self, command: Command) -> None:
        with self._lock:
            is_full = len(self._waiting) >= WAITING
            if not is_full:
                self._waiting.append(command)
        if is_full:
            self.answer(command, "refused", "too many commands are waiting; try later")

    def _send(self, command: Command, payload: bytes) -> None:
        with self._lock:
            queue = self._answers.setdefault(command.broker, deque(maxlen=WAITING))
            queue.append(Answer(command.answer_topic, payload, command.correlation))
        for listener in self._listeners:
            listener()


def _only_transaction(payload: bytes) -> CommandPayload:
    """What a refusal carries, so that the sender of a wrong command knows which one it was."""
    try:
        given = from_json(payload[:MAX_BYTES] or b"{}")
        return CommandPayload(transaction=given.get("transaction"))
    except (ValueError, AttributeError):  # no JSON, no object, or no transaction as we know it
        return CommandPayload()


def _understood(verb: str, received: Received) -> tuple[CommandPayload, str | None]:
    """The command's arguments, and what is wrong with it."""
    nothing = _only_transaction(received.payload)
    if verb not in VERBS:
        return nothing, f"expected one of {', '.join(VERBS)}"
    if received.is_retained:
        return nothing, "a command must not be retained: it would be carried out again and again"
    if len(received.payload) > MAX_BYTES:
        return nothing, f"expected at most {MAX_BYTES} bytes, got {len(received.payload)}"
    try:
        arguments = CommandPayload.model_validate_json(received.payload or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if not first["loc"]:
            return nothing, 'expected a JSON object, such as {"rule":"formalwear","minutes":30}'
        place = ".".join(str(part) for part in first["loc"])
        return nothing, f"{place}: {first['msg'].removeprefix('Value error, ')}"
    missing = [key for key in NEEDS.get(verb, ()) if getattr(arguments, key) is None]
    if missing:
        return arguments, f"{verb} needs {' and '.join(missing)}"
    return arguments, None
