"""The running box: cameras, pipeline and delivery, from start to stop.

Threads, all of them: one capture thread per camera, the pipeline (the caller's own), one per
network that the pipeline waits for (``renewal``), one sender per broker, the metrics page. They
meet in two places: the newest-frame slot of each camera, and the outbox.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event

from edge_app.app import Networks, build_pipeline
from edge_app.box.camera_board import CameraBoard
from edge_app.box.closing import close_together
from edge_app.box.messages import delivery_figures, directions_of, info, messages_of, retain
from edge_app.box.observed import Observed
from edge_app.box.orders import Orders
from edge_app.box.reload import changed_keys, config_hash, read_again, reload_for_manager
from edge_app.box.senders import brokers_of, degrade, deliveries_of, reload_senders, senders_of
from edge_app.box.supervision import Supervision
from edge_app.box.throttles import LiveThrottle, StateThrottle
from edge_app.capture.camera import LiveCamera
from edge_app.capture.clock import SteadyClock
from edge_app.capture.latest import FrameSlots
from edge_app.capture.source import open_live
from edge_app.config.schema import Config
from edge_app.delivery.audit import Audit
from edge_app.delivery.commands import Commands
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from edge_app.errors import ConfigError, EngineError
from edge_app.events.alerts import Alerts
from edge_app.events.counts import Counts
from edge_app.flow import CameraState, Frame, Message
from edge_app.inference.fallback import gpu_state
from edge_app.pipeline import Step
from edge_app.runtime.health import HealthMeter, written_bytes
from edge_app.runtime.systemd import Notifier

log = logging.getLogger(__name__)

TICK_S = 0.25
"""How long the pipeline waits for a frame before it looks at the clock."""

SUPERVISE_S = 1.0
HEALTH_S = 60.0

Watch = Callable[[list[Frame], Step], None]


class Live:
    """One box at work; ``with`` starts its threads and stops them with everything stored.

    Args:
        config: of the store.
        networks: loaded and ready.
        clock: times pictures and tells the time of day; None for the machine's.
        notifier: to the service manager; None for nobody.
        config_path: what is read again on request; None if it came from nowhere.
    """

    def __init__(
        self,
        config: Config,
        networks: Networks,
        clock: SteadyClock | None = None,
        notifier: Notifier | None = None,
        config_path: Path | None = None,
    ) -> None:
        self._config, self._config_path = config, config_path
        self._clock = clock = clock or SteadyClock()
        self._networks = networks
        self._messages = messages_of(config, networks.models)
        self._slots = FrameSlots(config.cameras, clock.steady_s)
        self._board, self._throttle, self._kept = CameraBoard(), LiveThrottle(), StateThrottle()
        self._health = HealthMeter(clock.steady_s())
        self._supervised_at_s = self._reported_at_s = float("-inf")
        self._stack = ExitStack()
        self._brokers = list(brokers_of(config))
        self.supervision = Supervision(notifier or Notifier({}), config.cameras, self._brokers)
        self.observed = Observed()
        self.reload_asked = Event()
        """Set, from a signal handler too, to have the configuration read again."""

    def __enter__(self) -> Live:
        config = self._config
        try:
            # By the clock that stamps the messages: it tells how long an alert has to live.
            path = config.state_dir / "outbox.sqlite"
            outbox = Outbox(path, config.outbox, self._brokers, self._clock.now_s)
            self._outbox = self._stack.enter_context(outbox)
            self._audit = Audit(config.state_dir / "audit.jsonl")
            commands = Commands(self._messages, self._outbox, self._audit, self._clock.now_s)
            self._orders = Orders(commands, self)
            self._pipeline = build_pipeline(config, self._networks, self._clock.now_s())
            self.supervision.lacks = self._pipeline.lacks
            kept = self._outbox.state()
            self._pipeline.restore(kept)
            self._board.restore(kept.get("box", {}))
            self._outbox.publish([self._introduction()])
            parts = (self._outbox, self._messages, commands, self.supervision.heartbeats)
            self._senders = senders_of(config, *parts, self._clock.now_s)
            degrade(self._senders, self.supervision.troubles)
            self._cameras: list[LiveCamera] = [
                open_live(name, camera, self._slots, self._board.put)
                for name, camera in config.cameras.items()
            ]
            self._stack.enter_context(self.observed.endpoint(config.metrics.port))
            threads: list[Sender | LiveCamera] = [*self._senders, *self._cameras]
            self._stack.callback(close_together, threads)
            for part in threads:
                part.__enter__()
            self._audit.note("started", {"configuration": config_hash(config)}, self._clock.now_s())
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Open windows stay open in the stored state: the next start continues them. After an error
        # the state may be ahead of what was told, and the one stored last stays.
        if kind is None:
            self.counts.sum_up()
            self._store([])
        self._stack.close()
        self._audit.note("stopped", {"error": kind.__name__ if kind else ""}, self._clock.now_s())

    @property
    def has_ended(self) -> bool:
        """Every source was a recording, and all have been played to their end."""
        return all(camera.has_ended for camera in self._cameras)

    @property
    def waiting(self) -> int:
        """Messages that the store's broker has not acknowledged."""
        return self._outbox.depth("store").rows

    @property
    def alerts(self) -> Alerts:
        """The alert rules."""
        return self._pipeline.alerts

    @property
    def counts(self) -> Counts:
        """The counters."""
        return self._pipeline.counts

    def run(self, stop: Event, watch: Watch | None = None) -> None:
        """Work until told to stop, until every source has ended or the GPU needs a new process.

        Args:
            stop: set from a signal handler or another thread.
            watch: sees every step, for drawing.
        """
        while not (stop.is_set() or self.has_ended or self.supervision.is_gpu_hopeless):
            self.turn(watch)

    def turn(self, watch: Watch | None = None) -> None:
        """One turn of the pipeline: the newest frames, or none within a tick."""
        if self.reload_asked.is_set():
            self.reload_asked.clear()
            reload_for_manager(self.reload, self.supervision)
        frames = self._slots.take(TICK_S)
        now_s = self._clock.now_s()
        if self._board.paused_at_s is not None:
            frames = []
        started_s = self._clock.steady_s()
        try:
            step = self._pipeline.step(frames, now_s, self._clock.ahead_s())
        except EngineError as error:
            # The frames are lost, nothing counted is; time goes on, and the next get a fresh try.
            step = self._pipeline.step([], now_s, self._clock.ahead_s())
            step, frames = replace(step, trouble=error), []
        self.supervision.worked(len(frames))
        self._health.stepped(frames, started_s, self._clock.steady_s())
        self._tell(step, self._clock.now_s())
        # A turn without pictures asks no network and proves nothing.
        if frames or step.trouble:
            self._judge_networks(step)
        self.observed.stepped(frames, step, self._pipeline.stage_s, self._clock.steady_s())
        if watch is not None:
            watch(frames, step)

    def _judge_networks(self, step: Step) -> None:
        """Tell whether the networks work.

        Raises:
            EngineError: they have not for so long that only a new process can help.
        """
        if (trouble := step.trouble) is not None:
            log.error("a network failed: %s; going on with the next frames", trouble)
        self.supervision.networks(None if trouble is None else str(trouble))
        # On the CPU a box still counts, but perhaps not every camera in time.
        is_busy = any(frame.tracks for frame in step.tracked) or self._outbox.trouble is not None
        self.supervision.gpu(gpu_state(self._networks.engines), is_busy)
        if trouble is not None and self.supervision.is_hopeless:
            raise trouble

    def finish(self) -> None:
        """Settle and close everything that is pending, for a demo's or a recording's end."""
        now_s = self._clock.now_s()
        self._tell(self._pipeline.finish(now_s, 0), now_s)

    def pause(self, is_paused: bool) -> None:
        """Stop looking at pictures, or go on; survives a restart."""
        self._board.pause(is_paused, self._clock.now_s())

    def send_test(self, rule: str, zone: str | None) -> None:
        """Publish a test alert of a rule, for one of its zones or the first.

        Raises:
            ValueError: there is no such rule, or it does not watch the zone.
        """
        now_s = self._clock.now_s()
        alert = self.alerts.test_alert(rule, zone, now_s)
        self._store([self._messages.alert(alert, now_s)])

    def reload(self) -> str:
        """Read the configuration again and apply its rules, zones and masks; no stream is dropped.

        Returns:
            What changed, in words.

        Raises:
            ConfigError: it was refused, and nothing changed.
        """
        if self._config_path is None:
            raise ConfigError(["there is no configuration file to be read again"])
        before, now_s = self._config, self._clock.now_s()
        running = config_hash(before)
        try:
            config = read_again(self._config_path, before)
        except ConfigError as error:
            told = {"running": running, "why": error.problems}
            self._audit.note("configuration refused", told, now_s)
            self.supervision.refused = error.problems[0]
            raise
        changed = changed_keys(before, config)
        self.supervision.refused = None
        self._config = config
        self._messages = replace(self._messages, directions=directions_of(config))
        reload_senders(self._senders, config)
        for camera in self._cameras:
            camera.change(config.cameras[camera.camera_id])
        self._slots.take(0.0)  # these were masked as before
        self._pipeline.reconfigure(config, now_s)
        self._store([self._introduction()], is_durable=True)
        told = {"before": running, "after": config_hash(config), "changed": changed}
        self._audit.note("configuration applied", told, now_s)
        return f"applied: {', '.join(changed)}" if changed else "nothing has changed"

    def _tell(self, step: Step, now_s: float) -> None:
        """Everything that follows from a step into the outbox, with the state behind it.

        No state may be stored before what was told in it: a box that is killed in between would
        take it for sent.
        """
        make = self._messages
        messages = [make.alert(alert, now_s) for alert in step.alerts]
        messages += [make.window(window, now_s) for window in step.windows]
        if messages or step.entries:
            self._store(messages)
        orders = self._orders.carry_out(now_s)
        messages = [make.camera_state(state, now_s) for state in self._new_states()]
        if messages or orders:
            self._store(messages, is_durable=orders > 0)
        self._orders.answer()
        self._upkeep(now_s)

    def _upkeep(self, now_s: float) -> None:
        """What is done once a second or once a minute rather than at every step."""
        delivery, outbox_trouble = deliveries_of(self._config, self._senders), self._outbox.trouble
        self.supervision.turn("; ".join(filter(None, (outbox_trouble, delivery.words))))
        self.observed.health(self.supervision, delivery, outbox_trouble)
        degrade(self._senders, self.supervision.troubles)
        steady_s = self._clock.steady_s()
        if steady_s - self._supervised_at_s < SUPERVISE_S:
            return
        self._supervised_at_s = steady_s
        for camera in self._cameras:
            camera.supervise()
        self.observed.metrics.pictures(self._slots.drops(), self._pipeline.skipped)
        due = self._throttle.due(self._pipeline.counts.live(now_s), now_s)
        messages = [self._messages.live(count, now_s) for count in due]
        if steady_s - self._reported_at_s >= HEALTH_S:
            self._reported_at_s = steady_s
            measured = self._health.report(self._slots.drops(), steady_s)
            self.supervision.slow(self._health.slow_turns_per_s)
            measured |= delivery_figures(self._outbox, delivery.store.puback_age_s)
            gpu = gpu_state(self._networks.engines)
            measured["gpu_memory_mb"] = gpu.memory_mb and round(gpu.memory_mb, 1)
            more = {"gpu_failures": gpu.failures, "written_bytes": written_bytes()}
            self.observed.figures(measured | more)
            messages.append(self._messages.health(measured, now_s))
        self._store(messages)

    def _new_states(self) -> list[CameraState]:
        for state in self._board.arrived(self._clock.ahead_s()):
            self.supervision.camera(state)
        news = self._board.news()
        for state in news:
            self.observed.metrics.camera(state)
        return news

    def _store(self, messages: list[Message], is_durable: bool = False) -> None:
        """Messages into the outbox, together with what must survive a restart, if that is due."""
        state = {**self._pipeline.state(), "box": self._board.state()}
        due = self._kept.due(state, self._clock.steady_s())
        if messages or due:
            self._outbox.publish(messages, due, is_durable)

    def _introduction(self) -> Message:
        """What the box is, with the brokers about to keep its topics and no former ones."""
        retain(self._outbox, self._config)
        return info(self._messages, self._config, self._networks.models, self._clock.now_s())
