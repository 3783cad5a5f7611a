"""A live camera that always comes back: read in a thread of its own, newest frame only."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from edge_app.capture.latest import MAX_AGE_S, FrameSlots
from edge_app.capture.masks import PrivacyMasks
from edge_app.capture.pace import LatenessMeter, RateLimit
from edge_app.capture.scene import FINE, SceneWatch
from edge_app.config.schema import CameraSettings
from edge_app.config.secrets import redact
from edge_app.errors import SourceError
from edge_app.flow import CameraState, Frame
from edge_app.ports import Camera

log = logging.getLogger(__name__)

Opener = Callable[[], Camera]
"""Connects to a camera; its frames' times are those of a clock that runs like ours, whatever its
origin. Raises SourceError."""


@dataclass(frozen=True)
class Timing:
    """How patient a live camera is.

    Attributes:
        stall_s: no picture for this long is a stall.
        open_s: a connection that takes longer hangs.
        max_age_s: frames that arrive later than this are dropped.
        first_retry_s: pause before the second attempt to connect; it doubles from there,
        last_retry_s: up to this.
        healthy_s: a connection that held for this long was a good one: the next pause is short.
        close_s: how long to wait for the thread at the end.
        replace_s: while threads hang for good, one more is tried after this, doubled for each.
    """

    stall_s: float = 4.5
    open_s: float = 20.0
    max_age_s: float = MAX_AGE_S
    first_retry_s: float = 0.5
    last_retry_s: float = 30.0
    healthy_s: float = 10.0
    close_s: float = 6.0
    replace_s: float = 60.0

    def pause_s(self, failures: int, share: float) -> float:
        """Pause after so many failures on end: capped, and jittered by ``share`` (0..1).

        >>> [Timing().pause_s(failures, 1.0) for failures in (1, 2, 3, 99)]
        [0.5, 1.0, 2.0, 30.0]
        """
        whole = min(self.first_retry_s * 2.0 ** min(failures - 1, 16), self.last_retry_s)
        return whole * (0.5 + 0.5 * share)


class LiveCamera:
    """One camera, kept alive; ``with`` starts and stops its thread.

    Pictures are stamped with our even time of their capture, never decreasing, thinned out to the
    configured rate, masked, and put into the camera's slot. Changes of state are reported.

    Args:
        camera_id: id in the configuration.
        settings: rate, masks and zones.
        opener: connects to the camera; called again after every failure.
        slots: where frames go.
        on_state: told every change, from the capture thread; must only enqueue.
        timing: patience.
    """

    def __init__(
        self,
        camera_id: str,
        settings: CameraSettings,
        opener: Opener,
        slots: FrameSlots,
        on_state: Callable[[CameraState], None],
        timing: Timing | None = None,
    ) -> None:
        self.camera_id = camera_id
        self._about = {"camera": camera_id}
        self._opener = opener
        self._slots = slots
        self._on_state = on_state
        self._timing = timing or Timing()
        self._settings = settings
        self._masks = PrivacyMasks(settings.privacy_masks)
        self._scene = SceneWatch()
        self._verdict = FINE
        self._lock = threading.RLock()
        self._state: CameraState | None = None
        self._index = 0
        self._taken_at_s = 0.0
        self._busy: tuple[str, float] | None = None
        self._thread: threading.Thread | None = None
        self._stuck: list[threading.Thread] = []
        self._stop = threading.Event()
        self.has_ended = False

    def __enter__(self) -> LiveCamera:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(self._timing.close_s)
            if self._thread.is_alive():
                log.warning(
                    "camera %s: the capture thread hangs and is left behind",
                    self.camera_id,
                    extra=self._about,
                )

    def change(self, settings: CameraSettings) -> None:
        """Black out other parts from the next picture on; the stream goes on.

        Args:
            settings: differ from those before in zones and masks only, or not at all.
        """
        with self._lock:
            if settings == self._settings:
                return
            self._settings = settings
            self._masks = PrivacyMasks(settings.privacy_masks)
            # Whoever changes masks and zones has looked: what the camera shows now is the place.
            self._scene = SceneWatch()

    def supervise(self) -> None:
        """Notice a capture thread that hangs, report it and replace it; call about once a second.

        A thread cannot be ended from outside: it is cut off, and ends when its call returns. While
        some hang, the next is left behind only after twice as long each time: a camera may always
        come back, and in a year there are no more than some twenty.
        """
        with self._lock:
            if self._busy is None or self.has_ended:
                return
            doing, since_s = self._busy
            # A folder of pictures as if live may well send one every ten seconds.
            patience_s = (
                self._timing.open_s
                if doing == "connecting"
                else max(self._timing.stall_s, 3.0 / self._settings.fps)
            )
            waited_s = time.monotonic() - since_s
            if waited_s <= patience_s:
                return
            # The same words each time: a new reason would be a new state, published every second.
            self._report("offline", f"{doing}: nothing for more than {patience_s:.0f} s")
            self._stuck = [thread for thread in self._stuck if thread.is_alive()]
            longest_s = self._timing.replace_s * 2.0 ** len(self._stuck)
            if self._thread is not None and (not self._stuck or waited_s > longest_s):
                self._stop.set()
                self._stuck.append(self._thread)
                self._start()

    def _start(self) -> None:
        self._stop = threading.Event()
        self._busy = None
        self._thread = threading.Thread(
            target=self._run, args=(self._stop,), name=f"capture-{self.camera_id}", daemon=True
        )
        self._thread.start()

    def _run(self, stop: threading.Event) -> None:
        """Top of the capture thread: connect, read, report, pause, and again."""
        failures = 0
        while not stop.is_set():
            began_s = time.monotonic()
            try:
                self._stream(stop)
                reason = "the recording has ended"
                ended = True
            except SourceError as error:
                reason, ended = redact(str(error)), False
            except Exception as error:
                # Whatever a camera sends must not end its thread.
                log.exception("camera %s: unexpected error", self.camera_id, extra=self._about)
                reason, ended = f"internal error: {type(error).__name__}", False
            with self._lock:
                if stop.is_set():
                    return
                self._busy = None
                self.has_ended = ended
                self._report("offline", reason)
            if ended:
                return
            held = time.monotonic() - began_s > self._timing.healthy_s
            failures = 1 if held else failures + 1
            stop.wait(self._timing.pause_s(failures, random.random()))

    def _stream(self, stop: threading.Event) -> None:
        """Read one connection to its end.

        Raises:
            SourceError: it failed.
        """
        self._mark("connecting", stop)
        with closing(self._opener()) as camera:
            lateness = LatenessMeter(self._timing.max_age_s)
            rate = RateLimit(self._settings.fps)
            while not stop.is_set():
                self._mark("waiting for a picture", stop)
                frame = camera.read()
                if frame is None:
                    return
                late_s = lateness.measure(time.monotonic(), frame.taken_at_s)
                self._pass_on(frame, late_s, rate, stop)

    def _pass_on(self, frame: Frame, late_s: float, rate: RateLimit, stop: threading.Event) -> None:
        with self._lock:
            if stop.is_set():
                return
            taken_at_s = max(self._slots.clock() - late_s, self._taken_at_s)
            self._taken_at_s = taken_at_s
            index = self._index
            self._index += 1
            if late_s > self._timing.max_age_s:
                self._slots.count_drop(self.camera_id, "late")
            elif not rate.wants(taken_at_s):
                self._slots.count_drop(self.camera_id, "rate")
            else:
                picture = self._masks.apply(frame.frame_bgr)
                self._verdict = self._scene.judge(picture, taken_at_s)
                self._slots.put(Frame(self.camera_id, index, taken_at_s, picture))
            self._report(*self._verdict)

    def _mark(self, doing: str, stop: threading.Event) -> None:
        with self._lock:
            if not stop.is_set():
                self._busy = (doing, time.monotonic())

    def _report(self, state: str, reason: str) -> None:
        """Tell a change; the time of a state is when it began, whatever its reasons since."""
        before = self._state
        if before is not None and (before.state, before.reason) == (state, reason):
            return
        since_s = before.since_s if before and before.state == state else self._slots.clock()
        self._state = CameraState(self.camera_id, state, reason, since_s)
        level = logging.INFO if state == "online" else logging.WARNING
        told = (self.camera_id, state, reason and f", {reason}")
        log.log(level, "camera %s: %s%s", *told, extra=self._about)
        self._on_state(self._state)
