"""What a configuration allows and its writer hardly meant; ``dresscode check`` says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge_app.config.schema import CameraSettings, Config, ZoneSettings
from edge_app.config.secrets import redact
from edge_app.geometry import Point, is_inside, polygon_area, side_of_line

_ASPECT = 16 / 9
"""The pictures' shape is not known here; most cameras have this one, or a narrower."""
_HIDDEN_SHARE = 0.05
_WHOLE_PICTURE = 0.9
"""An area of more than this share of the picture is whatever the masks leave of it."""
_STEPS = 40


def doubts(config: Config) -> list[str]:
    """What is hardly meant, a line each, with its key."""
    said: list[str] = []
    owners: dict[str | int, str] = {}
    for name, camera in config.cameras.items():
        key = f"cameras.{name}"
        owner = owners.setdefault(camera.source, name)
        if owner != name:
            said.append(
                f"{key}.source: the same as that of camera {owner!r}, so whoever is seen is "
                "counted by both; give each its own"
            )
        said += [f"{key}.source: {words}" for words in _login_doubts(camera)]
        for zone_id, zone in camera.zones.items():
            said += [f"{key}.zones.{zone_id}: {words}" for words in _zone_doubts(zone, camera)]
    return said


def _login_doubts(camera: CameraSettings) -> Iterator[str]:
    written = str(camera.source).replace("{password}", "")
    if redact(written) != written:
        yield (
            "a password in an address is readable for whoever reads this file or its backups; "
            "if the camera takes them, write username: and password_file: instead"
        )


def _zone_doubts(zone: ZoneSettings, camera: CameraSettings) -> Iterator[str]:
    hidden = _hidden_share(zone, camera.privacy_masks)
    if hidden > _HIDDEN_SHARE:
        yield (
            f"privacy masks hide {hidden:.0%} of the {'line' if zone.line else 'area'}, and "
            "whoever walks there is not seen; move the one or the other"
        )
    if zone.line is not None and (room := _room(zone.line)) < zone.hysteresis:
        yield (
            f"the picture ends {room:.3f} of its height beyond the line, less than the hysteresis "
            f"of {zone.hysteresis:g}: hardly anybody is seen on that side; move the line inwards"
        )


def _hidden_share(zone: ZoneSettings, masks: Sequence[Sequence[Point]]) -> float:
    """Share of a zone's places, 0..1, where a mask hides the feet."""
    places = _across(zone.line, zone.hysteresis) if zone.line else _within(zone.area or ())
    hidden = [any(is_inside(p, mask) for p in place for mask in masks) for place in places]
    return sum(hidden) / max(len(hidden), 1)


def _across(line: tuple[Point, Point], hysteresis: float) -> list[list[Point]]:
    """Places along a line, each on it and on both edges of its band."""
    (x1, y1), (x2, y2) = line
    dx, dy = (x2 - x1) * _ASPECT, y2 - y1
    step = hysteresis / (dx * dx + dy * dy) ** 0.5
    shares = [(i + 0.5) / _STEPS for i in range(_STEPS)]
    return [
        [
            (x1 + s * (x2 - x1) - t * step * dy / _ASPECT, y1 + s * (y2 - y1) + t * step * dx)
            for t in (-1, 0, 1)
        ]
        for s in shares
    ]


def _within(area: Sequence[Point]) -> list[list[Point]]:
    """Places in an area; none where it is the whole picture."""
    if polygon_area(area) > _WHOLE_PICTURE:
        return []
    (left, right), (top, bottom) = ((min(v), max(v)) for v in zip(*area, strict=True))
    shares = [(i + 0.5) / _STEPS for i in range(_STEPS)]
    grid = [(left + a * (right - left), top + b * (bottom - top)) for a in shares for b in shares]
    return [[point] for point in grid if is_inside(point, area)]


def _room(line: tuple[Point, Point]) -> float:
    """How deep the picture is on the narrower side of a line, in picture heights."""
    start, end = ((x * _ASPECT, y) for x, y in line)
    corners = [(0.0, 0.0), (_ASPECT, 0.0), (_ASPECT, 1.0), (0.0, 1.0)]
    depths = [side_of_line(corner, start, end) for corner in corners]
    return min(max(depths), -min(depths))
