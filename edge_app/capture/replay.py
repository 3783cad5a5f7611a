"""Recordings: every frame of a video file or of a folder of pictures, exactly once."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_app.capture.masks import PrivacyMasks
from edge_app.capture.stamps import Stamps
from edge_app.capture.video import as_bgr, next_picture, open_recording, silence_opencv
from edge_app.errors import SourceError
from edge_app.flow import Frame, UInt8

log = logging.getLogger(__name__)

REPLAY_START_S = 1_767_225_600.0
"""2026-01-01T00:00:00Z: when a recording begins unless told otherwise, so that two replays of it
give the same times."""

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_SANE_FPS = (0.1, 240.0)


class ReplayCamera:
    """A :class:`~edge_app.ports.Camera` over a recording.

    Frame ``i`` was taken at ``start_s + i / fps``, where ``fps`` is the recording's own rate; the
    given one counts for folders of pictures and for files that have none (or nonsense: outside
    0.1 to 240). Frames of a video that are missing or come at a varying rate are timed by their
    time stamps, see :class:`~edge_app.capture.stamps.Stamps`.

    Args:
        camera_id: of the frames.
        source: a video file, a picture, or a folder of pictures of one size, taken in the order of
            their names (numbers in names count as numbers).
        fps: time base for sources without one.
        start_s: when frame 0 was taken, seconds of Unix time.
        masks: blacked out in every frame.

    Attributes:
        fps: the rate in use, frames per second; of a video of varying rate what its header says.
        frame_count: number of frames, for progress; of a video as its header says, which may be
            wrong by a few, None where it says nothing.

    Raises:
        SourceError: missing, empty or undecodable, or no time base is known.
    """

    def __init__(
        self,
        camera_id: str,
        source: Path,
        fps: float | None = None,
        start_s: float = REPLAY_START_S,
        masks: PrivacyMasks | None = None,
    ) -> None:
        self._camera_id = camera_id
        self._source = source
        self._start_s = start_s
        self._masks = masks or PrivacyMasks()
        self._capture: cv2.VideoCapture | None = None
        own_fps: float | None = None
        self.frame_count: int | None
        if not os.access(source, os.R_OK):
            raise SourceError(
                f"{source}: expected a video file or a folder of pictures, got nothing that can be "
                "read; check the path"
            )
        if source.is_dir() or source.suffix.lower() in PICTURE_SUFFIXES:
            paths = _picture_paths(source)
            self.frame_count = len(paths)
            self._pictures = _pictures_of_one_size(paths)
        else:
            self._capture = _open(source)
            own_fps = _sane(self._capture.get(cv2.CAP_PROP_FPS))
            declared = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
            self.frame_count = declared if declared > 0 else None
            self._pictures = _pictures_of(self._capture)
        chosen = own_fps or fps
        if chosen is None:
            self.close()
            raise SourceError(f"{source}: has no frame rate of its own; set fps")
        self.fps = chosen
        self._index = 0
        self._last_s = 0.0
        self._stamps = Stamps(chosen)
        self._ahead: UInt8 | None = self._first()

    def read(self) -> Frame | None:
        """The next frame, or None after the last one.

        Raises:
            SourceError: a picture of the folder cannot be decoded or has another size.
        """
        picture = self._ahead if self._index == 0 else next(self._pictures, None)
        if picture is None:
            self._report_missing()
            return None
        self._ahead = None
        index = self._index
        self._index += 1
        self._last_s = index / self.fps
        if self._capture is not None:
            stamp_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            self._last_s = self._by_stamp(index, stamp_s)
        taken_at_s = self._start_s + self._last_s
        return Frame(self._camera_id, index, taken_at_s, self._masks.apply(picture))

    def close(self) -> None:
        """Release the file."""
        self._pictures = iter(())
        if self._capture is not None:
            self._capture.release()

    def _first(self) -> UInt8:
        picture = next(self._pictures, None)
        if picture is None:
            self.close()
            raise SourceError(
                f"{self._source}: not one frame can be decoded; is the file cut "
                "short, or a codec that FFmpeg does not know?"
            )
        return picture

    def _by_stamp(self, index: int, stamp_s: float) -> float:
        """Seconds from the first picture of a video to this one."""
        taken_s = self._stamps.taken_s(index, stamp_s)
        # The last picture that a decoder gives out often has none; nothing is lost by that.
        if self._stamps.first_without == index - 1:
            log.warning(
                "%s: frame %d has no time stamp, or none that can follow the one before; such "
                "frames are timed by the rate of %.4g frames/s, %.3g s after the one before",
                *(self._source, index - 1, self.fps, 1 / self.fps),
            )
        return taken_s

    def _report_missing(self) -> None:
        """A recording that ends early is worth a warning; headers are wrong by a frame or two.

        Some give their length alone, and the number of frames is worked out by the rate.
        """
        least = (self.frame_count or 0) - 2
        if self._index < least and self._last_s + 1 / self.fps < least / self.fps:
            log.warning(
                "%s: ended after %d of %d frames; the file is cut short or damaged",
                self._source,
                self._index,
                self.frame_count,
            )
            self.frame_count = self._index


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Sort key of file names: runs of digits compare as numbers.

    >>> names = ["f10.png", "f9.png", "f9b.png"]
    >>> [p.name for p in sorted(map(Path, names), key=natural_order)]
    ['f9.png', 'f9b.png', 'f10.png']
    """
    parts = re.findall(r"([0-9]+)|([^0-9]+)", path.name)
    return [(0, int(digits), "") if digits else (1, 0, text) for digits, text in parts]


def read_picture(path: Path) -> UInt8:
    """A picture file as uint8 ``[H, W, 3]``, BGR, turned as its EXIF data says.

    Raises:
        SourceError: it is missing or cannot be decoded.
    """
    silence_opencv()
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise SourceError(f"{path}: expected a picture, got: {error.strerror}") from error
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except cv2.error as error:
        raise SourceError(f"{path}: not a picture that can be decoded ({error.err})") from error
    if picture is None:
        raise SourceError(f"{path}: not a picture that can be decoded; remove or replace it")
    return as_bgr(picture)


def picture_paths(folder: Path) -> list[Path]:
    """The pictures in a folder, in natural order; other files are passed over."""
    paths = (p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file())
    return sorted((p for p in paths if not p.name.startswith(".")), key=natural_order)


def _picture_paths(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    paths = picture_paths(source)
    if not paths:
        known = " ".join(sorted(PICTURE_SUFFIXES))
        raise SourceError(f"{source}: expected pictures ({known}) in this folder, got none")
    return paths


def _pictures_of_one_size(paths: list[Path]) -> Iterator[UInt8]:
    first: tuple[int, ...] | None = None
    for path in paths:
        picture = read_picture(path)
        first = first or picture.shape
        if picture.shape != first:
            raise SourceError(
                f"{path}: expected {first[1]} x {first[0]} pixels like the pictures before it, got "
                f"{picture.shape[1]} x {picture.shape[0]}; one folder is one camera"
            )
        yield picture


def _pictures_of(capture: cv2.VideoCapture) -> Iterator[UInt8]:
    while (picture := next_picture(capture)) is not None:
        yield picture


def _open(source: Path) -> cv2.VideoCapture:
    if source.stat().st_size == 0:
        raise SourceError(f"{source}: expected a video, got an empty file")
    capture = open_recording(str(source))
    if not capture.isOpened():
        raise SourceError(f"{source}: not a video that FFmpeg can decode; check it, or convert it")
    return capture


def _sane(fps: float) -> float | None:
    low, high = _SANE_FPS
    return fps if low <= fps <= high else None
