"""The brokers and the database of the delivery's tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.conftest import has_mosquitto, mosquitto, outbox
from tests.deploy.database import SCHEMA, STAND_IN, Postgres, find_programs

__all__ = ["has_mosquitto", "mosquitto", "outbox"]


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL: not installed (apt install postgresql)")
    with tempfile.TemporaryDirectory(prefix="dresscode-pg-") as folder:
        made = Postgres(Path(folder), programs)
        try:
            made.ask(STAND_IN + SCHEMA)
            yield made
        finally:
            made.stop()


@pytest.fixture
def postgres(server: Postgres) -> Postgres:
    server.ask("TRUNCATE agg, agg_seen, health, state")
    return server
