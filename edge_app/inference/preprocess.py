"""Pictures into the inputs of networks, on the CPU; the arithmetic of OpenCV's bilinear resize."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge_app.flow import Batch, UInt8
from edge_app.geometry import Letterbox

PADDING = 114
"""Grey level around a letterboxed picture, as YOLOX's training has it."""


def pixels_of(batch: Batch, out: UInt8 | None = None) -> UInt8:
    """A batch in memory: cut out here, where that is still to be done.

    Args:
        batch: for a network.
        out: uint8 ``[N, H, W, 3]`` to be overwritten; None to make one.
    """
    if isinstance(batch, np.ndarray):
        return batch
    width, height = batch.input_size
    out = np.empty((len(batch), height, width, 3), np.uint8) if out is None else out
    for picture, box, place in zip(batch.pictures_bgr, batch.boxes, out, strict=True):
        if batch.fit == "stretch":
            stretch(picture, box, place)
        else:
            x1, y1, x2, y2 = (int(v) for v in box)
            letterbox(picture[y1:y2, x1:x2], place)
    return out


def letterbox(picture_bgr: UInt8, out: UInt8) -> Letterbox:
    """Fit a picture into a network's input, top-left aligned, padded with grey.

    Args:
        picture_bgr: uint8 ``[h, w, 3]``, any layout with contiguous pixels.
        out: uint8 ``[H, W, 3]``, overwritten.

    Returns:
        How the picture was fitted, to bring boxes back.
    """
    height, width = picture_bgr.shape[:2]
    fit = Letterbox.fit((width, height), (out.shape[1], out.shape[0]))
    inside = out[: fit.height, : fit.width]
    if (fit.width, fit.height) == (width, height):
        inside[:] = picture_bgr
    else:
        size = fit.width, fit.height
        interpolation = cv2.INTER_AREA if fit.is_averaged else cv2.INTER_LINEAR
        cv2.resize(picture_bgr, size, dst=inside, interpolation=interpolation)
    out[fit.height :] = PADDING
    out[: fit.height, fit.width :] = PADDING
    return fit


def stretch(picture_bgr: UInt8, box: npt.NDArray[np.int64], out: UInt8) -> None:
    """Cut a box out of a picture and stretch it to a network's input.

    Args:
        picture_bgr: uint8 ``[h, w, 3]``.
        box: int64 ``[4]``, xyxy in whole pixels inside the picture, at least one pixel each way.
        out: uint8 ``[H, W, 3]``, overwritten.
    """
    x1, y1, x2, y2 = (int(v) for v in box)
    cv2.resize(
        picture_bgr[y1:y2, x1:x2],
        (out.shape[1], out.shape[0]),
        dst=out,
        interpolation=cv2.INTER_LINEAR,
    )
