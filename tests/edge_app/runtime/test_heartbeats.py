"""Heartbeats: who stands still is named, and nobody else."""

from __future__ import annotations

import threading

import pytest

from edge_app.runtime.heartbeats import Heartbeats


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_who_is_silent_for_too_long_is_overdue() -> None:
    clock = Clock()
    hearts = Heartbeats({"pipeline": 2.0, "sender": 10.0}, clock)
    clock.now_s += 3.0
    assert hearts.overdue() == {"pipeline": 3.0}
    hearts.beat("pipeline")
    assert hearts.overdue() == {}
    clock.now_s += 11.0
    assert hearts.overdue() == {"pipeline": 11.0, "sender": 14.0}


def test_an_unknown_stage_is_an_error() -> None:
    with pytest.raises(KeyError):
        Heartbeats({}).beat("nobody")


def test_a_clock_beats_only_for_its_own_thread() -> None:
    clock = Clock()
    hearts = Heartbeats({"sender": 1.0}, clock)
    steady = hearts.clock_of("sender")
    clock.now_s += 5.0
    assert steady() == 105.0
    assert hearts.overdue() == {"sender": 5.0}
    thread = threading.Thread(target=steady, name="sender")
    thread.start()
    thread.join()
    assert hearts.overdue() == {}
