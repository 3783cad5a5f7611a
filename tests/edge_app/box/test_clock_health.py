"""Whether the clock is synchronised."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge_app.box import clock_health
from edge_app.box.clock_health import (
    SETTLED_S,
    is_clock_believed,
    is_clock_synchronised,
    kernel_says,
)


def test_the_mark_of_systemd_counts(tmp_path: Path) -> None:
    mark = tmp_path / "synchronized"
    mark.touch()
    assert is_clock_synchronised(mark)


def test_without_a_mark_the_kernel_decides(tmp_path: Path) -> None:
    assert is_clock_synchronised(tmp_path / "nothing") == kernel_says()


def test_the_kernel_says_what_its_own_tool_says() -> None:
    tool = shutil.which("adjtimex") or shutil.which("ntptime")
    if tool is None:
        pytest.skip("neither adjtimex nor ntptime is installed")
    told = subprocess.run([tool, "-p"] if tool.endswith("x") else [tool], capture_output=True)
    assert kernel_says() == (b"ERROR" not in told.stdout and b"return value = 5" not in told.stdout)


@pytest.mark.parametrize("is_synchronised", [True, False])
@pytest.mark.parametrize("up_s", [60.0, 2 * SETTLED_S])
def test_a_machine_that_runs_for_long_has_the_time_it_gets(
    monkeypatch: pytest.MonkeyPatch, is_synchronised: bool, up_s: float
) -> None:
    monkeypatch.setattr(clock_health, "is_clock_synchronised", lambda: is_synchronised)
    monkeypatch.setattr(clock_health.time, "clock_gettime", lambda _: up_s)
    assert is_clock_believed() == (is_synchronised or up_s > SETTLED_S)
