"""Half a minute of the chaos run; ``make chaos`` takes longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.broker.chaos import LEAST_KILLS, run


@pytest.mark.parametrize("is_durable", [True, False], ids=["durable broker", "forgetful broker"])
def test_kills_lose_and_reorder_nothing(
    tmp_path: Path, has_mosquitto: None, is_durable: bool
) -> None:
    outcome = run(7, 8.0 if is_durable else 4.0, is_durable, tmp_path)
    print(outcome)
    assert outcome.published > 20
    assert outcome.broker_kills + outcome.box_kills >= LEAST_KILLS
    assert outcome.lost == 0
    if is_durable:
        assert (outcome.gaps, outcome.reordered) == (0, 0)
