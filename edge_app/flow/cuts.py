"""Pieces of pictures on their way into a network: cut out where the network runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from edge_app.flow.seen import UInt8

Fit = Literal["letterbox", "stretch"]


@dataclass(frozen=True)
class Cuts:
    """A batch that is still to be made, of boxes of pictures.

    Whoever runs the network makes it: the CPU with OpenCV, the GPU out of its own copy of the
    picture, which several networks share.

    Attributes:
        pictures_bgr: uint8 ``[h, w, 3]`` each; nobody changes them any more.
        boxes: int64 ``[N, 4]``, xyxy in whole pixels, each inside its picture and not empty.
        input_size: width and height of the network's input.
        fit: ``letterbox`` keeps the shape, top left on grey; ``stretch`` fills the input.
    """

    pictures_bgr: Sequence[UInt8]
    boxes: npt.NDArray[np.int64]
    input_size: tuple[int, int]
    fit: Fit

    def __len__(self) -> int:
        return len(self.pictures_bgr)

    def __getitem__(self, part: slice) -> Cuts:
        """Some of the batch."""
        return Cuts(self.pictures_bgr[part], self.boxes[part], self.input_size, self.fit)

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Width and height of each box."""
        return [(int(x2 - x1), int(y2 - y1)) for x1, y1, x2, y2 in self.boxes]


Batch: TypeAlias = UInt8 | Cuts
"""What a network is given: uint8 ``[N, H, W, 3]``, BGR and contiguous, or where to cut it out."""


def whole(pictures_bgr: Sequence[UInt8]) -> npt.NDArray[np.int64]:
    """The boxes that span pictures.

    >>> whole([np.zeros((10, 20, 3), np.uint8)]).tolist()
    [[0, 0, 20, 10]]
    """
    spans = [(0, 0, picture.shape[1], picture.shape[0]) for picture in pictures_bgr]
    return np.array(spans, np.int64).reshape(-1, 4)
