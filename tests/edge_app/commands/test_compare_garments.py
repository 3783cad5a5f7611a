from __future__ import annotations

import pytest

from edge_app.commands.compare_garments import compare_garments

SHIRT_AND_JEANS = frozenset({"shirt", "jeans"})

# What is worn, what is told, and how many garments were (found, abstained from, mistaken).
FATES = {
    "found": (SHIRT_AND_JEANS, {"top": "shirt", "bottom": "jeans"}, (2, 0, 0)),
    "open": (SHIRT_AND_JEANS, {"top": "unknown", "bottom": "jeans"}, (1, 1, 0)),
    "taken for another": (SHIRT_AND_JEANS, {"top": "jacket", "bottom": "jeans"}, (1, 0, 1)),
    "nothing made out": (SHIRT_AND_JEANS, {}, (0, 2, 0)),
    "another region": (SHIRT_AND_JEANS, {"long": "dress"}, (0, 0, 2)),
    "half of it seen": (SHIRT_AND_JEANS, {"top": "shirt"}, (1, 0, 1)),
    "all open": (frozenset({"dress"}), {"long": "unknown"}, (0, 1, 0)),
    "a garment beyond the vocabulary": (frozenset({"sari"}), {"long": "dress"}, (0, 0, 1)),
}


@pytest.mark.parametrize(("worn", "told", "fates"), FATES.values(), ids=FATES.keys())
def test_what_became_of_each_garment(worn, told, fates):
    outfit = {region: {"category": word, "probability": 0.8} for region, word in told.items()}
    result = compare_garments([(worn, outfit)])
    counted = tuple(
        round(result[fate]["value"] * len(worn)) for fate in ("found", "abstained", "mistaken")
    )
    assert counted == fates


def test_accuracy_is_of_what_was_told_and_silence_of_people():
    told = {"top": {"category": "shirt"}, "bottom": {"category": "trousers"}}
    result = compare_garments([(SHIRT_AND_JEANS, told), (SHIRT_AND_JEANS, {})])
    assert (result["accuracy"]["value"], result["accuracy"]["n"]) == (0.5, 2)
    assert (result["silent"]["value"], result["silent"]["n"]) == (0.5, 2)
    assert result["confusion"] == {
        "jeans": {"trousers": 1, "nothing": 1},
        "shirt": {"nothing": 1},
    }


def test_of_nobody_nothing_is_said():
    result = compare_garments([])
    assert result["accuracy"] == {"value": None, "low": None, "high": None, "n": 0}
