"""From the values of the flow to MQTT messages: topic, payload, expiry and CloudEvents attributes.

Two numbers of a payload are not known here but only when the message is stored for good, in the
same transaction: ``seq`` and, for a day, ``dropped_windows``. They are written as 0 and completed
by :func:`numbered`, which the outbox calls.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from edge_app.delivery.contract import (
    PAYLOADS,
    AlertPayload,
    CameraStatePayload,
    GarmentCounts,
    LivePayload,
    NodeHealth,
    NodeInfo,
    NodeState,
    Payload,
    WindowPayload,
    schema_name,
)
from edge_app.delivery.kinds import rfc3339
from edge_app.delivery.sentences import text, title
from edge_app.delivery.topics import TOPICS
from edge_app.flow import (
    GARMENT_WINDOWS,
    Alert,
    CameraState,
    CountWindow,
    Direction,
    LiveCount,
    Message,
)
from edge_app.suppression import suppress
from edge_app.vocabulary import CATEGORIES, REGION_OF, UNKNOWN

WINDOW_NAMESPACE: Final = uuid.UUID("5d1f6c1e-6f0b-5a55-9a40-d2e55c0de001")
"""Namespace of the windows' UUIDv5, fixed for ever."""

WINDOWS_S: Final = {"pt1m": 60, "pt15m": 900, "pt1h": 3600, "p1d": 86400}
"""Nominal length of each window; a day has 23 or 25 hours when the clocks change."""


def uuid7(now_s: float) -> str:
    """A new UUIDv7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, then random bits.

    >>> uuid7(1_700_000_000.0)[:15]
    '018bcfe5-6800-7'
    """
    bits = (int(now_s * 1000) & (1 << 48) - 1) << 80 | secrets.randbits(76)
    bits = bits & ~(0xF << 76) | 0x7 << 76  # version
    return str(uuid.UUID(int=bits & ~(0b11 << 62) | 0b10 << 62))  # variant


def window_id(store: str, node: str, zone: str, window: str, start: str, rev: int) -> str:
    """The UUIDv5 that a window has whenever and however often it is made."""
    return str(uuid.uuid5(WINDOW_NAMESPACE, f"{store}|{node}|{zone}|{window}|{start}|{rev}"))


def numbered(payload: bytes, seq: int, dropped_windows: int) -> bytes:
    """A payload of this module with the numbers that are known only when it is stored.

    >>> numbered(b'{"schema":"x","id":"y","seq":0,"dropped_windows":0}', 12, 3)
    b'{"schema":"x","id":"y","seq":12,"dropped_windows":3}'
    """
    payload = payload.replace(b'"seq":0,', b'"seq":%d,' % seq, 1)
    return payload.replace(b'"dropped_windows":0}', b'"dropped_windows":%d}' % dropped_windows, 1)


def historical(payload: bytes) -> bytes:
    """A window's payload as it is sent again on request."""
    return payload.replace(b'"historical":false', b'"historical":true', 1)


@dataclass(frozen=True)
class Messages:
    """Makes the messages of one box.

    Attributes:
        store: id of the store, first level of every topic.
        node: id of the box.
        boot: names this run of the program; changes with every start.
        timezone: of the tz database.
        language: of the alerts' sentences.
        min_cell: k, smaller garment counts are suppressed.
        model: version of the models, for the windows.
        directions: per alert rule ``in`` or ``out``; ``in`` where a rule is missing.
        is_clock_ok: whether the box's clock is synchronised, asked at every message.
    """

    store: str
    node: str
    boot: str
    timezone: str
    language: str = "en"
    min_cell: int = 5
    model: str = ""
    directions: Mapping[str, Direction] = field(default_factory=dict)
    is_clock_ok: Callable[[], bool] = lambda: True

    def alert(self, alert: Alert, now_s: float) -> Message:
        """An alert: sent first, worthless after its time."""
        direction = self.directions.get(alert.rule, "in")
        expires_at_s = alert.settled_at_s + alert.expires_s
        payload = AlertPayload(
            id=uuid7(now_s),
            seq=0,
            boot=self.boot,
            store=self.store,
            node=self.node,
            ts=rfc3339(alert.settled_at_s),
            expires=rfc3339(expires_at_s),
            event_type=alert.rule,
            rule=alert.rule,
            zone=alert.zone,
            title=title(self.language, alert.garment, alert.people, alert.is_test, alert.also),
            text=text(self.language, alert, direction, self.timezone),
            garment=alert.garment,
            garment_probability=round(alert.probability, 4),
            colour=alert.colour,
            people=alert.people,
            latency_ms=max(0, round((now_s - alert.settled_at_s) * 1000)),
            clock_ok=self.is_clock_ok(),
            test=alert.is_test,
        )
        topic = TOPICS["alert"].at(self.store, zone=alert.zone, rule=alert.rule)
        return self._message("alert", topic, payload, expires_at_s)

    def window(self, window: CountWindow, now_s: float) -> Message:
        """A closed window, its small garment cells suppressed."""
        start = rfc3339(window.start_s)
        garment, suppressed = None, 0
        if window.window in GARMENT_WINDOWS:
            cells = {name: window.garment.get(name, 0) for name in (*CATEGORIES, UNKNOWN)}
            shown, suppressed = suppress(cells, self.min_cell, window.withheld)
            garment = GarmentCounts(**shown)
        payload = WindowPayload(
            id=window_id(self.store, self.node, window.zone, window.window, start, window.rev),
            seq=0,
            boot=self.boot,
            store=self.store,
            node=self.node,
            zone=window.zone,
            window=cast(Any, window.window),
            start=start,
            end=rfc3339(window.end_s),
            tz=window.timezone,
            business_day=window.business_day,
            local_hour=window.local_hour,
            rev=window.rev,
            final=True,
            historical=False,
            coverage=round(window.coverage, 4),
            clock_ok=self.is_clock_ok(),
            in_=window.counts["in"],
            out=window.counts["out"],
            uturn=window.counts["uturn"],
            staff_in=window.counts["staff_in"],
            occ_start=round(window.occ["start"]),
            occ_end=round(window.occ["end"]),
            occ_max=round(window.occ["max"]),
            occ_avg=round(window.occ["avg"], 2),
            dwell_n=window.dwell_n,
            dwell_sum_s=round(window.dwell_sum_s, 1),
            garment=garment,
            garment_n=window.garment_n,
            k=self.min_cell,
            suppressed=suppressed,
            in_total=window.in_total,
            out_total=window.out_total,
            counter_epoch=rfc3339(window.counter_epoch_s),
            model=self.model,
            drift=window.drift if window.window == "p1d" else None,
            dropped_windows=0 if window.window == "p1d" else None,
        )
        topic = TOPICS["agg"].at(self.store, zone=window.zone, window=window.window)
        expires_at_s = now_s + (TOPICS["agg"].expiry_s or 0.0)
        return self._message("agg", topic, payload, expires_at_s)

    def live(self, live: LiveCount, now_s: float) -> Message:
        """What a zone's counters say now."""
        payload = LivePayload(
            store=self.store,
            node=self.node,
            zone=live.zone,
            ts=rfc3339(live.at_s),
            occupancy=max(0, live.occupancy),
            in_today=live.in_today,
            out_today=live.out_today,
        )
        topic = TOPICS["live"].at(self.store, zone=live.zone)
        return self._message("live", topic, payload, now_s + (TOPICS["live"].expiry_s or 0.0))

    def camera_state(self, state: CameraState, now_s: float) -> Message:
        """Whether a camera can be trusted."""
        payload = CameraStatePayload(
            store=self.store,
            node=self.node,
            camera=state.camera,
            ts=rfc3339(now_s),
            state=cast(Any, state.state),
            reason=state.reason,
            since=rfc3339(state.since_s),
        )
        topic = TOPICS["camera"].at(self.store, camera=state.camera)
        return self._message("camera", topic, payload)

    def node_state(self, state: str, reason: str, birth: int, now_s: float) -> Message:
        """Whether the box is there; the sender publishes it, and leaves one as its last will."""
        payload = NodeState(
            store=self.store,
            node=self.node,
            ts=rfc3339(now_s),
            state=cast(Any, state),
            reason=reason,
            boot=self.boot,
            birth=birth,
        )
        return self._message("state", TOPICS["state"].at(self.store, node=self.node), payload)

    def node_info(
        self,
        now_s: float,
        versions: Mapping[str, str],
        models: Mapping[str, str],
        zones: Mapping[str, str],
        rules: Mapping[str, str],
    ) -> Message:
        """What the box is.

        Args:
            now_s: the present.
            versions: by program or library.
            models: version and hash by model.
            zones: ``line`` or ``area`` by zone.
            rules: garments, comma separated, by rule.
        """
        payload = NodeInfo(
            store=self.store,
            node=self.node,
            ts=rfc3339(now_s),
            boot=self.boot,
            tz=self.timezone,
            language=self.language,
            versions=dict(versions),
            models=dict(models),
            vocabulary=dict(REGION_OF),
            zones=dict(zones),
            rules=dict(rules),
            windows=dict(WINDOWS_S),
            schemas={kind: schema_name(kind) for kind in PAYLOADS},
            k=self.min_cell,
        )
        return self._message("info", TOPICS["info"].at(self.store, node=self.node), payload)

    def health(self, measured: Mapping[str, Any], now_s: float) -> Message:
        """How the box is doing.

        Args:
            measured: any of the keys of :class:`NodeHealth`; what is missing is published as null.
            now_s: the present.

        Raises:
            ValidationError: a key is unknown or a value of the wrong type.
        """
        own = {"store": self.store, "node": self.node, "ts": rfc3339(now_s), "boot": self.boot}
        payload = NodeHealth.model_validate({**own, "clock_ok": self.is_clock_ok(), **measured})
        topic = TOPICS["health"].at(self.store, node=self.node)
        return self._message("health", topic, payload, now_s + (TOPICS["health"].expiry_s or 0.0))

    def _message(
        self, kind: str, topic: str, payload: Payload, expires_at_s: float | None = None
    ) -> Message:
        entry = TOPICS[kind]
        lane = kind if kind in ("alert", "agg") else "state" if entry.qos else "now"
        fields = payload.model_dump(include={"id", "ts", "start", "end"})
        event_id = fields.get("id") or str(uuid.uuid4())
        return Message(
            topic=topic,
            payload=payload.to_json(),
            qos=entry.qos,
            is_retained=entry.is_retained,
            lane=cast(Any, lane),
            expires_at_s=expires_at_s,
            id=fields.get("id"),
            # CloudEvents 1.0.2, binary mode of the MQTT binding.
            properties={
                "specversion": "1.0",
                "id": event_id,
                "source": f"/dresscode/{self.store}/{self.node}",
                "type": f"dresscode.{kind}",
                "time": fields.get("ts") or fields["end"],
                "subject": topic.removeprefix(f"dresscode/v1/{self.store}/"),
            },
        )
