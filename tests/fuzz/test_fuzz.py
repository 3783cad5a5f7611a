"""A few cases of each kind of input; ``make fuzz`` runs ten thousand."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fuzz.mutations import Mutation
from tests.fuzz.targets import ROOT, TARGETS

CASES = 60


def test_mutations_change_what_they_say() -> None:
    data = bytes(range(10))
    assert Mutation("set", 0.5, 1.0, b"\xff\xff").apply(data) == data[:5] + b"\xff\xff" + data[7:]
    assert Mutation("insert", 1.0, 1.0, b"x").apply(data) == data + b"x"
    assert Mutation("truncate", 0.3, 0.9, b"").apply(data) == data[:3]
    assert Mutation("delete", 0.2, 0.4, b"").apply(data) == data[:2] + data[4:]
    assert Mutation("swap", 0.0, 0.3, b"").apply(data) == b"\x02\x01\x00" + data[3:]
    assert Mutation("repeat", 0.0, 0.1, b"").apply(data) == b"\x00" * 4 + data[1:]


@pytest.mark.timeout(280)
def test_no_input_ends_the_process() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--here", "--cases", str(CASES), *TARGETS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stderr[-4000:]
    assert all(int(cases) >= CASES for cases in done.stdout.split())
    assert len(done.stdout.split()) == len(TARGETS)
