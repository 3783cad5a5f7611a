"""Photos of any data set: read, and held out by what must not be on both sides of the split."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_HELD_OUT_PERCENT = 15


def is_held_out(group: str) -> bool:
    """The split: a fixed 15 % by the hash of the photo's stem, its sender or its published group.

    >>> is_held_out("0001"), is_held_out("0003")
    (False, True)
    """
    digest = hashlib.md5(group.encode(), usedforsecurity=False).hexdigest()
    return int(digest, 16) % 100 < _HELD_OUT_PERCENT


def read_photo(path: Path) -> NDArray[np.uint8]:
    """A photo, uint8 `[H,W,3]` BGR.

    Raises:
        ValueError: the file cannot be decoded.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path}: not a readable picture")
    return np.asarray(picture, np.uint8)
