"""What a box says of itself: who it is, what it consists of, how its delivery is doing."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from edge_app import __version__
from edge_app.box.clock_health import is_clock_synchronised
from edge_app.config.schema import Config
from edge_app.delivery.messages import Messages
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.topics import TOPICS
from edge_app.flow import ALL, Direction, Message
from edge_app.inference.model import Model


def messages_of(config: Config, models: Mapping[str, Model]) -> Messages:
    """The maker of one run's messages."""
    return Messages(
        store=config.store,
        node=config.node,
        boot=secrets.token_hex(4),
        timezone=config.timezone,
        language=config.language,
        min_cell=config.privacy.min_cell,
        model="+".join(f"{task}-{model.version}" for task, model in models.items()),
        directions=directions_of(config),
        is_clock_ok=is_clock_synchronised,
    )


def directions_of(config: Config) -> dict[str, Direction]:
    """By rule, which way it looks."""
    return {name: rule.direction for name, rule in config.alerts.items()}


def info(messages: Messages, config: Config, models: Mapping[str, Model], now_s: float) -> Message:
    """The birth certificate: versions, models, zones and rules."""
    rules = {name: ", ".join((*rule.any_of, *rule.all_of)) for name, rule in config.alerts.items()}
    zones = {name: "area" if zone.area else "line" for name, (_, zone) in config.zones.items()}
    hashes = {task: f"{model.version} sha256:{model.sha256[:16]}" for task, model in models.items()}
    return messages.node_info(now_s, {"dresscode": __version__}, hashes, zones, rules)


def retain(outbox: Outbox, config: Config) -> None:
    """Have brokers keep the topics of this configuration, and forget those of one before it."""
    store, node = config.store, config.node
    topics = [
        TOPICS["state"].at(store, node=node),
        TOPICS["info"].at(store, node=node),
        *(TOPICS["camera"].at(store, camera=camera) for camera in config.cameras),
        *(TOPICS["live"].at(store, zone=zone) for zone in (*config.zones, ALL)),
    ]
    outbox.keep_retained(f"{store}/{node}", topics)


def delivery_figures(outbox: Outbox, puback_age_s: float | None) -> dict[str, Any]:
    """The health message's keys about the outbox, as the store's broker sees it."""
    depth = outbox.depth("store")
    return {
        "outbox_rows": depth.rows,
        "outbox_oldest_s": round(depth.oldest_s, 1),
        "outbox_mb": round(depth.size_mb, 3),
        "puback_age_s": puback_age_s,
        "alerts_expired_total": depth.alerts_expired,
        "windows_dropped_total": depth.windows_dropped,
        "live_dropped_total": depth.live_dropped,
        "refused_total": depth.refused,
    }
