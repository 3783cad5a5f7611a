"""Carrying out commands on a running box: pause, resume, mute, test, reset, reload."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from edge_app.delivery.commands import Command, Commands
from edge_app.errors import DresscodeError
from edge_app.events.alerts import Alerts
from edge_app.events.counts import Counts

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
    """Takes commands from their queue, carries them out in the pipeline's thread, answers.

    Args:
        commands: the queue.
        box: that they change.
    """

    def __init__(self, commands: Commands, box: Box) -> None:
        self._commands = commands
        self._box = box
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
            How many were carried out: the state may have changed.
        """
        return sum([self._carry_out(command, now_s) for command in self._commands.take()])

    def _carry_out(self, command: Command, now_s: float) -> bool:
        try:
            words = self._verbs[command.verb](command, now_s)
        except (ValueError, DresscodeError) as error:
            self._commands.answer(command, "refused", str(error)[:500])
            return False
        except Exception as error:
            # Whatever is asked for must not end the pipeline.
            log.exception("command %s failed", command.verb)
            self._commands.answer(command, "failed", type(error).__name__)
            return False
        log.info("command %s: %s", command.verb, words)
        self._commands.answer(command, "done", words)
        return True

    def _pause(self, _command: Command, _now_s: float) -> str:
        self._box.pause(True)
        return "no picture is looked at until resume, not even after a restart"

    def _resume(self, _command: Command, _now_s: float) -> str:
        self._box.pause(False)
        return "pictures are looked at"

    def _mute(self, command: Command, now_s: float) -> str:
        rule, minutes = command.arguments.rule or "", command.arguments.minutes or 0.0
        self._box.alerts.mute(rule, now_s + 60.0 * minutes)
        return f"rule {rule} is muted for {minutes:g} min"

    def _test(self, command: Command, _now_s: float) -> str:
        rule = command.arguments.rule or ""
        self._box.send_test(rule, command.arguments.zone)
        return f"a test of rule {rule} was sent"

    def _reset(self, command: Command, now_s: float) -> str:
        if command.arguments.zone not in (None, "all"):
            raise ValueError("only all zones together can be reset; leave zone out")
        self._box.counts.reset_occupancy(now_s)
        return "nobody is inside any zone now"
