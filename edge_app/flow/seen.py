"""What was seen: from pixels to what a person wears."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
TrackKey = tuple[str, int]
"""Camera id and track id: somebody who is followed."""

_KINDS = (np.dtype(np.float32), np.dtype(np.float32), np.dtype(np.int64))
"""Of the arrays of :class:`Detections`."""
ROUNDING_S = 1e-6
"""Times of frames are rounded: a span that equals a limit may differ from it by less than this."""
_FIRST_SIGHT_S = 0.2


@dataclass(frozen=True)
class Frame:
    """One picture of a camera.

    Attributes:
        camera: id of the camera in the configuration.
        index: number of the picture in its source, from 0; gaps are pictures that were dropped.
        taken_at_s: when the picture was taken, seconds of a clock that runs evenly whatever the
            time of day is set to; never decreasing per camera.
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
        kinds = (self.boxes_xyxy.dtype, self.scores.dtype, self.labels.dtype)
        if kinds != _KINDS:
            names = tuple(kind.name for kind in kinds)
            raise ValueError(f"Detections: expected float32, float32, int64, got {names}")

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(
        self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice
    ) -> Detections:
        """The detections chosen by a boolean mask, an array of indices or a slice."""
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
        taken_at_s: the frame's time, on its even clock.
        size: width and height of the frame in pixels.
        tracks: every confirmed track that is alive, observed in this frame or coasting; things
            that never moved are left out.
        ended: ids of the confirmed tracks that ended with this frame; they never come back.
    """

    camera: str
    index: int
    taken_at_s: float
    size: tuple[int, int]
    tracks: tuple[Track, ...]
    ended: tuple[int, ...] = ()

    def is_past_first_sight(self, track: Track) -> bool:
        """Whether a track's boxes may decide anything: the very first ones change too much."""
        return self.taken_at_s - track.first_seen_at_s >= _FIRST_SIGHT_S - ROUNDING_S


@dataclass(frozen=True)
class Garment:
    """One garment found on a person.

    Attributes:
        region: ``top``, ``bottom`` or ``long``.
        box_xyxy: float32 ``[4]``, pixels of the frame.
        score: of the garment detector, 0..1; in still pictures by all that was asked.
        probabilities: float32 ``[15]``, of the classifier, in the vocabulary's order; in still
            pictures by what the whole person wears too.
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
        colours: colour name by region of the garments found.
    """

    quality: float
    garments: tuple[Garment, ...]
    wears: Float32 | None
    colours: Mapping[str, str] = field(default_factory=dict)


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
        colours: colour name by region in which a garment was found.
        evidence: how much was seen against what the vote asks for; from 1 on its word can be
            acted on, even while some region is open.
        is_staff: the clothes are the staff's uniform; not said before ``evidence`` has reached 1.
    """

    is_settled: bool
    wears: Mapping[str, float]
    regions: Mapping[str, Worn]
    colours: Mapping[str, str] = field(default_factory=dict)
    evidence: float = 0.0
    is_staff: bool = False
