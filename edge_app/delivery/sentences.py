"""What an alert says to people, in the store's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from edge_app.delivery.phrases import LANGUAGES, Phrases
from edge_app.flow import Alert, Direction

_FORMS = {"m": 0, "f": 1, "p": 2}

LATE_S: Final = 60.0
"""Whoever is announced later than this has not just come in: the alert says when."""


def _garment(phrases: Phrases, garment: str, colour: str) -> str:
    if garment not in phrases.garments:
        return phrases.anything
    pattern, form = phrases.garments[garment]
    words = phrases.colours.get(colour)
    spoken = pattern.format(words[_FORMS[form]] if words else "")
    return " ".join(spoken.replace("a orange", "an orange").split())


def _outfit(phrases: Phrases, garment: str, colour: str, also: Sequence[str]) -> str:
    *first, last = (_garment(phrases, garment, colour), *(_garment(phrases, g, "") for g in also))
    return f"{', '.join(first)} {phrases.conjunction} {last}" if first else last


def title(
    language: str, garment: str, people: int = 1, is_test: bool = False, also: Sequence[str] = ()
) -> str:
    """A short line for a notification.

    >>> title("en", "dress"), title("it", "jeans", people=3)
    ('Customer in a dress', '3 persone, una con dei jeans')
    """
    phrases = LANGUAGES[language]
    pattern = phrases.title if people == 1 else phrases.title_many
    spoken = pattern.format(garment=_outfit(phrases, garment, "", also), people=people)
    return (phrases.test if is_test else "") + spoken


def sentence(
    language: str,
    garment: str,
    colour: str = "unknown",
    people: int = 1,
    direction: Direction = "in",
    also: Sequence[str] = (),
) -> str:
    """A whole sentence, without its full stop.

    Args:
        language: ``en``, ``de``, ``fr``, ``es`` or ``it``.
        garment: a category; anything else is spoken of in general.
        colour: a colour name; unknown ones are not spoken of.
        people: how many the alert speaks of, ``>= 1``.
        direction: of the crossing.
        also: other categories that are worn with it.

    >>> sentence("en", "suit", "orange")
    'A customer in an orange suit entered'
    >>> sentence("de", "jacket", "red", direction="out")
    'Eine Person in einer roten Jacke ist hinausgegangen'
    >>> sentence("fr", "dress", "white", people=3)
    '3 personnes sont entrées, dont au moins une portant une robe blanche'
    >>> sentence("es", "blazer", "blue", also=["jeans"])
    'Ha entrado una persona con una americana azul y unos vaqueros'
    """
    phrases = LANGUAGES[language]
    if direction == "in":
        pattern = phrases.came_in if people == 1 else phrases.came_in_many
    else:
        pattern = phrases.went_out if people == 1 else phrases.went_out_many
    return pattern.format(garment=_outfit(phrases, garment, colour, also), people=people)


def text(language: str, alert: Alert, direction: Direction, timezone: str) -> str:
    """The sentence with the place, ready to be shown.

    Args:
        language: as of :func:`sentence`.
        alert: what it speaks of.
        direction: of the crossing.
        timezone: of the tz database; whom a cool-down or cap held back came in at that time.

    >>> alert = Alert("formalwear", "entrance", "dress", 0.9, "red", 2, 0.0, 1800.0, 7)
    >>> text("en", alert, "in", "Europe/Paris")
    '2 customers entered, at least one in a red dress (entrance, 01:00–01:30).'
    """
    spoken = sentence(language, alert.garment, alert.colour, alert.people, direction, alert.also)
    place = alert.zone
    if alert.settled_at_s - alert.entered_at_s > LATE_S:
        last_s = (alert.settled_at_s,) if alert.people > 1 else ()
        times = (
            datetime.fromtimestamp(s, ZoneInfo(timezone)) for s in (alert.entered_at_s, *last_s)
        )
        place += ", " + "–".join(time.strftime("%H:%M") for time in times)
    return f"{LANGUAGES[language].test if alert.is_test else ''}{spoken} ({place})."
