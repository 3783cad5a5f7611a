"""When a rule is answered: as soon as its own question is, and never on a guess."""

from __future__ import annotations

import pytest

from edge_app.config.schema import RuleSettings
from edge_app.events.rules import is_evidence
from edge_app.flow import Outfit, Worn

RULE = RuleSettings(any_of=("dress", "skirt"))
DRESS = {"long": Worn("dress", 0.9)}
OPEN_TOP = {"top": Worn("unknown", 0.4)}


def outfit(regions: dict[str, Worn], evidence: float, settled: bool) -> Outfit:
    return Outfit(settled, {"dress": 0.9}, regions, evidence=evidence)


@pytest.mark.parametrize(
    ("regions", "evidence", "settled", "answered"),
    [
        (DRESS, 1.0, True, True),
        (DRESS | OPEN_TOP, 1.0, False, True),
        (DRESS, 0.9, False, False),
        (OPEN_TOP, 1.9, False, False),
        (OPEN_TOP, 2.0, False, True),
        (OPEN_TOP, 1.0, True, True),
        (OPEN_TOP, 0.9, True, False),
        ({}, 5.0, True, False),
    ],
    ids=[
        "settled",
        "garment-won-while-another-region-is-open",
        "too-little-seen-yet",
        "contested-and-open",
        "contested-but-seen-twice-over",
        "contested-at-the-deadline",
        "deadline-with-too-little",
        "nothing-made-out",
    ],
)
def test_evidence(regions: dict[str, Worn], evidence: float, settled: bool, answered: bool) -> None:
    assert is_evidence(RULE, outfit(regions, evidence, settled)) is answered
