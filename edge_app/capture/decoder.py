"""Which decoder turns the stream of a network camera into pictures: the best at hand, and why.

On a Jetson that is GStreamer's ``nvv4l2decoder``, on a machine with an NVIDIA card PyNvVideoCodec,
anywhere else FFmpeg on the processor. Only RTSP is decoded in hardware: what cameras send over HTTP
is Motion JPEG, which FFmpeg reads as it is.
"""

from __future__ import annotations

import importlib
import logging
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

DecoderName = Literal["gstreamer", "pynvvideocodec", "ffmpeg"]
FFMPEG: DecoderName = "ffmpeg"
INSPECT_S = 30.0
"""The first question makes GStreamer load every plug-in, which a busy machine takes long for."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decoder:
    """What decodes.

    Attributes:
        name: of the decoder.
        why: it was chosen, in words.
    """

    name: DecoderName
    why: str

    def __str__(self) -> str:
        shown = {
            "gstreamer": "GStreamer's nvv4l2decoder",
            "pynvvideocodec": "PyNvVideoCodec",
            "ffmpeg": "FFmpeg on the processor",
        }
        return f"{shown[self.name]} ({self.why})"


def choose_decoder(
    has_element: Callable[[str], bool] | None = None,
    import_codec: Callable[[], Any] | None = None,
) -> Decoder:
    """The best decoder of this machine for H.264 and H.265.

    Args:
        has_element: whether GStreamer has an element of this name; None to ask it, once.
        import_codec: imports PyNvVideoCodec, and raises what keeps it from working; None for its
            own import.
    """
    if (has_element or has_gstreamer_element)("nvv4l2decoder"):
        return Decoder("gstreamer", "the hardware decoder of this Jetson is installed")
    try:
        (import_codec or import_pynvvideocodec)()
    except ImportError as error:
        missing = "is not installed" if error.name == "PyNvVideoCodec" else "cannot be loaded"
        return Decoder("ffmpeg", f"there is no nvv4l2decoder, and PyNvVideoCodec {missing}")
    # Without a driver it raises whatever it likes at import.
    except Exception as error:  # noqa: BLE001
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return Decoder("ffmpeg", f"PyNvVideoCodec does not work here: {reason}")
    return Decoder("pynvvideocodec", "it is installed, and its driver answers")


@cache
def has_gstreamer_element(name: str, timeout_s: float = INSPECT_S) -> bool:
    """Whether ``gst-launch-1.0`` is here and knows an element, as far as it says so in time."""
    inspect = shutil.which("gst-inspect-1.0")
    if inspect is None or shutil.which("gst-launch-1.0") is None:
        return False
    try:
        found = subprocess.run(  # noqa: S603  # no shell; the name is ours
            [inspect, "--exists", name], check=False, capture_output=True, timeout=timeout_s
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("cannot ask GStreamer for %s, so it is not used: %s", name, error)
        return False
    return found.returncode == 0


@cache
def import_pynvvideocodec() -> Any:
    """PyNvVideoCodec, whose import needs the driver.

    Raises:
        ImportError: it is not installed.
        Exception: there is no driver, or one that is too old.
    """
    return importlib.import_module("PyNvVideoCodec")


def jetson_pipeline(url: str, has_login: bool) -> str:
    """The ``gst://`` source that decodes an RTSP stream, H.264 or H.265, on a Jetson.

    >>> jetson_pipeline("rtsp://10.0.0.11/stream1", False).split(" ! ")[2:4]
    ['parsebin', 'nvv4l2decoder']
    """
    login = " user-id={username} user-pw={password}" if has_login else ""
    return (
        f"gst://rtspsrc {shlex.quote(f'location={url}')} protocols=tcp latency=100{login} "
        "! application/x-rtp,media=video ! parsebin ! nvv4l2decoder ! nvvidconv "
        "! video/x-raw,format=I420"
    )
