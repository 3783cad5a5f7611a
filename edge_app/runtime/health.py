"""How the box is doing: frames per second, latencies, drops and memory, measured over a minute."""

from __future__ import annotations

import resource
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_app.flow import Frame

_KEPT = 2000
_SLOW_S = 1 / 3
"""With fewer than three turns a second people who cross briskly are missed;"""
_LEAST_SLOW = 10
_LEAST_SLOW_S = 10.0
"""after so many slow turns, which took so long together, the box is told to be too slow."""


class HealthMeter:
    """Adds up what the health message tells.

    Args:
        started_at_s: when the program started, on the frames' clock.

    Attributes:
        slow_turns_per_s: how often a second every camera is looked at while the box is too slow to
            count people, of the span reported last; None where it is not.
    """

    def __init__(self, started_at_s: float) -> None:
        self._started_at_s = started_at_s
        self._since_s = started_at_s
        self._frames: Counter[str] = Counter()
        self.slow_turns_per_s: float | None = None
        self._step_s: deque[float] = deque(maxlen=_KEPT)
        self._latency_s: deque[float] = deque(maxlen=_KEPT)

    def stepped(self, frames: Sequence[Frame], began_at_s: float, done_at_s: float) -> None:
        """Note one step of the pipeline.

        Args:
            frames: that went through it; a step without frames says nothing.
            began_at_s: when it began, on the frames' clock.
            done_at_s: when it was done.
        """
        if not frames:
            return
        self._frames.update(frame.camera for frame in frames)
        self._step_s.append(done_at_s - began_at_s)
        self._latency_s.extend(max(done_at_s - frame.taken_at_s, 0.0) for frame in frames)

    def report(self, drops: Mapping[str, Mapping[str, int]], now_s: float) -> dict[str, Any]:
        """The keys of the health message that are measured here; begins a new span.

        Args:
            drops: frames dropped since the start, by camera and reason.
            now_s: the present, on the frames' clock.
        """
        span_s, steps_s = max(now_s - self._since_s, 1e-3), self._step_s
        if steps_s:
            slow_s = [step_s for step_s in steps_s if step_s > _SLOW_S]
            is_slow = len(slow_s) >= _LEAST_SLOW and sum(slow_s) >= _LEAST_SLOW_S
            self.slow_turns_per_s = len(slow_s) / sum(slow_s) if is_slow else None
        measured = {
            "uptime_s": round(max(now_s - self._started_at_s, 0.0), 1),
            "fps": {camera: round(n / span_s, 2) for camera, n in self._frames.items()},
            "frames_dropped": {camera: sum(counts.values()) for camera, counts in drops.items()},
            "stage_p50_ms": {"pipeline": _milliseconds(steps_s, 50)} if steps_s else {},
            "stage_p99_ms": {"pipeline": _milliseconds(steps_s, 99)} if steps_s else {},
            "latency_p50_ms": _milliseconds(self._latency_s, 50),
            "latency_p99_ms": _milliseconds(self._latency_s, 99),
            "temperatures_c": temperatures_c(),
            "memory_mb": round(resident_mb(), 1),
        }
        self._since_s = now_s
        self._frames.clear()
        self._step_s.clear()
        self._latency_s.clear()
        return measured


def resident_mb() -> float:
    """Resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def written_bytes() -> int | None:
    """What this process has had written to disks; None where Linux does not tell."""
    try:
        told = Path("/proc/self/io").read_text(encoding="ascii")
    except OSError:
        return None
    return int(dict(line.split(": ") for line in told.splitlines())["write_bytes"])


def temperatures_c(root: Path = Path("/sys/class/thermal")) -> dict[str, float]:
    """Degrees Celsius of the machine's thermal zones by name; empty where it tells none."""
    zones = map(_temperature_c, sorted(root.glob("thermal_zone*")))
    return dict(zone for zone in zones if zone is not None)


def _temperature_c(zone: Path) -> tuple[str, float] | None:
    """Name and degrees of one zone; None for a sensor that is switched off and gives an error."""
    try:
        name = (zone / "type").read_text(encoding="ascii").strip().lower()
        return name, int((zone / "temp").read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None


def _milliseconds(spans_s: Sequence[float], percentile: float) -> float | None:
    return round(1000 * float(np.percentile(spans_s, percentile)), 2) if spans_s else None
