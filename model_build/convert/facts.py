"""Looks at each picture file once: whether it is whole, how large, and what it looks like."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SMALL_SIDE = 16
_LOOK_SIDE = 32
_LEAST_SIDE_PX = 16
_JPEG, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
_PNG, _PNG_END = b"\x89PNG", b"IEND"


class PictureError(Exception):
    """A picture cannot be used; the message says why, without its name."""


@dataclass(frozen=True)
class Facts:
    """What is known of a picture without looking at it again.

    Attributes:
        size: width and height in pixels.
        digest: of the file's bytes.
        look: a 63-bit perceptual hash; pictures that look alike differ in few bits.
        small: the picture in grey, uint8 `[256]`, 16x16 row by row.
    """

    size: tuple[int, int]
    digest: str
    look: int
    small: NDArray[np.uint8]


def look_at(path: Path) -> Facts:
    """Read and decode a picture.

    Raises:
        PictureError: it is missing, cut off, tiny, or cannot be decoded.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PictureError(error.strerror or "cannot be read") from error
    if is_cut_off(content):
        raise PictureError("cut off: the end of the file is missing")
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:  # nothing in it, or more pixels than OpenCV takes
        raise PictureError(f"not a readable picture: {error.err}") from error
    if picture is None:
        raise PictureError("not a readable picture")
    height, width = picture.shape[:2]
    if min(height, width) < _LEAST_SIDE_PX:
        raise PictureError(f"is {width}x{height} pixels, too small to show anything")
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (SMALL_SIDE, SMALL_SIDE), interpolation=cv2.INTER_AREA)
    return Facts(
        size=(width, height),
        digest=hashlib.sha256(content).hexdigest(),
        look=perceptual_hash(np.asarray(grey, np.uint8)),
        small=np.asarray(small, np.uint8).ravel(),
    )


def is_cut_off(content: bytes) -> bool:
    """Whether a JPEG or PNG file stops before its end; some decoders fill the rest with grey.

    Inside the scans of a JPEG, 0xff is never followed by the end's second byte. What follows the
    end, as the video that phones append, is no part of the picture.
    """
    if content.startswith(_JPEG):
        return content.find(_JPEG_END, _first_scan(content)) < 0
    return content.startswith(_PNG) and content.rfind(_PNG_END, -64) < 0


def _first_scan(content: bytes) -> int:
    """Where a JPEG's first scan starts, or its length where there is none.

    Goes from segment to segment: a preview inside one has scans and an end of its own.
    Reference: ITU-T T.81, B.1.1.
    """
    at = len(_JPEG)
    while 0 <= at < len(content) and content[at : at + 2] != _JPEG_SCAN:
        is_fill = content[at + 1 : at + 2] == b"\xff"
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        at = content.find(b"\xff", at + 1 if is_fill else at + 2 + length)
    return at if at >= 0 else len(content)


def perceptual_hash(grey: NDArray[np.uint8]) -> int:
    """The signs of a grey picture's 63 lowest frequencies against their median (pHash).

    Reference: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010.
    """
    small = cv2.resize(grey, (_LOOK_SIDE, _LOOK_SIDE), interpolation=cv2.INTER_AREA)
    lowest = cv2.dct(small.astype(np.float32))[:8, :8].ravel()[1:]
    bits = np.packbits(np.concatenate(([False], lowest > np.median(lowest))))
    return int.from_bytes(bits.tobytes(), "big")
