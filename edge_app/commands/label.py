"""``dresscode label``: a page in the browser on which a person says what a recording shows.

The page and the pictures are served on the loopback interface only, below an address that nobody
can guess, and nothing but the truth file is ever written.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from edge_app.commands.label_frames import FramePictures
from edge_app.commands.replay import choose_camera, open_clip
from edge_app.commands.truth_file import Labels, read_clips, write_clip
from edge_app.config.schema import Config
from edge_app.errors import DresscodeError, SourceError, TruthError
from edge_app.vocabulary import CATEGORIES, REGION_OF

PAGE = Path(__file__).with_name("label.html")
MOST_BYTES = 8 << 20
"""Longer labels than this are not taken."""

POLICY = (
    "default-src 'none'; img-src 'self' data:; connect-src 'self'; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'"
)


class Labelling:
    """One clip that is being labelled, and the truth file it goes into.

    Args:
        clip: a recording that :func:`~edge_app.commands.replay.open_clip` opens.
        config: with the recording's camera alone; its zones can be marked.
        truth_path: is made if missing; what it says of other clips stays.

    Raises:
        SourceError: the recording cannot be read.
        TruthError: the file is no truth file, or says of this clip what cannot be understood.
    """

    def __init__(self, clip: str, config: Config, truth_path: Path) -> None:
        self.name = Path(clip).name
        self._path = truth_path
        described = read_clips(truth_path).get(self.name, {})
        labels = Labels.from_json(described, f"{truth_path}: {self.name}")
        self._start = {
            "scene": labels.scene,
            "people": [person.as_json() for person in labels.people],
        }
        self._zones = labels.zones | {
            zone_id: zone.model_dump(mode="json", include={"line", "area"}, exclude_none=True)
            for zone_id, (_, zone) in config.zones.items()
        }
        recording = open_clip(clip, config, 0.0)
        first = recording.read()
        recording.close()
        if first is None:
            raise SourceError(f"{clip}: the recording holds no frame")
        self._size = list(first.size)
        self.pictures = FramePictures(lambda: open_clip(clip, config, 0.0))
        self._lock = Lock()

    def described(self) -> dict[str, Any]:
        """What the page needs to know."""
        return {
            "name": self.name,
            "fps": self.pictures.fps,
            "frames": self.pictures.frame_count,
            "size": self._size,
            "zones": self._zones,
            "garments": [[name, REGION_OF[name]] for name in CATEGORIES],
            **self._start,
        }

    def save(self, text: bytes) -> None:
        """Write what the page sends into the truth file.

        Raises:
            TruthError: it is not as it should be, or the file cannot be written.
        """
        try:
            described = json.loads(text)
        except ValueError as error:
            raise TruthError(f"the labels are not JSON: {error}") from error
        labels = Labels.from_json(described, self.name)
        misfits = labels.misfits(self._zones, None)
        if misfits:
            raise TruthError("\n".join(f"{self.name}: {said}" for said in misfits))
        with self._lock:
            self._start = {
                "scene": labels.scene,
                "people": [person.as_json() for person in labels.people],
            }
            whole = {
                "fps": self.pictures.fps,
                "frames": self.pictures.frame_count,
                "size": self._size,
                "scene": labels.scene,
                "zones": self._zones,
                "people": self._start["people"],
            }
            write_clip(self._path, self.name, whole)


class LabelServer(ThreadingHTTPServer):
    """Serves one :class:`Labelling` to browsers on this machine; ``with`` closes it."""

    daemon_threads = True

    def __init__(self, labelling: Labelling, port: int = 0) -> None:
        self.labelling = labelling
        self.key = secrets.token_urlsafe(16)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise SourceError(
                f"port {port} of 127.0.0.1 cannot be used: {error.strerror}; choose another --port"
            ) from error

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/{self.key}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of a picture is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers one request: the page, the clip's description, a frame, or labels to be saved."""

    server: LabelServer

    def do_GET(self) -> None:
        """The page at the root; ``clip`` and ``frame/N`` below it."""
        path = self._asked()
        if path is None:
            return
        labelling = self.server.labelling
        if path == "":
            self._send(PAGE.read_bytes(), "text/html; charset=utf-8")
        elif path == "clip":
            self._send(json.dumps(labelling.described()).encode(), "application/json")
        elif path.startswith("frame/") and path[6:].isdecimal():
            self._guard(lambda: self._send_frame(int(path[6:])))
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")

    def do_PUT(self) -> None:
        """Save the labels."""
        path = self._asked()
        if path is None:
            return
        length = self.headers.get("Content-Length", "")
        if path != "clip":
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")
        elif not length.isdecimal() or int(length) > MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the labels are too long")
        else:
            text = self.rfile.read(int(length))
            self._guard(lambda: self._save(text))

    def log_message(self, *_: Any) -> None:
        """Every step of the person would be a line."""

    def _asked(self) -> str | None:
        """The path below the secret one; None, and refused, for whoever does not know it.

        The host is checked too: a page elsewhere whose name was made to mean this machine must not
        get through (DNS rebinding).
        """
        port = self.server.server_port
        prefix = f"/{self.server.key}/"
        is_local = self.headers.get("Host") in (f"127.0.0.1:{port}", f"localhost:{port}")
        if is_local and self.path.startswith(prefix):
            return self.path[len(prefix) :]
        self._refuse(HTTPStatus.FORBIDDEN, "use the address that dresscode label printed")
        return None

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except DresscodeError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))

    def _send_frame(self, index: int) -> None:
        jpeg = self.server.labelling.pictures.jpeg(index)
        if jpeg is None:
            self._refuse(HTTPStatus.NOT_FOUND, "after the last frame")
        else:
            self._send(jpeg, "image/jpeg")

    def _save(self, text: bytes) -> None:
        self.server.labelling.save(text)
        self._send(json.dumps({"frames": self.server.labelling.pictures.frame_count}).encode(),
                   "application/json")  # fmt: skip

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self._send(why.encode(), "text/plain; charset=utf-8", status)

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        # Browsers must not put pictures on the disk.
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)


def label_clip(
    clip: str,
    config: Config,
    camera: str | None,
    truth_path: Path,
    port: int,
    say: Callable[[str], None],
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        clip: video file or folder of pictures.
        config: of the store; its zones can be marked.
        camera: which camera of the configuration the recording is of; None where there is one.
        truth_path: the truth file.
        port: of 127.0.0.1; 0 for any free one.
        say: tells the person where the page is.

    Raises:
        ConfigError: the camera is not clear.
        SourceError: the recording cannot be read, or the port is taken.
        TruthError: the truth file cannot be used.
    """
    labelling = Labelling(clip, choose_camera(config, camera), truth_path)
    with LabelServer(labelling, port) as server:
        say(
            f"open {server.url} in a browser on this machine (from another one: ssh -L "
            f"{server.server_port}:127.0.0.1:{server.server_port} THIS_MACHINE); Ctrl-C ends"
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say(f"{truth_path}: holds what was saved")
        finally:
            labelling.pictures.close()
