"""Small pictures and videos whose frames tell their own number."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from edge_app.capture.video import silence_opencv
from edge_app.errors import SourceError
from edge_app.flow import Frame, UInt8
from edge_app.ports import Camera

SIZE = (96, 64)
LEVEL_STEP = 8


def numbered(index: int, size: tuple[int, int] = SIZE) -> UInt8:
    """A grey picture whose brightness is its number; up to 30 numbers survive compression."""
    width, height = size
    return np.full((height, width, 3), 8 + LEVEL_STEP * (index % 30), np.uint8)


def number_of(picture: UInt8) -> int:
    """The number of a :func:`numbered` picture."""
    return round((float(picture[8:-8, 8:-8].mean()) - 8) / LEVEL_STEP)


def write_video(
    path: Path,
    frames: int,
    fps: float = 12.5,
    codec: str = "mp4v",
    pictures: Sequence[UInt8] | None = None,
) -> Path:
    """A video of numbered pictures, or of others."""
    silence_opencv()
    pictures = pictures or [numbered(index) for index in range(frames)]
    size = (pictures[0].shape[1], pictures[0].shape[0])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, size)
    assert writer.isOpened()
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


def retime(path: Path, apart_s: Sequence[float]) -> Path:
    """Give the frames of an MP4 of one track other times: each is so long before the next.

    Only the table of times (``stts``) is another one, and there is no edit list any more, by which
    the recording would end when it did before; see ISO 14496-12.
    """
    data = path.read_bytes()
    ticks_per_s = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    ticks = [round(seconds * ticks_per_s) for seconds in apart_s]
    table = b"".join(struct.pack(">II", 1, one) for one in ticks)
    times = struct.pack(">II", 0, len(ticks)) + table
    path.write_bytes(b"".join(_retimed(data, times)))
    return path


def _retimed(data: bytes, times: bytes) -> Iterator[bytes]:
    while data:
        size, kind = struct.unpack_from(">I4s", data)
        body, data = data[8:size], data[size:]
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            body = b"".join(_retimed(body, times))
        elif kind == b"stts":
            body = times
        if kind != b"edts":
            yield struct.pack(">I4s", len(body) + 8, kind) + body


def write_pictures(folder: Path, names: list[str], size: tuple[int, int] = SIZE) -> Path:
    """Pictures of these names, numbered in the order of the list."""
    folder.mkdir(exist_ok=True)
    for index, name in enumerate(names):
        cv2.imwrite(str(folder / name), numbered(index, size))
    return folder


def read_until_it_fails(camera: Camera) -> tuple[list[Frame], str]:
    """Frames up to the camera's failure, and what it says; the camera is closed."""
    frames: list[Frame | None] = []
    try:
        while True:
            frames.append(camera.read())
    except SourceError as error:
        said = str(error)
    camera.close()
    return [frame for frame in frames if frame is not None], said
