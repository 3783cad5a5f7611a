"""Carrying out commands on a running box: pause, resume, mute, test, reset, reload.

A command is answered only after what it changed is stored: a box that lost its power right after
"done" must not come back and look at pictures again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from edge_app.delivery.commands import Command, Commands, Outcome
from edge_app.errors import DresscodeError
from edge_app.events.alerts import Alerts
from edge_app.events.counts import Counts
from edge_app.flow import ALL

log = logging.getLogger(__name__)


class Box(Protocol):
    """What commands may do to a box."""

    @property
    def alerts(self) -> Alerts:
        """Its alert rules."""
        ...

    @property
    def counts(self) -> Counts:
        """Its counters."""
        ...

    def pause(self, is_paused: bool) -> None:
        """Stop looking at pictures, or go on."""
        ...

    def send_test(self, rule: str, zone: str | None) -> None:
        """Publish a test alert of a rule, for one of its zones or the first.

        Raises:
            ValueError: there is no such rule, or it does not watch the zone.
        """
        ...

    def reload(self) -> str:
        """Read the configuration again; what was done, in words.

        Raises:
            ConfigError: it was refused, and nothing changed.
        """
        ...


class Orders:
    """Takes commands from their queue, carries them out in the pipeline's thread, answers later.

    Args:
        commands: the queue.
        box: that they change.
    """

    def __init__(self, commands: Commands, box: Box) -> None:
        self._commands = commands
        self._box = box
        self._outcomes: list[tuple[Command, Outcome, str]] = []
        self._verbs: dict[str, Callable[[Command, float], str]] = {
            "pause": self._pause,
            "resume": self._resume,
            "mute": self._mute,
            "test-alert": self._test,
            "reset-occupancy": self._reset,
            "reload": lambda _command, _now_s: self._box.reload(),
        }

    def carry_out(self, now_s: float) -> int:
        """Everything that waits.

        Args:
            now_s: the present, seconds of Unix time.

        Returns:
            How many there were: the state, which may have changed, is to be stored, and then
            :meth:`answer` to be called.
        """
        commands = self._commands.take()
        self._outcomes += [(command, *self._carry_out(command, now_s)) for command in commands]
        return len(commands)

    def answer(self) -> None:
        """Say what became of the commands that were carried out."""
        outcomes, self._outcomes = self._outcomes, []
        for command, outcome, words in outcomes:
            self._commands.answer(command, outcome, words)

    def _carry_out(self, command: Command, now_s: float) -> tuple[Outcome, str]:
        try:
            words = self._verbs[command.verb](command, now_s)
        except (ValueError, DresscodeError) as error:
            return "refused", str(error)[:500]
        except Exception as error:
            # Whatever is asked for must not end the pipeline.
            log.exception("command %s failed", command.verb)
            return "failed", type(error).__name__
        log.info("command %s: %s", command.verb, words)
        return "done", words

    def _pause(self, _command: Command, _now_s: float) -> str:
        self._box.pause(True)
        return "no picture is looked at until resume, not even after a restart"

    def _resume(self, _command: Command, _now_s: float) -> str:
        self._box.pause(False)
        return "pictures are looked at"

    def _mute(self, command: Command, now_s: float) -> str:
        rule, minutes = command.arguments.rule or "", command.arguments.minutes or 0.0
        self._box.alerts.mute(rule, now_s + 60.0 * minutes)
        if not minutes:
            return f"rule {rule} is muted no longer"
        return f"rule {rule} is muted for {minutes:g} min"

    def _test(self, command: Command, _now_s: float) -> str:
        rule = command.arguments.rule or ""
        self._box.send_test(rule, command.arguments.zone)
        return f"a test of rule {rule} was sent"

    def _reset(self, command: Command, now_s: float) -> str:
        if command.arguments.zone not in (None, ALL):
            raise ValueError("only all zones together can be reset; leave zone out")
        self._box.counts.reset_occupancy(now_s)
        return "nobody is inside any zone now"
