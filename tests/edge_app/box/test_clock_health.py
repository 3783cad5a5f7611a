"""Whether the clock is synchronised."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge_app.box.clock_health import is_clock_synchronised, kernel_says


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
