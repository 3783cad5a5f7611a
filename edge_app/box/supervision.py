"""What the service manager hears of a running box: ready, alive, and a line for people."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from edge_app.flow import CameraState
from edge_app.inference.fallback import GpuState
from edge_app.runtime.heartbeats import Heartbeats
from edge_app.runtime.systemd import Notifier

log = logging.getLogger(__name__)

PIPELINE = "pipeline"
PATIENCE_S = {PIPELINE: 20.0, "sender": 120.0}
"""How long a stage may be silent. A sender may wait for a name server for a minute and more; what
it does not deliver meanwhile is kept. Capture threads are watched by their cameras, which replace
one that hangs: a camera that is away must not end the process."""

HOPELESS_S = 600.0
"""Networks that have not answered for so long, started anew again and again, will not without a
new process: the program ends, and the service manager starts it."""

QUIET_S = 10.0
"""A GPU that needs a new process gets one as soon as nobody was seen in pictures of so long."""

PING_S = 1.0
STATUS_S = 10.0


class Supervision:
    """Watches the stages of one box and tells the service manager.

    Args:
        notifier: to the service manager.
        cameras: ids; the start is complete once each was seen or is known to be offline.
        senders: names of the brokers.
        clock: seconds that never jump.

    Attributes:
        is_ready: each camera was seen or is known to be offline.
        failing: what the networks fail with; None while they work.
        refused: why the configuration file as it is now was refused, as long as it is; None for
            one that was taken.
        lacks: what the box does without until its next start; None for nothing.
        is_gpu_hopeless: the GPU asks for a new process, there is somebody to start one, and nobody
            is seen, and nothing in memory, that it would lose.
    """

    def __init__(
        self,
        notifier: Notifier,
        cameras: Iterable[str],
        senders: Iterable[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notifier = notifier
        self._clock = clock
        self._states: dict[str, str | None] = dict.fromkeys(cameras)
        patience_s = {f"sender-{name}": PATIENCE_S["sender"] for name in senders}
        self.heartbeats = Heartbeats({PIPELINE: PATIENCE_S[PIPELINE], **patience_s}, clock)
        self.is_ready = False
        self._is_stuck = False
        self.refused: str | None = None
        self.lacks: str | None = None
        self._slow_turns_per_s: float | None = None
        self.failing: str | None = None
        self._failing_since_s = 0.0
        self.is_gpu_hopeless = False
        self._gpu_trouble: str | None = None
        self._busy_at_s = self._looked_at_s = float("-inf")
        self._pinged_at_s = float("-inf")
        self._frames_per_s: float | None = None
        self._has_news = False
        self._count_anew()

    @property
    def overdue(self) -> dict[str, float]:
        """Stages that stand still, and for how many seconds."""
        return self.heartbeats.overdue()

    def camera(self, state: CameraState) -> None:
        """Note what is known of a camera."""
        self._states[state.camera] = state.state
        self._has_news = True

    @property
    def is_hopeless(self) -> bool:
        """The networks have failed for very long."""
        return self.failing is not None and self._clock() - self._failing_since_s > HOPELESS_S

    @property
    def troubles(self) -> list[str]:
        """Why the box is degraded, for people; empty while it sees all that it should."""
        told = ["a network fails"] if self.failing is not None else []
        told += filter(None, (self._gpu_trouble, self.lacks))
        if self._slow_turns_per_s is not None:
            told.append("too slow to count people")
        if self._states and all(state == "offline" for state in self._states.values()):
            told.append("no camera is online")
        return told

    def networks(self, trouble: str | None) -> None:
        """Note whether the networks answered the newest pictures.

        Args:
            trouble: what they fail with.
        """
        if (trouble is None) != (self.failing is None):
            self._failing_since_s = self._clock()
            self._has_news = True
        self.failing = trouble

    def gpu(self, state: GpuState, is_busy: bool) -> None:
        """Note how the GPU is doing.

        Args:
            state: by the engines; with trouble, the CPU answers for it.
            is_busy: somebody is in the newest pictures, or messages are in memory alone.
        """
        now_s = self._clock()
        if is_busy or now_s - self._looked_at_s > QUIET_S:
            self._busy_at_s = now_s
        self._looked_at_s = now_s
        self._gpu_trouble = state.trouble
        is_quiet = now_s - self._busy_at_s > QUIET_S
        self.is_gpu_hopeless = state.needs_process and is_quiet and self._notifier.has_manager

    def slow(self, turns_per_s: float | None) -> None:
        """Note how often a second every camera is looked at, or that it is often enough."""
        was_slow, self._slow_turns_per_s = self._slow_turns_per_s is not None, turns_per_s
        if turns_per_s is not None and not was_slow:
            log.warning(
                "too slow to count people: cameras were looked at %.1f times a second; fewer "
                "cameras, or a faster box",
                turns_per_s,
            )
        elif turns_per_s is None and was_slow:
            log.info("fast enough again to count people")

    def worked(self, frames: int) -> None:
        """Note a turn of the pipeline, with so many frames."""
        self.heartbeats.beat(PIPELINE)
        self._frames += frames

    def turn(self, words: str) -> None:
        """Tell the service manager what is due; call it often.

        Args:
            words: the state of the delivery, for people.
        """
        now_s = self._clock()
        if not self.is_ready and None not in self._states.values():
            self.is_ready, self._has_news = True, False
            self._count_anew()
            self._notifier.ready(self._line(words))
            log.info("ready: %s", self._line(words))
        counted_s = now_s - self._counted_since_s
        if counted_s >= STATUS_S:
            self._frames_per_s, self._has_news = self._frames / counted_s, True
            self._count_anew()
        if self.is_ready and self._has_news:
            self._has_news = False
            self._notifier.status(self._line(words))
        if now_s - self._pinged_at_s >= PING_S:
            self._pinged_at_s = now_s
            self._ping()

    def reloading(self) -> None:
        """The configuration is being read again."""
        self._notifier.reloading()

    def reloaded(self, words: str) -> None:
        """It was applied, or refused, which stays in the status line."""
        self._notifier.ready(words)
        self._has_news = False
        self._count_anew()

    def _count_anew(self) -> None:
        self._counted_since_s, self._frames = self._clock(), 0

    def _ping(self) -> None:
        """A sign of life, unless a stage stands still: then the manager ends us."""
        overdue = self.overdue
        if not overdue:
            self._notifier.alive()
        elif not self._is_stuck:
            stages = ", ".join(f"{stage} for {age_s:.0f} s" for stage, age_s in overdue.items())
            log.error("standing still: %s; waiting for the watchdog", stages)
        self._is_stuck = bool(overdue)

    def _line(self, words: str) -> str:
        online = sum(state not in ("offline", "disabled") for state in self._states.values())
        troubled = [
            f"{camera} {state}"
            for camera, state in self._states.items()
            if state not in ("online", None)
        ]
        cameras = f"{online} of {len(self._states)} cameras"
        if troubled:
            cameras += f" ({', '.join(troubled)})"
        if self.failing is not None:
            words = f"a network fails: {self.failing}; {words}"
        words = "; ".join(filter(None, (self._gpu_trouble, self.lacks, words)))
        if self._slow_turns_per_s is not None:
            words += f"; too slow to count people: {self._slow_turns_per_s:.1f} looks a second"
        if self.refused is not None:
            words += f"; the changed configuration was refused: {self.refused}"
        if self._frames_per_s is not None:
            cameras += f", {self._frames_per_s:.1f} frames/s"
        return f"{cameras}; {words}"
