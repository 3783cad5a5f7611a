"""Real brokers for the tests of delivery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_app.config.schema import OutboxSettings
from edge_app.delivery.broker import find_mosquitto
from edge_app.delivery.outbox import Outbox
from tests.broker.mosquitto import Mosquitto

FAST = 100_000.0


@pytest.fixture(scope="session")
def has_mosquitto() -> None:
    """Skips where mosquitto is not installed."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto: not installed (apt install mosquitto)")


@pytest.fixture
def mosquitto(tmp_path: Path, has_mosquitto: None) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto") as broker:
        yield broker


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite", OutboxSettings(drain_per_s=FAST)) as made:
        yield made
