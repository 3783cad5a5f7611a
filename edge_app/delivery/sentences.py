"""What an alert says to people, in the store's language."""

from __future__ import annotations

from edge_app.delivery.phrases import LANGUAGES, Phrases
from edge_app.flow import Direction

_FORMS = {"m": 0, "f": 1, "p": 2}


def _garment(phrases: Phrases, garment: str, colour: str) -> str:
    if garment not in phrases.garments:
        return phrases.anything
    pattern, form = phrases.garments[garment]
    words = phrases.colours.get(colour)
    spoken = pattern.format(words[_FORMS[form]] if words else "")
    return " ".join(spoken.replace("a orange", "an orange").split())


def title(language: str, garment: str, people: int = 1, is_test: bool = False) -> str:
    """A short line for a notification.

    >>> title("en", "dress"), title("it", "jeans", people=3)
    ('Customer in a dress', '3 persone, una con dei jeans')
    """
    phrases = LANGUAGES[language]
    pattern = phrases.title if people == 1 else phrases.title_many
    spoken = pattern.format(garment=_garment(phrases, garment, "unknown"), people=people)
    return (phrases.test if is_test else "") + spoken


def sentence(
    language: str,
    garment: str,
    colour: str = "unknown",
    people: int = 1,
    direction: Direction = "in",
) -> str:
    """A whole sentence, without its full stop.

    Args:
        language: ``en``, ``de``, ``fr``, ``es`` or ``it``.
        garment: a category; anything else is spoken of in general.
        colour: a colour name; unknown ones are not spoken of.
        people: how many the alert speaks of, ``>= 1``.
        direction: of the crossing.

    >>> sentence("en", "suit", "orange")
    'A customer in an orange suit entered'
    >>> sentence("de", "jacket", "red", direction="out")
    'Eine Person in einer roten Jacke ist hinausgegangen'
    >>> sentence("fr", "dress", "white", people=3)
    '3 personnes sont entrées, dont au moins une portant une robe blanche'
    """
    phrases = LANGUAGES[language]
    if direction == "in":
        pattern = phrases.came_in if people == 1 else phrases.came_in_many
    else:
        pattern = phrases.went_out if people == 1 else phrases.went_out_many
    return pattern.format(garment=_garment(phrases, garment, colour), people=people)


def text(
    language: str,
    garment: str,
    colour: str,
    people: int,
    direction: Direction,
    zone: str,
    is_test: bool = False,
) -> str:
    """The sentence with the place, ready to be shown.

    >>> text("en", "dress", "unknown", 1, "in", "entrance")
    'A customer in a dress entered (entrance).'
    """
    spoken = f"{sentence(language, garment, colour, people, direction)} ({zone})."
    return (LANGUAGES[language].test if is_test else "") + spoken
