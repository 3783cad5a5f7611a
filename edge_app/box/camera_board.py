"""What is told about each camera: its own state, or that the box was told to look away."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from queue import SimpleQueue
from typing import Any

from edge_app.flow import CameraState

log = logging.getLogger(__name__)


class CameraBoard:
    """The newest state of every camera, as it is published.

    Attributes:
        paused_at_s: since when nothing is looked at, seconds of Unix time; None while working.
    """

    def __init__(self) -> None:
        self.paused_at_s: float | None = None
        self._arrived: SimpleQueue[CameraState] = SimpleQueue()
        self._known: dict[str, CameraState] = {}
        self._shown: dict[str, CameraState] = {}

    def pause(self, is_paused: bool, now_s: float) -> None:
        """Nothing is looked at from now on, or everything again."""
        if (self.paused_at_s is not None) != is_paused:
            self.paused_at_s = now_s if is_paused else None

    def state(self) -> dict[str, Any]:
        """What must survive a restart."""
        return {"paused_at_s": self.paused_at_s}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave before the restart."""
        self.paused_at_s = state.get("paused_at_s")
        if self.paused_at_s is not None:
            log.warning("paused by a command before the restart; still paused until resume")

    def put(self, state: CameraState) -> None:
        """A camera changed, at a time of the steady clock; from any thread."""
        self._arrived.put(state)

    def arrived(self, ahead_s: float) -> list[CameraState]:
        """The changes that came since the last call, in order, in Unix time.

        Args:
            ahead_s: what the wall clock is ahead of the steady one.
        """
        changes = []
        while not self._arrived.empty():
            state = self._arrived.get()
            changes.append(replace(state, since_s=state.since_s + ahead_s))
        self._known |= {state.camera: state for state in changes}
        return changes

    def news(self) -> list[CameraState]:
        """The states to be published: those that differ from what was published last."""
        shown = {name: self._visible(state) for name, state in self._known.items()}
        news = [state for name, state in shown.items() if self._shown.get(name) != state]
        self._shown = shown
        return news

    def _visible(self, state: CameraState) -> CameraState:
        if self.paused_at_s is None:
            return state
        return CameraState(state.camera, "disabled", "paused by command", self.paused_at_s)
