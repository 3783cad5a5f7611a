"""A state folder belongs to one process at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_app.errors import ServiceError
from edge_app.runtime.state_lock import NAME, locked


def test_a_second_holder_is_told_of_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with locked(folder):
        with pytest.raises(ServiceError) as refused, locked(folder):
            pytest.fail("two hold one state folder")
        assert str(folder) in str(refused.value)
        assert f"process {os.getpid()};" in str(refused.value)
        with locked(tmp_path / "other"):
            pass
    with locked(folder):
        pass


def test_the_lock_goes_with_the_process_and_stays_with_no_child(tmp_path: Path) -> None:
    code = (
        "import pathlib, subprocess, sys\n"
        "from edge_app.runtime.state_lock import locked\n"
        "with locked(pathlib.Path(sys.argv[1])):\n"
        "    child = subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL)\n"
        "    print(child.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    try:
        with pytest.raises(ServiceError, match=f"process {holder.pid};"), locked(tmp_path):
            pytest.fail("two hold one state folder")
        holder.kill()
        holder.communicate()
        with locked(tmp_path):
            assert (tmp_path / NAME).read_text() == str(os.getpid())
    finally:
        os.kill(child, 9)
        holder.kill()
        holder.communicate()


def test_a_folder_that_cannot_be_written_is_not_locked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with locked(tmp_path / "state"):
        assert "a second box on it is not noticed" in caplog.text
