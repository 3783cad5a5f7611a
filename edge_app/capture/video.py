"""OpenCV's FFmpeg and V4L2 readers: the only place that opens them."""

from __future__ import annotations

import os
from typing import Any

import cv2
import numpy as np

from edge_app.flow import UInt8

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 4.0
"""Shorter than the five seconds within which a stalled camera must be noticed."""

_QUIET = "-8"


def open_recording(path: str) -> cv2.VideoCapture:
    """A reader of a video file; its ``isOpened()`` says whether there is one."""
    silence_opencv()
    return cv2.VideoCapture(path, cv2.CAP_FFMPEG)


def open_network(url: str) -> cv2.VideoCapture:
    """A reader of an RTSP or HTTP stream, over TCP, that never waits for ever."""
    silence_opencv()
    parameters = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(OPEN_TIMEOUT_S * 1000)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(READ_TIMEOUT_S * 1000)),
        # Frame-parallel decoding holds back one picture per thread.
        *(cv2.CAP_PROP_N_THREADS, 1),
    ]
    return cv2.VideoCapture(url, cv2.CAP_FFMPEG, parameters)


def open_device(device: int | str, fps: float) -> cv2.VideoCapture:
    """A reader of a USB camera by number or by path, asked for at least ``fps``."""
    silence_opencv()
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    if capture.isOpened():
        # Most USB cameras send uncompressed pictures too slowly at more than 640 x 480.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FPS, fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def next_picture(capture: cv2.VideoCapture) -> UInt8 | None:
    """The next picture, uint8 ``[H, W, 3]``, BGR; None when there is none.

    A picture that cannot be decoded does not end a stream: FFmpeg passes over it.
    """
    is_read, picture = capture.read()
    if not is_read or picture is None:
        return None
    return as_bgr(picture)


def count_pictures(path: str) -> int:
    """How many pictures a video file holds, by decoding them all.

    Its header says how long it lasts by its time stamps, which begin again in the middle of files
    that were put together or whose camera was restarted.
    """
    capture = open_recording(path)
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count


def as_bgr(picture: Any) -> UInt8:
    """Any 8-bit picture of OpenCV as uint8 ``[H, W, 3]``, BGR, contiguous."""
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    elif picture.shape[2] == 4:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR)
    return np.ascontiguousarray(picture, np.uint8)


def silence_opencv() -> None:
    """Keep OpenCV and FFmpeg from writing to stderr, and let RTSP use TCP.

    Their lines carry whole URLs, passwords included, and say in five lines what one error says.
    OpenCV reads the variables when FFmpeg is first used in the process: call this before that.
    """
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _QUIET)
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
