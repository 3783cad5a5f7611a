"""What is told about each camera: its own state, or that the box was told to look away."""

from __future__ import annotations

from edge_app.flow import CameraState


class CameraBoard:
    """The newest state of every camera, as it is published.

    Attributes:
        paused_at_s: since when nothing is looked at, seconds of Unix time; None while working.
    """

    def __init__(self) -> None:
        self.paused_at_s: float | None = None
        self._known: dict[str, CameraState] = {}
        self._shown: dict[str, CameraState] = {}

    def note(self, state: CameraState) -> None:
        """A camera changed."""
        self._known[state.camera] = state

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
