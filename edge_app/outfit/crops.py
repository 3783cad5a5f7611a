"""Which people to look at now: those whose clothes are still open, best views first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge_app.config.schema import OutfitSettings
from edge_app.flow import Float32, Track, TrackedFrame, TrackKey, UInt8
from edge_app.geometry import area, shared_areas, widen

MARGIN = 0.05
"""Share of its width and height added on each side of a person's box before it is cut out."""

_FULL_HEIGHT_PX = 160.0
_SHARP = 120.0
_EDGE_PX = 2.0


@dataclass(frozen=True)
class View:
    """One person as one frame shows them.

    Attributes:
        key: camera and track.
        frame: position of the frame among those of this step.
        at_s: when the frame was taken.
        box: int64 ``[4]``, xyxy in whole pixels: the person with a margin, inside the picture.
        quality: 0..1, from size, cut-off and overlap; sharpness comes in when it is cut out.
    """

    key: TrackKey
    frame: int
    at_s: float
    box: npt.NDArray[np.int64]
    quality: float


class CropChooser:
    """Spends a budget of looks per second on the views that promise most."""

    def __init__(self, settings: OutfitSettings) -> None:
        self._settings = settings
        self._tokens = 0.0
        self._filled_at_s: float | None = None

    def choose(
        self, tracked: Iterable[TrackedFrame], weight_so_far: Mapping[TrackKey, float | None]
    ) -> list[View]:
        """The views worth a look now.

        Args:
            tracked: this step's frames of all cameras.
            weight_so_far: per track, how much evidence it has; None where no more is wanted.

        Returns:
            At most as many views as the budget allows, most promising first.
        """
        views: list[tuple[float, View]] = []
        for position, frame in enumerate(tracked):
            self._refill(frame.taken_at_s)
            for view in self._views(position, frame):
                so_far = weight_so_far.get(view.key, 0.0)
                if so_far is not None:
                    views.append((view.quality / (1.0 + so_far), view))
        views.sort(key=lambda pair: -pair[0])
        chosen = [view for _, view in views[: int(self._tokens)]]
        self._tokens -= len(chosen)
        return chosen

    def _refill(self, now_s: float) -> None:
        budget = self._settings.looks_per_s
        # Half a second's worth may be saved up: a group needs many looks at once.
        most = max(budget / 2, 1.0)
        if self._filled_at_s is None:
            self._tokens, self._filled_at_s = most, now_s
        elif now_s > self._filled_at_s:
            earned = (now_s - self._filled_at_s) * budget
            self._tokens, self._filled_at_s = min(self._tokens + earned, most), now_s

    def _views(self, position: int, frame: TrackedFrame) -> list[View]:
        if not frame.tracks:
            return []
        boxes = np.stack([track.box_xyxy for track in frame.tracks])
        hidden = hidden_shares(boxes)
        wide = widen(boxes, MARGIN, frame.size)
        return [
            View(
                key=(frame.camera, track.track_id),
                frame=position,
                at_s=frame.taken_at_s,
                box=wide[i],
                quality=view_quality(track, float(hidden[i]), frame.size),
            )
            for i, track in enumerate(frame.tracks)
            if track.is_observed
            and frame.is_past_first_sight(track)
            and boxes[i, 3] - boxes[i, 1] >= self._settings.min_height_px
        ]


def hidden_shares(boxes: Float32) -> Float32:
    """How much of each box is covered by boxes of people who stand nearer.

    The one whose feet are lower in the picture is nearer to a camera that looks down.

    Args:
        boxes: float32 ``[N, 4]``, xyxy.

    Returns:
        float32 ``[N]``, 0..1, of the box that covers most.

    >>> boxes = np.array([[0, 0, 10, 20], [5, 0, 15, 30]], np.float32)
    >>> hidden_shares(boxes).tolist()
    [0.5, 0.0]
    """
    shared = shared_areas(boxes, boxes) / np.maximum(area(boxes), 1e-6)[:, None]
    is_nearer = boxes[None, :, 3] > boxes[:, None, 3]
    return np.asarray((shared * is_nearer).max(axis=1), np.float32)


def view_quality(track: Track, hidden: float, size: tuple[int, int]) -> float:
    """How much a view promises, 0..1: large, whole and uncovered people say most.

    A box that ends at the picture's lower edge shows no legs unless it is as slender as a whole
    person; a head at the edge says nothing of the clothes.

    Args:
        track: observed in the frame.
        hidden: share covered by nearer people.
        size: width and height of the picture.
    """
    x1, y1, x2, y2 = (float(v) for v in track.box_xyxy)
    width, height = x2 - x1, y2 - y1
    quality = min(height / _FULL_HEIGHT_PX, 1.0) * max(1.0 - hidden, 0.0)
    if y2 >= size[1] - _EDGE_PX:
        slenderness = height / max(width, 1.0)
        quality *= min(max((slenderness - 0.8) / 1.4, 0.05), 1.0)
    if y1 <= _EDGE_PX:
        quality *= 0.6
    if x1 <= _EDGE_PX or x2 >= size[0] - _EDGE_PX:
        quality *= 0.5
    return quality * min(0.5 + track.score / 2, 1.0)


def sharpness(crop_bgr: UInt8) -> float:
    """How sharp a crop is, 0..1: the spread of its Laplacian at a fixed size.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.

    Args:
        crop_bgr: uint8 ``[h, w, 3]``.
    """
    grey = cv2.cvtColor(cv2.resize(crop_bgr, (48, 96)), cv2.COLOR_BGR2GRAY)
    spread = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_32F))[1][0, 0]) ** 2
    return min(spread / _SHARP, 1.0)
