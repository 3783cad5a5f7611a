"""The senders of a box: one per broker, watched, obeying commands."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from edge_app.config.schema import BrokerSettings, Config
from edge_app.delivery.commands import Commands
from edge_app.delivery.home_assistant import HomeAssistant
from edge_app.delivery.messages import Messages
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.sender import Sender
from edge_app.delivery.session import Clocks
from edge_app.delivery.status import Deliveries
from edge_app.runtime.heartbeats import Heartbeats


def brokers_of(config: Config) -> dict[str, BrokerSettings]:
    """The brokers of a configuration, by the outbox's names for them."""
    brokers = {"store": config.mqtt}
    if config.headquarters is not None:
        brokers["headquarters"] = config.headquarters
    return brokers


def senders_of(
    config: Config,
    outbox: Outbox,
    messages: Messages,
    commands: Commands,
    heartbeats: Heartbeats,
    wall: Callable[[], float] = time.time,
) -> list[Sender]:
    """One sender per broker, not started; ``wall`` is the clock that stamps all other messages."""
    senders = []
    for name, settings in brokers_of(config).items():
        # The sender looks at its clock at every turn, which serves as its heartbeat.
        clocks = Clocks(wall, heartbeats.clock_of(f"sender-{name}"))
        sender = Sender(settings, outbox, messages, name, config.outbox.drain_per_s, clocks)
        sender.obey(commands)
        senders.append(sender)
    # Home Assistant is the store's; headquarters has other means.
    senders[0].home_assistant = HomeAssistant(config, outbox)
    return senders


def deliveries_of(config: Config, senders: Sequence[Sender]) -> Deliveries:
    """How each of the configuration's brokers is served."""
    statuses = [sender.status() for sender in senders]
    return Deliveries(dict(zip(brokers_of(config), statuses, strict=True)))


def reload_senders(senders: Sequence[Sender], config: Config) -> None:
    """Take up renewed passwords and certificates, and what Home Assistant is to know now."""
    for sender in senders:
        sender.renew()
        if sender.home_assistant is not None:
            sender.home_assistant.change(config)


def degrade(senders: Sequence[Sender], troubles: Sequence[str]) -> None:
    """Have every broker told why the box is degraded; it is not, if there is no trouble."""
    for sender in senders:
        sender.degrade("; ".join(troubles) or None)
