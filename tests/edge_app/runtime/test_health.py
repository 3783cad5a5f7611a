"""The figures of the health message."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edge_app.flow import Frame
from edge_app.runtime.health import HealthMeter, temperatures_c, written_bytes


def frame(taken_at_s: float) -> Frame:
    return Frame("door", 0, taken_at_s, np.zeros((2, 2, 3), np.uint8))


def test_a_report_tells_of_its_own_minute_alone() -> None:
    meter = HealthMeter(1000.0)
    for n in range(1, 101):
        meter.stepped([frame(1000.0)], 1000.0 + n / 200, 1000.0 + n / 100)
    meter.stepped([], 1000.0, 1059.0)
    first = meter.report({"door": {"late": 3, "rate": 7}}, 1050.0)
    second = meter.report({"door": {"late": 3, "rate": 7}}, 1110.0)
    assert (first["uptime_s"], second["uptime_s"]) == (50.0, 110.0)
    assert (first["fps"], second["fps"]) == ({"door": 2.0}, {})
    assert first["frames_dropped"] == {"door": 10}
    told = [first["stage_p50_ms"]["pipeline"], first["stage_p99_ms"]["pipeline"]]
    assert told == pytest.approx([252.5, 495.05], abs=0.01)
    told = [first["latency_p50_ms"], first["latency_p99_ms"]]
    assert told == pytest.approx([505.0, 990.1], abs=0.01)
    assert (second["stage_p99_ms"], second["latency_p50_ms"]) == ({}, None)


def test_a_picture_stamped_later_than_it_was_seen_took_no_time() -> None:
    meter = HealthMeter(0.0)
    meter.stepped([frame(5.0)], 4.0, 4.5)
    assert meter.report({}, 60.0)["latency_p50_ms"] == 0.0


def test_temperatures_are_those_of_the_sensors_that_work(tmp_path: Path) -> None:
    for n, (name, told) in enumerate([("CPU-thermal", "48500\n"), ("gpu", None), ("soc", "x")]):
        zone = tmp_path / f"thermal_zone{n}"
        zone.mkdir()
        (zone / "type").write_text(f"{name}\n")
        if told is not None:
            (zone / "temp").write_text(told)
    assert temperatures_c(tmp_path) == {"cpu-thermal": 48.5}


def test_what_is_written_adds_up(tmp_path: Path) -> None:
    before = written_bytes()
    with (tmp_path / "file").open("wb") as file:
        file.write(bytes(2**20))
        os.fsync(file.fileno())
    after = written_bytes()
    assert before is not None
    assert after is not None
    assert after - before in (0, *range(2**20, 2**22)), "all of it, or nothing of a disk in memory"
