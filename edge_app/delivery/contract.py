"""The payloads of every message, as models: the single source of schemas, documents and tests.

Flat JSON for people who read it with Node-RED, Telegraf or a spreadsheet: every key is always
there, maps are keyed by a fixed vocabulary or by ids of the configuration, nothing is an array,
times are RFC 3339 in UTC with milliseconds, units are in the names. What is not known, or hidden to
protect people, is null. Keys may be added within a version of a schema; readers ignore those they
do not know.

:mod:`edge_app.delivery.documents` makes JSON Schemas, the AsyncAPI document and tables of them.
"""

from __future__ import annotations

import json
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from edge_app.delivery.kinds import (
    AskedTime,
    CameraWord,
    Cell,
    Count,
    Id,
    NodeWord,
    Share,
    Time,
    Uuid,
    Window,
)

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class Payload(BaseModel):
    """Base of all payloads: frozen, unknown keys refused, published under their aliases."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        allow_inf_nan=False,
        json_schema_serialization_defaults_required=True,
    )

    def to_json(self) -> bytes:
        """The payload as it is published: compact JSON, UTF-8, every key."""
        fields = self.model_dump(mode="json", by_alias=True)
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


class AlertPayload(Payload):
    """One human-meaningful event: someone in a rule's garment came in, or a group did."""

    schema_: Literal["dresscode.alert/1"] = Field("dresscode.alert/1", alias="schema")
    id: Uuid = Field(description="UUIDv7; the same alert arriving twice has the same id")
    seq: Count = Field(description="number of the alert on this node, from 1; a gap is a loss")
    boot: str = Field(description="the run of the program; changes with every start")
    store: Id = Field(description="the store")
    node: Id = Field(description="the box in the store")
    ts: Time = Field(description="when the picture was taken that decided it")
    expires: Time = Field(description="not worth showing later than this")
    event_type: Id = Field(description="same as rule; the name that Home Assistant expects")
    rule: Id = Field(description="the rule of the configuration")
    zone: Id = Field(description="the zone that was entered")
    title: str = Field(description="a short line ready to be shown, in the store's language")
    text: str = Field(description="a sentence ready to be shown, in the store's language")
    garment: str = Field(description="the category that fired the rule")
    garment_probability: Share = Field(description="of wearing one of the rule's garments")
    colour: str = Field(description="colour name of the garment, or unknown")
    people: int = Field(ge=1, description="how many people the alert speaks of")
    latency_ms: Count = Field(description="from that picture to the hand-over for delivery")
    clock_ok: bool = Field(description="the box's clock was synchronised")
    test: bool = Field(description="asked for by a command; nobody came")


class GarmentCounts(Payload):
    """Entries per category and unknown; null where the count is too small to publish."""

    tshirt: Cell
    shirt: Cell
    top: Cell
    sweater: Cell
    hoodie: Cell
    blazer: Cell
    jacket: Cell
    coat: Cell
    suit: Cell
    jeans: Cell
    trousers: Cell
    shorts: Cell
    skirt: Cell
    dress: Cell
    jumpsuit: Cell
    unknown: Cell


class WindowPayload(Payload):
    """The counts of one zone in one closed window of time."""

    schema_: Literal["dresscode.agg/1"] = Field("dresscode.agg/1", alias="schema")
    id: Uuid = Field(description="UUIDv5 of store|node|zone|window|start|rev")
    seq: Count = Field(description="number of the window message on this node, from 1")
    boot: str = Field(description="the run of the program")
    store: Id = Field(description="the store")
    node: Id = Field(description="the box in the store")
    zone: Id = Field(description="the zone, or all for their sum")
    window: Window = Field(description="length: a minute, a quarter, an hour, a business day")
    start: Time = Field(description="start of the window")
    end: Time = Field(description="end of the window, exclusive")
    tz: str = Field(description="the store's time zone, of the tz database")
    business_day: str = Field(pattern=r"^\d{4}-\d\d-\d\d$", description="the store's business day")
    local_hour: int = Field(ge=0, le=23, description="hour of the day at the start, store time")
    rev: Count = Field(description="0, or one more for each later correction; the highest holds")
    final: bool = Field(description="the window is closed; only late facts change it, by rev")
    historical: bool = Field(description="sent again on request, with its first id and seq")
    coverage: Share = Field(description="share of the window in which the cameras were seen")
    clock_ok: bool = Field(description="the box's clock was synchronised")
    in_: Count = Field(alias="in", description="entries")
    out: Count = Field(description="exits")
    uturn: Count = Field(description="exits that undid an entry at once; also in in and out")
    staff_in: Count = Field(description="entries of staff; also in in")
    occ_start: Count = Field(description="people inside at the start")
    occ_end: Count = Field(description="people inside at the end")
    occ_max: Count = Field(description="most people inside at once")
    occ_avg: float = Field(ge=0.0, description="people inside, averaged over the time")
    dwell_n: Count = Field(description="stays that ended in the window")
    dwell_sum_s: float = Field(ge=0.0, description="their lengths added up")
    garment: GarmentCounts | None = Field(description="entries per category; null below pt1h")
    garment_n: Count = Field(description="entries with at least one settled region")
    k: int = Field(ge=2, description="garment counts from 1 to k-1 are not published")
    suppressed: Count = Field(description="garment counts that are null to protect people")
    in_total: Count = Field(description="entries since counter_epoch; heals lost messages")
    out_total: Count = Field(description="exits since counter_epoch")
    counter_epoch: Time = Field(description="when the totals began")
    model: str = Field(description="version of the models")
    drift: int | None = Field(description="p1d: people left over at the nightly reset")
    dropped_windows: Count | None = Field(
        description="p1d: windows given up unsent since the node was set up"
    )


class LivePayload(Payload):
    """What a zone's counters say now; kept by the broker for whoever looks later."""

    schema_: Literal["dresscode.live/1"] = Field("dresscode.live/1", alias="schema")
    store: Id = Field(description="the store")
    node: Id = Field(description="the box in the store")
    zone: Id = Field(description="the zone, or all for their sum")
    ts: Time = Field(description="when it was so")
    occupancy: Count = Field(description="people inside")
    in_today: Count = Field(description="entries of the business day")
    out_today: Count = Field(description="exits of the business day")


class NodeState(Payload):
    """Whether the box is there; also its last will."""

    schema_: Literal["dresscode.state/1"] = Field("dresscode.state/1", alias="schema")
    store: Id = Field(description="the store")
    node: Id = Field(description="the box in the store")
    ts: Time = Field(description="when it was written; of a last will: when it was connected")
    state: NodeWord = Field(description="offline comes from the box, or from its last will")
    reason: str = Field(description="why: started, stopped, lost, or what is wrong")
    boot: str = Field(description="the run of the program")
    birth: Count = Field(description="number of the connection; ignore a state of a lower one")


class NodeInfo(Payload):
    """What the box is: published at every connection, kept by the broker."""

    schema_: Literal["dresscode.info/1"] = Field("dresscode.info/1", alias="schema")
    store: Id = Field(description="the store")
    node: Id = Field(description="the box in the store")
    ts: Time = Field(description="when it was written")
    boot: str = Field(description="the run of the program")
    tz: str = Field(description="the store's time zone, of the tz database")
    language: str = Field(description="of the alerts' sentences")
    versions: dict[str, str] = Field(description="version by program or library")
    models: dict[str, str] = Field(description="version and hash by model")
    vocabulary: dict[str, str] = Field(description="region by category")
    zones: dict[str, str] = Field(description="line or area, by zone")
    rules: dict[str, str] = Field(description="garments, comma separated, by rule")
    windows: dict[str, int] = Field(description="nominal length in seconds by window")
    schemas: dict[str, str] = Field(description="schema by kind of message")
    k: int = Field(ge=2, description="garment counts from 1 to k-1 are not published")
    pictures: Literal[False] = Field(False, description="no picture ever leaves the box")


class NodeHealth(Payload):
    """How the box is doing, about once a minute; null where it cannot be measured."""

    schema_: Literal["dresscode.health/1"] = Field("dresscode.health/1", alias="schema")
    store: Id = Field(description="the store")
    node: Id = Field(description="the box in the store")
    ts: Time = Field(description="when it was measured")
    boot: str = Field(description="the run of the program")
    uptime_s: float | None = Field(None, description="since the program started")
    clock_ok: bool = Field(description="the box's clock is synchronised")
    fps: dict[str, float] = Field({}, description="frames per second by camera")
    frames_dropped: dict[str, int] = Field({}, description="pictures skipped, by camera")
    stage_p50_ms: dict[str, float] = Field({}, description="median time by stage")
    stage_p99_ms: dict[str, float] = Field({}, description="99th percentile of time by stage")
    latency_p50_ms: float | None = Field(None, description="picture to hand-over, median")
    latency_p99_ms: float | None = Field(None, description="picture to hand-over, 99th percentile")
    temperatures_c: dict[str, float] = Field({}, description="by sensor")
    memory_mb: float | None = Field(None, description="resident memory of the program")
    gpu_memory_mb: float | None = Field(None, description="memory used on the GPU")
    outbox_rows: int | None = Field(None, description="messages waiting")
    outbox_oldest_s: float | None = Field(None, description="age of the oldest of them")
    outbox_mb: float | None = Field(None, description="size of the outbox")
    puback_age_s: float | None = Field(None, description="since the broker last acknowledged")
    alerts_expired_total: int | None = Field(None, description="alerts that became too old unsent")
    windows_dropped_total: int | None = Field(None, description="windows given up unsent")
    live_dropped_total: int | None = Field(None, description="live messages nobody could be sent")
    refused_total: int | None = Field(None, description="messages that the broker refused for good")


class CameraStatePayload(Payload):
    """Whether a camera can be trusted, kept by the broker."""

    schema_: Literal["dresscode.camera/1"] = Field("dresscode.camera/1", alias="schema")
    store: Id = Field(description="the store")
    node: Id = Field(description="the box in the store")
    camera: Id = Field(description="the camera of the configuration")
    ts: Time = Field(description="when it was written")
    state: CameraWord = Field(description="what is known of the camera")
    reason: str = Field(description="why")
    since: Time = Field(description="since when it is so")


class CommandPayload(BaseModel):
    """What a command may carry; which keys matter depends on the verb, others are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    transaction: str | None = Field(None, max_length=64, description="echoed in the answer")
    rule: Id | None = Field(None, description="mute, test-alert: the alert rule")
    zone: Id | None = Field(
        None, description="test-alert: a zone of the rule, none for its first; resend: none for all"
    )
    window: Window | None = Field(None, description="resend: the length; none for all")
    start: AskedTime | None = Field(None, description="resend: windows that start from here on")
    end: AskedTime | None = Field(None, description="resend: windows that start before this")
    minutes: float | None = Field(
        None, ge=0.0, le=1440.0, description="mute: for so long; 0 ends a mute"
    )


class ResponsePayload(Payload):
    """The answer to a command."""

    schema_: Literal["dresscode.response/1"] = Field("dresscode.response/1", alias="schema")
    store: Id = Field(description="the store")
    node: Id = Field(description="the box in the store")
    ts: Time = Field(description="when it was answered")
    boot: str = Field(description="the run of the program")
    verb: str = Field(description="the command, as in the topic")
    transaction: str | None = Field(description="as in the command")
    status: Literal["done", "refused", "failed"] = Field(description="what became of it")
    reason: str = Field(description="why it was refused or failed, or what was done")
    n: int | None = Field(description="resend: how many windows will be sent")


PAYLOADS: Final[dict[str, type[Payload]]] = {
    "alert": AlertPayload,
    "agg": WindowPayload,
    "live": LivePayload,
    "state": NodeState,
    "info": NodeInfo,
    "health": NodeHealth,
    "camera": CameraStatePayload,
    "response": ResponsePayload,
}
"""Every payload that we publish, by the kind that its ``schema`` key names."""


def schema_name(kind: str) -> str:
    """What the ``schema`` key of a kind of payload says.

    >>> schema_name("alert")
    'dresscode.alert/1'
    """
    return str(PAYLOADS[kind].model_fields["schema_"].default)


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema (2020-12) of every payload, by kind."""
    return {
        kind: {
            "$schema": DIALECT,
            "$id": f"urn:{schema_name(kind).replace('.', ':').replace('/', ':')}",
            **payload.model_json_schema(mode="serialization", by_alias=True),
        }
        for kind, payload in PAYLOADS.items()
    }
