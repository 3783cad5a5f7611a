"""What an alert rule asks: which entries it means, and how sure it is of what a person wears."""

from __future__ import annotations

from datetime import datetime
from math import prod
from zoneinfo import ZoneInfo

from edge_app.config.schema import RuleSettings
from edge_app.events.gate import Customer
from edge_app.flow import Entry, Outfit
from edge_app.vocabulary import REGION_OF, UNKNOWN


def watches(rule: RuleSettings, zone: str) -> bool:
    """Whether a rule means those who enter a zone; one that names none means all."""
    return not rule.zones or zone in rule.zones


def is_meant(rule: RuleSettings, entry: Entry) -> bool:
    """Whether a rule speaks of this entry: its zone, its direction, and not the start-up's."""
    is_watched = watches(rule, entry.zone)
    return is_watched and entry.direction == rule.direction and not entry.is_initial


def is_within_hours(rule: RuleSettings, at_s: float, timezone: ZoneInfo) -> bool:
    """Whether a time lies in the rule's hours; ``22:00-06:00`` runs over midnight, ends excluded.

    >>> rule = RuleSettings(any_of=("dress",), hours="22:00-06:00")
    >>> utc = ZoneInfo("UTC")
    >>> [is_within_hours(rule, hour * 3600.0, utc) for hour in (21, 22, 0, 6)]
    [False, True, True, False]
    """
    if rule.hours is None:
        return True
    start, end = rule.hours.split("-")
    now = datetime.fromtimestamp(at_s, timezone).strftime("%H:%M")
    return start <= now < end if start < end else now >= start or now < end


def customer_of(rule: RuleSettings, outfit: Outfit, entered_at_s: float) -> Customer | None:
    """Somebody whom a rule means by what they wear; None while they are not known to be."""
    chance = probability(rule, outfit)
    if not is_evidence(rule, outfit) or chance < rule.min_probability:
        return None
    garment = main_garment(rule, outfit)
    return Customer(garment, chance, colour_of(outfit, garment), entered_at_s)


def is_evidence(rule: RuleSettings, outfit: Outfit) -> bool:
    """Whether enough is known of an outfit to answer a rule.

    Staff do not wait for what the rule does not ask: it is answered as soon as one of its garments
    has won its region, or twice the evidence that the vote asks for has come together, even while
    another region is open. An outfit that settled on too little evidence, or in which nothing was
    made out, is unknown and fires nothing. One that was seen well, where only two garments compete
    (dress or suit?), still answers a rule that asks for either.

    >>> is_evidence(RuleSettings(any_of=("dress",)), Outfit(True, {"dress": 0.9}, {}))
    False
    """
    asked = {*rule.any_of, *rule.all_of}
    has_won = any(worn.category in asked for worn in outfit.regions.values())
    if not outfit.is_settled:
        return bool(outfit.regions) and outfit.evidence >= (1.0 if has_won else 2.0)
    is_seen = any(worn.category != UNKNOWN for worn in outfit.regions.values())
    is_contested = bool(outfit.regions) and outfit.evidence >= 1.0
    return is_seen or is_contested


def probability(rule: RuleSettings, outfit: Outfit) -> float:
    """Probability that a person wears at least one of ``any_of`` and each of ``all_of``.

    Garments are taken as independent of each other.

    >>> rule = RuleSettings(any_of=("dress", "suit"))
    >>> round(probability(rule, Outfit(True, {"dress": 0.5, "suit": 0.5}, {})), 2)
    0.75
    """
    wears = outfit.wears
    none_of_any = prod(1.0 - wears.get(garment, 0.0) for garment in rule.any_of)
    each_of_all = prod(wears.get(garment, 0.0) for garment in rule.all_of)
    return (1.0 - none_of_any if rule.any_of else 1.0) * each_of_all


def main_garment(rule: RuleSettings, outfit: Outfit) -> str:
    """The most probable of ``any_of``, else of ``all_of``; the first named of equals."""
    return max(rule.any_of or rule.all_of, key=lambda garment: outfit.wears.get(garment, 0.0))


def colour_of(outfit: Outfit, garment: str) -> str:
    """Colour name of a garment, or ``unknown`` where none was found in its place.

    What is on the torso may be found as a top and be a dress, or the other way round.

    >>> mixed = Outfit(True, {}, {}, {"top": "red", "bottom": "blue"})
    >>> [colour_of(mixed, garment) for garment in ("jeans", "jacket", "coat")]
    ['blue', 'red', 'red']
    """
    region = REGION_OF[garment]
    torso = {"top": "long", "long": "top"}.get(region, region)
    return outfit.colours.get(region, outfit.colours.get(torso, UNKNOWN))
