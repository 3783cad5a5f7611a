"""The values that flow through Dresscode, in the order in which they are made.

::

    capture -> detection -> tracking -> outfit -> events -> delivery
    Frame   -> Detections -> Track   -> Outfit -> Entry/Alert/CountWindow -> outbox -> MQTT

All are frozen; nothing downstream changes an upstream value. Boxes are ``xyxy`` in pixels of the
frame that they were found in. People are followed by the frames' even clock; what is counted and
told has seconds of Unix time.
"""

from edge_app.flow.cuts import Batch, Cuts, Fit, whole
from edge_app.flow.seen import (
    ROUNDING_S,
    Detections,
    Float32,
    Frame,
    Garment,
    Look,
    Outfit,
    Track,
    TrackedFrame,
    TrackKey,
    UInt8,
    Worn,
)
from edge_app.flow.told import (
    ALL,
    GARMENT_WINDOWS,
    Alert,
    CameraState,
    CountWindow,
    Direction,
    Entry,
    LiveCount,
    Message,
)

__all__ = [
    "ALL",
    "GARMENT_WINDOWS",
    "ROUNDING_S",
    "Alert",
    "Batch",
    "CameraState",
    "CountWindow",
    "Cuts",
    "Detections",
    "Direction",
    "Entry",
    "Fit",
    "Float32",
    "Frame",
    "Garment",
    "LiveCount",
    "Look",
    "Message",
    "Outfit",
    "Track",
    "TrackKey",
    "TrackedFrame",
    "UInt8",
    "Worn",
    "whole",
]
