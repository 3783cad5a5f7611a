"""Cameras that show a known number of visits, and misbehave on a schedule.

Every cycle of 40 s: from 0 on nobody, three visits of 3 s at 18, 25 and 31 s, and from 35.5 s on
the camera is away: it closes its connections in one cycle, and keeps silent on them in the next.
Whoever is seen in the first 10 s after a camera came back is taken to have been there before, so
the first visit leaves a slow machine 8 s to connect anew.
"""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np

FPS = 10.0
CYCLE_S = 40.0
VISITS_AT_S = (18.0, 25.0, 31.0)
VISIT_S = 3.0
AWAY_FROM_S = 35.5


def is_visit(at_s: float) -> bool:
    """Whether somebody is there, so many seconds after the start."""
    return any(0.0 <= at_s % CYCLE_S - visit_s < VISIT_S for visit_s in VISITS_AT_S)


def visits_until(end_s: float) -> int:
    """How many visits have begun, and been in view for two seconds, in so many seconds."""
    whole, rest = divmod(end_s, CYCLE_S)
    return int(whole) * len(VISITS_AT_S) + sum(rest >= at_s + 2.0 for at_s in VISITS_AT_S)


def jpegs() -> tuple[list[bytes], list[bytes]]:
    """Pictures of nobody and of somebody, a few of each, with different grain."""
    rng = np.random.default_rng(7)
    shown: tuple[list[bytes], list[bytes]] = ([], [])
    for level, kept in zip((6, 210), shown, strict=True):
        for _ in range(5):
            picture = np.clip(rng.normal(6, 4, (128, 256, 3)), 0, 255).astype(np.uint8)
            # Half of the picture: what changes everywhere would be taken for light, not for motion.
            picture[:, 100:] = np.clip(rng.normal(level, 4, (128, 156, 3)), 0, 255)
            kept.append(cv2.imencode(".jpg", picture)[1].tobytes())
    return shown


class MisbehavingCameras:
    """MJPEG cameras on one port, ``/0``, ``/1`` and so on; within ``with``."""

    def __init__(self) -> None:
        self._nobody, self._somebody = jpegs()
        self._ends = threading.Event()
        self.began_s = time.monotonic()
        cameras = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    cameras._serve(self)
                except OSError:
                    return  # the reader has gone

            def log_message(self, *_: Any) -> None:
                """Requests are not logged."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    @property
    def at_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began_s

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        request.end_headers()
        count = 0
        while not self._ends.wait(max(self.began_s + count / FPS - time.monotonic(), 0.0)):
            at_s = self.at_s
            count = int(at_s * FPS) + 1
            if at_s % CYCLE_S >= AWAY_FROM_S:
                if int(at_s // CYCLE_S) % 2 == 0:
                    return
                continue
            shown = self._somebody if is_visit(at_s) else self._nobody
            jpeg = shown[count % len(shown)]
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            request.wfile.write(head.encode() + jpeg + b"\r\n")

    def __enter__(self) -> MisbehavingCameras:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.began_s = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._server.shutdown()
        self._server.server_close()
