"""For whom the doctor judges."""

import os
from pathlib import Path

import pytest

from edge_app.commands.sandbox import is_for_unit


@pytest.mark.parametrize(
    ("user", "has_systemd", "expected"), [(0, True, True), (0, False, False), (1000, True, False)]
)
def test_root_asks_for_the_service_where_systemd_runs_the_machine(
    user: int, has_systemd: bool, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert is_for_unit(tmp_path if has_systemd else tmp_path / "none") is expected
