"""Which pictures a model is calibrated on: representative ones from the store's own camera.

They live in memory only. Calibration must see what the camera sees, spread over the time of the
recording and over everything that looks different in it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge_app.flow import Float32, UInt8

_POOL = 4
_MOST_BYTES = 1 << 30
_FEWEST = 8
_BINS = 8


class FramePool:
    """Takes every picture that comes, and keeps few, evenly over time, however many come.

    When the pool is full, every second picture goes, and from then on only every second comes in.

    Args:
        count: how many pictures are wanted in the end; the pool holds four times as many, or what
            fits into a gibibyte.
        most_bytes: that it holds at most, unless pictures are so large that eight need more.
    """

    def __init__(self, count: int, most_bytes: int = _MOST_BYTES) -> None:
        self._count = count
        self._most_bytes = most_bytes
        self._stride = 1
        self._seen = 0
        self._pictures: list[UInt8] = []

    def add(self, picture_bgr: UInt8) -> None:
        """Take a picture, uint8 ``[h, w, 3]``; it is copied."""
        if self._seen % self._stride == 0:
            fit = max(self._most_bytes // picture_bgr.nbytes, _FEWEST)
            if len(self._pictures) >= min(_POOL * self._count, fit):
                del self._pictures[1::2]
                self._stride *= 2
            if self._seen % self._stride == 0:
                self._pictures.append(picture_bgr.copy())
        self._seen += 1

    def __len__(self) -> int:
        return len(self._pictures)

    def choose(self) -> list[UInt8]:
        """The wanted number of pictures (or all, if fewer came), in the order of time."""
        if not self._pictures:
            return []
        chosen = most_different([appearance(p) for p in self._pictures], self._count)
        return [self._pictures[i] for i in chosen]


def appearance(picture_bgr: UInt8) -> Float32:
    """What a picture looks like, in 8·8·3 + 24 numbers: a thumbnail and colour histograms.

    Args:
        picture_bgr: uint8 ``[h, w, 3]``.
    """
    small = cv2.resize(picture_bgr, (8, 8), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    shares = [
        np.histogram(picture_bgr[::4, ::4, channel], _BINS, (0, 256))[0] for channel in range(3)
    ]
    spread = np.concatenate(shares) / max(int(np.sum(shares[0])), 1)
    return np.concatenate([small.ravel(), 3.0 * spread]).astype(np.float32)


def most_different(looks: list[Float32], count: int) -> list[int]:
    """The subset that leaves nothing far from a chosen one: greedy k-centre.

    Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985.

    Args:
        looks: float32 ``[D]`` each.
        count: how many to choose.

    Returns:
        Indices, ascending.

    >>> looks = [np.float32([v]) for v in (0.0, 0.1, 5.0, 5.1, 9.0)]
    >>> most_different(looks, 3)
    [0, 2, 4]
    """
    table = np.stack(looks)
    chosen = [0]
    nearest: npt.NDArray[np.float32] = np.linalg.norm(table - table[0], axis=1)
    while len(chosen) < min(count, len(looks)):
        # Of pictures that look all the same, any may come; none comes twice.
        nearest[chosen] = -1.0
        furthest = int(nearest.argmax())
        chosen.append(furthest)
        nearest = np.minimum(nearest, np.linalg.norm(table - table[furthest], axis=1))
    return sorted(chosen)
