"""The values that flow through Dresscode, in the order in which they are made.

::

    capture -> detection -> tracking -> outfit -> events -> delivery
    Frame   -> Detections -> Track   -> Outfit -> Entry/Alert/CountWindow -> outbox -> MQTT

All are frozen; nothing downstream changes an upstream value. Boxes are ``xyxy`` in pixels of the
frame that they were found in; times are seconds of Unix time at which the picture was taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
Direction = Literal["in", "out"]


@dataclass(frozen=True)
class Frame:
    """One picture of a camera.

    Attributes:
        camera: id of the camera in the configuration.
        index: number of the picture in its source, from 0; gaps are pictures that were dropped.
        taken_at_s: when the picture was taken, seconds of Unix time, never decreasing per camera.
        frame_bgr: uint8 ``[H, W, 3]``, BGR.
    """

    camera: str
    index: int
    taken_at_s: float
    frame_bgr: UInt8

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.frame_bgr.shape[:2]
        return width, height


@dataclass(frozen=True)
class Detections:
    """What a detector found in one picture, as a struct of arrays; checked where it is made.

    Attributes:
        boxes_xyxy: float32 ``[N, 4]``, pixels, ``x1 <= x2`` and ``y1 <= y2``.
        scores: float32 ``[N]``, 0..1.
        labels: int64 ``[N]``, indices into the detector's labels.
        wears: float32 ``[15]`` for the whole picture: how probable it is that the person in it
            wears each category; None where the detector has no such output.

    Raises:
        ValueError: shapes or dtypes differ from the above.
    """

    boxes_xyxy: Float32
    scores: Float32
    labels: npt.NDArray[np.int64]
    wears: Float32 | None = None

    def __post_init__(self) -> None:
        n = len(self.boxes_xyxy)
        shapes = (self.boxes_xyxy.shape, self.scores.shape, self.labels.shape)
        if shapes != ((n, 4), (n,), (n,)):
            raise ValueError(f"Detections: expected shapes [N,4], [N], [N], got {shapes}")
        kinds = tuple(a.dtype.name for a in (self.boxes_xyxy, self.scores, self.labels))
        if kinds != ("float32", "float32", "int64"):
            raise ValueError(f"Detections: expected float32, float32, int64, got {kinds}")

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Detections:
        """The detections chosen by a boolean mask or an array of indices."""
        return Detections(
            self.boxes_xyxy[which], self.scores[which], self.labels[which], self.wears
        )

    @classmethod
    def empty(cls) -> Detections:
        """No detections."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


@dataclass(frozen=True)
class Track:
    """One confirmed person in one frame; unconfirmed tracks never leave the tracking stage.

    Attributes:
        track_id: positive, unique per camera and run, never published.
        box_xyxy: float32 ``[4]``, pixels; the matched detection's box, or the filter's prediction
            while the person is not seen.
        score: the matched detection's score, 0..1; 0 while not seen.
        is_observed: a detection was matched in this frame.
        first_seen_at_s: when the first of the track's detections was taken.
    """

    track_id: int
    box_xyxy: Float32
    score: float
    is_observed: bool
    first_seen_at_s: float


@dataclass(frozen=True)
class TrackedFrame:
    """The tracking stage's answer to one frame.

    Attributes:
        camera: id of the camera.
        index: the frame's number.
        taken_at_s: the frame's time.
        size: width and height of the frame in pixels.
        tracks: every confirmed track that is alive, observed in this frame or coasting.
        ended: ids of the confirmed tracks that ended with this frame; they never come back.
    """

    camera: str
    index: int
    taken_at_s: float
    size: tuple[int, int]
    tracks: tuple[Track, ...]
    ended: tuple[int, ...] = ()


@dataclass(frozen=True)
class Garment:
    """One garment found on a person.

    Attributes:
        region: ``top``, ``bottom`` or ``long``.
        box_xyxy: float32 ``[4]``, pixels of the frame.
        score: of the garment detector, 0..1.
        probabilities: float32 ``[15]``, of the classifier, in the vocabulary's order.
        embedding: float32 ``[D]``, unit length; stays in memory for the track's life only.
    """

    region: str
    box_xyxy: Float32
    score: float
    probabilities: Float32
    embedding: Float32


@dataclass(frozen=True)
class Look:
    """What one look at one person's crop said.

    Attributes:
        quality: how much the look can be trusted, 0..1 (size, sharpness, cut-off, overlap).
        garments: the garments found.
        wears: float32 ``[15]``: probability that the person wears each category, judged from the
            whole crop; None where the model has no such output.
        colour: colour name of the main garment, or ``unknown``.
    """

    quality: float
    garments: tuple[Garment, ...]
    wears: Float32 | None
    colour: str = "unknown"


@dataclass(frozen=True)
class Worn:
    """What the vote says of one region: a category, or ``unknown``, and its probability."""

    category: str
    probability: float


@dataclass(frozen=True)
class Outfit:
    """What a person wears, by all the evidence so far.

    Attributes:
        is_settled: the vote reached its probability and margin, or its deadline passed.
        wears: probability that the person wears each of the fifteen categories.
        regions: per region that the person was seen to wear something in, the vote's word.
        colour: colour name of the main garment, or ``unknown``.
        looks: number of looks that the vote rests on.
        evidence: how much was seen against what the vote asks for; from 1 on its word can be
            acted on, even while some region is open.
    """

    is_settled: bool
    wears: Mapping[str, float]
    regions: Mapping[str, Worn]
    colour: str = "unknown"
    looks: int = 0
    evidence: float = 0.0


@dataclass(frozen=True)
class Entry:
    """One crossing of a line, or one step into or out of an area.

    Attributes:
        camera: id of the camera.
        zone: id of the zone, unique in the store.
        track_id: the person's track.
        direction: ``in`` or ``out``.
        frame_index: number of the frame on which it was decided.
        at_s: when it happened (event time, seconds of Unix time).
        is_uturn: this ``out`` undoes an ``in`` of the same track within the U-turn time.
        is_initial: the person was already inside when the camera came up: occupancy, not ``in``.
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
        garment: the category that fired the rule (the most probable of the rule's garments).
        probability: that the person wears at least one of the rule's garments.
        colour: colour name of the garment, or ``unknown``.
        people: how many people the alert speaks of (a group, or those merged by the cool-down).
        entered_at_s: event time of the (first) entry.
        settled_at_s: frame time at which the alert was due: entry and evidence both held, and no
            wait for companions, cool-down or hourly cap delayed it any more.
        frame_index: number of the frame on which the alert was decided.
        expires_s: seconds after ``settled_at_s`` at which the alert is worthless.
        is_test: asked for by a command.
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
        local_hour: hour of the day in the store's time zone at the window's start, 0..23.
        coverage: share of the window during which every camera of the zone was seen, 0..1.
        counts: ``in out uturn staff_in`` as integers; U-turns and staff are part of ``in``, so that
            footfall is ``in`` - ``uturn`` - ``staff_in``.
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
        is_historical: published again on request.
    """

    zone: str
    window: str
    start_s: float
    end_s: float
    rev: int
    business_day: str
    local_hour: int
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
    is_historical: bool = False
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
