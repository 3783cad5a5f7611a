"""The newest-frame slots: what the pipeline gets, and what is counted as dropped."""

from __future__ import annotations

import threading
import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_app.capture.latest import FrameSlots
from edge_app.flow import Frame

PICTURE = np.zeros((4, 4, 3), np.uint8)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def frame(camera: str = "door", index: int = 0, taken_at_s: float = 1000.0) -> Frame:
    return Frame(camera, index, taken_at_s, PICTURE)


def test_the_newest_frame_of_each_camera_in_the_order_of_the_cameras() -> None:
    slots = FrameSlots(["door", "side", "back"], Clock())
    for camera, index in (("back", 0), ("door", 0), ("door", 1), ("door", 2)):
        slots.put(frame(camera, index))
    assert [(f.camera, f.index) for f in slots.take(0.0)] == [("door", 2), ("back", 0)]
    assert slots.drops() == {"door": {"replaced": 2}, "side": {}, "back": {}}


def test_a_frame_is_taken_once() -> None:
    slots = FrameSlots(["door"], Clock())
    slots.put(frame())
    assert len(slots.take(0.0)) == 1
    assert slots.take(0.0) == []


def test_frames_that_waited_too_long_are_dropped_and_counted() -> None:
    clock = Clock()
    slots = FrameSlots(["door", "side"], clock, max_age_s=0.5)
    slots.put(frame("door", taken_at_s=999.4))
    slots.put(frame("side", taken_at_s=999.6))
    assert [f.camera for f in slots.take(0.0)] == ["side"]
    assert slots.drops()["door"] == {"old": 1}


def test_taking_waits_for_the_first_frame() -> None:
    slots = FrameSlots(["door"], Clock())
    timer = threading.Timer(0.05, lambda: slots.put(frame(index=7)))
    timer.start()
    began = time.monotonic()
    assert [f.index for f in slots.take(30.0)] == [7]
    assert time.monotonic() - began < 5.0
    timer.join()


def test_taking_gives_up_in_time() -> None:
    slots = FrameSlots(["door"], Clock())
    began = time.monotonic()
    assert slots.take(0.05) == []
    assert 0.04 < time.monotonic() - began < 2.0


@given(st.lists(st.one_of(st.sampled_from(["door", "side"]), st.none()), max_size=60))
def test_no_frame_is_lost_uncounted_and_none_comes_late(actions: list[str | None]) -> None:
    slots = FrameSlots(["door", "side"], Clock())
    put = {"door": 0, "side": 0}
    taken: dict[str, list[int]] = {"door": [], "side": []}
    for camera in [*actions, None]:
        if camera is None:
            for got in slots.take(0.0):
                taken[got.camera].append(got.index)
                assert got.index == put[got.camera] - 1
        else:
            slots.put(frame(camera, put[camera]))
            put[camera] += 1
    for camera, count in put.items():
        assert len(taken[camera]) + slots.drops()[camera].get("replaced", 0) == count
        assert taken[camera] == sorted(set(taken[camera]))


def test_many_threads_and_one_taker_agree_on_the_number_of_frames() -> None:
    cameras = [f"c{i}" for i in range(4)]
    slots = FrameSlots(cameras, Clock())

    def fill(camera: str) -> None:
        for index in range(500):
            slots.put(frame(camera, index))

    threads = [threading.Thread(target=fill, args=(camera,)) for camera in cameras]
    for thread in threads:
        thread.start()
    taken = 0
    while any(thread.is_alive() for thread in threads):
        taken += len(slots.take(0.01))
    taken += len(slots.take(0.0))
    dropped = sum(drops.get("replaced", 0) for drops in slots.drops().values())
    assert taken + dropped == 4 * 500
