"""What is told: entries, alerts, counts, states and the messages that carry them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

ALL: Final = "all"
"""The zone id reserved for the sum over all zones."""
GARMENT_WINDOWS: Final = ("pt1h", "p1d")
"""What garments are counted by: finer windows would single people out."""
Direction = Literal["in", "out"]


@dataclass(frozen=True)
class Entry:
    """One crossing of a line, or one step into or out of an area.

    Attributes:
        camera: id of the camera.
        zone: id of the zone, unique in the store.
        track_id: the person's track.
        direction: ``in`` or ``out``.
        frame_index: number of the frame on which it was decided.
        at_s: when it happened (event time): on the frames' even clock while people are followed,
            seconds of Unix time once it is counted.
        is_uturn: this ``out`` undoes an ``in`` of the same track within the U-turn time.
        is_initial: the person was inside an area when the camera came up (``in``), or when its
            pictures broke off or the area was moved away (``out``): occupancy only, no entry and no
            exit.
        dwell_s: for an ``out`` of a track that came in through this zone, seconds since then.
    """

    camera: str
    zone: str
    track_id: int
    direction: Direction
    frame_index: int
    at_s: float
    is_uturn: bool = False
    is_initial: bool = False
    dwell_s: float | None = None


@dataclass(frozen=True)
class Alert:
    """One event that staff should know of; fired once per person and rule.

    Attributes:
        rule: id of the rule, also the event type.
        zone: id of the zone entered.
        garment: the category that fired the rule: the most probable of its ``any_of``, or of its
            ``all_of`` where it has only those.
        probability: that the person wears at least one of the rule's garments.
        colour: colour name of the garment, or ``unknown``.
        people: how many people the alert speaks of (a group, or those merged by the cool-down).
        entered_at_s: event time of the (first) entry.
        settled_at_s: frame time at which the alert was due: entry and evidence both held, and no
            wait for companions, cool-down or hourly cap delayed it any more.
        frame_index: number of the frame on which the alert was decided.
        expires_s: seconds after ``settled_at_s`` at which the alert is worthless.
        is_test: asked for by a command.
        also: what everybody whom the rule means wears besides ``garment``.
    """

    rule: str
    zone: str
    garment: str
    probability: float
    colour: str
    people: int
    entered_at_s: float
    settled_at_s: float
    frame_index: int
    expires_s: float = 60.0
    is_test: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class CountWindow:
    """The counts of one zone in one closed window of time; see DESIGN "Windows".

    Attributes:
        zone: id of the zone, or ``all``.
        window: ``pt1m``, ``pt15m``, ``pt1h`` or ``p1d``.
        start_s: start of the window, seconds of Unix time.
        end_s: end of the window (exclusive).
        rev: 0 at first, one more each time that late facts change a closed window.
        business_day: ISO date of the store's business day that the window belongs to.
        local_hour: hour of the day in ``timezone`` at the window's start, 0..23.
        timezone: the store's, of the tz database; it may have been corrected since.
        coverage: share of the window during which every camera of the zone was seen, 0..1.
        counts: ``in out uturn staff_in`` as integers; U-turns and staff are part of ``in``, and no
            entry is in both, so that footfall is ``in`` - ``uturn`` - ``staff_in``.
        occ: ``start end max avg`` of the zone's occupancy.
        dwell_n: number of stays that ended in the window.
        dwell_sum_s: their lengths added up, seconds.
        garment: per category and ``unknown``, entries of this window; empty below ``pt1h``. Not yet
            thresholded: small cells are suppressed where the payload is made.
        withheld: garment cells to hide there whatever their value, since other windows (the zones
            beside ``all``, the hours beside their day) would give small ones away.
        garment_n: entries of the window with at least one settled region.
        in_total: entries since ``counter_epoch_s``.
        out_total: exits since ``counter_epoch_s``.
        counter_epoch_s: when the totals began, seconds of Unix time.
        drift: in ``p1d``: people too many (below 0: too few) at the nightly reset if all had left.
    """

    zone: str
    window: str
    start_s: float
    end_s: float
    rev: int
    business_day: str
    local_hour: int
    timezone: str
    coverage: float
    counts: Mapping[str, int]
    occ: Mapping[str, float]
    dwell_n: int
    dwell_sum_s: float
    garment: Mapping[str, int]
    garment_n: int
    in_total: int
    out_total: int
    counter_epoch_s: float
    drift: int | None = None
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True)
class LiveCount:
    """What a zone's counters say now; ``in`` and ``out`` are of the business day."""

    zone: str
    at_s: float
    occupancy: int
    in_today: int
    out_today: int


@dataclass(frozen=True)
class CameraState:
    """What is known of a camera: ``online offline disabled obstructed moved``, why, since when."""

    camera: str
    state: str
    reason: str
    since_s: float


@dataclass(frozen=True)
class Message:
    """One MQTT message, ready to be queued.

    Attributes:
        topic: the whole topic.
        payload: JSON, UTF-8.
        qos: 0 or 1.
        is_retained: the broker keeps it.
        lane: ``alert`` (expires), ``agg`` (in order), ``state`` (latest of its topic only), or
            ``now`` (not stored: sent if connected, else dropped and counted).
        expires_at_s: after this (seconds of Unix time) the message is worthless; None for never.
        id: the payload's id for de-duplication, where it has one.
        properties: CloudEvents attributes, sent as MQTT 5 user properties.
    """

    topic: str
    payload: bytes
    qos: int
    is_retained: bool
    lane: Literal["alert", "agg", "state", "now"]
    expires_at_s: float | None = None
    id: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
