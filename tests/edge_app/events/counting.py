"""What the tests of counting share: a store of two cameras, its facts and its frames."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from edge_app.events.counts import Counts
from edge_app.flow import CountWindow, Entry, Outfit, Worn

PARIS = "Europe/Paris"
CAMERAS = {"entrance": "door", "rooms": "back"}


def at(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(PARIS), fold=fold).timestamp()


NOON = at("2026-11-20T12:00")


def counts_from(started_at_s: float = NOON, zones: tuple[str, ...] = ("entrance",)) -> Counts:
    return Counts({zone: CAMERAS[zone] for zone in zones}, PARIS, "04:00", started_at_s)


def entry(at_s: float, direction: str = "in", zone: str = "entrance", **changes) -> Entry:
    return Entry(CAMERAS[zone], zone, 1, direction, 0, at_s, **changes)


def wearing(*categories: str) -> Outfit:
    regions = dict(zip(("top", "bottom", "long"), categories, strict=False))
    return Outfit(True, {}, {region: Worn(c, 0.9) for region, c in regions.items()})


def watch(counts: Counts, first_s: float, last_s: float, step_s: float = 1.0) -> list[CountWindow]:
    """Frames of both cameras from one time to another, and the windows that they close."""
    windows = []
    for i in range(round((last_s - first_s) / step_s)):
        now_s = first_s + i * step_s
        for camera in ("door", "back"):
            counts.seen(camera, now_s)
        windows += counts.advance(now_s)
    return windows


def named(windows: list[CountWindow], window: str, zone: str = "entrance") -> list[CountWindow]:
    return [w for w in windows if (w.window, w.zone) == (window, zone)]
