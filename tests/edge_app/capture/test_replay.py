"""Recordings are read exactly, and what cannot be read is said in one sentence."""

from __future__ import annotations

import logging
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.capture.masks import PrivacyMasks
from edge_app.capture.replay import REPLAY_START_S, ReplayCamera, natural_order
from edge_app.errors import SourceError
from edge_app.flow import Frame
from tests.edge_app.capture.pictures import (
    number_of,
    numbered,
    retime,
    write_pictures,
    write_video,
)
from tests.edge_app.tiny_store import put_together


def read_all(camera: ReplayCamera) -> list[Frame]:
    frames = []
    while (frame := camera.read()) is not None:
        frames.append(frame)
    camera.close()
    return frames


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", "mp4v"), (".avi", "MJPG"), (".mkv", "mp4v")]
)
def test_a_video_gives_every_frame_at_its_time(tmp_path: Path, suffix: str, codec: str) -> None:
    camera = ReplayCamera("door", write_video(tmp_path / f"v{suffix}", 25, codec=codec))
    frames = read_all(camera)
    assert [number_of(f.frame_bgr) for f in frames] == list(range(25))
    assert [f.index for f in frames] == list(range(25))
    assert camera.frame_count == 25
    assert camera.fps == pytest.approx(12.5)
    times = [f.taken_at_s - REPLAY_START_S for f in frames]
    assert times == pytest.approx([i / 12.5 for i in range(25)], abs=1e-6)
    assert {(f.camera, f.size, f.frame_bgr.dtype.name) for f in frames} == {
        ("door", (96, 64), "uint8")
    }


def test_after_the_end_there_is_still_nothing(tmp_path: Path) -> None:
    camera = ReplayCamera("door", write_video(tmp_path / "v.mp4", 2))
    assert len(read_all(camera)) == 2
    assert camera.read() is None


def test_two_replays_are_equal(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", 10)
    first, second = (read_all(ReplayCamera("door", path, start_s=100.0)) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert a.taken_at_s == b.taken_at_s
        np.testing.assert_array_equal(a.frame_bgr, b.frame_bgr)


def test_a_videos_own_rate_wins(tmp_path: Path) -> None:
    camera = ReplayCamera("door", write_video(tmp_path / "v.mp4", 3, fps=25.0), fps=10.0)
    assert camera.fps == pytest.approx(25.0)


def test_pictures_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "p", ["f9.png", "f10.png", "f11.JPG"])
    (folder / "notes.txt").write_text("passed over")
    (folder / ".hidden.png").write_bytes(b"passed over")
    camera = ReplayCamera("door", folder, fps=4.0, start_s=50.0)
    frames = read_all(camera)
    assert camera.frame_count == 3
    assert [number_of(f.frame_bgr) for f in frames] == [0, 1, 2]
    assert [f.taken_at_s for f in frames] == [50.0, 50.25, 50.5]


def test_one_picture_is_a_recording_of_one_frame(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "p", ["a.png"])
    assert len(read_all(ReplayCamera("door", folder / "a.png", fps=1.0))) == 1


def test_grey_and_transparent_pictures_become_bgr(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((64, 96), 50, np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), np.full((64, 96, 4), 50, np.uint8))
    shapes = [f.frame_bgr.shape for f in read_all(ReplayCamera("door", tmp_path, fps=1.0))]
    assert shapes == [(64, 96, 3)] * 2


def test_masks_are_black_in_every_frame(tmp_path: Path) -> None:
    masks = PrivacyMasks([[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]])
    path = write_video(tmp_path / "v.mp4", 5)
    for frame in read_all(ReplayCamera("door", path, masks=masks)):
        assert frame.frame_bgr[:, :48].max() == 0
        assert frame.frame_bgr[:, 60:].min() > 0 or frame.index == 0


def bad_source(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "v.mp4"
    if kind == "empty":
        path.touch()
    elif kind == "noise":
        path.write_bytes(np.random.default_rng(1).bytes(5000))
    elif kind == "text":
        path.write_text("not a video\n" * 100)
    elif kind == "cut before the index":
        whole = write_video(tmp_path / "whole.mp4", 25).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "no pictures":
        path = tmp_path / "folder"
        path.mkdir()
        (path / "notes.txt").touch()
    elif kind == "bad picture":
        path = write_pictures(tmp_path / "folder", ["a.png"]) / "b.png"
        path.write_bytes(b"not a picture")
    elif kind == "empty picture":
        path = tmp_path / "b.png"
        path.touch()
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", "expected a video file or a folder of pictures, got nothing"),
        ("empty", "expected a video, got an empty file"),
        ("noise", "not a video that FFmpeg can decode"),
        ("text", "not a video that FFmpeg can decode|not one frame can be decoded"),
        ("cut before the index", "not a video that FFmpeg can decode"),
        ("no pictures", r"expected pictures \(.*\) in this folder, got none"),
        ("bad picture", "b.png: not a picture that can be decoded"),
        ("empty picture", "b.png: not a picture that can be decoded"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(
    tmp_path: Path, kind: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        ReplayCamera("door", bad_source(tmp_path, kind), fps=10.0)
    assert str(tmp_path) in str(caught.value)
    # Neither OpenCV nor FFmpeg adds lines of its own.
    assert capfd.readouterr().err == ""


def test_a_picture_of_another_size_is_named(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "p", ["a.png"])
    cv2.imwrite(str(folder / "b.png"), numbered(0, (48, 32)))
    camera = ReplayCamera("door", folder, fps=1.0)
    camera.read()
    with pytest.raises(SourceError, match=r"b.png: expected 96 x 64 pixels .* got 48 x 32"):
        camera.read()


def test_pictures_without_a_time_base_are_refused(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "p", ["a.png"])
    with pytest.raises(SourceError, match="no frame rate of its own; set fps"):
        ReplayCamera("door", folder)


def test_a_recording_that_is_cut_short_gives_what_there_is_and_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = write_video(tmp_path / "whole.avi", 25, codec="MJPG").read_bytes()
    path = tmp_path / "cut.avi"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    with caplog.at_level(logging.WARNING):
        frames = read_all(ReplayCamera("door", path))
    assert 5 < len(frames) < 20
    assert f"ended after {len(frames)} of 25 frames" in caplog.text


def seconds_of(path: Path, camera_fps: float = 10.0) -> tuple[list[float], ReplayCamera]:
    """When its frames were taken, from the first on; each of them is there."""
    camera = ReplayCamera("door", path, camera_fps, start_s=1000.0)
    frames = read_all(camera)
    assert [number_of(f.frame_bgr) for f in frames] == [f.index for f in frames]
    return [f.taken_at_s - 1000.0 for f in frames], camera


VARYING = {
    "a telephone's": [0.031, 0.042, 0.029, 0.05, 0.033] * 5,
    "slower in the dark": [0.1] * 10 + [0.4] * 8 + [0.1] * 7,
    "of motion alone": [0.1] * 12 + [3600.0] + [0.1] * 12,
}


@pytest.mark.parametrize("apart_s", VARYING.values(), ids=VARYING.keys())
def test_frames_at_a_varying_rate_have_the_times_of_their_stamps(
    tmp_path: Path, apart_s: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    path = retime(write_video(tmp_path / "v.mp4", 25, fps=10.0), apart_s)
    told, camera = seconds_of(path)
    assert told == pytest.approx([sum(apart_s[:i]) for i in range(25)], abs=0.011)
    assert camera.frame_count == 25
    assert not caplog.records


@pytest.mark.skipif(shutil.which("gst-launch-1.0") is None, reason="gst-launch-1.0: not installed")
def test_the_stamps_of_a_matroska_file_count_whatever_rate_its_header_has(tmp_path: Path) -> None:
    """By the rate and the length in its header it has 10 frames."""
    apart_s = [0.031, 0.042, 0.029, 0.05, 0.048] * 5
    retime(write_video(tmp_path / "v.mp4", 25, fps=10.0), apart_s)
    made = "filesrc location=v.mp4 ! qtdemux ! matroskamux ! filesink location=v.mkv"
    subprocess.run(
        ["gst-launch-1.0", "-q", *made.split()], cwd=tmp_path, check=True, timeout=30,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    told, camera = seconds_of(tmp_path / "v.mkv")
    assert (camera.fps, camera.frame_count) == (10.0, 10)
    assert told == pytest.approx([sum(apart_s[:i]) for i in range(25)], abs=0.011)


@pytest.mark.skipif(not hasattr(cv2, "Animation"), reason="OpenCV before 4.11: no animations")
def test_an_animation_with_a_pause_has_it(tmp_path: Path) -> None:
    animation = cv2.Animation()
    animation.frames = [np.full((64, 96, 3), 3 * i, np.uint8) for i in range(60)]
    animation.durations = np.array([100] * 55 + [60_000] + [100] * 4)
    path = tmp_path / "motion.gif"
    assert cv2.imwriteanimation(str(path), animation)
    times = [frame.taken_at_s for frame in read_all(ReplayCamera("door", path, start_s=0.0))]
    assert times == pytest.approx([i / 10 if i < 56 else 60 + (i - 1) / 10 for i in range(60)])


def test_stamps_that_begin_again_leave_the_rate_and_are_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = read_all(ReplayCamera("door", put_together(tmp_path / "clip.ts", 3), start_s=0.0))
    assert [frame.taken_at_s for frame in frames] == [i / 10 for i in range(60)]
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'clip.ts'}: frame 20 has no time stamp, or none that can follow the one "
        "before; such frames are timed by the rate of 10 frames/s, 0.1 s after the one before"
    ]


def test_the_last_frame_of_a_decoder_has_no_stamp_and_that_is_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Pictures that are predicted from later ones, in a container that tells no such times."""
    frames = read_all(ReplayCamera("door", write_video(tmp_path / "v.avi", 25, 25.0, "mpg2")))
    assert [f.taken_at_s - REPLAY_START_S for f in frames] == pytest.approx(
        [i / 25 for i in range(25)]
    )
    assert not caplog.records


def test_natural_order_of_mixed_names() -> None:
    names = ["b", "a10", "10", "a9b", "9", "a9"]
    assert sorted(names, key=lambda n: natural_order(Path(n))) == [
        "9", "10", "a9", "a9b", "a10", "b"
    ]  # fmt: skip


def test_the_recordings_of_the_data_folder_have_the_frames_that_their_truth_says(
    clips_dir: Path,
) -> None:
    camera = ReplayCamera("door", clips_dir / "hall-dress.mp4")
    assert camera.fps == pytest.approx(12.5)
    assert len(read_all(camera)) == 35
