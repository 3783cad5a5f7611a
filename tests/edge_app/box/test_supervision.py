"""READY once every camera is known, WATCHDOG only while every stage is fresh."""

from __future__ import annotations

import numpy as np
import pytest

from edge_app.box.supervision import (
    PATIENCE_S,
    QUIET_S,
    STATUS_S,
    Supervision,
)
from edge_app.flow import CameraState, Frame
from edge_app.inference.fallback import GpuState
from edge_app.runtime.health import HealthMeter
from edge_app.runtime.systemd import Notifier
from tests.edge_app.runtime.notify_socket import NotifySocket
from tests.edge_app.runtime.test_heartbeats import Clock


def drain(manager: NotifySocket) -> list[dict[str, str]]:
    told = []
    while (message := manager.listen(0.05)) is not None:
        told.append(message)
    return told


def test_ready_means_that_every_camera_is_known(manager: NotifySocket) -> None:
    clock = Clock()
    box = Supervision(
        Notifier({"NOTIFY_SOCKET": str(manager.path)}), ["door", "back"], ["store"], clock
    )
    box.camera(CameraState("door", "online", "", 0.0))
    box.turn("connected")
    assert not box.is_ready
    assert not [m for m in drain(manager) if "READY" in m]
    box.camera(CameraState("back", "offline", "no answer", 0.0))
    box.turn("connected")
    assert box.is_ready
    (ready,) = [m for m in drain(manager) if "READY" in m]
    assert ready["STATUS"] == "1 of 2 cameras (back offline); connected"
    told = []
    for i in range(96):
        clock.now_s += 0.125
        box.worked(1)
        box.turn("connected")
        if i % 32 == 31:
            # The kernel keeps ten datagrams for a manager that does not read.
            told += drain(manager)
    assert sum("WATCHDOG" in m for m in told) == 12
    assert any("8.0 frames/s" in m.get("STATUS", "") for m in told)
    cameras = "1 of 2 cameras (door obstructed, back offline), 8.0 frames/s"
    box.camera(CameraState("door", "obstructed", "", 0.0))
    box.turn("connected")
    assert [m["STATUS"] for m in drain(manager) if "STATUS" in m] == [f"{cameras}; connected"]
    box.networks("out of memory")
    box.turn("connected")
    (line,) = [m["STATUS"] for m in drain(manager) if "STATUS" in m]
    assert line.startswith(f"{cameras}; a network fails: out of memory")


WORKS = GpuState(None, 1)
LOST = GpuState("the GPU fails, and the CPU runs the detector", 1)
HOPELESS = GpuState("the GPU fails, and the CPU runs the detector", 20, needs_process=True)


def test_a_lost_gpu_gets_a_new_process_once_nothing_would_be_lost(manager: NotifySocket) -> None:
    clock = Clock()
    box = Supervision(Notifier({"NOTIFY_SOCKET": str(manager.path)}), [], [], clock)

    def is_hopeless(state: GpuState, seconds: float, is_busy: bool = False) -> bool:
        clock.now_s += seconds
        box.gpu(state, is_busy)
        return box.is_gpu_hopeless

    assert not is_hopeless(HOPELESS, 0.0), "nobody has looked yet"
    assert not is_hopeless(LOST, QUIET_S)
    assert not is_hopeless(LOST, 1.0)
    assert is_hopeless(HOPELESS, 1.0)
    assert not is_hopeless(WORKS, 0.0)
    assert not is_hopeless(HOPELESS, 1.0, is_busy=True)
    assert not is_hopeless(HOPELESS, QUIET_S)
    assert is_hopeless(HOPELESS, 0.1)
    assert not is_hopeless(HOPELESS, 3600.0), "a pause, or cameras that were away"
    assert not is_hopeless(HOPELESS, QUIET_S)
    assert is_hopeless(HOPELESS, 0.1)


def test_a_box_on_its_own_works_on_without_its_gpu() -> None:
    clock = Clock()
    box = Supervision(Notifier({}), [], [], clock)
    for _ in range(30):
        box.gpu(HOPELESS, False)
        clock.now_s += 1.0
    assert box.troubles == [HOPELESS.trouble]
    assert not box.is_gpu_hopeless


@pytest.mark.parametrize("stage", ["pipeline", "sender-store"])
def test_who_stands_still_silences_the_watchdog(
    manager: NotifySocket, stage: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    box = Supervision(Notifier({"NOTIFY_SOCKET": str(manager.path)}), [], ["store"], clock)
    clock.now_s += PATIENCE_S[stage.partition("-")[0]] + 1.0
    for other in {"pipeline", "sender-store"} - {stage}:
        box.heartbeats.beat(other)
    box.turn("")
    assert not [m for m in drain(manager) if "WATCHDOG" in m]
    assert f"standing still: {stage}" in caplog.text
    box.heartbeats.beat(stage)
    clock.now_s += 1.0
    box.turn("")
    assert [m for m in drain(manager) if "WATCHDOG" in m]


def test_a_refused_configuration_stays_in_the_status_line_until_one_is_taken(
    manager: NotifySocket,
) -> None:
    clock = Clock()
    box = Supervision(Notifier({"NOTIFY_SOCKET": str(manager.path)}), [], ["store"], clock)
    lines = []
    for box.refused in (None, "store.yaml:7: zones: not an area", None):
        box.turn("connected")
        clock.now_s += STATUS_S
        box.turn("connected")
        lines.append([m["STATUS"] for m in drain(manager) if "STATUS" in m][-1])
    assert lines[0] == lines[2] == "0 of 0 cameras, 0.0 frames/s; connected"
    assert lines[1] == (
        f"{lines[0]}; the changed configuration was refused: store.yaml:7: zones: not an area"
    )


FRAME = Frame("door", 0, 0.0, np.zeros((2, 2, 3), np.uint8))


def test_a_box_too_slow_to_count_says_so_until_it_is_fast_enough(
    manager: NotifySocket, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    box = Supervision(Notifier({"NOTIFY_SOCKET": str(manager.path)}), ["door"], ["store"], clock)
    box.camera(CameraState("door", "online", "", 0.0))
    meter = HealthMeter(0.0)
    lines, troubles = [], []
    for minute, (turns, turn_s) in enumerate(
        [(600, 0.1), (20, 0.8), (10, 1.2), (0, 0.0), (600, 0.1)], start=1
    ):
        for _ in range(turns):
            meter.stepped([FRAME], 0.0, turn_s)
        meter.report({"door": {"replaced": 7}}, 60.0 * minute)
        box.slow(meter.slow_turns_per_s)
        box.worked(turns)
        clock.now_s += STATUS_S
        box.turn("connected")
        lines.append([m["STATUS"] for m in drain(manager) if "STATUS" in m][-1])
        troubles.append(box.troubles)
    assert lines[1].endswith("connected; too slow to count people: 1.2 looks a second")
    for line in lines[2:4]:  # a minute in which nothing came says nothing
        assert line.endswith("connected; too slow to count people: 0.8 looks a second")
    assert "too slow" not in lines[0] + lines[4]
    # Without the figure, which would be news to the brokers every minute.
    assert troubles == [[], *[["too slow to count people"]] * 3, []]
    assert caplog.text.count("too slow to count people: cameras were looked at 1.2 times") == 1


@pytest.mark.parametrize(
    ("turns", "turn_s"), [(9, 3.0), (25, 0.35), (600, 0.3)], ids=["hung", "a-moment", "just-enough"]
)
def test_a_box_that_was_slow_for_a_moment_is_not_too_slow(turns: int, turn_s: float) -> None:
    meter = HealthMeter(0.0)
    for _ in range(turns):
        meter.stepped([FRAME], 0.0, turn_s)
    meter.report({"door": {}}, 60.0)
    assert meter.slow_turns_per_s is None
