"""Labels that Dresscode refuses: what they describe is nobody's business in a store.

Clothes are counted, people are not sorted: no religion, ethnicity, age, gender, health, and nothing
that stands for one of them. Rules are named by people and models bring labels of their own, so both
are checked against this list, by whole words and their beginnings.
"""

from __future__ import annotations

import re

DENIED: dict[str, tuple[str, ...]] = {
    "religion": (
        "religio*", "muslim*", "islam*", "christian*", "catholic*", "jew", "jewish", "hindu*",
        "sikh", "buddhis*", "hijab", "niqab", "burqa", "burka", "chador", "headscarf", "turban",
        "kippah", "yarmulke", "cassock", "habit", "nun", "priest", "imam", "kopftuch",
    ),
    "ethnicity": (
        "ethnic*", "race", "racial", "skin", "black-person", "white-person", "asian", "african",
        "arab", "caucasian", "hispanic", "latino", "latina", "gypsy", "roma", "foreign*",
        "migrant*", "nationality", "sari", "kimono", "dashiki",
    ),
    "age": (
        "age", "aged", "child", "children", "kid", "kids", "teen", "minor", "baby", "toddler",
        "elderly", "senior", "young", "old-person", "pensioner", "adult",
    ),
    "gender": (
        "gender*", "sex", "male", "female", "man", "men", "woman", "women", "girl", "boy", "lady",
        "ladies", "gentleman", "gentlemen", "trans", "gay", "lesbian", "frau", "mann",
    ),
    "health": (
        "health", "disab*", "wheelchair*", "crutch", "pregnan*", "maternity", "obes*", "overweight",
        "sick", "blind", "hearing-aid", "prosthe*", "medical",
    ),
    "identity": ("face", "identity", "emotion", "mood", "gait", "biometric*", "vip", "thief"),
}  # fmt: skip
"""Words by what they describe; one with a star stands for all that begin so."""

_PATTERNS = {
    what: re.compile(rf"\b({'|'.join(words)})\b".replace("*", "[a-z]*"))
    for what, words in DENIED.items()
}


def denied(label: str) -> str | None:
    """What a label describes that nobody may look for, or None for a label that is fine.

    >>> denied("hijab"), denied("women-in-dress"), denied("disabled"), denied("formalwear")
    ('religion', 'gender', 'health', None)
    """
    text = "-".join(re.findall(r"[a-z]+", label.lower()))
    return next((what for what, pattern in _PATTERNS.items() if pattern.search(text)), None)
