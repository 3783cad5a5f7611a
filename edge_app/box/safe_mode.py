"""Safe mode: after a crash loop, a box that does nothing but say so.

No network is loaded and no camera opened, since one of them is what crashes. The brokers hear that
the box is degraded, what waits in the outbox is delivered, and after a while the program ends, so
that the service manager gives the whole another try.
"""

from __future__ import annotations

import logging
import secrets
import time
from contextlib import ExitStack
from threading import Event

from edge_app.box.senders import brokers_of, senders_of
from edge_app.box.supervision import Supervision
from edge_app.config.schema import Config
from edge_app.delivery.audit import Audit
from edge_app.delivery.commands import Commands
from edge_app.delivery.messages import Messages
from edge_app.delivery.outbox import Outbox
from edge_app.flow import CameraState
from edge_app.runtime.systemd import Notifier

log = logging.getLogger(__name__)

LASTS_S = 900.0
"""After so long another try is worth it."""
TURN_S = 0.5


def run_safely(
    config: Config, crashes: int, error: str | None, notifier: Notifier, stop: Event
) -> None:
    """Report that the box is in safe mode until told to stop, or until it is worth another try.

    Args:
        config: of the store.
        crashes: how many starts crashed lately.
        error: what the last of them failed with; None where only the journal knows.
        notifier: to the service manager.
        stop: set from a signal handler or another thread.
    """
    why = f"the last by {error}" if error else "see the journal"
    words = f"safe mode: {crashes} crashes in ten minutes; {why}"
    log.error(
        "%s; no camera is opened for %.0f min; once the cause is gone, a restart tries at once",
        words, LASTS_S / 60.0,
    )  # fmt: skip
    now_s = time.time()
    messages = Messages(config.store, config.node, secrets.token_hex(4), config.timezone)
    names = list(brokers_of(config))
    supervision = Supervision(notifier, config.cameras, names)
    with ExitStack() as stack:
        outbox = stack.enter_context(
            Outbox(config.state_dir / "outbox.sqlite", config.outbox, names)
        )
        audit = Audit(config.state_dir / "audit.jsonl")
        audit.note("safe mode", {"crashes": crashes}, now_s)
        commands = Commands(messages, outbox, audit, time.time)
        states = [CameraState(name, "disabled", words, now_s) for name in config.cameras]
        outbox.publish([messages.camera_state(state, now_s) for state in states])
        for state in states:
            supervision.camera(state)
        senders = senders_of(config, outbox, messages, commands, supervision.heartbeats)
        for sender in senders:
            sender.degrade(words)
            stack.enter_context(sender)
        until_s = time.monotonic() + LASTS_S
        while not stop.wait(TURN_S) and time.monotonic() < until_s:
            for command in commands.take():
                commands.answer(command, "refused", words)
            supervision.worked(0)
            supervision.turn(words)
