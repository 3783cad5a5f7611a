"""What a simulated frame holds: the annotations that train and measure detectors."""

from __future__ import annotations

from dataclasses import dataclass

from edge_app.capture.simulated.cloth import UInt8
from edge_app.geometry import Box


@dataclass(frozen=True)
class GarmentView:
    """One garment as seen in one frame.

    Attributes:
        region: top, bottom or long.
        category: one of the fifteen.
        colour: colour name.
        box_xyxy: of its visible pixels, px of the frame, x2 and y2 exclusive.
        visible_px: how many there are.
    """

    region: str
    category: str
    colour: str
    box_xyxy: Box
    visible_px: int


@dataclass(frozen=True)
class PersonView:
    """One person as seen in one frame.

    Attributes:
        person: id, as in the truth.
        box_xyxy: of the whole person, also where others hide them, clipped to the picture, px,
            x2 and y2 exclusive.
        visible_share: share of the person's area that can be seen: neither outside nor hidden by
            others or by things; what the own umbrella hides is left out.
        in_picture_share: share of the person's height and width that is inside the picture.
        foot_xy: the ground point in px; may lie outside the picture.
        garments: the garments of which anything can be seen.
        wears: the categories worn, visible or not (outer layers, as the truth says).
    """

    person: int
    box_xyxy: Box
    visible_share: float
    in_picture_share: float
    foot_xy: tuple[float, float]
    garments: tuple[GarmentView, ...]
    wears: frozenset[str]


@dataclass(frozen=True, eq=False)
class Rendered:
    """A frame and what is in it.

    Attributes:
        index: number of the frame.
        time_s: its time, seconds from the start of the run.
        frame_bgr: uint8 [H, W, 3], BGR.
        people: everybody of whom anything can be seen, the farthest first.
    """

    index: int
    time_s: float
    frame_bgr: UInt8
    people: tuple[PersonView, ...]
