"""Any GStreamer pipeline as a camera: ``gst://rtspsrc location=… ! rtph264depay ! nvv4l2decoder``.

The pipeline runs in a process of its own and writes YUV4MPEG2 into a pipe, since OpenCV's wheels
are built without GStreamer. That also keeps a crashing decoder out of this program.
"""

from __future__ import annotations

import os
import re
import selectors
import shlex
import subprocess
import time
from itertools import count

import cv2
import numpy as np

from edge_app.capture.video import READ_TIMEOUT_S
from edge_app.config.secrets import redact
from edge_app.errors import SourceError
from edge_app.flow import Frame, UInt8

PREFIX = "gst://"
START_TIMEOUT_S = 15.0
_MAX_HEADER = 512
_MAX_SIDE = 16_384
_KEPT_STDERR = 4096
_TAIL = (
    # Only the newest picture is worth converting.
    "! queue leaky=downstream max-size-buffers=2 max-size-bytes=0 max-size-time=0 "
    # y4menc writes GStreamer's row padding along, which other sizes than these have.
    "! videoconvert ! videoscale ! "
    "video/x-raw,format=I420,colorimetry=bt601,width=[8,16384,8],height=[2,16384,2] "
    "! y4menc ! fdsink fd=1 sync=false"
)


class GStreamerCamera:
    """One run of a pipeline. Its frames' times are those of their arrival (monotonic clock).

    Args:
        camera_id: of the frames.
        source: ``gst://`` and a pipeline as for ``gst-launch-1.0``, without a sink. In it
            ``{username}`` and ``{password}`` stand for the camera's.
        username: what to put there.
        password: what to put there. Other users of the machine can see a process's arguments,
            except under the shipped systemd unit.
        read_timeout_s: a pipeline that sends nothing for so long has failed.

    Raises:
        SourceError: GStreamer is missing, or the pipeline fails or sends nothing.
    """

    def __init__(
        self,
        camera_id: str,
        source: str,
        username: str | None = None,
        password: str | None = None,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._camera_id = camera_id
        self._shown = redact(source)
        self._read_timeout_s = read_timeout_s
        self._password = password
        self._numbers = count()
        self._stderr = b""
        command = command_line(source, username, password)
        try:
            self._process = subprocess.Popen(  # noqa: S603  # no shell; the words are one pipeline
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
            )
        except FileNotFoundError as error:
            raise SourceError(
                f"{self._shown}: gst-launch-1.0 is not installed; on Debian and JetPack: "
                "apt-get install gstreamer1.0-tools gstreamer1.0-plugins-good"
            ) from error
        pipes = (self._process.stdout, self._process.stderr)
        self._pipes = [pipe for pipe in pipes if pipe is not None]
        self._out, self._err = (pipe.fileno() for pipe in self._pipes)
        self._selector = selectors.DefaultSelector()
        for pipe in self._pipes:
            self._selector.register(pipe.fileno(), selectors.EVENT_READ)
        try:
            header = self._line(time.monotonic() + START_TIMEOUT_S)
            self._width, self._height = picture_size(header)
        except SourceError:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"GStreamerCamera({self._camera_id!r}, {self._shown!r})"

    def read(self) -> Frame:
        """The next picture.

        Raises:
            SourceError: the pipeline ended, failed, or sent nothing for some seconds.
        """
        deadline = time.monotonic() + self._read_timeout_s
        mark = self._line(deadline)
        if not mark.startswith(b"FRAME"):
            raise SourceError(f"{self._shown}: the pipeline sent something other than pictures")
        planes = bytearray(self._width * self._height * 3 // 2)
        self._fill(memoryview(planes), deadline)
        rows = np.frombuffer(planes, np.uint8).reshape(self._height * 3 // 2, self._width)
        picture: UInt8 = np.asarray(cv2.cvtColor(rows, cv2.COLOR_YUV2BGR_I420), np.uint8)
        return Frame(self._camera_id, next(self._numbers), time.monotonic(), picture)

    def close(self) -> None:
        """End the pipeline and wait until it is gone."""
        self._selector.close()
        self._process.terminate()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            # A pipeline that hangs in a driver does not answer to SIGTERM.
            self._process.kill()
            self._process.wait()
        for pipe in self._pipes:
            pipe.close()

    def _line(self, deadline: float) -> bytes:
        line = bytearray()
        byte = bytearray(1)
        while not line.endswith(b"\n"):
            if len(line) > _MAX_HEADER:
                raise SourceError(f"{self._shown}: the pipeline sent something other than pictures")
            self._fill(memoryview(byte), deadline)
            line += byte
        return bytes(line)

    def _fill(self, target: memoryview, deadline: float) -> None:
        """Read exactly as many bytes as the target holds, keeping stderr from filling up."""
        done = 0
        while done < len(target):
            ready = self._selector.select(max(deadline - time.monotonic(), 0.0))
            if not ready:
                raise SourceError(f"{self._shown}: the pipeline sends no pictures; {self._said()}")
            for key, _ in ready:
                if key.fd == self._err:
                    self._hear()
                else:
                    size = os.readv(self._out, [target[done:]])
                    if size == 0:
                        raise SourceError(f"{self._shown}: the pipeline ended; {self._said()}")
                    done += size

    def _hear(self) -> None:
        said = os.read(self._err, 65_536)
        if not said:
            self._selector.unregister(self._err)
        self._stderr = (self._stderr + said)[-_KEPT_STDERR:]

    def _said(self) -> str:
        """The first complaint of GStreamer, without secrets."""
        while any(key.fd == self._err for key, _ in self._selector.select(0.2)):
            before = self._stderr
            self._hear()
            if self._stderr == before:
                break
        text = redact(self._stderr.decode(errors="replace"))
        if self._password:
            text = text.replace(self._password, "<hidden>")
        lines = [line for line in text.splitlines() if "ERROR" in line or "WARNING" in line]
        return f"it says: {lines[0][:300]}" if lines else "it says nothing"


def command_line(source: str, username: str | None, password: str | None) -> list[str]:
    """The words of the command that runs a pipeline and writes its pictures to stdout.

    >>> command_line("gst://videotestsrc pattern=ball", None, None)[:4]
    ['gst-launch-1.0', '-q', 'videotestsrc', 'pattern=ball']
    """
    try:
        words = shlex.split(source.removeprefix(PREFIX))
    except ValueError as error:
        raise SourceError(f"{redact(source)}: a quote is open ({error}); close it") from error
    if not words:
        raise SourceError("gst://: expected a pipeline after it, got nothing")
    for name, value in (("{username}", username), ("{password}", password)):
        words = [word.replace(name, _escaped(value or "")) for word in words]
    return ["gst-launch-1.0", "-q", *words, *_TAIL.split()]


def _escaped(value: str) -> str:
    """A value as gst-launch's grammar reads it: every special character behind a backslash.

    gst-launch puts one before a space itself, but not once a quote came before it in the word.
    """
    before, quote, after = value.partition('"')
    return re.sub(r"([^\w ])", r"\\\1", before) + re.sub(r"(\W)", r"\\\1", quote + after)


def picture_size(header: bytes) -> tuple[int, int]:
    """Width and height in pixels from the first line of YUV4MPEG2.

    Raises:
        SourceError: it is not such a line.

    >>> picture_size(b"YUV4MPEG2 C420 W320 H240 Ip F10:1 A1:1")
    (320, 240)
    """
    sizes = re.match(rb"YUV4MPEG2 (?:.* )?W(\d{1,5}) (?:.* )?H(\d{1,5})\b", header)
    width, height = (int(sizes[1]), int(sizes[2])) if sizes else (0, 0)
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE and width % 8 == height % 2 == 0):
        raise SourceError(f"expected a YUV4MPEG2 header from the pipeline, got {header[:80]!r}")
    return width, height
