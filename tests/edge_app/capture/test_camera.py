"""A live camera comes back from everything; the camera is the seam, everything else is real."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from edge_app.capture.camera import LiveCamera, Timing
from edge_app.capture.clock import SteadyClock
from edge_app.capture.latest import FrameSlots
from edge_app.capture.pace import PacedCamera
from edge_app.capture.replay import ReplayCamera
from edge_app.config.schema import CameraSettings
from edge_app.errors import SourceError
from edge_app.flow import CameraState, Frame
from edge_app.ports import Camera
from tests.edge_app.capture.pictures import number_of, write_video

FAST = Timing(
    stall_s=1.0, open_s=1.0, first_retry_s=0.01, last_retry_s=0.05, healthy_s=5.0, close_s=2.0
)


class FakeCamera:
    """Plays a script: a number waits so many seconds and gives a frame, an error is raised."""

    def __init__(
        self, script: list[float | Exception], hang: threading.Event | None = None
    ) -> None:
        self.script = iter(script)
        self.hang = hang
        self.index = 0
        self.is_closed = False

    def read(self) -> Frame | None:
        step = next(self.script, None)
        if step is None:
            if self.hang is not None:
                self.hang.wait(20.0)
            return None
        if isinstance(step, Exception):
            raise step
        time.sleep(step)
        self.index += 1
        # Something to see, or the scene would be taken for a covered camera after a while.
        picture = np.random.default_rng(self.index).integers(200, 256, (8, 8, 3), np.uint8)
        return Frame("door", self.index, time.monotonic(), picture)

    def close(self) -> None:
        self.is_closed = True


class LateCamera(FakeCamera):
    """Gives black pictures once it hangs no longer."""

    def read(self) -> Frame | None:
        return super().read() or Frame("door", 99, 0.0, np.zeros((8, 8, 3), np.uint8))


class Store:
    """One camera with its slot, and all that it reported."""

    def __init__(
        self, opener: Callable[[], Camera], timing: Timing = FAST, **settings: object
    ) -> None:
        clock = SteadyClock()
        self.slots = FrameSlots(["door"], clock.now_s)
        self.states: list[CameraState] = []
        chosen = CameraSettings.model_validate({"source": "x", "fps": 100.0, **settings})
        self.camera = LiveCamera("door", chosen, opener, self.slots, self.states.append, timing)
        self.frames: list[Frame] = []

    def run_until(self, done: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Take frames and supervise, as the pipeline does, until something holds."""
        deadline = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < deadline, self.states
            self.frames += self.slots.take(0.02)
            self.camera.supervise()

    def named(self) -> list[str]:
        return [state.state for state in self.states]


@contextmanager
def running(store: Store) -> Iterator[Store]:
    with store.camera:
        yield store
    # A thread that was cut off ends once its camera lets go of it.
    for thread in threading.enumerate():
        if thread.name == "capture-door":
            thread.join(5.0)
            assert not thread.is_alive()


def openers(*cameras: Camera | Exception) -> Callable[[], Camera]:
    """An opener that gives these in turn, and then fails."""
    rest = iter(cameras)

    def open_next() -> Camera:
        camera = next(rest, SourceError("no more"))
        if isinstance(camera, Exception):
            raise camera
        return camera

    return open_next


def test_nothing_runs_before_and_after_with() -> None:
    fake = FakeCamera([0.01] * 1000)
    store = Store(openers(fake))
    assert store.states == []
    with running(store):
        store.run_until(lambda: len(store.frames) >= 3)
    assert fake.is_closed
    assert store.named() == ["online"]


def test_a_camera_that_is_absent_at_the_start_comes_up() -> None:
    store = Store(
        openers(SourceError("not there"), SourceError("not there"), FakeCamera([0.0] * 5))
    )
    with running(store):
        store.run_until(lambda: "online" in store.named())
    assert store.named()[:2] == ["offline", "online"]
    assert store.states[0].reason == "not there"


def test_a_camera_that_fails_comes_back_and_times_never_decrease() -> None:
    broken = [FakeCamera([0.01, 0.01, SourceError(f"lost {i}")]) for i in range(4)]
    store = Store(openers(*broken, FakeCamera([0.01] * 1000)))
    with running(store):
        store.run_until(lambda: store.named().count("online") == 5 and len(store.frames) >= 8)
    assert [s.reason for s in store.states if s.state == "offline"] == [
        f"lost {i}" for i in range(4)
    ]
    assert all(camera.is_closed for camera in broken)
    times = [frame.taken_at_s for frame in store.frames]
    assert times == sorted(times)
    indices = [frame.index for frame in store.frames]
    assert indices == sorted(set(indices))
    assert abs(times[-1] - time.time()) < 5.0


def test_what_a_camera_should_never_raise_does_not_end_its_thread() -> None:
    store = Store(openers(FakeCamera([0.0, ZeroDivisionError("odd")]), FakeCamera([0.01] * 1000)))
    with running(store):
        store.run_until(lambda: store.named() == ["online", "offline", "online"])
    assert store.states[1].reason == "internal error: ZeroDivisionError"


def test_an_outage_is_one_state_with_its_beginning() -> None:
    store = Store(openers(FakeCamera([0.0, SourceError("lost")]), *[SourceError("gone")] * 3,
                          FakeCamera([0.01] * 1000)))  # fmt: skip
    with running(store):
        store.run_until(lambda: store.named().count("online") == 2)
    offline = [state for state in store.states if state.state == "offline"]
    assert [state.reason for state in offline] == ["lost", "gone"]
    assert offline[0].since_s == offline[1].since_s


def test_a_stall_is_noticed_the_thread_replaced_and_the_old_one_silenced() -> None:
    hang = threading.Event()
    stalled = LateCamera([0.01, 0.01], hang)
    store = Store(openers(stalled, FakeCamera([0.1] * 1000)))
    with running(store):
        store.run_until(lambda: "offline" in store.named())
        assert "waiting for a picture: nothing for" in store.states[-1].reason
        store.run_until(lambda: store.named().count("online") == 2)
        hang.set()
        store.run_until(lambda: stalled.is_closed)
        before = len(store.states)
        store.run_until(lambda: len(store.frames) > 5)
    assert len(store.states) == before
    assert all(frame.frame_bgr.any() for frame in store.frames)


def test_a_connection_that_hangs_is_noticed() -> None:
    release = threading.Event()

    def hanging() -> Camera:
        release.wait(20.0)
        raise SourceError("late")

    store = Store(hanging)
    with running(store):
        store.run_until(lambda: bool(store.states))
        assert store.states[0].state == "offline"
        assert store.states[0].reason.startswith("connecting: nothing for")
        until_s = time.monotonic() + 2.0
        store.run_until(lambda: time.monotonic() > until_s)
        assert len(store.states) == 1  # said once, however long it hangs
        release.set()


def test_a_camera_comes_back_although_two_connections_hang_for_good() -> None:
    release = threading.Event()
    opened: list[int] = []

    def opener() -> Camera:
        opened.append(1)
        if len(opened) <= 2:
            release.wait(20.0)
            raise SourceError("late")
        return FakeCamera([0.01] * 1000)

    timing = Timing(stall_s=2.0, open_s=0.05, close_s=2.0, replace_s=0.1)
    store = Store(opener, timing)
    with running(store):
        store.run_until(lambda: any(state.state == "online" for state in store.states))
        assert len(opened) == 3
        release.set()


def test_threads_do_not_pile_up_while_everything_hangs() -> None:
    release = threading.Event()
    opened = []

    def hanging() -> Camera:
        opened.append(1)
        release.wait(20.0)
        raise SourceError("late")

    store = Store(hanging, Timing(open_s=0.05, first_retry_s=0.01, close_s=2.0))
    before = threading.active_count()
    with running(store):
        end = time.monotonic() + 0.6
        store.run_until(lambda: time.monotonic() > end)
        assert threading.active_count() <= before + 2
        assert len(opened) <= 2
        release.set()


def test_the_stall_is_noticed_within_five_seconds_by_default() -> None:
    assert Timing().stall_s < 5.0


def test_a_recording_as_if_live_ends_once() -> None:
    store = Store(openers(FakeCamera([0.01] * 3)))
    with running(store):
        store.run_until(lambda: store.camera.has_ended)
        assert store.states[-1] == CameraState(
            "door", "offline", "the recording has ended", store.states[-1].since_s
        )
        end = time.monotonic() + 0.3
        store.run_until(lambda: time.monotonic() > end)
    assert store.named() == ["online", "offline"]


def test_frames_are_thinned_out_to_the_wanted_rate_and_counted() -> None:
    store = Store(openers(FakeCamera([0.01] * 100)), fps=10.0)
    with running(store):
        store.run_until(lambda: store.camera.has_ended)
    dropped = store.slots.drops()["door"]
    assert len(store.frames) + sum(dropped.values()) == 100
    seconds = store.frames[-1].taken_at_s - store.frames[0].taken_at_s
    # A machine that halts now and then makes gaps, which are not made good; it takes longer, too.
    assert 9 <= 100 - dropped["rate"] <= 3 + 10 * seconds


def test_frames_that_arrive_late_are_dropped_and_counted() -> None:
    class HeldUp(FakeCamera):
        """Frames with the stream's own times; the third to seventh are held up on the way."""

        positions_s = iter([0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 1.0, 1.05, 1.1])

        def read(self) -> Frame | None:
            frame = super().read()
            if frame is None:
                return None
            return Frame("door", frame.index, next(self.positions_s), frame.frame_bgr)

    held_up = HeldUp([0.05, 0.05, 0.9, 0.0, 0.0, 0.0, 0.0, 0.05, 0.05, 0.05])
    store = Store(openers(held_up), Timing())
    with running(store):
        store.run_until(lambda: store.camera.has_ended)
    drops, seen = store.slots.drops()["door"], {frame.index for frame in store.frames}
    assert drops["late"] == 5
    assert seen <= {0, 1, 7, 8, 9}
    assert len(seen) + drops.get("replaced", 0) == 5


def test_masks_are_black_before_the_frame_leaves() -> None:
    store = Store(
        openers(FakeCamera([0.01] * 5)), privacy_masks=[[[0, 0], [0.4, 0], [0.4, 1], [0, 1]]]
    )
    with running(store):
        store.run_until(lambda: store.camera.has_ended)
    assert store.frames
    for frame in store.frames:
        assert frame.frame_bgr[:, :3].max() == 0
        assert frame.frame_bgr[:, 5:].min() >= 200


def test_a_video_file_as_if_live(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", 15, fps=30.0)
    store = Store(lambda: PacedCamera(ReplayCamera("door", path, None, 0.0)))
    with running(store):
        store.run_until(lambda: store.camera.has_ended)
    assert [number_of(frame.frame_bgr) for frame in store.frames] == [f.index for f in store.frames]
    assert store.frames[-1].taken_at_s - store.frames[0].taken_at_s == pytest.approx(
        14 / 30, abs=0.2
    )


def test_reasons_do_not_show_passwords() -> None:
    store = Store(openers(SourceError("cannot open rtsp://admin:hunter2@10.0.0.11/1")))
    with running(store):
        store.run_until(lambda: bool(store.states))
    assert store.states[0].reason == "cannot open rtsp://<hidden>@10.0.0.11/1"


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_pauses_grow_are_jittered_and_capped(share: float) -> None:
    pauses = [Timing().pause_s(failures, share) for failures in range(1, 200)]
    assert pauses == sorted(pauses)
    assert pauses[0] == pytest.approx(0.5 * (0.5 + 0.5 * share))
    assert pauses[-1] == pytest.approx(30.0 * (0.5 + 0.5 * share))
