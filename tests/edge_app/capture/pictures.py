"""Small pictures and videos whose frames tell their own number."""

from __future__ import annotations

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


def write_video(path: Path, frames: int, fps: float = 12.5, codec: str = "mp4v") -> Path:
    silence_opencv()
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, SIZE)
    assert writer.isOpened()
    for index in range(frames):
        writer.write(numbered(index))
    writer.release()
    return path


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
