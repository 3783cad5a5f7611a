"""What alerts say: every garment, colour and number in every language."""

from __future__ import annotations

import itertools

import pytest

from edge_app.delivery.phrases import LANGUAGES
from edge_app.delivery.sentences import sentence, text, title
from edge_app.vocabulary import CATEGORIES
from tests.edge_app.delivery.samples import NOW_S, alert

COLOURS = (
    "black", "grey", "white", "red", "orange", "yellow", "green", "blue", "purple", "pink",
    "brown", "beige",
)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_all_words(language: str) -> None:
    phrases = LANGUAGES[language]
    assert tuple(phrases.garments) == CATEGORIES
    assert set(phrases.colours) == set(COLOURS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_clean(language: str) -> None:
    """No gap is left, no space is doubled, and each differs from all others."""
    said = [
        sentence(language, garment, colour, people, direction)  # type: ignore[arg-type]
        for garment, colour, people, direction in itertools.product(
            CATEGORIES, (*COLOURS, "unknown"), (1, 3), ("in", "out")
        )
    ]
    assert len(set(said)) == len(said)
    assert not any("{" in one or "  " in one or one != one.strip() for one in said)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("en", "dress"), "A customer in a dress entered"),
        (("en", "jeans", "orange"), "A customer in orange jeans entered"),
        (("en", "coat", "orange"), "A customer in an orange coat entered"),
        (("en", "suit", "unknown", 3), "3 customers entered, at least one in a suit"),
        (("en", "suit", "black", 1, "out"), "A customer in a black suit left"),
        (("de", "dress", "red"), "Eine Person in einem roten Kleid ist hereingekommen"),
        (("de", "jeans", "blue"), "Eine Person in blauen Jeans ist hereingekommen"),
        (("de", "suit", "pink", 2, "out"),
         "2 Personen sind hinausgegangen, mindestens eine in einem rosa Anzug"),
        (("fr", "skirt", "green"), "Une personne portant une jupe verte est entrée"),
        (("fr", "suit", "grey", 4),
         "4 personnes sont entrées, dont au moins une portant un costume gris"),
        (("es", "jeans", "black"), "Ha entrado una persona con unos vaqueros negros"),
        (("es", "skirt", "white", 1, "out"), "Ha salido una persona con una falda blanca"),
        (("it", "trousers", "grey"), "È entrata una persona con dei pantaloni grigi"),
        (("it", "jacket", "blue", 2), "Sono entrate 2 persone, almeno una con una giacca blu"),
    ],
)  # fmt: skip
def test_sentence(arguments: tuple[str, ...], expected: str) -> None:
    assert sentence(*arguments) == expected  # type: ignore[arg-type]


def test_unknown_garments_are_spoken_of_in_general() -> None:
    assert sentence("en", "toga") == "A customer in the clothes you asked for entered"


def test_title_of_a_test_says_so() -> None:
    assert title("de", "suit", is_test=True) == "Test: Kundschaft in einem Anzug"


def test_text_of_a_test_says_so() -> None:
    """Many apps show no title, and nobody is to look for a customer who never came."""
    said = text("fr", alert(garment="suit", zone="porte", is_test=True), "in", "UTC")
    assert said == "Essai : Une personne portant un costume rouge est entrée (porte)."


def test_text_names_the_place() -> None:
    said = text("en", alert(zone="door", colour="unknown"), "in", "UTC")
    assert said == "A customer in a dress entered (door)."


@pytest.mark.parametrize(("people", "when"), [(1, "03:24"), (2, "03:24–04:04")], ids=str)
def test_text_of_who_was_held_back_says_when_they_came(people: int, when: str) -> None:
    """A cap per hour tells some only at the next one; nobody is to look at the door for them."""
    late = alert(people=people, entered_at_s=NOW_S - 2400)
    assert text("en", late, "in", "Europe/Paris").endswith(f"(entrance, {when}).")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "A customer in a blue blazer, a shirt and jeans entered"),
        ("de", "Eine Person in einem blauen Blazer, einem Hemd und Jeans ist hereingekommen"),
        ("fr", "Une personne portant un blazer bleu, une chemise et un jean est entrée"),
        ("es", "Ha entrado una persona con una americana azul, una camisa y unos vaqueros"),
        ("it", "È entrata una persona con un blazer blu, una camicia e dei jeans"),
    ],
)
def test_what_is_worn_together_is_told_together(language: str, expected: str) -> None:
    assert sentence(language, "blazer", "blue", also=["shirt", "jeans"]) == expected
