"""What the tests of alerts share: one rule, people who come in, and what they wear."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from edge_app.config.schema import RuleSettings
from edge_app.events.alerts import Alerts
from edge_app.flow import Alert, Entry, Outfit, Worn
from edge_app.vocabulary import REGION_OF

PARIS = "Europe/Paris"
ZONES = ("entrance", "side-door", "rooms")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=ZoneInfo(PARIS)).timestamp()


def rule(**changes) -> RuleSettings:
    return RuleSettings(
        **{"any_of": ("dress", "suit"), "min_probability": 0.7, "cooldown_s": 0.0, **changes}
    )


def alerts_of(**changes) -> Alerts:
    return Alerts({"formalwear": rule(**changes)}, PARIS, ZONES)


def entry(track_id: int, at_s: float = NOON, **changes) -> Entry:
    values = {"camera": "door", "zone": "entrance", "direction": "in", "frame_index": 0, **changes}
    return Entry(track_id=track_id, at_s=at_s, **values)


def outfit(is_settled: bool = True, **wears: float) -> Outfit:
    regions = {REGION_OF[garment]: Worn(garment, p) for garment, p in wears.items()}
    return Outfit(is_settled, wears, regions, dict.fromkeys(regions, "red"), evidence=1.0)


def enter(alerts: Alerts, *track_ids: int, at_s: float = NOON, **wears: float) -> list[Alert]:
    """People come in whose outfits are settled already."""
    for track_id in track_ids:
        alerts.entered(entry(track_id, at_s))
    worn = wears or {"dress": 0.9}
    return alerts.update({("door", i): outfit(**worn) for i in track_ids}, at_s, 7)


def pass_time(alerts: Alerts, from_s: float, to_s: float) -> list[Alert]:
    """Nothing happens, and the pipeline goes on asking: a gap would be a clock that was set."""
    minutes = int((to_s - from_s) // 60)
    return [alert for i in range(1, minutes + 1) for alert in alerts.update({}, from_s + 60 * i, 0)]
