"""The running box: cameras, pipeline and delivery, from start to stop.

Threads, all of them: one capture thread per camera, the pipeline (the caller's own), one sender
per broker. They meet in two places: the newest-frame slot of each camera, and the outbox.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from threading import Event
from types import TracebackType
from typing import Any

from edge_app import __version__
from edge_app.app import Networks, build_pipeline
from edge_app.capture.camera import LiveCamera
from edge_app.capture.clock import SteadyClock
from edge_app.capture.latest import FrameSlots
from edge_app.capture.source import open_live
from edge_app.config.schema import Config
from edge_app.delivery.messages import Messages
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from edge_app.delivery.session import Clocks
from edge_app.errors import EngineError
from edge_app.flow import CameraState, Frame, LiveCount, Message
from edge_app.pipeline import Step
from edge_app.runtime.health import HealthMeter
from edge_app.runtime.systemd import Notifier
from edge_app.supervision import Supervision

log = logging.getLogger(__name__)

TICK_S = 0.25
"""How long the pipeline waits for a frame before it looks at the clock."""

SUPERVISE_S = 1.0
HEALTH_S = 60.0
LIVE_LEAST_S = 5.0
LIVE_MOST_S = 300.0
CLOSE_S = 8.0
"""Most time that stopping takes; the service manager allows more."""

Watch = Callable[[list[Frame], Step], None]


class LiveThrottle:
    """Which live counts are due: changed ones every five seconds, all every five minutes."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, tuple[int, int, int]]] = {}

    def due(self, counts: list[LiveCount], now_s: float) -> list[LiveCount]:
        """The counts to publish now."""
        chosen = []
        for count in counts:
            value = (count.occupancy, count.in_today, count.out_today)
            at_s, before = self._said.get(count.zone, (float("-inf"), (-1, -1, -1)))
            age_s = now_s - at_s if now_s >= at_s else LIVE_MOST_S
            if age_s >= LIVE_MOST_S or (value != before and age_s >= LIVE_LEAST_S):
                self._said[count.zone] = (now_s, value)
                chosen.append(count)
        return chosen


class Live:
    """One box at work; ``with`` starts its threads and stops them with everything stored.

    Args:
        config: of the store.
        networks: loaded and ready.
        clock: seconds of Unix time that never go back; None for the machine's.
        notifier: to the service manager; None for nobody.
    """

    def __init__(
        self,
        config: Config,
        networks: Networks,
        clock: Callable[[], float] | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        self._config = config
        self._clock = clock = clock or SteadyClock().now_s
        self._networks = networks
        self._messages = Messages(
            config.store,
            config.node,
            secrets.token_hex(4),
            config.timezone,
            config.language,
            config.privacy.min_cell,
            "+".join(f"{task}-{model.version}" for task, model in networks.models.items()),
            {name: rule.direction for name, rule in config.alerts.items()},
        )
        self._slots = FrameSlots(config.cameras, clock)
        self._states: SimpleQueue[CameraState] = SimpleQueue()
        self._throttle = LiveThrottle()
        self._health = HealthMeter(clock())
        self._supervised_at_s = self._reported_at_s = float("-inf")
        self._stack = ExitStack()
        self._brokers = {"store": config.mqtt}
        if config.headquarters is not None:
            self._brokers["headquarters"] = config.headquarters
        self.supervision = Supervision(notifier or Notifier({}), config.cameras, self._brokers)

    def __enter__(self) -> Live:
        config = self._config
        try:
            self._outbox = self._stack.enter_context(
                Outbox(config.state_dir / "outbox.sqlite", config.outbox, list(self._brokers))
            )
            self._pipeline = build_pipeline(config, self._networks, self._clock())
            self._pipeline.restore(self._outbox.state())
            self._outbox.publish([self._info()])
            self._senders = [self._sender(name) for name in self._brokers]
            self._cameras: list[LiveCamera] = [
                open_live(name, camera, self._slots, self._states.put)
                for name, camera in config.cameras.items()
            ]
            threads: list[Sender | LiveCamera] = [*self._senders, *self._cameras]
            self._stack.callback(_close_together, threads)
            for part in threads:
                part.__enter__()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Open windows stay open in the stored state: the next start continues them.
        self._outbox.publish([], self._pipeline.state())
        self._stack.close()

    def _sender(self, name: str) -> Sender:
        # The sender looks at its clock at every turn, which serves as its heartbeat.
        beating = self.supervision.heartbeats.clock_of(f"sender-{name}", f"sender-{name}")
        return Sender(
            self._brokers[name],
            self._outbox,
            self._messages,
            name,
            self._config.outbox.drain_per_s,
            Clocks(steady=beating),
        )

    @property
    def has_ended(self) -> bool:
        """Every source was a recording, and all have been played to their end."""
        return all(camera.has_ended for camera in self._cameras)

    def run(self, stop: Event, watch: Watch | None = None) -> None:
        """Work until told to stop, or until every source has ended.

        Args:
            stop: set from a signal handler or another thread.
            watch: sees every step, for drawing.
        """
        while not stop.is_set() and not self.has_ended:
            self.turn(watch)

    def turn(self, watch: Watch | None = None) -> None:
        """One turn of the pipeline: the newest frames, or none within a tick."""
        frames = self._slots.take(TICK_S)
        now_s = self._clock()
        started = time.perf_counter()
        try:
            step = self._pipeline.step(frames, now_s)
        except EngineError:
            # The frames are lost, nothing counted is; the next ones get a fresh try.
            log.exception("a network failed; going on with the next frames")
            self._degrade("a network fails")
            step, frames = Step(), []
        else:
            # A turn without pictures asks no network and proves nothing.
            if frames:
                self._degrade(None)
        self.supervision.worked(len(frames))
        self._health.stepped(frames, time.perf_counter() - started, now_s)
        self._tell(step, now_s)
        if watch is not None:
            watch(frames, step)

    def finish(self) -> None:
        """Settle and close everything that is pending, for a demo's or a recording's end."""
        now_s = self._clock()
        self._tell(self._pipeline.finish(now_s, 0), now_s)

    def _tell(self, step: Step, now_s: float) -> None:
        """Everything that follows from a step, with the state behind it, into the outbox."""
        make = self._messages
        messages = [make.alert(alert, now_s) for alert in step.alerts]
        messages += [make.window(window, now_s) for window in step.windows]
        messages += [make.camera_state(state, now_s) for state in self._new_states()]
        messages += self._upkeep(now_s)
        if messages or step.entries:
            self._outbox.publish(messages, self._pipeline.state())

    def _upkeep(self, now_s: float) -> list[Message]:
        """What is done once a second or once a minute rather than at every step."""
        self.supervision.turn(self._senders[0].status().detail)
        if 0.0 <= now_s - self._supervised_at_s < SUPERVISE_S:
            return []
        self._supervised_at_s = now_s
        for camera in self._cameras:
            camera.supervise()
        due = self._throttle.due(self._pipeline.counts.live(now_s), now_s)
        messages = [self._messages.live(count, now_s) for count in due]
        if not 0.0 <= now_s - self._reported_at_s < HEALTH_S:
            self._reported_at_s = now_s
            measured = self._health.report(self._slots.drops(), now_s)
            messages.append(self._messages.health(measured | self._delivery(), now_s))
        if not messages:
            self._outbox.publish([], self._pipeline.state())
        return messages

    def _new_states(self) -> list[CameraState]:
        states = []
        try:
            while True:
                states.append(self._states.get_nowait())
                self.supervision.camera(states[-1])
        except Empty:
            return states

    def _delivery(self) -> dict[str, Any]:
        """The health message's keys about the outbox, as the store's broker sees it."""
        depth = self._outbox.depth("store")
        return {
            "outbox_rows": depth.rows,
            "outbox_oldest_s": round(depth.oldest_s, 1),
            "outbox_mb": round(depth.size_mb, 3),
            "puback_age_s": self._senders[0].status().puback_age_s,
            "alerts_expired_total": depth.alerts_expired,
            "windows_dropped_total": depth.windows_dropped,
            "live_dropped_total": depth.live_dropped,
            "refused_total": depth.refused,
        }

    def _degrade(self, reason: str | None) -> None:
        for sender in self._senders:
            sender.degrade(reason)

    def _info(self) -> Message:
        config = self._config
        rules = {
            name: ", ".join((*rule.any_of, *rule.all_of)) for name, rule in config.alerts.items()
        }
        zones = {name: "area" if zone.area else "line" for name, (_, zone) in config.zones.items()}
        models = {
            task: f"{model.version} sha256:{model.sha256[:16]}"
            for task, model in self._networks.models.items()
        }
        return self._messages.node_info(
            self._clock(), {"dresscode": __version__}, models, zones, rules
        )


def _close_together(parts: Iterable[Sender | LiveCamera]) -> None:
    """Stop threads side by side: one that hangs must not make the others wait their turn."""
    closers = [threading.Thread(target=_close, args=(part,), daemon=True) for part in parts]
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join(CLOSE_S)


def _close(part: Sender | LiveCamera) -> None:
    try:
        part.__exit__(None, None, None)
    except RuntimeError:
        # A thread that was never started, since another part failed to start, cannot be joined.
        log.debug("nothing to stop", exc_info=True)
