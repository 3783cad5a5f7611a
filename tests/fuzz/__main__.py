"""``make fuzz``: every kind of input from outside, ten thousand times each, and what came of it.

Each kind runs in a process of its own, so that a crash of a library is seen, too.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time

import cv2

from tests.fuzz.targets import TARGETS


def main() -> int:
    """Run, print a line per kind of input; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="KIND", help=", ".join(TARGETS))
    parser.add_argument("--cases", type=int, default=10_000, help="of each kind")
    parser.add_argument("--here", action="store_true", help="in this process")
    arguments = parser.parse_args()
    if arguments.here:
        cv2.setNumThreads(1)
        for name in arguments.targets:
            print(TARGETS[name](arguments.cases))
        return 0
    failed = 0
    for name in arguments.targets or TARGETS:
        began_s = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz", "--here", "--cases", str(arguments.cases), name],
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        took_s = time.monotonic() - began_s
        if done.returncode == 0:
            print(f"{name:16}{done.stdout.split()[-1]:>8} cases, no crash, no hang; {took_s:.0f} s")
        else:
            failed += 1
            how = signal.Signals(-done.returncode).name if done.returncode < 0 else "an error"
            print(f"{name:16}FAILED with {how} after {took_s:.0f} s\n{done.stderr[-6000:]}")
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
