"""What is known of one track: where it goes, since when, how well and how often it was seen."""

from __future__ import annotations

from math import exp, sqrt

from edge_app.config.schema import TrackingSettings
from edge_app.flow import ROUNDING_S, Float32
from edge_app.geometry import Box
from edge_app.tracking.appearance import agreement
from edge_app.tracking.kalman import Motion

_HINT_S = 2.0
"""Hints of a person (weak boxes) that are older tell nothing about when the person came."""
_SEEN_SHARE = 0.6
"""A new track must be detected in this share of its frames to be confirmed."""
_LEAST_ALONE = 2
_ALONE_SHARE = 0.5
"""And so often, and in this share of its detections, not as a part of another person's box."""
_SURE_SCORE = 0.7
_SURE_SHARE = 0.5
"""Who is found this surely is a person after this share of the time."""
_FIXED_S = 10.0
_FIXED_SIZES = 0.15
"""Who has not moved by more than this share of the size for so long stands, or is a thing."""
_SHRINK_RATE = 0.05
"""How much of the size that is remembered a smaller box takes away: legs hide behind others."""
_LOOK_FADE_S = 1.0
"""What was seen of a look this long ago counts for a third."""


class Life:
    """What is known of one track; changes from frame to frame.

    Args:
        at_s: when it was detected first.
        box_xyxy: that detection, pixels.
        score: its score.
        is_entering: the picture's lower edge cuts it off.
        is_alone: it is neither a part nor a second box of another person.

    Attributes:
        track_id: 0 while unconfirmed.
        motion: where it is and goes.
        first_seen_at_s: time of the first detection.
        first_box_xyxy: that detection, pixels.
        last_seen_at_s: time of the latest detection.
        apart_at_s: time of the latest detection that was not shared.
        box_xyxy: the latest detection, or the person's part of a box shared with others; pixels.
        score: of the latest detection.
        best_score: of all detections.
        frames: number of frames since the first.
        seen: in how many of them it was detected.
        alone: in how many of those it was neither a part nor a second box of another person.
        look: float32 ``[D]``, unit length, the person's appearance so far; None while unknown.
        looked_at_s: when that was last looked at.
        size: height of the person when seen whole, about, in pixels.
        stood_at: where the person was when last noted to have moved: centre x and top.
        stood_since_s: since when the person is there.
        has_moved: whether the person was ever anywhere else.
    """

    def __init__(
        self, at_s: float, box_xyxy: Box, score: float, is_entering: bool, is_alone: bool
    ) -> None:
        x1, y1, x2, _ = box_xyxy
        self.track_id = 0
        self.motion = Motion(box_xyxy, is_entering)
        self.first_seen_at_s = self.last_seen_at_s = self.apart_at_s = at_s
        self.first_box_xyxy = self.box_xyxy = box_xyxy
        self.score = self.best_score = score
        self.frames = self.seen = 1
        self.alone = int(is_alone)
        self.look: Float32 | None = None
        self.looked_at_s = 0.0
        self.size = 0.0
        self.stood_at, self.stood_since_s = ((x1 + x2) / 2, y1), at_s
        self.has_moved = False
        self._note_place(at_s)

    def see(self, at_s: float, box_xyxy: Box, score: float, is_alone: bool) -> None:
        """The same person was detected once more."""
        if self.track_id == 0 and at_s - self.first_seen_at_s > _HINT_S:
            self.first_seen_at_s, self.first_box_xyxy, self.best_score = at_s, box_xyxy, score
            self.frames = self.seen = self.alone = 0
        self.motion.update(box_xyxy)
        self.last_seen_at_s = self.apart_at_s = at_s
        self.box_xyxy, self.score = box_xyxy, score
        if score > self.best_score:
            self.best_score = score
        self.frames += 1
        self.seen += 1
        self.alone += is_alone
        self._note_place(at_s)

    def see_shared(self, at_s: float, score: float, across: float, down: float) -> None:
        """The person is one of several in one box, which is so many pixels off what they made."""
        self.motion.move(across, down)
        self.last_seen_at_s = at_s
        self.box_xyxy, self.score = self.motion.box_xyxy, score
        self.frames += 1
        self.seen += 1
        self._note_place(at_s)

    def _note_place(self, at_s: float) -> None:
        x1, y1, x2, y2 = self.box_xyxy
        size = max(y2 - y1, 2 * (x2 - x1))
        self.size = max(size, self.size + _SHRINK_RATE * (size - self.size))
        x, y = self.stood_at
        far = _FIXED_SIZES * self.size
        if abs((x1 + x2) / 2 - x) > far or abs(y1 - y) > far:
            self.stood_at, self.stood_since_s = ((x1 + x2) / 2, y1), at_s
            self.has_moved = at_s > self.first_seen_at_s

    @property
    def is_fixed(self) -> bool:
        """Whether it has been at the same place for long, as a shelf taken for a person is."""
        return self.last_seen_at_s - self.stood_since_s >= _FIXED_S

    @property
    def is_thing(self) -> bool:
        """Whether it never moved: people come from somewhere, shelves and posters do not."""
        return self.is_fixed and not self.has_moved

    def remember(self, look: Float32, at_s: float) -> None:
        """Take in how the person looks now; what was seen before fades."""
        if self.look is None:
            self.look = look
        else:
            newer = 1 - exp((self.looked_at_s - at_s) / _LOOK_FADE_S)
            mixed = look - self.look
            mixed *= newer
            mixed += self.look
            mixed *= 1 / sqrt(agreement(mixed, mixed))
            self.look = mixed
        self.looked_at_s = at_s

    def is_convincing(self, settings: TrackingSettings) -> bool:
        """Whether a new track has been seen for long enough, and on its own, to be a person."""
        seen_s = self.last_seen_at_s - self.first_seen_at_s
        share = _SURE_SHARE if self.score >= _SURE_SCORE else 1.0
        return (
            seen_s >= share * settings.confirm_s - ROUNDING_S
            and self.best_score >= settings.new_score
            and self.alone >= _LEAST_ALONE
            and self.alone >= _ALONE_SHARE * self.seen
            and self.seen >= _SEEN_SHARE * self.frames
        )
