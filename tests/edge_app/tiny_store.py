"""A store with the tiny models, one camera, one area and one rule; and recordings for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from edge_app.flow import UInt8

CONFIG = """
store: acme-1
node: edge-1
timezone: Europe/Paris
mqtt: {url: "mqtt://127.0.0.1:1883"}
inference: {models: models, threads: 1}
outfit: {min_looks: 2, min_weight: 0.2}
cameras:
  door:
    source: nowhere.mp4
    fps: 10
    zones: {shop: {area: [[0, 0], [1, 0], [1, 1], [0, 1]]}}
alerts:
  dresses: {any_of: [dress], min_probability: 0.6, cooldown_s: 0}
"""


def write_clip(folder: Path, pictures: Sequence[UInt8], count: int) -> None:
    """A recording of ``count`` pictures, which shows the given ones over and over."""
    folder.mkdir()
    files = [folder / f"{i:04d}.png" for i in range(count)]
    for file, picture in zip(files, pictures, strict=False):
        assert cv2.imwrite(str(file), picture)
    # To compress every picture anew would take longer than most tests.
    for i in range(len(pictures), count):
        os.link(files[i % len(pictures)], files[i])


def put_together(path: Path, parts: int) -> Path:
    """A recording of 20 frames, so many times on end: its time stamps begin again in each part."""
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (96, 64)
    )
    for i in range(20):
        writer.write(np.full((64, 96, 3), 10 * i, np.uint8))
    writer.release()
    path.write_bytes(path.read_bytes() * parts)
    return path


def noise_pictures() -> list[UInt8]:
    """Pictures in which the tiny detector finds somebody, no two in a row alike."""
    noise = np.random.default_rng(0).integers(0, 255, (128, 256, 3), np.uint8)
    return [np.roll(noise, i, 0) for i in range(20)]
